"""Scans that bring axes from point to point, and count at each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.scan import Scan

from .arguments import (
    Countable,
    Flag,
    Intervals,
    Lines,
    Motor,
    Position,
    Seconds,
    StepOptions,
    Text,
    check_different,
    check_npoints,
    number,
)
from .build import Recipe
from .command import scan_command

__all__ = [
    "a2scan", "a3scan", "a4scan", "a5scan", "anscan", "ascan", "d2scan", "d3scan", "d4scan", "d5scan", "dnscan", "dscan"
]  # fmt: skip


@scan_command
def ascan(
    motor: Motor, start: Position, stop: Position, intervals: Intervals, count_time: Seconds,
    *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan an axis from `start` to `stop` in `intervals` equal steps: intervals + 1 points.

    :param start: position in the axis' unit; as `stop`.
    :param count_time: seconds of one point.
    :param counters: anything that has counters; none means those of the active measurement group.
    :param sleep_time: seconds between two points.
    :param stab_time: seconds between the end of a move and the count.
    :param run: False only makes the scan: `scan.positions` are its points, `scan.run()` runs it.
    """
    return _step_scan(Recipe("ascan", **options), [(motor, start, stop)], intervals, count_time, counters)


@scan_command
def dscan(
    motor: Motor, start: Position, stop: Position, intervals: Intervals, count_time: Seconds,
    *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan an axis around where it is, and bring it back; `start` and `stop` are relative, the rest is as for `ascan`."""
    return _step_scan(
        Recipe("dscan", **options), [(motor, start, stop)], intervals, count_time, counters, relative=True
    )


@scan_command
def a2scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes together, each from its start to its stop; the rest is as for `ascan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2)]
    return _step_scan(Recipe("a2scan", **options), lines, intervals, count_time, counters)


@scan_command
def a3scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    motor3: Motor, start3: Position, stop3: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan three axes together, each from its start to its stop; the rest is as for `ascan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2), (motor3, start3, stop3)]
    return _step_scan(Recipe("a3scan", **options), lines, intervals, count_time, counters)


@scan_command
def a4scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    motor3: Motor, start3: Position, stop3: Position,
    motor4: Motor, start4: Position, stop4: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan four axes together, each from its start to its stop; the rest is as for `ascan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2), (motor3, start3, stop3), (motor4, start4, stop4)]
    return _step_scan(Recipe("a4scan", **options), lines, intervals, count_time, counters)


@scan_command
def a5scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    motor3: Motor, start3: Position, stop3: Position,
    motor4: Motor, start4: Position, stop4: Position,
    motor5: Motor, start5: Position, stop5: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan five axes together, each from its start to its stop; the rest is as for `ascan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2), (motor3, start3, stop3), (motor4, start4, stop4)]
    lines.append((motor5, start5, stop5))
    return _step_scan(Recipe("a5scan", **options), lines, intervals, count_time, counters)


@scan_command
def d2scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes together around where they are, and bring them back; the rest is as for `dscan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2)]
    return _step_scan(Recipe("d2scan", **options), lines, intervals, count_time, counters, relative=True)


@scan_command
def d3scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    motor3: Motor, start3: Position, stop3: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan three axes together around where they are, and bring them back; the rest is as for `dscan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2), (motor3, start3, stop3)]
    return _step_scan(Recipe("d3scan", **options), lines, intervals, count_time, counters, relative=True)


@scan_command
def d4scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    motor3: Motor, start3: Position, stop3: Position,
    motor4: Motor, start4: Position, stop4: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan four axes together around where they are, and bring them back; the rest is as for `dscan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2), (motor3, start3, stop3), (motor4, start4, stop4)]
    return _step_scan(Recipe("d4scan", **options), lines, intervals, count_time, counters, relative=True)


@scan_command
def d5scan(
    motor1: Motor, start1: Position, stop1: Position,
    motor2: Motor, start2: Position, stop2: Position,
    motor3: Motor, start3: Position, stop3: Position,
    motor4: Motor, start4: Position, stop4: Position,
    motor5: Motor, start5: Position, stop5: Position,
    intervals: Intervals, count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan five axes together around where they are, and bring them back; the rest is as for `dscan`."""
    lines = [(motor1, start1, stop1), (motor2, start2, stop2), (motor3, start3, stop3), (motor4, start4, stop4)]
    lines.append((motor5, start5, stop5))
    return _step_scan(Recipe("d5scan", **options), lines, intervals, count_time, counters, relative=True)


@scan_command
def anscan(
    motor_tuple_list: Lines, intervals: Intervals, count_time: Seconds, *counters: Countable,
    scan_type: Text | None = None, restore_motor_positions: Flag = False, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan any number of axes together: `anscan([(robx, 0, 1), (roby, 2, 3)], 10, 0.1, diode)`.

    :param scan_type: what kind of scan it is, in its info; by default ascan, a2scan, ...
    :param restore_motor_positions: bring the axes back at the end, however it comes.
    """
    recipe = Recipe(scan_type or _numbered("a{}scan", motor_tuple_list), **options)
    return _step_scan(recipe, motor_tuple_list, intervals, count_time, counters, come_home=restore_motor_positions)


@scan_command
def dnscan(
    motor_tuple_list: Lines, intervals: Intervals, count_time: Seconds, *counters: Countable,
    scan_type: Text | None = None, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan any number of axes together around where they are, and bring them back; the rest is as for `anscan`."""
    recipe = Recipe(scan_type or _numbered("d{}scan", motor_tuple_list), **options)
    return _step_scan(recipe, motor_tuple_list, intervals, count_time, counters, relative=True)


def _numbered(pattern: str, motors: Sequence[object]) -> str:
    return pattern.format(len(motors) if len(motors) > 1 else "")


def _step_scan(
    recipe: Recipe,
    motors: Sequence[tuple[Any, float, float]],
    intervals: int,
    count_time: float,
    counters: Sequence[Any],
    *,
    relative: bool = False,
    come_home: bool = False,
) -> Scan | None:
    """Make a scan of axes in equal steps; a relative one is an absolute one that brings them back."""
    check_different(motor for motor, _, _ in motors)
    npoints = intervals + 1
    check_npoints(npoints)
    lines = []
    for motor, start, stop in motors:
        origin = motor._set_position if relative else 0.0
        lines.append((motor, float(origin + start), float(origin + stop)))
    recipe.come_home = relative or come_home
    for index, (motor, start, stop) in enumerate(lines):
        recipe.info.set_channel_meta(
            full_name_of(motor),
            start=start,
            stop=stop,
            points=npoints,
            axis_points=npoints,
            axis_kind="forth",
            axis_id=index,
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
