"""What is to be seen of scans while they run: tables, statistics, fits, progress, as folds over events.

Nothing here knows a terminal, a browser or a device: the same objects follow a scan in the process that runs it, from
outside, and again when it is long over.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .best_effort import BestEffort as BestEffort
    from .feeding import feed as feed
    from .feeding import follow as follow
    from .fits import LiveFit as LiveFit
    from .fits import fit as fit
    from .plot import LivePlot as LivePlot
    from .plots import plots_of as plots_of
    from .progress import LiveProgress as LiveProgress
    from .scan import LiveCallback as LiveCallback
    from .scan import LiveScan as LiveScan
    from .stats import LiveStats as LiveStats
    from .table import LiveTable as LiveTable
    from .tree import LiveTree as LiveTree

_HOMES = {
    "BestEffort": "best_effort",
    "LiveCallback": "scan",
    "LiveFit": "fits",
    "LivePlot": "plot",
    "LiveProgress": "progress",
    "LiveScan": "scan",
    "LiveStats": "stats",
    "LiveTable": "table",
    "LiveTree": "tree",
    "feed": "feeding",
    "fit": "fits",
    "follow": "feeding",
    "plots_of": "plots",
}
"""Modules of the names that this package has, which are imported when they are asked for."""

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
