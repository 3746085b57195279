"""Scans that bring axes from point to point, and count at each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.scanning.acquisitions.step import VariableStepTriggerMaster
from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan

from .arguments import check_axis, check_different, check_number, check_tuples, number, scan_command
from .build import Recipe

__all__ = ["a2scan", "anscan", "ascan", "d2scan", "dnscan", "dscan"]


class HomePreset(ScanPreset):
    """Brings axes back to where they were before the scan, however it ends."""

    def __init__(self, axes: Iterable[Any]) -> None:
        self._group = AxisGroup(*axes)
        self._positions: dict[Any, float] = {}

    def prepare(self, scan: Scan) -> None:
        self._positions = {axis: axis._set_position for axis in self._group.axes.values()}

    def stop(self, scan: Scan) -> None:
        has_moved = any(getattr(node.device, "has_moved", False) for node in scan.acq_chain.nodes_list)
        if self._positions and has_moved:  # else the axes are where they were, or somebody else has them
            self._group.move(self._positions)


@scan_command
def ascan(
    motor: Any,
    start: float,
    stop: float,
    intervals: int,
    count_time: float,
    *counters: Any,
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
    """Scan an axis from `start` to `stop` in `intervals` equal steps: intervals + 1 points.

    :param start: position in the axis' unit; as `stop`.
    :param count_time: seconds of one point.
    :param counters: anything that has counters; none means those of the active measurement group.
    :param sleep_time: seconds between two points.
    :param stab_time: seconds between the end of a move and the count.
    """
    recipe = Recipe(
        "ascan", name, title, save, save_images, sleep_time, stab_time, run, return_scan, scan_info, chain_settings
    )
    return _step_scan(recipe, [(motor, start, stop)], intervals, count_time, counters)


@scan_command
def dscan(
    motor: Any,
    start: float,
    stop: float,
    intervals: int,
    count_time: float,
    *counters: Any,
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
    """Scan an axis around where it is, and bring it back; `start` and `stop` are relative, the rest is as for `ascan`."""
    recipe = Recipe(
        "dscan", name, title, save, save_images, sleep_time, stab_time, run, return_scan, scan_info, chain_settings
    )
    return _step_scan(recipe, [(motor, start, stop)], intervals, count_time, counters, relative=True)


@scan_command
def a2scan(
    motor1: Any,
    start1: float,
    stop1: float,
    motor2: Any,
    start2: float,
    stop2: float,
    intervals: int,
    count_time: float,
    *counters: Any,
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
    """Scan two axes together, each from its start to its stop; the rest is as for `ascan`."""
    recipe = Recipe(
        "a2scan", name, title, save, save_images, sleep_time, stab_time, run, return_scan, scan_info, chain_settings
    )
    motors = [(motor1, start1, stop1), (motor2, start2, stop2)]
    return _step_scan(recipe, motors, intervals, count_time, counters)


@scan_command
def d2scan(
    motor1: Any,
    start1: float,
    stop1: float,
    motor2: Any,
    start2: float,
    stop2: float,
    intervals: int,
    count_time: float,
    *counters: Any,
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
    """Scan two axes together around where they are, and bring them back; the rest is as for `dscan`."""
    recipe = Recipe(
        "d2scan", name, title, save, save_images, sleep_time, stab_time, run, return_scan, scan_info, chain_settings
    )
    motors = [(motor1, start1, stop1), (motor2, start2, stop2)]
    return _step_scan(recipe, motors, intervals, count_time, counters, relative=True)


@scan_command
def anscan(
    motor_tuple_list: Sequence[tuple[Any, float, float]],
    intervals: int,
    count_time: float,
    *counters: Any,
    scan_type: str | None = None,
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
    restore_motor_positions: bool = False,
) -> Scan | None:
    """Scan any number of axes together: `anscan([(robx, 0, 1), (roby, 2, 3)], 10, 0.1, diode)`.

    :param restore_motor_positions: bring the axes back at the end, however it comes.
    """
    motors = check_tuples("motor_tuple_list", motor_tuple_list, _LINE)
    recipe = Recipe(
        scan_type or _numbered("a{}scan", motors), name, title, save, save_images, sleep_time, stab_time, run,
        return_scan, scan_info, chain_settings,
    )  # fmt: skip
    return _step_scan(recipe, motors, intervals, count_time, counters, come_home=restore_motor_positions)


@scan_command
def dnscan(
    motor_tuple_list: Sequence[tuple[Any, float, float]],
    intervals: int,
    count_time: float,
    *counters: Any,
    scan_type: str | None = None,
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
    """Scan any number of axes together around where they are, and bring them back."""
    motors = check_tuples("motor_tuple_list", motor_tuple_list, _LINE)
    recipe = Recipe(
        scan_type or _numbered("d{}scan", motors), name, title, save, save_images, sleep_time, stab_time, run,
        return_scan, scan_info, chain_settings,
    )  # fmt: skip
    return _step_scan(recipe, motors, intervals, count_time, counters, relative=True)


_LINE = {"motor": check_axis, "start": check_number, "stop": check_number}


def _numbered(pattern: str, motors: Sequence[object]) -> str:
    return pattern.format(len(motors) if len(motors) > 1 else "")


def _step_scan(
    recipe: Recipe,
    motors: Iterable[tuple[Any, float, float]],
    intervals: int,
    count_time: float,
    counters: Sequence[Any],
    *,
    relative: bool = False,
    come_home: bool = False,
) -> Scan | None:
    """Make a scan of axes in equal steps; a relative one is an absolute one that brings them back."""
    motors = list(motors)
    check_different(motor for motor, _, _ in motors)
    lines = []
    for motor, start, stop in motors:
        origin = motor._set_position if relative else 0.0
        lines.append((motor, float(origin + start), float(origin + stop)))
    if relative or come_home:
        recipe.presets.append(HomePreset(motor for motor, _, _ in lines))
    npoints = intervals + 1
    for number_, (motor, start, stop) in enumerate(lines):
        recipe.info.set_channel_meta(
            full_name_of(motor),
            start=start,
            stop=stop,
            points=npoints,
            axis_points=npoints,
            axis_kind="forth",
            axis_id=number_,
        )
    if not recipe.info["plots"]:
        recipe.info.add_curve_plot(x=full_name_of(lines[0][0]))
    positions = [item for motor, start, stop in lines for item in (motor, np.linspace(start, stop, npoints))]
    words = [f"{name_of(motor)} {number(start)} {number(stop)}" for motor, start, stop in lines]
    title = f"{_numbered('a{}scan', lines)} {' '.join(words)} {intervals} {number(count_time)}"
    return recipe.make(
        title,
        count_time,
        npoints,
        counters,
        VariableStepTriggerMaster(*positions, stab_time=recipe.stab_time),
        stab_time=recipe.stab_time,
        start=[start for _, start, _ in lines],
        stop=[stop for _, _, stop in lines],
        data_dim=1,
    )
