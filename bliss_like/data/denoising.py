"""Curves and their noise: how much there is, and the curve without it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MOST_POINTS = 4096
"""A longer noisy curve is averaged down to that many points first."""

NEGLIGIBLE = 1e-3
"""Noise below that part of the whole height is left as it is."""

ENOUGH, UNEQUAL = 12, 1.5
"""How many points it takes to know the noise of the high ones apart, and how much it has to differ from that of the others."""

CONFIDENCE = 1.8
"""Standard deviations within which an average over more points has to agree with those over fewer."""


@dataclass(frozen=True)
class Curve:
    """Points of finite numbers, ordered by x, one for each x."""

    x: Array
    y: Array

    @cached_property
    def rounding(self) -> float:
        """Differences of values that are none."""
        digits = 16 * float(np.finfo(float).eps) * float(np.abs(self.y).max(initial=0.0))
        return max(digits, 1e-9 * float(np.ptp(self.y))) if len(self.y) else 0.0

    @property
    def is_flat(self) -> bool:
        return not len(self.y) or float(np.ptp(self.y)) <= self.rounding

    @cached_property
    def noise(self) -> Array:
        """The standard deviation of the noise of each point; zeros when there is too little to matter."""
        noise = _noise_of(self.y)
        return noise if float(noise.max(initial=0.0)) > NEGLIGIBLE * float(np.ptp(self.y)) else np.zeros_like(self.y)

    @property
    def is_noisy(self) -> bool:
        return bool(self.noise.any())


def curve_of(x: ArrayLike, y: ArrayLike) -> Curve:
    """Return the finite points, ordered by x; values at the same x are averaged.

    :param x, y: shape (npoints,) both.
    :raises ValueError: they are not.
    """
    xs, ys = np.asarray(x, float), np.asarray(y, float)
    if xs.ndim != 1 or xs.shape != ys.shape:
        raise ValueError(
            f"expected as many positions as values, in one dimension, got shapes {xs.shape} and {ys.shape}"
        )
    usable = np.isfinite(xs) & np.isfinite(ys)
    places, which = np.unique(xs[usable], return_inverse=True)
    if len(places) == len(which):
        values = np.empty_like(places)
        values[which] = ys[usable]
    else:
        values = np.bincount(which, ys[usable]) / np.bincount(which)
    curve = Curve(places, values)
    if len(places) > MOST_POINTS and curve.is_noisy:
        size = -(-len(places) // MOST_POINTS)
        whole = len(places) // size * size
        curve = Curve(places[:whole].reshape(-1, size).mean(1), values[:whole].reshape(-1, size).mean(1))
    return curve


def _noise_of(y: Array) -> Array:
    """Return the standard deviation of the noise of each point.

    Noise shows in the differences of all orders alike, the curve itself in some more than in others: the least count.
    Where there are few points, what looks like noise may be the curve, and is believed the less. When the high points of a
    curve have more noise than the low ones, as counts have, the variance is taken for linear in the height.
    """
    trust = min(1.0, max(0.0, (len(y) - 7) / 13))
    if not trust:
        return np.zeros_like(y)
    noise = np.full_like(y, trust * _spread(y, np.ones(len(y), bool)))
    levels = np.convolve(np.pad(y, 2, mode="edge"), np.full(5, 0.2), "valid")
    high = levels > (levels.max() + levels.min()) / 2
    if ENOUGH <= high.sum() <= len(y) - ENOUGH:
        low_noise, high_noise = trust * _spread(y, ~high), trust * _spread(y, high)
        low_level, high_level = float(levels[~high].mean()), float(levels[high].mean())
        if max(low_noise, high_noise) > UNEQUAL * min(low_noise, high_noise):
            rise = (high_noise**2 - low_noise**2) / (high_level - low_level)
            variances = low_noise**2 + rise * (levels - low_level)
            noise = np.sqrt(np.maximum(variances, min(low_noise, high_noise) ** 2))
    return noise


def _spread(y: Array, wanted: NDArray[np.bool_]) -> float:
    """Return the standard deviation of the noise of the points that are wanted."""
    estimates = []
    for order in (1, 2, 3, 4):
        before, behind = order // 2, (order + 1) // 2
        there = wanted[before : len(y) - behind] & wanted[behind : len(y) - before]
        differences = np.abs(np.diff(y, order))[there]
        half, most = np.quantile(differences, (0.5, 0.75))  # of a normal distribution: 0.6745 and 1.1503 sigma
        estimates.append(float(half + most) / 1.8248 / math.sqrt(math.comb(2 * order, order)))
    return sum(sorted(estimates)[:2]) / 2


def smoothed(curve: Curve) -> tuple[Array, Array]:
    """Return the curve without its noise, and the standard error of each of its points.

    Each point becomes the middle of a parabola through its neighbours: as many of them as agree, within their errors, with
    what fewer said (intersection of confidence intervals: A. Goldenshluger, A. Nemirovski, 1997). So baselines become
    smooth, and sharp peaks stay.
    """
    y, noise = curve.y, curve.noise
    smooth, error = y.copy(), noise.copy()
    if not curve.is_noisy:
        return smooth, error
    low, high = y - CONFIDENCE * error, y + CONFIDENCE * error
    going_on = np.ones(len(y), bool)
    from_end = np.minimum(np.arange(len(y)), np.arange(len(y))[::-1])
    for half in _half_widths(len(y)):
        values, errors = _parabolas(y, half)
        errors = errors * noise
        low = np.maximum(low, values - CONFIDENCE * errors)
        high = np.minimum(high, values + CONFIDENCE * errors)
        going_on &= (low <= high) & (from_end >= half // 4)
        smooth[going_on], error[going_on] = values[going_on], errors[going_on]
        if not going_on.any():
            break
    return smooth, error


def _half_widths(npoints: int) -> list[int]:
    widths = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
    return [half for half in widths if 2 * half + 1 <= npoints // 2]


def _parabolas(y: Array, half: int) -> tuple[Array, Array]:
    """Return the parabola through 2 half + 1 points at each point, and its error for noise of 1."""
    matrix = _projection(half)
    width = 2 * half + 1
    values, errors = np.empty_like(y), np.full_like(y, math.sqrt(matrix[half, half]))
    values[half:-half] = np.convolve(y, matrix[half], "valid")
    values[:half], values[-half:] = matrix[:half] @ y[:width], matrix[-half:] @ y[-width:]
    errors[:half], errors[-half:] = np.sqrt(np.diag(matrix)[:half]), np.sqrt(np.diag(matrix)[-half:])
    return values, errors


@lru_cache(maxsize=32)
def _projection(half: int) -> Array:
    """Return the matrix that makes 2 half + 1 values those of the best parabola through them."""
    basis = np.vander(np.linspace(-1, 1, 2 * half + 1), 3)
    matrix: Array = basis @ np.linalg.pinv(basis)
    return matrix


def cell_widths(x: Array) -> Array:
    """Return how much of the range belongs to each point."""
    if len(x) < 2:
        return np.ones_like(x)
    steps = np.diff(x)
    widths = np.empty_like(x)
    widths[0], widths[-1] = steps[0], steps[-1]
    widths[1:-1] = (steps[:-1] + steps[1:]) / 2
    return widths
