"""Scans of axes over a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.scanning.acquisitions.step import MeshStepTriggerMaster
from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.scan import Scan

from .arguments import check_different, number, scan_command
from .build import Recipe
from .step import HomePreset

__all__ = ["amesh", "dmesh"]


@scan_command
def amesh(
    motor1: Any,
    start1: float,
    stop1: float,
    intervals1: int,
    motor2: Any,
    start2: float,
    stop2: float,
    intervals2: int,
    count_time: float,
    *counters: Any,
    backnforth: bool = False,
    scan_type: str = "amesh",
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
    """Scan two axes over a grid of (intervals1 + 1) x (intervals2 + 1) points; `motor1` is the fast one.

    :param backnforth: turn round at the end of a line, instead of going back to its start.
    :param count_time: seconds of one point.
    :param sleep_time: seconds between two points.
    """
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
    axes = [(motor1, start1, stop1, intervals1), (motor2, start2, stop2, intervals2)]
    return _mesh(recipe, axes, count_time, counters, backnforth)


@scan_command
def dmesh(
    motor1: Any,
    start1: float,
    stop1: float,
    intervals1: int,
    motor2: Any,
    start2: float,
    stop2: float,
    intervals2: int,
    count_time: float,
    *counters: Any,
    backnforth: bool = False,
    scan_type: str = "dmesh",
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
    """Scan two axes over a grid around where they are, and bring them back; the rest is as for `amesh`."""
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
    axes = [(motor1, start1, stop1, intervals1), (motor2, start2, stop2, intervals2)]
    return _mesh(recipe, axes, count_time, counters, backnforth, relative=True)


def _mesh(
    recipe: Recipe,
    axes: Sequence[tuple[Any, float, float, int]],
    count_time: float,
    counters: Sequence[Any],
    backnforth: bool,
    *,
    relative: bool = False,
) -> Scan | None:
    check_different(axis[0] for axis in axes)
    grid = []
    for motor, start, stop, intervals in axes:
        origin = motor._set_position if relative else 0.0
        grid.append((motor, float(origin + start), float(origin + stop), intervals + 1))
    if relative:
        recipe.presets.append(HomePreset(motor for motor, *_ in grid))
    npoints = 1
    for *_, points in grid:
        npoints *= points
    sizes: dict[str, Any] = {}
    for index, (motor, start, stop, points) in enumerate(grid):
        kind = ("backnforth" if backnforth else "forth") if index == 0 else "step"
        recipe.info.set_channel_meta(
            full_name_of(motor),
            start=start,
            stop=stop,
            points=npoints,
            axis_points=points,
            axis_kind=kind,
            axis_id=index,
        )
        sizes[f"npoints{index + 1}"] = points
    if not recipe.info["plots"]:
        recipe.info.add_scatter_plot(x=full_name_of(grid[0][0]), y=full_name_of(grid[1][0]))
    words = [f"{name_of(motor)} {number(start)} {number(stop)} {points - 1}" for motor, start, stop, points in grid]
    return recipe.make(
        f"amesh {' '.join(words)} {number(count_time)}",
        count_time,
        npoints,
        counters,
        MeshStepTriggerMaster(*(item for axis in grid for item in axis), backnforth=backnforth),
        start=[start for _, start, *_ in grid],
        stop=[stop for _, _, stop, _ in grid],
        data_dim=len(grid),
        backnforth=backnforth,
        **sizes,
    )
