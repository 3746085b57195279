"""Alignment in one command: scan around where an axis is, then go to the peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bliss_like.devices.naming import name_of
from bliss_like.scanning.chain_nodes import iter_counters
from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.scan import Scan

from .arguments import scan_command, wrong
from .step import dscan

__all__ = ["lineup"]


@scan_command
def lineup(
    motor: Any,
    start: float,
    stop: float,
    intervals: int,
    count_time: float,
    counter: Any,
    name: str | None = None,
    title: str | None = None,
    save: bool = True,
    save_images: bool | None = None,
    sleep_time: float | None = None,
    stab_time: float | None = None,
    run: bool = True,
    return_scan: bool = True,
    scan_info: Mapping[str, Any] | None = None,
    chain_settings: ChainSettings | None = None,
) -> Scan | None:
    """Scan an axis around where it is, as `dscan` does, and go to the peak of a counter.

    When the scan fails, is aborted or finds no peak, the axis is brought back to where it was.

    :param run: False: nothing moves; the scan is returned, and going to the peak is up to you.
    :raises ScanError: there is no peak.
    """
    counters = list(iter_counters(counter))
    if len(counters) != 1 or counters[0].shape != ():
        names = ", ".join(map(name_of, counters))
        raise wrong("counter", "one counter that gives one number at each point", names or counter)
    scan: Any = dscan(
        motor, start, stop, intervals, count_time, counters[0], name=name, title=title, save=save,
        save_images=save_images, sleep_time=sleep_time, stab_time=stab_time, run=run, return_scan=True,
        scan_info=scan_info, chain_settings=chain_settings,
    )  # fmt: skip
    if run:
        scan.goto_peak(counters[0], motor)
    return scan if return_scan else None
