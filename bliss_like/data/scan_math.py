"""Where the peak, the edge, the centre of a measured curve is; numpy alone, for scans as for anyone who listens to them.

What is noise is told from the curve by its higher differences, and averaged away only as far as the curve itself stays as it
is. A curve without noise is taken as it is: straight lines between its points. NaN is the answer where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .denoising import Array, Curve, cell_widths, curve_of, smoothed

__all__ = [
    *("Cen", "Edge", "cen", "com", "crossings", "edge", "fwhm", "highest", "highest_point", "is_clear", "kind_of"),
    *("line_of_mesh", "lowest_point", "peak", "trough"),
]

NAN = math.nan
FEW_SIGMA = 4.0
"""What rises less above the noise, in its standard deviations, is none."""


FEW, LEAST = 25, 5
"""Points of a curve of which the noise cannot be told well: of fewer, only what is clear is believed; of fewer than `LEAST`, nothing."""
ROUGH, HIGH = 0.7, 12.0
"""A curve is clear when its steps are smaller than `ROUGH` (those of noise are about 2), or one point is as high as `HIGH`."""

LEAST_STEP = 0.05
"""What rises less from end to end than that part of its height is no edge."""

QUARTERS_TO_FWHM = 1.7456
"""FWHM of a normal distribution in units of the distance between its quartiles."""


class Cen(NamedTuple):
    """The middle between the places of half height, and the distance between them."""

    position: float
    fwhm: float


class Edge(NamedTuple):
    """The place of half height between the two levels, and the full width at half maximum of the slope there."""

    position: float
    width: float


NO_CEN, NO_EDGE = Cen(NAN, NAN), Edge(NAN, NAN)


def peak(x: ArrayLike, y: ArrayLike) -> float:
    """Return where the curve is highest: the middle of a plateau; NaN when it is flat.

    :param x, y: shape (npoints,) both, in any order; NaNs are left out.
    :raises ValueError: they do not have the same length.
    """
    return _top_of(curve_of(x, y))


def trough(x: ArrayLike, y: ArrayLike) -> float:
    """Return where the curve is lowest; the rest is as for `peak`."""
    return _top_of(curve_of(x, -np.asarray(y, float)))


def cen(x: ArrayLike, y: ArrayLike) -> Cen:
    """Return the middle between the places of half height, and the distance between them (FWHM).

    A peak, or a dip when the curve goes further down than up, above a level or sloping baseline. A peak of which only one
    flank is in the range is taken for symmetric. For an edge, see `edge`. With two peaks that both reach half height, it is
    between the outermost places.
    """
    shape = _shape_of(curve_of(x, y))
    if shape is None:
        return NO_CEN
    return Cen(*_edge_of(shape)) if shape.is_edge else _cen_of(shape)


def fwhm(x: ArrayLike, y: ArrayLike) -> float:
    """Return the full width at half maximum of a peak or a dip; of an edge, that of its slope."""
    return cen(x, y).fwhm


def edge(x: ArrayLike, y: ArrayLike) -> Edge:
    """Return the place of half height between the levels at both ends of the curve, and the width of the step.

    The width is 1.746 times the distance from a quarter to three quarters of the step: for an error function that is the FWHM
    of its slope, 2.355 sigma.
    NaN when both levels are the same.
    """
    curve = curve_of(x, y)
    if len(curve.x) < 2:
        return NO_EDGE
    return _edge_of(_Shape(curve, *smoothed(curve)))


def kind_of(x: ArrayLike, y: ArrayLike) -> str:
    """Return what the curve is taken for: `peak`, `dip` or `edge`; empty when nothing stands out of the noise."""
    shape = _shape_of(curve_of(x, y))
    if shape is None or (shape.is_edge and math.isnan(_edge_of(shape).position)):
        return ""
    return "edge" if shape.is_edge else "peak" if shape.sign > 0 else "dip"


def is_clear(x: ArrayLike, y: ArrayLike, *, is_mesh: bool = False) -> bool:
    """Return whether few points are more than noise, which has a highest point, too; of many, `kind_of` tells by itself.

    Noise jumps (von Neumann's ratio of the squared steps to the variance), and has no point that is far from all others.

    :param is_mesh: whether these are all points of a mesh, in the order of measurement.
    """
    values = np.asarray(y, float) if is_mesh else curve_of(x, y).y
    values = values[np.isfinite(values)]
    if len(values) < LEAST or (len(values) >= FEW and not is_mesh):
        return len(values) >= LEAST
    with np.errstate(all="ignore"):  # values that stand for "no reading" may be as large as there are
        away = np.abs(values - np.median(values))
        steps, variance = np.square(np.diff(values)).sum(), np.square(values - values.mean()).sum()
        return bool(steps < ROUGH * variance or away.max() > HIGH * 1.4826 * np.median(away))


def crossings(x: ArrayLike, y: ArrayLike) -> list[float]:
    """Return all places where the curve is at half height, in their order; none when nothing stands out of the noise."""
    shape = _shape_of(curve_of(x, y))
    if shape is None or (shape.is_edge and not shape.step):
        return []
    if shape.is_edge:
        above = (shape.smooth - (shape.left + shape.right) / 2) * (1 if shape.right > shape.left else -1)
    else:
        above = shape.smooth - shape.baseline - shape.height / 2
    before = np.flatnonzero((above[1:] >= 0) != (above[:-1] >= 0))
    return [_between(shape.x, above, index, index + 1, 0.0) for index in before.tolist()]


def com(x: ArrayLike, y: ArrayLike, visual: bool = True) -> float:
    """Return the centre of mass of what stands above the baseline, or hangs below it when the curve is a dip.

    Points that lie densely count no more than those that lie apart.

    :param visual: False: above zero, or above the lowest point when that is negative.
    """
    curve = curve_of(x, y)
    if not len(curve.x):
        return NAN
    weights = curve.y - min(0.0, float(curve.y.min()))
    if visual:
        shape = _shape_of(curve)
        if shape is None:
            return NAN
        above = shape.smooth - shape.baseline
        weights = np.where(above > FEW_SIGMA / 2 * shape.error, shape.sign * curve.y - shape.baseline, 0)
    weights = weights * cell_widths(curve.x)
    total = float(weights.sum())
    # Masses that cancel each other have no centre.
    if total == 0 or abs(total) < 1e-9 * float(np.abs(weights).sum()):
        return NAN
    return float(weights @ curve.x) / total


def highest_point(x: ArrayLike, y: ArrayLike) -> float:
    """Return where the highest of the points is, noise or not; NaN when all are the same."""
    curve = curve_of(x, y)
    return NAN if curve.is_flat else float(curve.x[np.argmax(curve.y)])


def lowest_point(x: ArrayLike, y: ArrayLike) -> float:
    """Return where the lowest of the points is, noise or not; NaN when all are the same."""
    return highest_point(x, -np.asarray(y, float))


def highest(y: ArrayLike) -> int | None:
    """Return the index of the highest point in the order of measurement; None when there is none.

    For maps: noise is averaged along the lines.
    """
    values = np.asarray(y, float)
    places = np.flatnonzero(np.isfinite(values))
    curve = Curve(places.astype(float), values[places])
    if len(places) < 2 or curve.is_flat:
        return None
    smooth, _ = smoothed(curve)
    return int(places[np.argmax(smooth)])


def line_of_mesh(x: Array, y: Array, told: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return the curve of a mesh along one of its axes: the average over the others.

    :param told: what `scan_info` says of the axis: `start`, `stop`, `axis_points`; where it does not, about square is assumed.
    """
    start, stop, npoints = told.get("start"), told.get("stop"), told.get("axis_points", 0)
    if start is None or stop is None or npoints < 2:  # its places are not on a grid
        start, stop, npoints = float(np.nanmin(x)), float(np.nanmax(x)), max(2, round(math.sqrt(len(x))))
    if start == stop:
        return x, y
    usable = np.isfinite(x) & np.isfinite(y)
    lines = np.rint((x[usable] - start) / (stop - start) * (npoints - 1)).astype(int).clip(0, npoints - 1)
    there, which, count = np.unique(lines, return_inverse=True, return_counts=True)
    along_x, along_y = (np.bincount(which, values[usable], len(there)) / count for values in (x, y))
    return along_x, along_y


# -- shape -------------------------------------------------------------------------------------------------------------


class _Shape:
    """A curve without its noise, turned so that it is a peak or an edge, with the baseline below it."""

    def __init__(self, curve: Curve, smooth: Array, error: Array, sign: int = 1) -> None:
        self.x, self.y, self.sign = curve.x, sign * curve.y, sign
        self.smooth, self.error = sign * smooth, error
        self.noise = curve.noise
        (self.left, left_error), (self.right, right_error) = self._level(1), self._level(-1)
        self.step_error = math.hypot(left_error, right_error)
        self.baseline: Array = np.full_like(self.x, self._floor())
        self.is_edge = False

    @property
    def step(self) -> float:
        return abs(self.right - self.left)

    @property
    def top(self) -> int:
        return int(np.argmax(self.smooth - self.baseline))

    @property
    def height(self) -> float:
        return float((self.smooth - self.baseline)[self.top])

    @property
    def excess(self) -> float:
        """How far the curve goes above both of its ends."""
        return float(self.smooth.max() - max(self.smooth[0], self.smooth[-1]))

    def _level(self, direction: int) -> tuple[float, float]:
        """Return the mean at one end, over as many points as do not differ but by noise, and its error."""
        y, noise = self.y[::direction], self.noise[::direction]
        if not noise[0]:
            return float(y[0]), 0.0
        low, high = -math.inf, math.inf
        level, error = float(self.smooth[::direction][0]), float(self.error[::direction][0])
        n = 3
        while n <= len(y) // 3:
            mean, margin = float(y[:n].mean()), float(noise[:n].mean()) / math.sqrt(n)
            low, high = max(low, mean - 2 * margin), min(high, mean + 2 * margin)
            if low > high:
                break
            level, error = mean, margin
            n += max(1, n // 3)
        return level, error

    def _floor(self) -> float:
        if self.step <= 3 * self.step_error:
            return (self.left + self.right) / 2
        return min(self.left, self.right)

    def level_ends(self) -> bool:
        """Take a sloping line for the baseline, if both ends of the curve are on one; return whether they are."""
        n = max(3, len(self.x) // 8)
        if len(self.x) < 9 or self.step <= 3 * self.step_error:
            return False
        ends = np.r_[0:n, len(self.x) - n : len(self.x)]
        x = (self.x - self.x[0]) / (float(self.x[-1] - self.x[0]) or 1.0)
        line = np.polyval(np.polyfit(x[ends], self.y[ends], 1), x)
        above = self.smooth - line
        height = float(above.max())
        deepest = 0.1 * height + 2 * float(self.error.max())
        if height < max(0.25 * self.step, FEW_SIGMA * float(self.error.max())) or -above.min() > deepest:
            return False
        if np.count_nonzero(above > height / 2) > len(x) / 3:  # rather the flank of something larger
            return False
        freedom = 2 * n - 2
        off = np.square((self.y - line)[ends]) / (np.square(self.noise[ends]) + (0.01 * height) ** 2)
        if float(off.sum()) / freedom > 1 + FEW_SIGMA * math.sqrt(2 / freedom):
            return False
        self.baseline = line
        return True


def _shape_of(curve: Curve) -> _Shape | None:
    """Return what kind of curve it is; None when nothing rises above its noise."""
    if len(curve.x) < 2 or curve.is_flat:
        return None
    smooth, error = smoothed(curve)
    up, down = (_Shape(curve, smooth, error, sign) for sign in (1, -1))
    for shape in (up, down):
        if shape.level_ends():
            return shape
    shape = up if up.excess >= down.excess else down
    steps = shape.step > FEW_SIGMA * shape.step_error
    if not steps:
        return shape if shape.height > FEW_SIGMA * math.hypot(shape.error[shape.top], shape.step_error / 2) else None
    doubt = math.hypot(shape.error[shape.top], max(shape.error[0], shape.error[-1]))
    few = FEW_SIGMA / 2 if _ends_at_its_top(up) else FEW_SIGMA
    rises = shape.excess > max(few * doubt, (0.1 if curve.is_noisy else 0.02) * shape.step)
    shape.is_edge = not rises or (shape.excess < shape.step and _settles(shape))
    if shape.is_edge:
        up.is_edge = True
        return up
    return shape


def _ends_at_its_top(shape: _Shape) -> bool:
    """Tell the flank of a peak from an edge: it does not go on at its upper level for much longer than it took to rise."""
    part = (shape.smooth - shape.left) / (shape.right - shape.left)
    if shape.right < shape.left:
        part = 1 - part
    low, high = np.count_nonzero(part < 0.25), np.count_nonzero(part > 0.75)
    return bool(high < 2.5 * (len(part) - low - high))


def _settles(shape: _Shape) -> bool:
    """Tell an edge with an overshoot from a peak of which one flank is cut off: it goes on level behind its top."""
    rising = shape.right > shape.left
    tail = (shape.smooth if rising else shape.smooth[::-1])[shape.top if rising else -1 - shape.top :]
    rest = tail[len(tail) // 2 :]
    level = shape.right if rising else shape.left
    return len(tail) > max(4, len(shape.x) // 8) and float(
        np.abs(rest - level).mean()
    ) < 0.25 * shape.excess + 2 * float(shape.error.mean())


# -- positions -----------------------------------------------------------------------------------------------------------


def _top_of(curve: Curve) -> float:
    if _shape_of(curve) is None:
        return NAN
    smooth, error = smoothed(curve)
    top = int(np.argmax(smooth))
    high = smooth >= smooth[top] - max(error[top], curve.rounding)
    first = last = top
    while first > 0 and high[first - 1]:
        first -= 1
    while last < len(high) - 1 and high[last + 1]:
        last += 1
    if error[top] and (first == 0 or last == len(high) - 1):
        return float(curve.x[top])
    return float(curve.x[first] + curve.x[last]) / 2


def _heights(middle: float, height: float, noise: float) -> Array:
    """Return the part of the height at which to look for crossings: around the middle, as far as noise reaches."""
    reach = min(0.2, 3 * noise / height) if height > 0 else 0.0
    return middle + reach * np.linspace(-1, 1, 9) if reach > 0.01 else np.array([middle])


def _cen_of(shape: _Shape) -> Cen:
    above, top = shape.smooth - shape.baseline, float(shape.x[shape.top])
    centres, widths = [], []
    for part in _heights(0.5, shape.height, float(shape.noise[shape.top])):
        left, right = _outermost(shape.x, above, part * shape.height)
        if math.isnan(left):
            left = 2 * top - right
        elif math.isnan(right):
            right = 2 * top - left
        centres.append((left + right) / 2)
        widths.append(right - left)
    return Cen(float(np.mean(centres)), float(np.mean(widths)))


def _edge_of(shape: _Shape) -> Edge:
    if shape.step <= max(FEW_SIGMA * shape.step_error, LEAST_STEP * float(np.ptp(shape.smooth))):
        return NO_EDGE
    part = (shape.smooth - shape.left) / (shape.right - shape.left)
    places = [_crossing(shape.x, part, height) for height in _heights(0.5, shape.step, float(shape.noise.mean()))]
    low, high = (_crossing(shape.x, part, height) for height in (0.25, 0.75))
    return Edge(float(np.mean(places)), abs(high - low) * QUARTERS_TO_FWHM)


def _outermost(x: Array, y: Array, level: float) -> tuple[float, float]:
    """Return where y first comes above a level, and where it last does; NaN for what is out of the range."""
    above = np.flatnonzero(y >= level)
    first, last = int(above[0]), int(above[-1])
    left = NAN if first == 0 else _between(x, y, first - 1, first, level)
    right = NAN if last == len(x) - 1 else _between(x, y, last, last + 1, level)
    return left, right


def _crossing(x: Array, y: Array, level: float) -> float:
    """Return where y goes from below a level to above it: in the middle of where it wavers."""
    first = int(np.flatnonzero(y >= level)[0])
    last = int(np.flatnonzero(y < level)[-1]) if (y < level).any() else 0
    if last < first:
        return _between(x, y, last, first, level)
    up = _between(x, y, max(first - 1, 0), first, level)
    down = _between(x, y, last, min(last + 1, len(x) - 1), level)
    return (up + down) / 2


def _between(x: Array, y: Array, one: int, other: int, level: float) -> float:
    if y[one] == y[other]:
        return float(x[one])
    return float(x[one] + (level - y[one]) / (y[other] - y[one]) * (x[other] - x[one]))
