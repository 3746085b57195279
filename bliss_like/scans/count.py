"""Scans that count without moving anything."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Unpack

from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.scan import Scan

from .arguments import (
    COUNT_TIME_OR_COUNTER,
    Countable,
    Flag,
    Info,
    Name,
    NPoints,
    NPointsOrEndless,
    Options,
    Seconds,
    Subs,
    Text,
    number,
)
from .build import Recipe
from .command import scan_command

__all__ = ["ct", "loopscan", "sct", "timescan"]

_log = logging.getLogger(__name__)

SecondsOrCountable = Annotated[Any, COUNT_TIME_OR_COUNTER]


@scan_command
def ct(
    count_time: SecondsOrCountable = 1.0,
    *counters: Countable,
    name: Name = "ct",
    title: Text | None = None,
    run: Flag = True,
    return_scan: Flag = True,
    scan_info: Info | None = None,
    chain_settings: ChainSettings | None = None,
    save: Flag | None = None,
    save_images: Flag | None = None,
    sleep_time: Seconds | None = None,
    subs: Subs | None = None,
) -> Scan | None:
    """Count once, quickly: nothing is saved, no metadata are gathered; `sct` does both.

    :param count_time: seconds; or the first counter, which is counted for 1 s.
    :param counters: anything that has counters; none means those of the active measurement group.
    :param save: nothing is saved; it is there for scripts that give it, as are `save_images` and `sleep_time`.
    """
    if save or save_images:
        _log.warning("ct saves nothing, save=True notwithstanding; sct counts and saves")
    recipe = Recipe("ct", name, title, False, None, None, None, run, return_scan, scan_info, chain_settings, subs)
    recipe.with_metadata = False
    return _count_once(recipe, count_time, counters)


@scan_command
def sct(
    count_time: SecondsOrCountable = 1.0,
    *counters: Countable,
    name: Name = "ct",
    title: Text | None = None,
    save: Flag = True,
    save_images: Flag | None = None,
    run: Flag = True,
    return_scan: Flag = True,
    scan_info: Info | None = None,
    chain_settings: ChainSettings | None = None,
    subs: Subs | None = None,
) -> Scan | None:
    """Count once, and save that; the arguments are those of `ct`."""
    recipe = Recipe("ct", name, title, save, save_images, None, None, run, return_scan, scan_info, chain_settings, subs)
    return _count_once(recipe, count_time, counters)


def _count_once(recipe: Recipe, count_time: Any, counters: tuple[Any, ...]) -> Scan | None:
    if not isinstance(count_time, float):
        count_time, counters = 1.0, (count_time, *counters)
    return recipe.make(f"ct {number(count_time)}", count_time, 1, counters)


@scan_command
def timescan(
    count_time: Seconds,
    *counters: Countable,
    npoints: NPointsOrEndless = 0,
    scan_type: Text = "timescan",
    name: Name = "timescan",
    **options: Unpack[Options],
) -> Scan | None:
    """Count again and again.

    :param count_time: seconds of one point.
    :param npoints: number of points; 0 for no end.
    :param sleep_time: seconds between two points.
    """
    recipe = Recipe(scan_type, name, **options)
    points = f" {npoints}" if npoints else ""
    return _loop(recipe, f"{scan_type} {number(count_time)}{points}", count_time, npoints, counters)


@scan_command
def loopscan(
    npoints: NPoints,
    count_time: Seconds,
    *counters: Countable,
    scan_type: Text = "loopscan",
    name: Name = "loopscan",
    **options: Unpack[Options],
) -> Scan | None:
    """Count a number of times.

    :param npoints: number of points, at least 1.
    :param count_time: seconds of one point.
    :param sleep_time: seconds between two points.
    """
    recipe = Recipe(scan_type, name, **options)
    return _loop(recipe, f"{scan_type} {npoints} {number(count_time)}", count_time, npoints, counters)


def _loop(recipe: Recipe, title: str, count_time: float, npoints: int, counters: tuple[Any, ...]) -> Scan | None:
    if npoints != 1 and not recipe.info["plots"]:
        recipe.info.add_curve_plot(x="timer:elapsed_time")
    return recipe.make(title, count_time, npoints, counters)
