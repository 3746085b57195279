"""Scans as they run, in a terminal: rows that scroll up, and below them what changes in place.

A callback like any other, fed by the session that runs the scans, or from outside by a walker: `bliss-like watch` shows the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from bliss_like.data.events import EndScan, NewData, NewNode, PreparedScan, ScanInfoUpdate, WireEvent
from bliss_like.live.curves import axes_of
from bliss_like.live.ending import ending
from bliss_like.live.look import Look, Role, cells, cut
from bliss_like.live.plot import LivePlot
from bliss_like.live.progress import Progress
from bliss_like.live.scan import LiveChannel, LiveScan, LiveScans
from bliss_like.live.stats import LiveStats
from bliss_like.live.summary import pictures, positions
from bliss_like.live.table import Kind, Line, LiveTable, ScanTable
from bliss_like.live.tree import LiveTree

from .panel import Panel

PLOT_HEIGHT = 14
"""Lines of a plot that grows, at most."""
LEAST_HEIGHT = 6
SHARE = 0.005
"""Part of the time that drawing plots may take: one of many points and curves is drawn less often than the other lines."""
BOTTOM = 0.25
"""Seconds for which the last line stays as it is: what it tells of the session is gathered from all of its objects."""
GAP = "  "


class Wanted(Protocol):
    """What people want to see."""

    auto: bool
    table: bool
    plot: str
    statistics: bool


class Choice:
    """What is shown where nobody chooses."""

    def __init__(self, plot: str = "off", auto: bool = True, table: bool = True, statistics: bool = True) -> None:
        self.auto, self.table, self.plot, self.statistics = auto, table, plot, statistics


class ScanDisplay:
    """Shows the scans whose events it accepts.

    :param panel: has the bottom of the terminal.
    :param out: prints a line above it.
    :param wanted: what is to be shown; may change at any time.
    :param is_disturbing: whether a scan, by its db_name, is not what the person who sees this waits for: of it, no more is told
        than its beginning and its end.
    :param is_typing: whether somebody types at the moment, who is not to be told more of any scan.
    :param bottom: returns the last line of the panel, for a width.
    :param raises: whether who waits for a scan gets what has ended it anyhow, so that it need not be told twice.
    """

    def __init__(
        self,
        panel: Panel,
        out: Callable[[str], object],
        look: Callable[[], Look],
        wanted: Wanted,
        *,
        is_disturbing: Callable[[str], bool] = lambda path: False,
        is_typing: Callable[[], bool] = lambda: False,
        bottom: Callable[[int], str] = lambda width: "",
        raises: bool = False,
    ) -> None:
        self._panel, self._out, self._look, self._wanted = panel, out, look, wanted
        self._is_disturbing, self._is_typing, self._bottom = is_disturbing, is_typing, bottom
        self._raises = raises
        self._aside: set[str] = set()
        """db_names of the channels of which nothing is shown, unless they are in the table."""
        self._behind: set[str] = set()
        """db_names of scans that run without being waited for."""
        self._is_quiet = False
        """Whether the scan of the event that is accepted is one, or would disturb now."""
        self._table = _Table(lambda: self._is_quiet, width=lambda: panel.columns, out=self._put, glyphs=look().glyphs)
        self._tree, self._stats = LiveTree(), LiveStats()
        self._plot = LivePlot(stats=self._stats)
        self._scans = LiveScans()
        self._folds = (self._tree, self._stats, self._plot, self._table)
        self._of_points = (self._tree, self._table)
        """Those that do something with points as they come, which are most of the events."""
        self._picture: tuple[tuple[object, ...], list[str]] = ((), [])
        """The plot that was drawn last, and of what."""
        self._picture_due = 0.0
        self._picture_took = 0.0
        self._last: tuple[int, str] = (0, "")
        """The last line, and for how many columns it is."""
        self._last_due = 0.0
        self._part = panel.open(self._drawn)
        self._part.close()
        self._auto = True
        self.shown: set[str] = set()
        """db_names of the last scans that were shown whole."""

    @property
    def is_busy(self) -> bool:
        """Whether a scan is shown that runs."""
        return bool(self._tree.roots)

    def accept(self, event: WireEvent) -> None:
        """Show what has happened."""
        if isinstance(event, NewNode) and event.kind.is_scan:
            self._begin(event)
        if not self._auto or (isinstance(event, NewData) and not self.looks_at(event.path)):
            return
        if (scan := self._scans.accept(event)) is not None:
            self._is_quiet = self._is_typing() or scan.path in self._behind
            for fold in self._of_points if isinstance(event, NewData) else self._folds:
                fold.told(scan, event)
            if isinstance(event, PreparedScan | ScanInfoUpdate | EndScan):
                self._set_aside(scan)
        if isinstance(event, EndScan):
            self._end(event)
        self._part.changed()

    def looks_at(self, path: str) -> bool:
        """Whether points of a channel, by its db_name, are to be shown, or say how far its scan is."""
        return path not in self._aside or self._table.looks_at(path)

    def _set_aside(self, scan: LiveScan) -> None:
        """Work out which channels are not looked at: none of a scan that has an axis, as it ends with the peaks of all."""
        self._aside.difference_update(scan.channels)
        if not (scan.is_over or scan.is_group or scan.npoints == 1 or axes_of(scan)):
            drawn = self._plot.drawn(scan)
            others = [each.path for each in scan.scalars() if each.fullname not in drawn]
            self._aside.update(path for path in others if not self._tree.looks_at(path))

    def close(self) -> None:
        """Show nothing more."""
        self._part.close()

    def _begin(self, node: NewNode) -> None:
        if not self._tree.roots:
            self._auto = self._wanted.auto
            if self._auto:
                self._part.close()
                self._part = self._panel.open(self._drawn)
        if self._is_disturbing(node.path):
            self._behind.add(node.path)
        elif self._auto and not node.info.get("monitoring"):
            self.shown = {*list(self.shown)[-20:], node.path}

    def _end(self, event: EndScan) -> None:
        self._behind.discard(event.path)
        if self._is_quiet:
            self.shown.discard(event.path)
        elif self._wanted.statistics and self._stats.scan is not None and self._stats.scan.path == event.path:
            for line in ending(self._stats, self._panel.columns):
                self._put(Line(line, Kind.END, Role.ACCENT))
        if not self._tree.roots:
            self._part.close()

    # -- what scrolls up -------------------------------------------------------------------------------------------------

    def _put(self, line: Line) -> None:
        is_of_table = line.kind in (Kind.ROW, Kind.HEADER, Kind.NOTE)
        if is_of_table and not self._wanted.table:
            return
        if line.kind is Kind.ERROR and self._raises and not self._is_quiet:
            return
        if (is_of_table or Role.DIM in line.roles) and self._is_quiet:
            return
        self._out(self._look().paint(line, *line.roles))

    # -- what changes in place ---------------------------------------------------------------------------------------------

    def _drawn(self, width: int) -> list[str]:
        look = self._look()
        scan = self._plot.scan
        lines = [*self._plotted(width, look)]
        if self._tree.is_nested:
            lines += [look.paint(line, *line.roles) for line in self._tree.lines(width, look.glyphs)]
        else:
            lines += [_progress(pace.now(), width, look) for pace in self._tree.paces.values()]
        if scan is not None and not scan.is_over and (now := _now(scan, width, look)):
            lines.append(now)
        if width != self._last[0] or time.monotonic() >= self._last_due:
            self._last, self._last_due = (width, self._bottom(width)), time.monotonic() + BOTTOM
        if self._last[1]:
            lines.append(self._last[1])
        return lines

    def _plotted(self, width: int, look: Look) -> list[str]:
        """Return the plot, as it is or as it was not long ago."""
        wanted = (self._plot.scan, self._wanted.plot, width, self._panel.rows)
        if wanted != self._picture[0] or time.monotonic() >= self._picture_due:
            began = time.thread_time()
            self._picture = wanted, list(self._drawn_plot(width, look))
            took, before = time.thread_time() - began, self._picture_took
            self._picture_due = time.monotonic() + min(took, before) / SHARE  # once, it may load what it needs
            self._picture_took = took
        return self._picture[1]

    def _drawn_plot(self, width: int, look: Look) -> Iterator[str]:
        if self._wanted.plot == "spark":
            if spark := self._plot.spark(width, look):
                yield spark
        elif self._wanted.plot == "plot":
            height = min(PLOT_HEIGHT, self._panel.rows // 2)
            if height >= LEAST_HEIGHT:
                yield from self._plot.lines(width, height, look)


class _Table(LiveTable):
    """A table without the rows of scans that would disturb."""

    def __init__(self, is_quiet: Callable[[], bool], **how: Any) -> None:
        super().__init__(**how)
        self._is_quiet = is_quiet

    def data(self, scan: LiveScan, channel: LiveChannel) -> None:
        if not self._is_quiet():
            super().data(scan, channel)

    def _put(self, table: ScanTable, lines: Iterable[Line]) -> None:
        if not self._is_quiet():
            super()._put(table, lines)
            return
        for line in lines:  # after which the rows of another go on without a header
            self._out(line)


def _progress(progress: Progress, width: int, look: Look) -> str:
    line = progress.line(width, look.glyphs)
    return look.paint(line, Role.WARNING) if progress.paused or progress.waiting else line


def _now(scan: LiveScan, width: int, look: Look) -> str:
    """Return where the axes are, and what images and spectra are like, as far as there is room."""
    text = ""
    told = [f"{name} {value}{f' {unit}' if unit else ''}" for name, value, unit in positions(scan)]
    for piece in [*told, *pictures(scan)]:
        if text and cells(text) + len(GAP) + cells(piece) > width:
            break
        text += f"{GAP if text else ''}{piece}"
    return look.paint(cut(text, width), Role.DIM) if text else ""
