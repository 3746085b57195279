"""Scans over lists of positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.errors import ScanUsageError
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.scan import Scan

from .arguments import (
    Countable,
    Flag,
    Info,
    Motor,
    MovingOptions,
    Name,
    PositionLists,
    Positions,
    Seconds,
    Text,
    check_different,
    check_npoints,
    number,
)
from .build import Recipe
from .command import scan_command

__all__ = ["lookupscan", "pointscan"]


@scan_command
def lookupscan(
    motor_pos_tuple_list: PositionLists, count_time: Seconds, *counters: Countable,
    scan_type: Text = "lookupscan", name: Name = "lookupscan", scan_params: Info | None = None,
    restore_motor_positions: Flag = False, **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan axes together over lists of positions: `lookupscan([(robx, [0, 1, 5]), (roby, [3, 2, 1])], 0.1, diode)`.

    :param scan_params: handed on to the default chain, and from there to the controllers of the counters.
    :param restore_motor_positions: bring the axes back at the end, however it comes.
    """
    names = ",".join(name_of(motor) for motor, _ in motor_pos_tuple_list)
    recipe = Recipe(scan_type, name, **options)
    recipe.come_home = restore_motor_positions
    title = f"{scan_type} {number(count_time)} on motors ({names})"
    return _lookup(recipe, motor_pos_tuple_list, title, count_time, counters, scan_params or {})


@scan_command
def pointscan(
    motor: Motor, positions: Positions, count_time: Seconds, *counters: Countable,
    scan_type: Text = "pointscan", name: Name = "pointscan", **options: Unpack[MovingOptions],
) -> Scan | None:  # fmt: skip
    """Scan an axis over a list of positions: `pointscan(robx, [0, 1, 5], 0.1, diode)`."""
    line = np.asarray(positions)
    ends = f"{number(float(line[0]))} .. {number(float(line[-1]))}"
    title = f"{scan_type} {name_of(motor)} {len(line)} positions {ends} {number(count_time)}"
    return _lookup(Recipe(scan_type, name, **options), [(motor, line)], title, count_time, counters, {})


def _lookup(
    recipe: Recipe,
    lines: Sequence[tuple[Any, Any]],
    title: str,
    count_time: float,
    counters: Sequence[Any],
    scan_params: Any,
) -> Scan | None:
    check_different(motor for motor, _ in lines)
    lengths = {name_of(motor): len(line) for motor, line in lines}
    if len(set(lengths.values())) > 1:
        raise ScanUsageError(f"positions: expected equally many of each axis, got {lengths}")
    npoints = len(lines[0][1])
    check_npoints(npoints)
    for index, (motor, line) in enumerate(lines):
        recipe.info.set_channel_meta(
            full_name_of(motor), start=float(line[0]), stop=float(line[-1]), min=float(line.min()), max=float(line.max()),
            points=npoints, axis_points=npoints, axis_id=index,
        )  # fmt: skip
    if not recipe.info["plots"]:
        recipe.info.add_curve_plot(x=full_name_of(lines[0][0]))
    return recipe.make(
        title,
        count_time,
        npoints,
        counters,
        VariableStepTriggerMaster(*(item for line in lines for item in line), stab_time=recipe.stab_time),
        scan_params,
        stab_time=recipe.stab_time,
        start=[float(line[0]) for _, line in lines],
        stop=[float(line[-1]) for _, line in lines],
        data_dim=1,
    )
