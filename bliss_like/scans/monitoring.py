"""Counters that are watched in the background; a wrong call is answered with the usage."""

from __future__ import annotations

from bliss_like.scanning import monitoring
from bliss_like.scanning.monitoring import Monitoring

from .arguments import Countable, Flag, Name, NPointsOrEndless, Seconds
from .command import scan_command

__all__ = ["start_monitoring", "stop_all_monitoring", "stop_monitoring"]


@scan_command
def start_monitoring(
    name: Name,
    count_time: Seconds,
    *counters: Countable,
    sleep_time: Seconds = 1.0,
    npoints: NPointsOrEndless = 0,
    save: Flag = False,
) -> Monitoring:
    return monitoring.start_monitoring(name, count_time, *counters, sleep_time=sleep_time, npoints=npoints, save=save)


start_monitoring.__doc__ = monitoring.start_monitoring.__doc__
stop_monitoring = scan_command(monitoring.stop_monitoring)
stop_all_monitoring = monitoring.stop_all_monitoring
