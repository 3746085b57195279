"""Alignment in one command: scan around where an axis is, then go to the peak."""

from __future__ import annotations

from typing import Any, Unpack

from bliss_like.devices.naming import name_of
from bliss_like.scanning.chain_nodes import iter_counters
from bliss_like.scanning.scan import Scan

from .arguments import Countable, Intervals, Motor, Position, Seconds, StepOptions, wrong
from .command import scan_command
from .step import dscan

__all__ = ["lineup"]


@scan_command
def lineup(
    motor: Motor, start: Position, stop: Position, intervals: Intervals, count_time: Seconds, counter: Countable,
    **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan an axis around where it is, as `dscan` does, and go to the peak of a counter.

    When the scan fails, is aborted or finds no peak, the axis is brought back to where it was.

    :param run: False: nothing moves; the scan is returned, and going to the peak is up to you.
    :raises ScanError: there is no peak, or it may as well be noise: `goto_peak(force=True)` goes there all the same.
    """
    counters = list(iter_counters(counter))
    if len(counters) != 1 or counters[0].shape != ():
        names = ", ".join(map(name_of, counters))
        raise wrong("counter", "one counter that gives one number at each point", names or counter)
    returns = options.pop("return_scan", True)
    scan: Any = dscan(motor, start, stop, intervals, count_time, counters[0], **options)
    if options.get("run", True):
        scan.goto_peak(counters[0], motor)
    return scan if returns else None
