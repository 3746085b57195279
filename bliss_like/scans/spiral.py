"""Scans of two axes along spirals, from a centre outwards: what matters most is seen first.

The points lie in a rectangle, `range1` by `range2` around the centre, its edges included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.scan import Scan

from .arguments import (
    Countable,
    Intervals,
    Length,
    Motor,
    Position,
    Seconds,
    StepOptions,
    check_different,
    check_npoints,
    number,
)
from .build import Recipe
from .command import scan_command

__all__ = ["aspiral", "aspiral_fermat", "aspiral_square", "dspiral", "dspiral_fermat", "dspiral_square"]

Array = np.ndarray[Any, Any]

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
"""Radians from one point of a Fermat spiral to the next: no two points ever lie behind each other."""


# -- positions -------------------------------------------------------------------------------------------------------------


def spiral_positions(range1: float, range2: float, step1: float, step2: float) -> tuple[Array, Array]:
    """Return the points of an Archimedean spiral around (0, 0), two arrays of one shape (npoints,).

    Its turns are a step apart, and so are the points along it.
    """
    along = np.arange(_how_many(range1, range2, step1, step2))
    angle = np.sqrt(4 * math.pi * along)  # where the length of the spiral is `along`, nearly
    for _ in range(4):  # Newton
        root = np.sqrt(1 + angle * angle)
        angle = angle - ((angle * root + np.arcsinh(angle)) / (4 * math.pi) - along) / (root / (2 * math.pi))
    return _within(range1, range2, step1, step2, angle / (2 * math.pi), angle)


def fermat_positions(range1: float, range2: float, step1: float, step2: float) -> tuple[Array, Array]:
    """Return the points of a Fermat spiral around (0, 0), two arrays of one shape (npoints,): one for each step1 x step2.

    Like the seeds of a sunflower, they lie equally dense everywhere and in no rows.
    """
    index = np.arange(_how_many(range1, range2, step1, step2))
    return _within(range1, range2, step1, step2, np.sqrt(index / math.pi), index * GOLDEN_ANGLE)


def square_positions(range1: float, range2: float, intervals1: int, intervals2: int) -> tuple[Array, Array]:
    """Return the points of a grid around (0, 0) from the middle outwards, two arrays of one shape (npoints,).

    Each is one step from the one before it, as long as the turns fit into the grid.
    """
    lines = np.linspace(-range1 / 2, range1 / 2, intervals1 + 1), np.linspace(-range2 / 2, range2 / 2, intervals2 + 1)
    columns, rows = (grid.ravel() for grid in np.meshgrid(np.arange(intervals1 + 1), np.arange(intervals2 + 1)))
    right, up = columns - intervals1 // 2, rows - intervals2 // 2
    turn = np.maximum(np.abs(right), np.abs(up))
    # Each turn goes up on the right, then left along the top, down on the left, and back along the bottom.
    sides = [(right == turn) & (up > -turn), up == turn, right == -turn]
    along = np.select(sides, [up + turn - 1, 3 * turn - right - 1, 5 * turn - up - 1], 7 * turn + right - 1)
    order = np.lexsort((along, turn))
    return lines[0][columns[order]], lines[1][rows[order]]


def _how_many(range1: float, range2: float, step1: float, step2: float) -> int:
    """Return for how many points the disc around the rectangle has room."""
    radius = math.hypot(range1 / step1, range2 / step2) / 2 + 1
    npoints = math.pi * radius * radius
    check_npoints(math.ceil(min(npoints, 1e18)))
    return math.ceil(npoints) + 1


def _within(
    range1: float, range2: float, step1: float, step2: float, radius: Array, angle: Array
) -> tuple[Array, Array]:
    first, second = step1 * radius * np.cos(angle), step2 * radius * np.sin(angle)
    slack = 1e-9
    inside = (np.abs(first) <= range1 / 2 + slack * step1) & (np.abs(second) <= range2 / 2 + slack * step2)
    return first[inside], second[inside]


# -- commands --------------------------------------------------------------------------------------------------------------


@scan_command
def aspiral(
    motor1: Motor, center1: Position, range1: Length,
    motor2: Motor, center2: Position, range2: Length,
    step: Length, count_time: Seconds, *counters: Countable, step2: Length | None = None, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes along a spiral: `aspiral(robx, 0, 2, roby, 5, 2, 0.1, 1, diode)`.

    :param center1: position of `motor1` where it begins; `range1`: the whole width, half of it on each side.
    :param step: from one turn to the next, and along the spiral from point to point.
    :param step2: that of `motor2`, if it is another one: an axis in other units, a beam that is not round.
    :param count_time: seconds of one point.
    :param run: False only makes the scan: `scan.positions` are its points, `scan.run()` runs it.
    """
    points = spiral_positions(range1, range2, step, step2 or step)
    steps = number(step) if step2 is None else f"{number(step)} {number(step2)}"
    axes = [(motor1, center1, range1), (motor2, center2, range2)]
    return _spiral(Recipe("aspiral", **options), "aspiral", axes, points, steps, count_time, counters)


