"""Where the time of scans goes: `time_profile metadata_profiling`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bliss_like.config.table import table
from bliss_like.data.counting import counted, npoints_of
from bliss_like.data.node import ScanNode
from bliss_like.errors import ScanError
from bliss_like.scanning.scan_meta import get_user_scan_meta

from .arguments import verb

_ABOUT = {
    "prepare": "metadata, devices, to the first point",
    "motion": "to the other points",
    "count": "the count times",
    "sleep": "between points",
    "readout": "reading, publishing",
    "stop": "stopping, axes back",
    "rest": "between these, paused, metadata at the end",
}
_OF_POINTS = ("motion", "count", "sleep", "readout")


@verb("scan=None")
def time_profile(scan: Any = None) -> None:
    """Show where the time of a scan went: in all, and for each point.

    ::

        time_profile()
        time_profile(SCANS[-2])

    :param scan: a scan, its node, number, name or file; by default the last one.
    :raises ScanError: it has not ended, or nothing is known of it.
    """
    from .pictures import node_of  # takes its time to load

    print(_profile(node_of(scan)))


def _profile(node: ScanNode) -> str:
    info = node.info
    told: Mapping[str, float] = info.get("time_profile", {})
    number = f" {info['scan_nb']}" if info.get("save", True) else ""
    title = f"Scan{number} ({info['title']})"
    if not told:
        no_points = "is none that acquires, failed before it began, was cut off, or was made by an earlier version"
        why = no_points if node.structure.end else "runs"
        raise ScanError(f"{title}: where its time went is not known: it {why}")
    total = max(sum(told.values()), float(info["end_timestamp"]) - float(info["start_timestamp"]))
    lengths = node.structure.end.lengths if node.structure.end else {}
    npoints = npoints_of(lengths, node.db_name, is_whole=info.get("state") == "DONE")
    rows = [_row(name, seconds, total, npoints) for name, seconds in told.items() if not _is_nothing(name, seconds)]
    rows += [_row("rest", total - sum(told.values()), total, npoints), _row("total", total, total, npoints)]
    return f"{title}: {counted(npoints, 'point')}\n{table(('', '     s', '    %', 'ms/point', ''), rows)}"


def _is_nothing(name: str, seconds: float) -> bool:
    """Whether it is not worth a line: many scans neither move nor sleep."""
    return name in ("motion", "sleep") and seconds < 0.0005


def _row(name: str, seconds: float, total: float, npoints: int) -> tuple[str, ...]:
    each = f"{seconds / npoints * 1e3:8.3f}" if npoints and name in (*_OF_POINTS, "total") else ""
    share = seconds / total * 100 if total else 0.0
    return name, f"{seconds:6.3f}", f"{share:5.1f}", each, _ABOUT.get(name, "")


@verb("")
def metadata_profiling() -> None:
    """Show how long each piece of metadata took in the last scan, the slowest first; all are gathered side by side.

    `get_user_scan_meta().metadata_profiling()` returns it.
    """
    seconds = get_user_scan_meta().metadata_profiling()
    rows = [(name, f"{took * 1e3:.3f}") for name, took in seconds.items()]
    print(table(("metadata", "ms"), rows) if rows else "No scan has gathered metadata yet.")
