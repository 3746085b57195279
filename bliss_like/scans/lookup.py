"""Scans over lists of positions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.errors import ScanUsageError
from bliss_like.scanning.acquisitions.step import VariableStepTriggerMaster
from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.scan import Scan

from .arguments import check_axis, check_different, check_tuples, number, scan_command, wrong
from .build import Recipe
from .step import HomePreset

__all__ = ["lookupscan", "pointscan"]


@scan_command
def lookupscan(
    motor_pos_tuple_list: Sequence[tuple[Any, Iterable[float]]],
    count_time: float,
    *counters: Any,
    scan_type: str = "lookupscan",
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
    scan_params: Mapping[str, Any] | None = None,
    restore_motor_positions: bool = False,
) -> Scan | None:
    """Scan axes together over lists of positions: `lookupscan([(robx, [0, 1, 5]), (roby, [3, 2, 1])], 0.1, diode)`.

    :param scan_params: handed on to the default chain.
    :param restore_motor_positions: bring the axes back at the end, however it comes.
    """
    rows = check_tuples(
        "motor_pos_tuple_list", motor_pos_tuple_list, {"motor": check_axis, "positions": _check_positions}
    )
    recipe = Recipe(
        scan_type, name, title, save, save_images, sleep_time, stab_time, run, return_scan, scan_info, chain_settings
    )
    names = ",".join(name_of(motor) for motor, _ in rows)
    return _lookup(
        recipe, rows, f"{scan_type} {number(count_time)} on motors ({names})", count_time, counters, scan_params,
        restore_motor_positions,
    )  # fmt: skip


@scan_command
def pointscan(
    motor: Any,
    positions: Iterable[float],
    count_time: float,
    *counters: Any,
    scan_type: str = "pointscan",
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
    """Scan an axis over a list of positions: `pointscan(robx, [0, 1, 5], 0.1, diode)`."""
    _check_positions("positions", positions)
    recipe = Recipe(
        scan_type, name, title, save, save_images, sleep_time, stab_time, run, return_scan, scan_info, chain_settings
    )
    row = (motor, list(positions))
    ends = f"{number(float(row[1][0]))} .. {number(float(row[1][-1]))}"
    title = f"{scan_type} {name_of(motor)} {len(row[1])} positions {ends} {number(count_time)}"
    return _lookup(recipe, [row], title, count_time, counters, None, False)


def _check_positions(name: str, value: Any) -> None:
    try:
        line = np.asarray(value, float)
    except (TypeError, ValueError):
        raise wrong(name, "a list of numbers", value) from None
    if line.ndim != 1 or not len(line) or not np.isfinite(line).all():
        raise wrong(name, "a list of numbers, at least one", value)


def _lookup(
    recipe: Recipe,
    rows: Sequence[tuple[Any, ...]],
    title: str,
    count_time: float,
    counters: Sequence[Any],
    scan_params: Mapping[str, Any] | None,
    come_home: bool,
) -> Scan | None:
    check_different(motor for motor, _ in rows)
    lines = [(motor, np.asarray(positions, float)) for motor, positions in rows]
    lengths = {name_of(motor): len(line) for motor, line in lines}
    if len(set(lengths.values())) > 1:
        raise ScanUsageError(f"positions: expected equally many of each axis, got {lengths}")
    if come_home:
        recipe.presets.append(HomePreset(motor for motor, _ in lines))
    npoints = len(lines[0][1])
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
