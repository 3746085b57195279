"""What an exporter knows of scans while their events come: infos, channels in tables, and points on their way.

Channels that are triggered together, those below one top master, are a table: they are equally long when a scan ends well.
Where one is shorter, or points are no more in the store, its cells are empty: a number of points in place of an array.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from bliss_like.data import paths
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.scan_info import merged
from bliss_like.errors import DataError, ExportWarning

from .target import Target
from .templates import Template

Array = np.ndarray[Any, Any]
Segment = Array | int
"""Consecutive points of one shape, or a number of them that are not there."""


class Column:
    """A channel, and its points that wait to be written."""

    def __init__(self, node: NewNode) -> None:
        try:
            self.dtype, self.shape = np.dtype(node.info["dtype"]), tuple(node.info["shape"])
        except (KeyError, TypeError) as error:
            raise DataError(
                f"channel {node.path}: expected dtype and shape in its info, got {dict(node.info)}"
            ) from error
        self.path, self.kind, self.info = node.path, node.kind, node.info
        self.name = str(node.info.get("fullname") or paths.name(node.path))
        self.unit = str(node.info.get("unit") or "")
        self.length = 0
        """Points so far, those written and those lost included."""
        self.lost = 0
        self.waiting = 0
        """Those that are not yet written."""
        self._waiting: deque[Segment] = deque()

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        return paths.name(self.path)

    @property
    def is_image(self) -> bool:
        """Whether points are images, or refer to them."""
        return self.kind is NodeKind.IMAGE or len(self.shape) >= 2

    @property
    def is_reference(self) -> bool:
        return self.kind is NodeKind.IMAGE and not self.shape

    def extend(self, first_index: int, values: Array) -> None:
        """Take points; those between the last ones and `first_index` are lost."""
        if first_index > self.length:
            self.lost += first_index - self.length
            self.skip(first_index - self.length)
        values = values[self.length - first_index :]
        if len(values):
            self._waiting.append(values)
            self.length += len(values)
            self.waiting += len(values)

    def skip(self, npoints: int) -> None:
        self._waiting.append(npoints)
        self.length += npoints
        self.waiting += npoints

    def take(self, npoints: int) -> list[Segment]:
        """Return the next points, which are forgotten here."""
        taken: list[Segment] = []
        self.waiting -= npoints
        while npoints > 0:
            segment = self._waiting.popleft()
            size = segment if isinstance(segment, int) else len(segment)
            if size > npoints:
                rest: Segment
                segment, rest = (npoints, size - npoints) if isinstance(segment, int) else np.split(segment, [npoints])
                self._waiting.appendleft(rest)
            taken.append(segment)
            npoints -= min(size, npoints)
        return taken


@dataclass(eq=False)
class Table:
    """Channels of a scan that grow together."""

    number: int
    """1 is the first one of its scan."""
    columns: list[Column] = field(default_factory=list)
    length: int = 0
    """Rows that were taken."""
    begun: bool = False
    behind: int = 0
    """How many channels do not have the next row yet."""

    def add(self, column: Column) -> None:
        self.columns.append(column)
        self.behind += 1

    def extend(self, column: Column, first_index: int, values: Array) -> bool:
        """Take points of a channel; return whether there is a new row."""
        before = column.length
        column.extend(first_index, values)
        if before <= self.length < column.length:
            self.behind -= 1
        return not self.behind

    def ready(self) -> int:
        """Return how many rows all channels have."""
        return min(column.length for column in self.columns) - self.length

    def take(self, nrows: int) -> dict[Column, list[Segment]]:
        self.length += nrows
        self.behind = sum(column.length <= self.length for column in self.columns)
        return {column: column.take(nrows) for column in self.columns}

    def fill(self) -> dict[str, int]:
        """Make all columns equally long; return how many points are missing, by name."""
        length = max(column.length for column in self.columns)
        short = {column.name: length - column.length for column in self.columns if column.length < length}
        for column in self.columns:
            if column.length < length:
                column.skip(length - column.length)
        return short


class ScanFold:
    """One scan, as far as its events have come."""

    def __init__(self, node: NewNode) -> None:
        self.path, self.kind = node.path, node.kind
        self.info: dict[str, Any] = dict(node.info)
        self.tables: list[Table] = []
        self.end: EndScan | None = None
        self._by_master: dict[str, Table] = {}

    def __str__(self) -> str:
        return f"scan {self.path}"

    def add(self, node: NewNode) -> tuple[Table, Column]:
        """Take a channel. One that comes when its table is being written has a table of its own."""
        master = node.path[len(self.path) + 1 :].partition(":")[0]
        table = self._by_master.get(master)
        if table is None or table.begun:
            table = self._by_master[master] = Table(len(self.tables) + 1)
            self.tables.append(table)
        column = Column(node)
        table.add(column)
        return table, column

    def columns(self) -> Iterator[Column]:
        for table in self.tables:
            yield from table.columns


class ScanExporter:
    """What exporters of single scans have in common: they are told tables, their rows, and the ends of scans.

    An exporter derives from it and says what to do in `begin`, `rows` and `end`, or in `end_scan`.
    """

    suffix = ""
    template = "{session}_{scan_nb}_{name}"
    """Of the names of files, where nobody says another one."""

    def __init__(self, target: Target, *, template: str = "") -> None:
        self.target = target
        self.naming = Template(template or self.template, self.suffix)
        self._scans: dict[str, ScanFold] = {}
        self._channels: dict[str, tuple[ScanFold, Table, Column]] = {}

    # -- for exporters ---------------------------------------------------------------------------------------------

    def begin(self, scan: ScanFold, table: Table) -> None:
        """Begin a table: all its channels are known."""

    def rows(self, scan: ScanFold, table: Table, cells: dict[Column, list[Segment]]) -> None:
        """Take the next rows of a table."""

    def end(self, scan: ScanFold, table: Table) -> None:
        """A table is complete."""

    def end_scan(self, scan: ScanFold) -> None:
        """All tables of a scan are complete, and all is in its info."""

    def create(self, scan: ScanFold, table: Table, part: str = "", *, seek: bool = False) -> BinaryIO:
        """Return a new file for a table, or for a part of it."""
        return self.target.create(self.name(scan, table, part), seek=seek)

    def name(self, scan: ScanFold, table: Table, part: str = "") -> str:
        return self.naming.name(scan, str(table.number) if table.number > 1 else "", part)

    def warn(self, scan: ScanFold, text: str) -> None:
        """Say that something of a scan is not in what is written."""
        warnings.warn(ExportWarning(f"{scan}: {text}"), stacklevel=2)

    # -- the fold ----------------------------------------------------------------------------------------------------

    def accept(self, event: WireEvent) -> None:
        if isinstance(event, NewData):
            if event.path in self._channels:
                scan, table, column = self._channels[event.path]
                if table.extend(column, event.first_index, event.values):
                    self._write(scan, table)
        elif isinstance(event, NewNode):
            self._accept_node(event)
        elif event.path in self._scans and isinstance(event, ScanInfoUpdate | PreparedScan | EndScan):
            scan = self._scans[event.path]
            scan.info = merged(scan.info, event.info)
            if isinstance(event, EndScan):
                scan.info["state"], scan.end = event.state, event
                self._finish(self._scans.pop(event.path))

    def close(self) -> None:
        for scan in list(self._scans.values()):
            self.warn(scan, "it has not ended: this is what there was of it")
            self._finish(scan)
        self._scans = {}

    def abandon(self) -> None:
        """Nothing is open but files of the target."""

    def _accept_node(self, node: NewNode) -> None:
        if node.kind.is_scan:
            self._scans[node.path] = ScanFold(node)
        elif node.kind.is_channel and node.scan in self._scans:
            scan = self._scans[node.scan]
            self._channels[node.path] = (scan, *scan.add(node))

    def _write(self, scan: ScanFold, table: Table) -> None:
        self._begin(scan, table)
        if nrows := table.ready():
            self.rows(scan, table, table.take(nrows))

    def _begin(self, scan: ScanFold, table: Table) -> None:
        if not table.begun:
            table.begun = True
            self.begin(scan, table)

    def _finish(self, scan: ScanFold) -> None:
        for table in scan.tables:
            if short := table.fill():
                told = ", ".join(f"{name} ({count})" for name, count in short.items())
                self.warn(
                    scan, f"channels with fewer points than others of their table have empty cells at its end: {told}"
                )
            if lost := {column.name: column.lost for column in table.columns if column.lost}:
                told = ", ".join(f"{name} ({count})" for name, count in lost.items())
                self.warn(
                    scan,
                    f"points that are no more in the store are missing: {told}; the scan's file has them if it was saved",
                )
            self._write(scan, table)
            self.end(scan, table)
        self.end_scan(scan)
        for column in scan.columns():
            del self._channels[column.path]
