"""Where the time of a scan went: made at its end of a few sums that its branch keeps."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from bliss_like.data.events import NodeKind
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.scan_info import TimeProfile

from .acquisition.timer import SoftwareTimerMaster

if TYPE_CHECKING:
    from .branch import Branch
    from .scan import Scan


def note_time_profile(scan: Scan, branches: Sequence[Branch]) -> None:
    """Write into the info of a scan that is brought to rest where its time went; of several top masters, that of the first."""
    if branches and scan.kind is NodeKind.SCAN:
        scan.scan_info["time_profile"] = _time_profile(scan, branches[0])


def _time_profile(scan: Scan, branch: Branch) -> TimeProfile:
    """What was not count time at the points is reading and publishing: nobody looks at the clock there but the branch."""
    now, times = monotonic(), scan.state_times
    acquired = times.get(ScanState.STARTING, times[ScanState.STOPPING])
    points = max((channel.length for channel in branch.top.channels), default=0)
    at_points = branch.seconds["count"] + branch.seconds["wait"]
    timers = [node.count_time for node in branch.nodes if isinstance(node, SoftwareTimerMaster)]
    count = min(at_points, points * _seconds(scan.scan_info.get("count_time", next(iter(timers), 0.0))))
    sleep = min(at_points - count, max(0, points - 1) * _seconds(scan.scan_info.get("sleep_time")))
    return {
        "prepare": acquired - times[ScanState.PREPARING],
        "motion": branch.seconds["move"],
        "count": count,
        "sleep": sleep,
        "readout": at_points - count - sleep,
        "stop": now - times[ScanState.STOPPING],
    }


def _seconds(told: Any) -> float:
    return max(0.0, float(told)) if isinstance(told, int | float) else 0.0
