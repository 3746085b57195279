"""A table of a scan, a row for each point, as lines that come one after the other and never change.

LiveTable()                                 what plotselect has chosen, else all counters
LiveTable([diode, "mca*"], width=120)       these
ascan(robx, 0, 1, 10, 0.1, subs=[LiveTable(out=lines.append)])
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from bliss_like.data.counting import counted
from bliss_like.data.events import NodeKind

from .choice import Column, Layout, layout_of, levels, missing_of, rows_of
from .digits import duration
from .look import UNICODE, Glyphs, Role, cells, cut, plain
from .rows import Clock, Rows, Thinning, Waiting
from .scan import LiveCallback, LiveChannel, LiveScan
from .summary import pictures, values

WIDTH = 80
RATE = 20.0
"""Rows per second, at most; more of them nobody can read."""
REPEATED = 50
"""Rows after which the header comes again."""

Width = int | Callable[[], int] | None


def columns_of(width: Width) -> int:
    """Return the columns that there are now; `WIDTH` where nobody tells."""
    return max(20, (width() if callable(width) else width) or WIDTH)


class Kind(enum.StrEnum):
    """What a line of a table is."""

    TITLE = "title"
    HEADER = "header"
    ROW = "row"
    NOTE = "note"
    VALUE = "value"
    END = "end"
    ERROR = "error"


class Line(str):
    """A line of text, and what it is."""

    kind: Kind
    roles: tuple[Role, ...]
    """How it is to be painted."""

    def __new__(cls, text: str, kind: Kind, *roles: Role) -> Line:
        line = super().__new__(cls, plain(text))
        line.kind, line.roles = kind, roles
        return line


class LiveTable(LiveCallback):
    """Prints a table of each scan that it follows.

    :param fields: channels to be shown beside the axes: names, patterns, counters; None: those that were chosen, else all.
    :param width: columns of the terminal, or what tells them.
    :param out: takes each line, a `Line`: a text that knows what it is.
    :param rows_per_second: of points that come faster, only some are shown; None: all. Of a past scan that is fed, all are.
    :param logbook: called with the whole table as one text when a scan is over, as in `LiveTable(logbook=elog_add)`.
    :param repeated: rows after which the header comes again; 0: never.
    :param glyphs: the characters that the terminal has.
    """

    LIMIT = 0

    def __init__(
        self,
        fields: Sequence[Any] | None = None,
        *,
        width: Width = None,
        out: Callable[[Line], object] = print,
        logbook: Callable[[str], object] | None = None,
        rows_per_second: float | None = RATE,
        repeated: int = REPEATED,
        glyphs: Glyphs = UNICODE,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__()
        self._fields, self._width, self._out = None if fields is None else list(fields), width, out
        self._rate, self._repeated, self._clock, self._glyphs = rows_per_second, repeated, clock, glyphs
        self.tables: dict[str, ScanTable] = {}
        """Those of the scans that run, by db_name."""
        self._shown: ScanTable | None = None
        self._logbook = logbook

    def begin(self, scan: LiveScan) -> None:
        if not scan.info.get("monitoring"):
            table = ScanTable(scan, self._fields, self._width, self._rate, self._repeated, self._clock)
            table.ellipsis = self._glyphs.ellipsis
            self.tables[scan.path] = table
            self._put(table, table.title())

    def prepared(self, scan: LiveScan) -> None:
        if table := self.tables.get(scan.path):
            self._put(table, table.prepared())

    def looks_at(self, path: str) -> bool:
        return any(table.looks_at(path) for table in self.tables.values())

    def data(self, scan: LiveScan, channel: LiveChannel) -> None:
        if (table := self.tables.get(scan.path)) and table.take(channel):
            self._put(table, table.rows())

    def finish(self, scan: LiveScan) -> None:
        if table := self.tables.pop(scan.path, None):
            self._put(table, [*table.rows(), *table.end()])
            if self._logbook is not None:
                self._logbook("\n".join(table.told))

    def _put(self, table: ScanTable, lines: Iterable[Line]) -> None:
        for line in lines:
            if self._logbook is not None:
                table.told.append(line)
            if line.kind is Kind.ROW and self._shown is not table:
                for header in table.again():
                    self._out(header)
            self._shown = table
            self._out(line)


class ScanTable:
    """The lines of one scan's table."""

    def __init__(
        self,
        scan: LiveScan,
        fields: Sequence[Any] | None = None,
        width: Width = None,
        rows_per_second: float | None = RATE,
        repeated: int = REPEATED,
        clock: Clock = time.monotonic,
    ) -> None:
        self.scan, self._fields, self._width_given, self._repeated = scan, fields, width, repeated
        self.layout: Layout | None = None
        self.ellipsis = UNICODE.ellipsis
        is_fed = (scan.info.get("replay_of") or {}).get("db_name") == scan.path  # then nobody has waited for its rows
        self._rows, self._thinning = Rows(clock), Thinning(None if is_fed else rows_per_second, clock)
        self._others: dict[str, Waiting] = {}
        self.told: list[Line] = []
        """All of its lines, if somebody wants them in the end."""
        self._width, self._since_header = WIDTH, 0
        self._shown, self._last_row, self._told_stride = 0, -1, 1

    @property
    def width(self) -> int:
        """Columns that there are now."""
        return columns_of(self._width_given)

    @property
    def is_single(self) -> bool:
        """Whether it is a count: one point, no axis."""
        return self.scan.npoints == 1 and not self.scan.is_group

    def _cut(self, text: str) -> str:
        return cut(plain(text), self.width, self.ellipsis)

    # -- lines ---------------------------------------------------------------------------------------------------------

    def title(self) -> Iterator[Line]:
        """Yield what is known when the scan begins: number, command and time, and the file."""
        scan, width = self.scan, self.width
        name = plain(f"{_name(scan)}  {scan.title}".strip())
        when = _time_of_day(scan.info.get("start_timestamp"))
        gap = width - cells(name) - cells(when)
        yield Line(name + " " * gap + when if when and gap >= 2 else self._cut(name), Kind.TITLE, Role.HEADING)
        if scan.is_saved and scan.info.get("filename"):
            yield Line(_end_of(str(scan.info["filename"]), width), Kind.TITLE, Role.DIM)

    def prepared(self) -> Iterator[Line]:
        """Yield the header: all channels are known now."""
        scan = self.scan
        if scan.is_group:
            return
        self._lay_out()
        if missing := missing_of(scan, self._fields):
            yield Line(self._cut(f"{scan.label} has no {', '.join(missing)}"), Kind.NOTE, Role.WARNING)
        if self.layout is None or self.is_single:
            return
        if left_out := self.layout.left_out:
            yield Line(self._cut(f"{len(left_out)} more: {', '.join(left_out)}"), Kind.NOTE, Role.DIM)
        yield from self._header()

    def again(self) -> Iterator[Line]:
        """Yield the header again, after lines of something else."""
        if self.layout is not None:
            yield Line(self._cut(f"{_name(self.scan) or self.scan.title}, continued"), Kind.NOTE, Role.DIM)
            yield from self._header()

    def rows(self) -> Iterator[Line]:
        """Yield the rows that are new, as far as they are shown."""
        if self.layout is None or self.is_single or not self._rows.channels:
            return
        over = self.scan.is_over
        first, end = self._rows.done, self._npoints() if over else self._rows.complete()
        if end <= first and not (over and self._last_row < end - 1):
            return
        self._rows.done = end
        if self._thinning.is_late(first, end, self._seconds(first, end)):
            shown = list(self._thinning.catch_up(first, end))
            before = shown[0] - first
            yield Line(self._cut(f"{before} row{'s' if before > 1 else ''} before these"), Kind.NOTE, Role.DIM)
        else:
            shown = list(self._thinning.choose(first, end))
        if over and (not shown or shown[-1] != end - 1):
            shown.append(end - 1)  # where it came to
        if shown and self._thinning.stride != self._told_stride and not over:
            yield self._thinned()
        for index in shown:
            yield from self._row(index)

    def end(self) -> Iterator[Line]:
        """Yield how the scan ended."""
        scan = self.scan
        if self.is_single:
            yield from (Line(self._cut(line), Kind.VALUE) for line in values(scan, self._fields))
        yield from (Line(self._cut(line), Kind.VALUE) for line in pictures(scan))
        if not self.is_single and self._rows.done > self._shown:
            text = f"{self._shown} of {self._rows.done} rows shown; the data have all of them"
            yield Line(self._cut(text), Kind.NOTE, Role.DIM)
        role = {"DONE": Role.GOOD, "USER_ABORTED": Role.WARNING}.get(scan.state, Role.ERROR)
        if self.is_single and scan.state == "DONE":
            return
        yield Line(self._cut(_outcome(scan, self._npoints())), Kind.END, role)
        reason = _message_of(scan) if scan.state == "USER_ABORTED" else ""
        if reason not in ("", "Ctrl-C"):  # who has pressed it knows why
            yield Line(self._cut(reason), Kind.END, role)
        if scan.state not in ("DONE", "USER_ABORTED") and (error := _error_of(scan)):
            yield Line(self._cut(error), Kind.ERROR, role)

    # -- points --------------------------------------------------------------------------------------------------------

    def looks_at(self, path: str) -> bool:
        """Whether points of a channel may be shown."""
        if self.layout is None or self.is_single or path in self._rows.channels or path in self._others:
            return path in self.scan.channels
        channel = self.scan.channels.get(path)
        return channel is not None and not channel.is_scalar

    def take(self, channel: LiveChannel) -> bool:
        """Take the new points of a channel; return whether there may be new rows."""
        waiting = self._rows.channels.get(channel.path)
        if waiting is not None:
            waiting.take(*channel.news)
            return True
        if (other := self._others.get(channel.path)) is not None:
            other.take(*channel.news)
        return False

    def _lay_out(self) -> None:
        self._width = self.width
        self.layout = layout_of(self.scan, self._fields, self._width, self.ellipsis)
        for column in self.layout.columns:
            path = column.channel.path
            if column.is_row and path not in self._rows.channels:
                self._rows.add(path).end = self._rows.longest  # of a column that had no place before
            elif not column.is_row:
                self._others.setdefault(path, Waiting())

    def _header(self) -> Iterator[Line]:
        if self.layout is None:
            return
        self._since_header = 0
        yield Line(self.layout.header, Kind.HEADER, Role.ACCENT)

    def _row(self, index: int) -> Iterator[Line]:
        is_resized = self.width != self._width
        if is_resized:
            self._lay_out()
        if self.layout is None:
            return
        points = [self._value(column, index) for column in self.layout.columns]
        is_longer = len(str(index)) > self.layout.index_width
        if is_longer:
            self.layout.index_width = len(str(index))
        is_rewritten = self.layout.learn(points) and self._since_header > 0
        is_due = self._repeated and self._since_header >= self._repeated
        if is_resized or is_longer or is_rewritten or is_due:
            yield from self._header()
        if any(point is not None for point in points):
            self._since_header += 1
            self._shown, self._last_row = self._shown + 1, index
            yield Line(self.layout.row(index, points), Kind.ROW)

    def _value(self, column: Column, index: int) -> Any:
        path = column.channel.path
        if path in self._rows.channels:
            return self._rows.channels[path].point(index)
        return self._others[path].newest()

    def _thinned(self) -> Line:
        stride = self._told_stride = self._thinning.stride
        text = "every row is shown again" if stride == 1 else f"one of {stride} rows is shown: they come fast"
        return Line(self._cut(text), Kind.NOTE, Role.DIM)

    def _seconds(self, first: int, end: int) -> float:
        """Return how long these rows took, as their times say; 0 if they do not."""
        for column in self.layout.columns if self.layout else []:
            if column.is_time and (times := self._rows.channels.get(column.channel.path)) is not None:
                begin, last = times.peek(first), times.peek(end - 1)
                return 0.0 if begin is None or last is None else float(last - begin)
        return 0.0

    # -- numbers of points -----------------------------------------------------------------------------------------------

    def _npoints(self) -> int:
        """Return how many points there are: one that some channels have, and others are only about to, is none."""
        scan = self.scan
        channels = [c for c in scan.channels.values() if scan.is_group or c.kind is not NodeKind.NODE_REF_CHANNEL]
        level = rows_of(scan, [column.channel for column in self._row_columns()] or channels)
        told = scan.end.lengths if scan.end else {}
        lengths = [max(c.length, told.get(c.path, 0)) for c in channels if levels(scan, c) == level]
        most = max(lengths, default=0)
        return min((length for length in lengths if length >= most - 1), default=0)

    def _row_columns(self) -> list[Column]:
        return [column for column in self.layout.columns if column.is_row] if self.layout else []


