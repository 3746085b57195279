"""What is best shown of any scan, chosen from what it says of itself: its table, its plots, its peaks.

feed("data.h5::12.1", BestEffort())             a past scan, from its file
ascan(robx, 0, 1, 20, 0.1, subs=[BestEffort(out=lines.append)])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bliss_like.data.events import WireEvent

from .ending import ending
from .look import cut
from .plots import PlotChoice, plots_of
from .scan import LiveCallback, LiveScan
from .stats import LiveStats
from .table import Kind, Line, LiveTable, Width, columns_of


class BestEffort(LiveCallback):
    """Prints a table of each scan that it follows, and in the end where its peaks are; `plots` are the plots that suit it.

    Scans may be anybody's: what an info has that is not understood is left aside.

    :param out: takes each line.
    :param fields: channels to be shown beside the axes, as for `LiveTable`; None: those that were chosen, else all.
    :param width: columns of the terminal, or what tells them.
    """

    def __init__(
        self,
        out: Callable[[Line], object] = print,
        *,
        fields: Sequence[Any] | None = None,
        width: Width = None,
    ) -> None:
        super().__init__()
        self._out = out
        self.table = LiveTable(fields, width=width, out=out)
        self.stats = LiveStats()
        """Statistics of the scan that began last."""
        self.plots: list[PlotChoice] = []
        """Plots of the scan that was prepared last, the most telling one first."""
        self._width = width

    def accept(self, event: WireEvent) -> None:
        self.table.accept(event)
        super().accept(event)

    def begin(self, scan: LiveScan) -> None:
        self.stats.begin(scan)
        if not scan.is_group:
            self.plots = []

    def prepared(self, scan: LiveScan) -> None:
        if not scan.is_group:
            self.plots = plots_of(scan)

    def finish(self, scan: LiveScan) -> None:
        if scan.is_group or scan.info.get("monitoring"):
            return
        stats = LiveStats()  # a scan that runs inside of this one may have begun since
        stats.begin(scan)
        for line in ending(stats, self.width):
            self._out(Line(cut(line, self.width), Kind.VALUE))

    @property
    def width(self) -> int:
        """Columns that there are now."""
        return columns_of(self._width)
