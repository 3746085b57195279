"""`bliss-like export`: write scans in another format, those that were and those that run. A plain process."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import TYPE_CHECKING, Any

from bliss_like.data.counting import counted

from .words import SCANS

if TYPE_CHECKING:
    from argparse import _SubParsersAction

FORMATS = "csv, jsonl, msgpack, nexus, parquet, spec, tiff"


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "export",
        help="write scans in another format",
        description="Write scans in another format, all of them or nothing. Nothing that is there is overwritten.",
        epilog="Names in templates: {scan_nb} {name} {session} {title} {uid} {user} {sample}, {start.scan_id} {start.sample_name}, any "
        "key of scan_info {info.technique.x}; for images also {channel} {event.seq_num} {event.data.temperature} {i}.",
    )
    parser.add_argument("scans", nargs="+", metavar="SCAN", help=SCANS)
    parser.add_argument("--to", required=True, metavar="FORMAT", help=f"{FORMATS}, or one that is installed beside")
    parser.add_argument(
        "--output",
        default=".",
        metavar="PATH",
        help="a directory, the name of a file, or - for standard output; else here",
    )
    parser.add_argument(
        "--template", default="", help="of the names of files in that directory, slashes make directories"
    )
    parser.add_argument(
        "--channels", nargs="+", default=[], metavar="NAME", help="these only; names, short names or patterns"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of the format, e.g. stack=true; may be given again",
    )
    parser.add_argument("--session", default="", help="of several scans of that number or name, that of this session")
    parser.add_argument("--live", action="store_true", help="follow scans that run until they end")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    parser.set_defaults(run=run, words="scans")


def run(chosen: argparse.Namespace) -> int:
    """Export; return the exit code.

    :raises BlissLikeError: a scan is not to be found, or something is in the way.
    """
    from bliss_like.data.past import known_store, scans_named
    from bliss_like.exporters import feed, make_exporter, target_of
    from bliss_like.exporters.sources import events_of

    to_stdout = chosen.output == "-"
    output = sys.stdout.buffer if to_stdout else chosen.output
    target, template = target_of(output, chosen.template, overwrite=chosen.overwrite, dry_run=chosen.dry_run)
    exporter = make_exporter(chosen.to, target, template, dict(map(_option, chosen.option)))
    nodes = scans_named(chosen.scans, known_store(), chosen.session)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = _tell
        feed(exporter, target, events_of(nodes, chosen.channels, live=chosen.live))
    if to_stdout:
        return 0
    for name, size in target.sizes.items():
        print(f"{size:>13,} bytes  {name}")
    if chosen.dry_run:
        print(f"{counted(len(target.sizes), 'file')} would be written", file=sys.stderr)
    return 0 if target.sizes else 1


def _tell(message: Warning | str, *where: Any, **more: Any) -> None:
    print(f"bliss-like export: {message}", file=sys.stderr)


def _option(text: str) -> tuple[str, Any]:
    """Return key and value; true, false and numbers are what they look like."""
    key, equals, value = text.partition("=")
    if not equals:
        return key, True
    if value in ("true", "false"):
        return key, value == "true"
    for kind in (int, float):
        try:
            return key, kind(value)
        except ValueError:
            continue
    return key, value
