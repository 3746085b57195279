"""A scan as a NeXus file of its own, made by the writer of that name that also saves scans while they run."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from bliss_like.data.events import EndScan, NewData, NewNode, ScanInfoUpdate, WireEvent
from bliss_like.errors import ExportError, ExportWarning, SavingError
from bliss_like.hdf5 import set_file_name

from .fold import ScanFold
from .target import Target
from .templates import Template

FLUSH_BYTES = 32 << 20
"""Points that wait in memory to be written."""

OpenScan = Callable[[NewNode], Any]
"""Makes a `ScanFile` of the writers, which exporters know by its name only."""

WRITERS = "bliss_like.writers"
OURS = {"nexus": "bliss_like.writers.nexus:open_scan"}


class NexusExporter:
    """:param writer: name of the format among the writers."""

    suffix = ".h5"
    template = "{session}_{scan_nb}_{name}"

    def __init__(self, target: Target, *, template: str = "", writer: str = "nexus", **writer_options: Any) -> None:
        self._target = target
        self._naming = Template(template or self.template, self.suffix)
        self._open_scan = _writer(writer)
        self._options = writer_options
        if (check := getattr(self._open_scan, "check_options", None)) is not None:
            try:
                check(writer_options)
            except SavingError as error:
                raise ExportError(f"format nexus: {error}") from error
        self._files: dict[str, Any] = {}
        """Files of scans that have not ended, by the scan's name."""
        self._names: dict[str, str] = {}
        self._scan_of: dict[str, str] = {}
        self._waiting = 0

    def accept(self, event: WireEvent) -> None:
        if isinstance(event, NewNode):
            if event.kind.is_scan:
                self._open(event)
            elif event.scan in self._files:
                self._scan_of[event.path] = event.scan
                self._files[event.scan].accept(event)
            return
        scan = self._scan_of.get(event.path, "") if isinstance(event, NewData) else event.path
        if scan in self._files:
            self._files[scan].accept(event)
            if isinstance(event, NewData):
                self._waiting += event.values.nbytes
                if self._waiting > FLUSH_BYTES:
                    self._waiting = 0
                    for file in self._files.values():
                        file.flush()
            elif isinstance(event, EndScan):
                self._close(scan)

    def close(self) -> None:
        for scan in list(self._files):
            self._close(scan)

    def abandon(self) -> None:
        for file in self._files.values():
            file.abandon()
        self._files = {}

    def _open(self, node: NewNode) -> None:
        name = self._names[node.path] = self._naming.name(ScanFold(node))
        path = str(Path(self._target.path(name)).absolute())
        info = {key: value for key, value in node.info.items() if key != "master_files"}
        info |= {"filename": path, "writer_options": {**info.get("writer_options", {}), **self._options}}
        renamed = replace(node, info=info)
        self._files[node.path] = file = self._open_scan(renamed)
        file.accept(renamed)
        # What the scan says of itself stays true in a copy of it.
        file.accept(ScanInfoUpdate(node.path, {"filename": node.info.get("filename", "")}))

    def _close(self, scan: str) -> None:
        file = self._files.pop(scan)
        saved = file.close()
        if saved.state != "SAVED":
            warnings.warn(ExportWarning(f"scan {scan}: {saved.error or saved.state}"), stacklevel=2)
        if saved.writer == "nexus":
            set_file_name(saved.file, Path(self._names.pop(scan)).name)


def _writer(name: str) -> OpenScan:
    points = {point.name: point for point in entry_points(group=WRITERS)}
    if name in points:
        return cast(OpenScan, points[name].load())
    if name not in OURS:
        raise ExportError(
            f"writer {name!r}: there is none of that name; there are {', '.join(sorted({*OURS, *points}))}"
        )
    module, _, function = OURS[name].partition(":")
    try:
        return cast(OpenScan, getattr(importlib.import_module(module), function))
    except ModuleNotFoundError as error:
        raise ExportError(f"format nexus: {error}; this needs: pip install 'bliss_like[files]'") from error
