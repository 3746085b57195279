"""A plot that follows scans: lines of text, drawn when somebody asks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .curves import axes_of, chosen_of, named
from .drawing import sparkline
from .look import Look, Role, cells
from .picture import Wish, draw_scan, labelled, plot_of
from .plots import PlotChoice
from .scan import LiveCallback, LiveChannel, LiveScan
from .stats import LiveStats

MOST = 8
"""Curves that are drawn while a scan runs: more of them nobody can tell apart."""


class LivePlot(LiveCallback):
    """Follows scans, and draws the last one that began; behind its curve that of the one before, when it was of the same kind.

    Following costs next to nothing: all work is done by `lines`.

    ::

        plot = LivePlot("diode")
        ascan(robx, 0, 1, 20, 0.1, diode, subs=[plot])
        print("\\n".join(plot.lines(80, 20)))

    :param y: counters, or their names; None: those that `plotselect` has chosen, else all that there is room for.
    :param x: an axis of the scan or its name, or "elapsed_time"; None: the scan's axis, or the time.
    :param stats: what knows the peaks, if it follows the same scans.
    """

    LIMIT = 1 << 13

    def __init__(self, y: Any = None, x: Any = None, *, log: bool = False, stats: LiveStats | None = None) -> None:
        super().__init__()
        self._wanted = list(y) if isinstance(y, list | tuple) else [] if y is None else [y]
        self._along, self._log = x, log
        self._own = LiveStats() if stats is None else None
        self._stats = stats or self._own
        self.scan: LiveScan | None = None
        """The scan that began last."""
        self.before: LiveScan | None = None
        """The one before."""

    def begin(self, scan: LiveScan) -> None:
        if scan.is_group:
            return
        self.before = self.scan if self.scan is not None and axes_of(self.scan) else None
        self.scan = scan
        if self._own is not None:
            self._own.begin(scan)

    def lines(self, width: int, height: int, look: Look | None = None) -> list[str]:
        """Return at most `height` lines, at most `width` columns wide; none when there is nothing that can be drawn."""
        if self.scan is None:
            return []
        wish = Wish(self._choice(self.scan), self._log, self._like(self.scan), self._stats, live=True)
        return draw_scan(self.scan, width, height, look, wish)

    def spark(self, width: int, look: Look | None = None) -> str:
        """Return a line: `diode ▁▂▅█▅▂▁ 12.5`, as long as the scan is far; empty when there are no points."""
        look = look or Look()
        counter = next((each for each in self._chosen(self.scan) if each.length), None) if self.scan else None
        if self.scan is None or counter is None:
            return ""
        name, value = labelled(counter), f"{float(counter.values[-1]):.6g}"
        room = width - cells(name) - len(value) - 2
        if room < 4:
            return ""
        expected = max(self.scan.npoints, counter.length)
        columns = max(1, min(room, expected) * counter.length // expected)
        drawn = look.paint(sparkline(counter.values, columns, look.glyphs), Role.CURVE_1)
        return f"{look.paint(name, Role.DIM)} {drawn} {value}"

    def drawn(self, scan: LiveScan) -> set[str]:
        """Return the full names of all channels of a scan that `lines` and `spark` may draw."""
        plot = self._choice(scan)
        names = {plot.x, plot.x2, *plot.y} if plot else set()
        return names | {channel.fullname for channel in self._chosen(scan)}

    def _choice(self, scan: LiveScan) -> PlotChoice | None:
        axis = named(scan, self._along) if self._along is not None else None
        plot = plot_of(scan, self._counters(scan), axis)
        return replace(plot, y=plot.y[:MOST]) if plot is not None and plot.kind != "spectrum" else plot

    def _chosen(self, scan: LiveScan) -> list[LiveChannel]:
        return (self._counters(scan) or [each for each in chosen_of(scan) if each.is_number])[:MOST]

    def _counters(self, scan: LiveScan) -> list[LiveChannel]:
        return [found for wanted in self._wanted if (found := named(scan, wanted)) is not None]

    def _like(self, scan: LiveScan) -> LiveScan | None:
        """Return the scan before, if its curves compare with those of this one."""
        before = self.before
        if before is None or before.info.get("type") != scan.info.get("type") or not axes_of(scan):
            return None
        same = [axis.fullname for axis in axes_of(before)] == [axis.fullname for axis in axes_of(scan)]
        return before if same else None
