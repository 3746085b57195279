"""Counters that are watched in the background; a wrong call is answered with the usage."""

from __future__ import annotations

from bliss_like.scanning import monitoring

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
) -> monitoring.Monitoring:
    """Count in the background, whenever no scan of the user runs, until `stop_monitoring(name)` or the session's end.

    :param name: of the monitoring, and of its scans.
    :param count_time: seconds of one point.
    :param counters: anything that has counters; none means those of the active measurement group.
    :param sleep_time: seconds between two points.
    :param npoints: how many in all; 0 for no end.
    :param save: whether writers save its scans.
    """
    return monitoring.start_monitoring(name, count_time, *counters, sleep_time=sleep_time, npoints=npoints, save=save)


@scan_command
def stop_monitoring(name: Name) -> None:
    """End a monitoring after its present point; nothing happens when it has ended."""
    monitoring.stop_monitoring(name)


def stop_all_monitoring() -> None:
    """End all of them."""
    monitoring.stop_all_monitoring()
