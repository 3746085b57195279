"""Where the peak, the edge, the centre of a measured curve is; numpy alone, for scans as for anyone who listens to them.

What is noise is told from the curve by its higher differences, and averaged away only as far as the curve itself stays as it
is. A curve without noise is taken as it is: straight lines between its points. NaN is the answer where there is none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .denoising import Array, Curve, cell_widths, curve_of, smoothed

__all__ = ["Cen", "Edge", "cen", "com", "edge", "fwhm", "highest", "peak", "trough"]

NAN = math.nan
FEW_SIGMA = 4.0
"""What rises less above the noise, in its standard deviations, is none."""


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

    The width is the distance from 12 % to 88 % of the step: for an error function the FWHM of its slope, 2.355 sigma.
    NaN when both levels are the same.
    """
    curve = curve_of(x, y)
    if len(curve.x) < 2:
        return NO_EDGE
    return _edge_of(_Shape(curve, *smoothed(curve)))


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
        return float(self.smooth.max()) - max(self.left, self.right)

    def _level(self, direction: int) -> tuple[float, float]:
        """Return the mean at one end, over as many points as do not differ but by noise, and its error."""
        y, noise = self.y[::direction], self.noise
        if not noise:
            return float(y[0]), 0.0
        longest = max(1, len(y) // 3)
        low, high = -math.inf, math.inf
        level, error = float(self.smooth[::direction][0]), float(self.error[::direction][0])
        n = 3
        while n <= longest:
            mean, margin = float(y[:n].mean()), noise / math.sqrt(n)
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
        """Subtract a sloping baseline, if the curve goes on along one line at both ends; return whether it does."""
        span = float(self.x[-1] - self.x[0])
        if len(self.x) < 8 or self.step <= 3 * self.step_error:
            return False
        chord = (self.right - self.left) / span
        n = max(3, len(self.x) // 8)
        ends = slice(0, n), slice(-n, None)
        for part in ends:
            x, y = self.x[part] - self.x[part].mean(), self.smooth[part]
            slope = float(x @ y / (x @ x))
            error = self.noise / math.sqrt(float(x @ x))
            if abs(slope - chord) > 0.3 * abs(chord) + 2 * error:
                return False
        outer = np.r_[ends]
        line = np.polyval(np.polyfit(self.x[outer] - self.x[0], self.y[outer], 1), self.x - self.x[0])
        above = self.smooth - line
        if above.max() < max(0.25 * self.step, FEW_SIGMA * float(self.error.max())) or -above.min() > 0.3 * above.max():
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
    rises = shape.excess > max(FEW_SIGMA * float(shape.error[shape.top]), 0.02 * shape.step)
    steps = shape.step > FEW_SIGMA * shape.step_error
    if not (rises or steps):
        return None
    shape.is_edge = steps and (not rises or (shape.excess < shape.step and _settles(shape)))
    if shape.is_edge and shape.sign < 0:
        shape = up
        shape.is_edge = True
    return shape


def _settles(shape: _Shape) -> bool:
    """Tell an edge with an overshoot from a peak of which one flank is cut off: it goes on level behind its top."""
    top = shape.top
    tail = shape.smooth[top:] if shape.right > shape.left else shape.smooth[top::-1]
    rest = tail[len(tail) // 2 :]
    return len(rest) > 2 and float(np.abs(rest - rest[-1]).mean()) < 0.25 * shape.excess


# -- positions -----------------------------------------------------------------------------------------------------------


def _top_of(curve: Curve) -> float:
    if len(curve.x) < 2 or curve.is_flat:
        return NAN
    smooth, error = smoothed(curve)
    top = int(np.argmax(smooth))
    if smooth[top] - smooth.min() <= FEW_SIGMA * error[top]:
        return NAN
    high = smooth >= smooth[top] - max(error[top], curve.raw_noise)
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
    above, top = shape.smooth - shape.baseline, shape.top
    centres, widths = [], []
    for part in _heights(0.5, shape.height, shape.noise):
        level = part * shape.height
        left, right = _outermost(shape.x, above, level)
        middle = float(shape.x[top])
        if left is None and right is None:
            continue
        if left is None and right is not None:
            left = 2 * middle - right
        elif right is None and left is not None:
            right = 2 * middle - left
        assert left is not None and right is not None
        centres.append((left + right) / 2)
        widths.append(right - left)
    return Cen(float(np.mean(centres)), float(np.mean(widths))) if centres else NO_CEN


def _edge_of(shape: _Shape) -> Edge:
    if shape.step <= FEW_SIGMA * shape.step_error or shape.step == 0:
        return NO_EDGE
    part = (shape.smooth - shape.left) / (shape.right - shape.left)
    places = [_crossing(shape.x, part, height) for height in _heights(0.5, shape.step, shape.noise)]
    low, high = (_crossing(shape.x, part, height) for height in (0.1195, 0.8805))
    return Edge(float(np.mean(places)), high - low)


def _outermost(x: Array, y: Array, level: float) -> tuple[float | None, float | None]:
    """Return where y first comes above a level, and where it last does; None for what is out of the range."""
    above = np.flatnonzero(y >= level)
    first, last = int(above[0]), int(above[-1])
    left = None if first == 0 else _between(x, y, first - 1, first, level)
    right = None if last == len(x) - 1 else _between(x, y, last, last + 1, level)
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
