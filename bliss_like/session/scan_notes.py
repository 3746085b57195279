"""What the logbook has of scans: that they begin, how they end, where their peaks are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bliss_like.data.counting import counted, npoints_of
from bliss_like.live.ending import ending
from bliss_like.live.scan import LiveCallback, LiveScan
from bliss_like.live.stats import LiveStats

from .logbook_text import SCAN

if TYPE_CHECKING:
    from .logbook import Logbook


class ScanNotes(LiveCallback):
    """Notes the beginnings and ends of scans."""

    def __init__(self, logbook: Logbook) -> None:
        super().__init__()
        self._logbook = logbook

    def begin(self, scan: LiveScan) -> None:
        if _is_noted(scan):
            self._logbook.add(SCAN, f"scan {scan.info['scan_nb']} begins: `{scan.title}`", scan.info["scan_nb"])

    def finish(self, scan: LiveScan) -> None:
        if not _is_noted(scan):
            return
        stats = LiveStats()
        stats.begin(scan)
        lines = [f"scan {scan.info['scan_nb']}: {_ended(scan)}", *ending(stats, how_to_go=False)]
        self._logbook.add(SCAN, "; ".join(lines), scan.info["scan_nb"])


def _is_noted(scan: LiveScan) -> bool:
    return scan.is_saved and not scan.info.get("monitoring")


def _ended(scan: LiveScan) -> str:
    start, end = (scan.info.get(f"{when}_timestamp") for when in ("start", "end"))
    took = f" in {end - start:.3g} s" if isinstance(start, float) and isinstance(end, float) else ""
    lengths = {path: channel.length for path, channel in scan.channels.items()}
    length = npoints_of(lengths, scan.path, is_whole=scan.is_group or scan.state == "DONE")
    error = f", {scan.end.error['message']}" if scan.end is not None and scan.end.error.get("message") else ""
    return f"{scan.state}, {counted(length, 'scan' if scan.is_group else 'point')}{took}{error}"
