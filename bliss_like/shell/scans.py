"""`bliss-like scans`: find past scans in the catalogue, show one, make the catalogue again from the files. A plain process."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from bliss_like.data.counting import counted
from bliss_like.live.look import Role

from .style import paint

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from bliss_like.data.catalogue import Results, ScanRecord

LIMIT = 20
"""Scans that are listed when nobody says how many."""

_LISTED = 12
"""Items of a part of the metadata that are shown without --all."""


def add_parser(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "scans",
        help="find past scans",
        description="List past scans, the newest first. With a number, a uid or a name after `show`: all about that one.",
        epilog="A time is 'today', 'yesterday', 'monday', '2 h', '3 days', '14:30' or '2026-11-20'. Names may have * and ?.",
    )
    parser.add_argument(
        "text", nargs="*", metavar="TEXT", help="words in title, comments, name or sample; or: show SCAN"
    )
    parser.add_argument("--since", metavar="TIME", help="started then or later")
    parser.add_argument("--until", metavar="TIME", help="started then or earlier")
    for name in ("session", "sample", "type", "user", "proposal", "dataset", "state"):
        parser.add_argument(
            f"--{name}", dest=f"{name}s", action="append", default=[], metavar=name.upper(), help="may be given again"
        )
    parser.add_argument("--motor", action="append", default=[], metavar="AXIS", help="that was moved")
    parser.add_argument("--counter", action="append", default=[], metavar="COUNTER", help="that was counted")
    parser.add_argument(
        "--where", action="append", default=[], metavar="KEY>VALUE", help="metadata: technique.energy>7.1, npoints=10"
    )
    parser.add_argument("--limit", type=int, default=None, metavar="NUMBER", help=f"so many at most (default {LIMIT})")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--all", action="store_true", help="with show: all metadata")
    parser.add_argument(
        "--rebuild", nargs="?", const="", default=None, metavar="DIRECTORY",
        help="make the index of this directory again from the files below it; without one, those of all known directories",
    )  # fmt: skip
    parser.set_defaults(run=run, words="text")


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen; return the exit code.

    :raises CatalogueError: an index cannot be read, or what is asked for makes no sense.
    """
    if chosen.rebuild is not None:
        return _rebuild(chosen.rebuild)
    if chosen.text[:1] == ["show"] and len(chosen.text) > 1:
        for scan in chosen.text[1:]:
            _show(scan, as_json=chosen.json, everything=chosen.all)
        return 0
    return _list(chosen)


def _list(chosen: argparse.Namespace) -> int:
    from bliss_like.data import catalogue
    from bliss_like.data.catalogue_results import as_json, table

    limit = LIMIT if chosen.limit is None else chosen.limit
    found = catalogue.search(
        " ".join(chosen.text),
        since=chosen.since, until=chosen.until, session=chosen.sessions, sample=chosen.samples, type=chosen.types,
        user=chosen.users, proposal=chosen.proposals, dataset=chosen.datasets, state=chosen.states,
        motors=chosen.motor, counters=chosen.counter, where=chosen.where,
        limit=limit if chosen.json else None,
    )  # fmt: skip
    if chosen.json:
        for record in found:
            print(json.dumps(as_json(record)))
        return 0
    if not found:
        print(f"bliss-like scans: {_nothing(found)}", file=sys.stderr)
        return 1
    print(table(found[:limit], shutil.get_terminal_size().columns))
    if len(found) > limit:
        print(paint(f"{len(found) - limit} more, older ones: --limit {len(found)}", Role.DIM))
    return 0


def _nothing(found: Results) -> str:
    from bliss_like.data import catalogue

    if not catalogue.known_roots():
        return (
            "no catalogue is known here yet: the first scan that is saved makes one; "
            "of files that are there, bliss-like scans --rebuild DIRECTORY"
        )
    return f"no scan found{found.hint}"


def _show(scan: str, *, as_json: bool, everything: bool) -> None:
    from bliss_like.data import catalogue
    from bliss_like.data.catalogue_results import as_json as in_json

    record = catalogue.get(scan)
    if as_json:
        print(json.dumps(in_json(record, info=True)))
        return
    print(record.__info__())
    _show_channels(record)
    _show_metadata(record, everything)


def _show_channels(record: ScanRecord) -> None:
    channels = record.info.get("channels") or {}
    if channels:
        print("\nchannels")
    width = max(map(len, channels), default=0)
    for name, about in channels.items():
        kind = {0: "", 1: "spectrum", 2: "image"}.get(about.get("dim", 0), f"{about.get('dim')} dimensions")
        words = (about.get("dtype", ""), kind, about.get("unit") or "")
        print(f"  {name:{width}}  {' '.join(word for word in words if word)}".rstrip())


def _show_metadata(record: ScanRecord, everything: bool) -> None:
    from bliss_like.data.catalogue_facts import UNTOLD

    print("\nmetadata")
    for key, value in record.info.items():
        if everything or key not in UNTOLD or key == "positioners":
            lines = list(_lines(key, value))
            shown = lines if everything or len(lines) <= _LISTED else lines[:_LISTED]
            for line in shown:
                print(f"  {line}")
            if len(shown) < len(lines):
                print(paint(f"  {key}: {counted(len(lines) - len(shown), 'more line')} with --all", Role.DIM))


def _lines(key: str, value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return [line for name, item in value.items() for line in _lines(f"{key}.{name}", item)]
    return [f"{key} = {value if isinstance(value, str) else json.dumps(value)}"]


def _rebuild(directory: str) -> int:
    from bliss_like.data import catalogue
    from bliss_like.data.catalogue_rebuild import Rebuilt, rebuild
    from bliss_like.errors import CatalogueError

    roots = [directory] if directory else catalogue.known_roots()
    if not roots:
        raise CatalogueError(
            "no catalogue is known here yet: say of which directory: bliss-like scans --rebuild DIRECTORY"
        )

    def tell(so_far: Rebuilt) -> None:
        if sys.stderr.isatty():
            print(f"\r{so_far.root}: {counted(so_far.scans, 'scan')}", end="", file=sys.stderr, flush=True)

    troubles = 0
    for root in roots:
        result = rebuild(root, tell)
        if sys.stderr.isatty():
            print("\r", end="", file=sys.stderr)
        print(f"{result.root}: {counted(result.scans, 'scan')} of {counted(result.files, 'file')}", end="")
        print(f", {result.forgotten} taken out that no file has" if result.forgotten else "")
        for trouble in result.troubles:
            print(f"  {trouble}", file=sys.stderr)
        troubles += len(result.troubles)
    return 1 if troubles else 0
