"""Scans of axes over a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.scanning.acquisition.step import MeshStepTriggerMaster
from bliss_like.scanning.scan import Scan

from .arguments import (
    Countable,
    Flag,
    GridLines,
    Intervals,
    Motor,
    MovingOptions,
    Name,
    Position,
    Seconds,
    Text,
    check_different,
    check_npoints,
    number,
)
from .build import Recipe
from .command import scan_command

__all__ = ["a3mesh", "amesh", "anmesh", "d3mesh", "dmesh", "dnmesh"]


@scan_command
def amesh(
    motor1: Motor, start1: Position, stop1: Position, intervals1: Intervals,
    motor2: Motor, start2: Position, stop2: Position, intervals2: Intervals,
    count_time: Seconds, *counters: Countable, backnforth: Flag = False,
    scan_type: Text = "amesh", name: Name = "amesh", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes over a grid of (intervals1 + 1) x (intervals2 + 1) points; `motor1` is the fast one.

    :param backnforth: turn round at the end of a line, instead of going back to its start.
    :param count_time: seconds of one point.
    :param sleep_time: seconds between two points.
    :param stab_time: seconds between the end of a move and the count.
    :param run: False only makes the scan: `scan.positions` are its points, `scan.run()` runs it.
    """
    axes = [(motor1, start1, stop1, intervals1), (motor2, start2, stop2, intervals2)]
    return _mesh(Recipe(scan_type, name, **options), "amesh", axes, count_time, counters, backnforth)


@scan_command
def dmesh(
    motor1: Motor, start1: Position, stop1: Position, intervals1: Intervals,
    motor2: Motor, start2: Position, stop2: Position, intervals2: Intervals,
    count_time: Seconds, *counters: Countable, backnforth: Flag = False,
    scan_type: Text = "dmesh", name: Name = "dmesh", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes over a grid around where they are, and bring them back; the rest is as for `amesh`."""
    axes = [(motor1, start1, stop1, intervals1), (motor2, start2, stop2, intervals2)]
    recipe = Recipe(scan_type, name, **options)
    return _mesh(recipe, "amesh", axes, count_time, counters, backnforth, relative=True)


@scan_command
def a3mesh(
    motor1: Motor, start1: Position, stop1: Position, intervals1: Intervals,
    motor2: Motor, start2: Position, stop2: Position, intervals2: Intervals,
    motor3: Motor, start3: Position, stop3: Position, intervals3: Intervals,
    count_time: Seconds, *counters: Countable, backnforth: Flag = False,
    scan_type: Text = "a3mesh", name: Name = "a3mesh", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan three axes over a grid; `motor1` is the fastest, `motor3` the slowest. The rest is as for `amesh`.

    :param backnforth: `motor1` and `motor2` turn round at the ends of their lines.
    """
    axes = [(motor1, start1, stop1, intervals1), (motor2, start2, stop2, intervals2)]
    axes.append((motor3, start3, stop3, intervals3))
    return _mesh(Recipe(scan_type, name, **options), "a3mesh", axes, count_time, counters, backnforth)


@scan_command
def d3mesh(
    motor1: Motor, start1: Position, stop1: Position, intervals1: Intervals,
    motor2: Motor, start2: Position, stop2: Position, intervals2: Intervals,
    motor3: Motor, start3: Position, stop3: Position, intervals3: Intervals,
    count_time: Seconds, *counters: Countable, backnforth: Flag = False,
    scan_type: Text = "d3mesh", name: Name = "d3mesh", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan three axes over a grid around where they are, and bring them back; the rest is as for `a3mesh`."""
    axes = [(motor1, start1, stop1, intervals1), (motor2, start2, stop2, intervals2)]
    axes.append((motor3, start3, stop3, intervals3))
    recipe = Recipe(scan_type, name, **options)
    return _mesh(recipe, "a3mesh", axes, count_time, counters, backnforth, relative=True)


@scan_command
def anmesh(
    motor_tuple_list: GridLines, count_time: Seconds, *counters: Countable, backnforth: Flag = False,
    scan_type: Text = "anmesh", name: Name = "anmesh", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan two or more axes over a grid: `anmesh([(robx, 0, 1, 10), (roby, 2, 3, 5)], 0.1, diode)`, the fastest first.

    :param backnforth: all axes but the last, the slowest, turn round at the ends of their lines.
    """
    recipe = Recipe(scan_type, name, **options)
    return _mesh(recipe, "anmesh", motor_tuple_list, count_time, counters, backnforth)


@scan_command
def dnmesh(
    motor_tuple_list: GridLines, count_time: Seconds, *counters: Countable, backnforth: Flag = False,
    scan_type: Text = "dnmesh", name: Name = "dnmesh", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan two or more axes over a grid around where they are, and bring them back; the rest is as for `anmesh`."""
    recipe = Recipe(scan_type, name, **options)
    return _mesh(recipe, "anmesh", motor_tuple_list, count_time, counters, backnforth, relative=True)


def _mesh(
    recipe: Recipe,
    word: str,
    axes: Sequence[tuple[Any, float, float, int]],
    count_time: float,
    counters: Sequence[Any],
    backnforth: bool,
    *,
    relative: bool = False,
) -> Scan | None:
    """Make a scan over a grid.

    :param word: what its title begins with.
    """
    check_different(axis[0] for axis in axes)
    npoints = math.prod(intervals + 1 for *_, intervals in axes)
    check_npoints(npoints)
    grid = []
    for motor, start, stop, intervals in axes:
        origin = motor._set_position if relative else 0.0
        grid.append((motor, float(origin + start), float(origin + stop), intervals + 1))
    recipe.come_home = relative
    _describe(recipe, grid, npoints, backnforth)
    sizes: dict[str, Any] = {f"npoints{index}": points for index, (*_, points) in enumerate(grid, 1)}
    words = [f"{name_of(motor)} {number(start)} {number(stop)} {points - 1}" for motor, start, stop, points in grid]
    return recipe.make(
        f"{word} {' '.join(words)} {number(count_time)}",
        count_time,
        npoints,
        counters,
        MeshStepTriggerMaster(
            *(item for axis in grid for item in axis), backnforth=backnforth, stab_time=recipe.stab_time
        ),
        stab_time=recipe.stab_time,
        start=[start for _, start, *_ in grid],
        stop=[stop for _, _, stop, _ in grid],
        data_dim=len(grid),
        backnforth=backnforth,
        **sizes,
    )


def _describe(recipe: Recipe, grid: Sequence[tuple[Any, float, float, int]], npoints: int, backnforth: bool) -> None:
    """Say of each axis how it moves: the slowest one from line to line, the others along them."""
    for index, (motor, start, stop, points) in enumerate(grid):
        along = "backnforth" if backnforth else "forth"
        recipe.info.set_channel_meta(
            full_name_of(motor),
            start=start,
            stop=stop,
            points=npoints,
            axis_points=points,
            axis_kind="step" if index == len(grid) - 1 else along,
            axis_id=index,
            group="scatter",
        )
    if not recipe.info["plots"]:
        recipe.info.add_scatter_plot(x=full_name_of(grid[0][0]), y=full_name_of(grid[1][0]))