def _outcome(scan: LiveScan, npoints: int) -> str:
    """Return how a scan ended: `Scan 3 done: 11 points in 3.2 s`."""
    kind = "scan" if scan.is_group else "point"
    start, end = scan.info.get("start_timestamp"), scan.info.get("end_timestamp")
    took = counted(npoints, kind, scan.npoints)
    if isinstance(start, int | float) and isinstance(end, int | float):
        took += f" in {duration(end - start)}"
    how = {"DONE": "done", "USER_ABORTED": "aborted"}.get(scan.state, "failed")
    return f"{_name(scan) or scan.title} {how}: {took}"


def _message_of(scan: LiveScan) -> str:
    return " ".join(str(scan.end.error.get("message") or "").split()) if scan.end else ""


def _error_of(scan: LiveScan) -> str:
    """Return what ended a scan, in one line."""
    error = scan.end.error if scan.end else {}
    message = _message_of(scan)
    kind = str(error.get("type") or "error") if error else ""
    return f"{kind}: {message}" if message else kind


def _name(scan: LiveScan) -> str:
    word = "Sequence" if scan.is_group else "Scan"
    return f"{word} {scan.info.get('scan_nb')}" if scan.is_saved and scan.info.get("scan_nb") else ""


def _time_of_day(timestamp: Any) -> str:
    if not isinstance(timestamp, int | float):
        return ""
    with suppress(ValueError, OverflowError, OSError):  # no time of this calendar
        return f"{datetime.fromtimestamp(timestamp, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    return ""


def _end_of(path: str, width: int) -> str:
    """Return a path, or its end: that tells files apart."""
    return path if cells(path) <= width else f"...{path[-(width - 3) :]}"
