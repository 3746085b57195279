"""Points of a trajectory (position, velocity, time), and what they ask of their axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bliss_like.devices.motion import through
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief, places
from bliss_like.errors import AxisLimitError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis

PVT = np.dtype([("position", float), ("velocity", float), ("time", float)])
"""The fields of the points of a trajectory."""

Points = NDArray[np.void]

_ROUNDING = 1 + 1e-6


def checked_points(axis: Axis, pvt: ArrayLike, at_least: int = 2) -> Points:
    """Return a copy of points, with the fields of `PVT`."""
    points = np.asarray(pvt)
    if not hasattr(axis, "controller"):
        raise ValueError(f"a trajectory is Trajectory(axis, points): expected an axis, got {brief(axis)}")
    what = f"trajectory of {name_of(axis)}"
    if points.ndim != 1 or sorted(points.dtype.names or ()) != sorted(PVT.names or ()):
        raise ValueError(
            f"{what}: expected points of shape (points,) with the fields position, velocity and time, as in "
            f"np.array([(0, 0, 0), (1, 0, 2)], dtype=PVT); got shape {points.shape}, fields {points.dtype.names}"
        )
    copied = np.empty(len(points), dtype=PVT)
    for name in PVT.names or ():
        try:
            copied[name] = points[name].astype(float, casting="same_kind")
        except (TypeError, ValueError):
            raise ValueError(f"{what}: {name} must be numbers, got the dtype {points[name].dtype}") from None
        if not np.isfinite(copied[name]).all():
            node = int((~np.isfinite(copied[name])).argmax())
            raise ValueError(f"{what}: {name} at node {node} must be finite, got {copied[name][node]}")
    if len(copied) < at_least:
        raise ValueError(f"{what}: expected at least {at_least} points, got {len(copied)}")
    if at_least and (np.diff(copied["time"]) <= 0).any():
        node = int((np.diff(copied["time"]) <= 0).argmax()) + 1
        times = copied["time"]
        raise ValueError(
            f"{what}: times must increase, got {times[node]:g} s at node {node}, after {times[node - 1]:g} s"
        )
    return copied


def check_law(axis: Axis, pvt: Points) -> None:
    """Check what an axis does at its points and between them.

    :param pvt: in user units.
    :raises AxisLimitError: it leaves the limits of its axis, or needs more velocity or acceleration than that has.
    """
    for node in (0, -1):
        if pvt["velocity"][node]:
            raise AxisLimitError(
                f"{name_of(axis)}: its trajectory {'ends' if node else 'begins'} with a velocity of "
                f"{pvt['velocity'][node]:g}, expected 0: the axis stands still before and after. Nothing was moved"
            )
    law = through(*(pvt[name].tolist() for name in ("position", "velocity", "time")))
    low, high = axis.limits
    rounding = 1e-9 * max([1.0, *(abs(limit) for limit in (low, high) if math.isfinite(limit))])
    for time, position in law.turns:
        if not low - rounding <= position <= high + rounding:
            side = f"below its low limit {low:.10g}" if position < low else f"above its high limit {high:.10g}"
            told = f"the position {position:.6g} is {side}; its limits are {places(axis, low, high)}"
            raise _refusal(axis, pvt, time, told)
    rates, fastest, steepest = list(law.rates()), _fastest(axis), axis.acceleration
    for time, velocity, _ in rates:
        if abs(velocity) > fastest * _ROUNDING:
            raise _refusal(
                axis, pvt, time, f"it needs a velocity of {abs(velocity):g}, but has {fastest:g}{_per_second(axis)}"
            )
    for time, _, acceleration in rates:
        if abs(acceleration) > steepest * _ROUNDING:
            what = f"it needs an acceleration of {abs(acceleration):g}, but has {steepest:g}{_per_second(axis, '²')}"
            raise _refusal(axis, pvt, time, what)


def _fastest(axis: Axis) -> float:
    """Return the highest velocity that can be set, if it is known, or the one that is set."""
    high = axis.velocity_high_limit
    return axis.velocity if math.isinf(high) else high


def _per_second(axis: Axis, square: str = "") -> str:
    return f" {axis.unit}/s{square}" if axis.unit else ""


def _refusal(axis: Axis, pvt: Points, elapsed: float, what: str) -> AxisLimitError:
    times = pvt["time"]
    time = times[0] + elapsed
    node = min(int(np.searchsorted(times, time)), len(times) - 1)
    where = f"at node {node}" if times[node] == time else f"between nodes {node - 1} and {node}"
    return AxisLimitError(f"{name_of(axis)}: {what}, {where} of its trajectory ({time:g} s). Nothing was moved")
