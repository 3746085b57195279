"""Formats that scans are given away in: each a fold over the events of a scan, live or of the past.

A format is a class `Exporter`, found by its name here or in the entry points `bliss_like.exporters`. It knows nothing of where
its files go, which is a `Target`: a directory, an open file, memory, or nowhere.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast, runtime_checkable

from bliss_like.data.events import WireEvent
from bliss_like.errors import ExportError

from .target import DryRun, Files, Memory, Stream, Target

ENTRY_POINTS = "bliss_like.exporters"

FORMATS = {
    "csv": "bliss_like.exporters.csv:CsvExporter",
    "jsonl": "bliss_like.exporters.json_lines:JsonLinesExporter",
    "msgpack": "bliss_like.exporters.msgpack:MsgpackExporter",
    "nexus": "bliss_like.exporters.nexus:NexusExporter",
    "parquet": "bliss_like.exporters.parquet:ParquetExporter",
    "spec": "bliss_like.exporters.spec:SpecExporter",
    "tiff": "bliss_like.exporters.tiff:TiffExporter",
}
"""Those that come with the project; imported when they are used, as their libraries are optional."""


@runtime_checkable
class Exporter(Protocol):
    """One job of exporting: any number of scans, whose events come in the order of a walk, into one target.

    :raises ExportError: (from any call) something is in the way; said to people as it is.
    :raises OSError: (from any call) disk full, directory gone, ...
    """

    def accept(self, event: WireEvent) -> None:
        """Take the next event; of what the format cannot hold, an `ExportWarning` tells."""

    def close(self) -> None:
        """Write what is not yet written, also of scans that have not ended. The target is not closed by it."""

    def abandon(self) -> None:
        """Give back what is open, when something has failed: nothing of the job is to stay."""


class ExporterFactory(Protocol):
    """The class of a format."""

    def __call__(self, target: Target, *, template: str = "", **options: Any) -> Exporter:
        """:param template: of the names of files, see `templates`; empty: that of the format.
        :param options: of this format; one that it does not know is a TypeError.
        """


def format_names() -> list[str]:
    """Return the names of all formats that there are."""
    return sorted({*FORMATS, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def exporter_class(format: str) -> ExporterFactory:
    """Return the class of a format.

    :raises ExportError: there is none of that name, or its library is not installed.
    """
    for point in entry_points(group=ENTRY_POINTS, name=format):
        try:
            return cast(ExporterFactory, point.load())
        except (ImportError, AttributeError) as error:
            raise ExportError(f"format {format}: {point.value} cannot be imported: {error}") from error
    if format not in FORMATS:
        raise ExportError(f"format {format!r}: there is none of that name; there are {', '.join(format_names())}")
    module, _, name = FORMATS[format].partition(":")
    try:
        return cast(ExporterFactory, getattr(importlib.import_module(module), name))
    except ModuleNotFoundError as error:
        raise ExportError(f"format {format}: {error}; this needs: pip install 'bliss_like[export]'") from error


def target_of(
    to: str | Path | BinaryIO | None, template: str = "", *, overwrite: bool = False, dry_run: bool = False
) -> tuple[Target, str]:
    """Return where to write, and the template of the names there.

    :param to: a directory (there already, or with a slash at its end), else the name of a file, in which templates are filled
        in too; a file open for writing bytes; None is memory.
    """
    if to is None:
        return Memory(), template
    if not isinstance(to, str | Path):
        return Stream(to), template
    directory, name = Path(to), template
    if not (str(to).endswith("/") or directory.is_dir()):
        if template:
            raise ExportError(
                f"{to}: that names a file, and the template {template!r} another; end the directory with a slash"
            )
        directory, name = _split(str(to))
    return (DryRun(directory, overwrite) if dry_run else Files(directory, overwrite)), name


def _split(path: str) -> tuple[Path, str]:
    """Return the directory that is no template, and the rest."""
    parts = Path(path).parts
    fixed = next((n for n, part in enumerate(parts[:-1]) if "{" in part), len(parts) - 1)
    return Path(*parts[:fixed]), "/".join(parts[fixed:])


def make_exporter(format: str, target: Target, template: str = "", options: dict[str, Any] | None = None) -> Exporter:
    """Return a new exporter.

    :raises ExportError: no such format, or it does not know an option.
    """
    made = exporter_class(format)
    try:
        return made(target, template=template, **(options or {}))
    except TypeError as error:
        known = [name for name in inspect.signature(made).parameters if name not in ("target", "template")]
        unknown = [name for name in options or {} if name not in known]
        what = f"it has no option {unknown[0]!r}" if unknown else str(error)
        raise ExportError(f"format {format}: {what}; there are: {', '.join(known) or 'none'}") from error


def feed(exporter: Exporter, target: Target, events: Iterable[WireEvent]) -> None:
    """Give an exporter all events, and bring its files to their place; or leave nothing there.

    :raises ExportError: that did not work.
    """
    try:
        for event in events:
            exporter.accept(event)
        exporter.close()
        target.commit()
    except OSError as error:
        _abandon(exporter, target)
        if isinstance(error, BrokenPipeError):
            raise
        raise ExportError(f"{target}: cannot be written: {error.strerror or error}; nothing was left there") from error
    except BaseException:
        _abandon(exporter, target)
        raise


def _abandon(exporter: Exporter, target: Target) -> None:
    try:
        exporter.abandon()
    finally:
        target.abandon()


def export(
    scan: Any,
    to: str | Path | BinaryIO | None = ".",
    format: str = "csv",
    *,
    template: str = "",
    channels: Sequence[str] = (),
    overwrite: bool = False,
    dry_run: bool = False,
    live: bool = False,
    **options: Any,
) -> dict[str, bytes] | list[Path]:
    """Write scans in another format, all or nothing.

    :param scan: a scan, its node, its number, name, uid, db_name or file; or several of them.
    :param to: a directory, the name of a file, a file open for writing bytes, or None: memory.
    :param template: of names of files, e.g. `"{start.sample_name}/{scan_nb:04d}"`: docs/exporting.md.
    :param channels: names, short names or patterns; none: all.
    :param live: follow scans that run until they end; else what there is of them is written.
    :param options: of the format.
    :returns: the files; by name what would be in them, where `to` is None.
    :raises ExportError: something is in the way; nothing was written.
    """
    from .sources import events_of, nodes_of

    nodes = nodes_of(scan)
    target, template = target_of(to, template, overwrite=overwrite, dry_run=dry_run)
    exporter = make_exporter(format, target, template, options)
    feed(exporter, target, events_of(nodes, channels, live=live))
    return target.contents if isinstance(target, Memory) else [Path(name) for name in target.sizes]


__all__ = [
    "Exporter",
    "ExporterFactory",
    "Target",
    "export",
    "exporter_class",
    "feed",
    "format_names",
    "make_exporter",
    "target_of",
]