@scan_command
def dspiral(
    motor1: Motor, range1: Length, motor2: Motor, range2: Length,
    step: Length, count_time: Seconds, *counters: Countable, step2: Length | None = None, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes along a spiral around where they are, and bring them back; the rest is as for `aspiral`."""
    points = spiral_positions(range1, range2, step, step2 or step)
    steps = number(step) if step2 is None else f"{number(step)} {number(step2)}"
    axes = [(motor1, None, range1), (motor2, None, range2)]
    return _spiral(Recipe("dspiral", **options), "aspiral", axes, points, steps, count_time, counters)


@scan_command
def aspiral_fermat(
    motor1: Motor, center1: Position, range1: Length,
    motor2: Motor, center2: Position, range2: Length,
    step: Length, count_time: Seconds, *counters: Countable, step2: Length | None = None, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes over the seeds of a sunflower: equally dense everywhere, and in no rows. The rest is as for `aspiral`.

    :param step: the distance of neighbours, more or less: there is one point for each step x step.
    """
    points = fermat_positions(range1, range2, step, step2 or step)
    steps = number(step) if step2 is None else f"{number(step)} {number(step2)}"
    axes = [(motor1, center1, range1), (motor2, center2, range2)]
    return _spiral(Recipe("aspiral_fermat", **options), "aspiral_fermat", axes, points, steps, count_time, counters)


@scan_command
def dspiral_fermat(
    motor1: Motor, range1: Length, motor2: Motor, range2: Length,
    step: Length, count_time: Seconds, *counters: Countable, step2: Length | None = None, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes over a sunflower around where they are, and bring them back; the rest is as for `aspiral_fermat`."""
    points = fermat_positions(range1, range2, step, step2 or step)
    steps = number(step) if step2 is None else f"{number(step)} {number(step2)}"
    axes = [(motor1, None, range1), (motor2, None, range2)]
    return _spiral(Recipe("dspiral_fermat", **options), "aspiral_fermat", axes, points, steps, count_time, counters)


@scan_command
def aspiral_square(
    motor1: Motor, center1: Position, range1: Length, intervals1: Intervals,
    motor2: Motor, center2: Position, range2: Length, intervals2: Intervals,
    count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes over a grid, from its middle outwards: `aspiral_square(robx, 0, 2, 10, roby, 5, 2, 10, 0.1, diode)`.

    :param center1: position of `motor1` in the middle; `range1`: the whole width, half of it on each side.
    :param intervals1: intervals1 + 1 points of `motor1`; the grid is that of `amesh`.
    :param count_time: seconds of one point.
    :param run: False only makes the scan: `scan.positions` are its points, `scan.run()` runs it.
    """
    axes = [(motor1, center1, range1), (motor2, center2, range2)]
    return _square(Recipe("aspiral_square", **options), axes, (intervals1, intervals2), count_time, counters)


@scan_command
def dspiral_square(
    motor1: Motor, range1: Length, intervals1: Intervals,
    motor2: Motor, range2: Length, intervals2: Intervals,
    count_time: Seconds, *counters: Countable, **options: Unpack[StepOptions],
) -> Scan | None:  # fmt: skip
    """Scan two axes over a grid from where they are outwards, and bring them back; the rest is as for `aspiral_square`."""
    axes = [(motor1, None, range1), (motor2, None, range2)]
    return _square(Recipe("dspiral_square", **options), axes, (intervals1, intervals2), count_time, counters)


_Axes = Sequence[tuple[Any, float | None, float]]
"""Each an axis, its centre (None: where it is), and its range."""


def _square(
    recipe: Recipe, axes: _Axes, intervals: tuple[int, int], count_time: float, counters: Sequence[Any]
) -> Scan | None:
    check_npoints((intervals[0] + 1) * (intervals[1] + 1))
    points = square_positions(axes[0][2], axes[1][2], *intervals)
    words = f"{intervals[0]} {intervals[1]}"
    return _spiral(recipe, "aspiral_square", axes, points, words, count_time, counters)


def _spiral(
    recipe: Recipe,
    word: str,
    axes: _Axes,
    points: tuple[Array, Array],
    steps: str,
    count_time: float,
    counters: Sequence[Any],
) -> Scan | None:
    """Make a scan of two axes over points around a centre.

    :param word: what its title begins with; `steps` stands in it after the axes.
    """
    check_different(motor for motor, *_ in axes)
    if any(center is None for _, center, _ in axes):
        recipe.come_home = True
    npoints = len(points[0])
    words, positions, ends = [], [], []
    for index, ((motor, center, width), line) in enumerate(zip(axes, points, strict=True)):
        middle = float(motor._set_position if center is None else center)
        positions += [motor, middle + line]
        ends.append((middle - width / 2, middle + width / 2))
        words.append(f"{name_of(motor)} {number(middle)} {number(width)}")
        recipe.info.set_channel_meta(
            full_name_of(motor), start=float(positions[-1][0]), stop=float(positions[-1][-1]), min=ends[-1][0],
            max=ends[-1][1], points=npoints, axis_id=index, group="scatter",
        )  # fmt: skip
    if not recipe.info["plots"]:
        recipe.info.add_scatter_plot(x=full_name_of(axes[0][0]), y=full_name_of(axes[1][0]))
    return recipe.make(
        f"{word} {' '.join(words)} {steps} {number(count_time)}",
        count_time,
        npoints,
        counters,
        VariableStepTriggerMaster(*positions, stab_time=recipe.stab_time),
        stab_time=recipe.stab_time,
        start=[start for start, _ in ends],
        stop=[stop for _, stop in ends],
        data_dim=2,
    )
