"""Scans that count without moving anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.scan import Scan

from .arguments import check_count, check_count_time, number, scan_command, wrong
from .build import Recipe

__all__ = ["ct", "loopscan", "sct", "timescan"]


@scan_command
def ct(
    count_time_or_counter: Any = 1.0,
    *counters: Any,
    name: str = "ct",
    title: str | None = None,
    run: bool = True,
    return_scan: bool = True,
    scan_info: Mapping[str, Any] | None = None,
    chain_settings: ChainSettings | None = None,
) -> Scan | None:
    """Count once, quickly: nothing is saved, no metadata are gathered.

    :param count_time_or_counter: seconds; or the first counter, which is counted for 1 s.
    :param counters: anything that has counters; none means those of the active measurement group.
    """
    recipe = Recipe(
        "ct",
        name,
        title,
        save=False,
        run=run,
        return_scan=return_scan,
        scan_info=scan_info,
        chain_settings=chain_settings,
    )
    recipe.with_metadata = False
    return _count_once(recipe, count_time_or_counter, counters)


@scan_command
def sct(
    count_time_or_counter: Any = 1.0,
    *counters: Any,
    name: str = "ct",
    title: str | None = None,
    save: bool = True,
    save_images: bool | None = None,
    run: bool = True,
    return_scan: bool = True,
    scan_info: Mapping[str, Any] | None = None,
    chain_settings: ChainSettings | None = None,
) -> Scan | None:
    """Count once, and save that; the arguments are those of `ct`."""
    recipe = Recipe(
        "ct",
        name,
        title,
        save,
        save_images,
        run=run,
        return_scan=return_scan,
        scan_info=scan_info,
        chain_settings=chain_settings,
    )
    return _count_once(recipe, count_time_or_counter, counters)


def _count_once(recipe: Recipe, count_time_or_counter: Any, counters: tuple[Any, ...]) -> Scan | None:
    count_time = count_time_or_counter
    if hasattr(count_time, "counters") or hasattr(count_time, "fullname") or isinstance(count_time, list | tuple):
        count_time, counters = 1.0, (count_time_or_counter, *counters)
    check_count_time("count_time_or_counter", count_time)
    return recipe.make(f"{recipe.scan_type} {number(count_time)}", count_time, 1, counters)


@scan_command
def timescan(
    count_time: float,
    *counters: Any,
    npoints: int = 0,
    scan_type: str = "timescan",
    name: str | None = None,
    title: str | None = None,
    save: bool = True,
    save_images: bool | None = None,
    sleep_time: float | None = None,
    run: bool = True,
    return_scan: bool = True,
    scan_info: Mapping[str, Any] | None = None,
    chain_settings: ChainSettings | None = None,
) -> Scan | None:
    """Count again and again.

    :param count_time: seconds of one point.
    :param npoints: number of points; 0 for no end.
    :param sleep_time: seconds between two points.
    """
    if npoints != 0:
        check_count("npoints", npoints)
    recipe = Recipe(
        scan_type,
        name,
        title,
        save,
        save_images,
        sleep_time,
        run=run,
        return_scan=return_scan,
        scan_info=scan_info,
        chain_settings=chain_settings,
    )
    points = f" {npoints}" if npoints else ""
    if npoints != 1:
        recipe.info.add_curve_plot(x="timer:elapsed_time")
    return recipe.make(f"{scan_type} {number(count_time)}{points}", count_time, npoints, counters)


@scan_command
def loopscan(
    npoints: int,
    count_time: float,
    *counters: Any,
    scan_type: str = "loopscan",
    name: str | None = None,
    title: str | None = None,
    save: bool = True,
    save_images: bool | None = None,
    sleep_time: float | None = None,
    run: bool = True,
    return_scan: bool = True,
    scan_info: Mapping[str, Any] | None = None,
    chain_settings: ChainSettings | None = None,
) -> Scan | None:
    """Count a number of times.

    :param npoints: number of points, at least 1.
    :param count_time: seconds of one point.
    :param sleep_time: seconds between two points.
    """
    try:
        check_count("npoints", npoints)
    except ValueError:
        raise wrong("npoints", "a whole number, at least 1 (timescan counts without end)", npoints) from None
    recipe = Recipe(
        scan_type,
        name,
        title,
        save,
        save_images,
        sleep_time,
        run=run,
        return_scan=return_scan,
        scan_info=scan_info,
        chain_settings=chain_settings,
    )
    if npoints != 1:
        recipe.info.add_curve_plot(x="timer:elapsed_time")
    return recipe.make(f"{scan_type} {npoints} {number(count_time)}", count_time, npoints, counters)
