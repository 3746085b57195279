"""From numbers to places on a line of dots, and the round numbers that are written beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

MANY_DIGITS = 1e5
"""Where numbers are so much larger than their differences, they are written as differences from one of them."""
INFINITE, LEAST_SPAN = 1e300, 1e-300
"""Numbers from there on are as good as infinite; what differs by less is as good as constant."""
MOST_DECIMALS = 7
LARGE, SMALL = 1e6, 1e-4
"""Numbers outside are written with an exponent."""


@dataclass(frozen=True)
class Numbers:
    """Numbers to be drawn, and what has to be known of them all: there may be very many, so that each is looked at but once.

    :param values: NaN where one is infinite, or as good as that.
    :param low, high: the least and the greatest; inf and -inf when there is none.
    :param is_whole: whether none is NaN.
    """

    values: Array
    low: float
    high: float
    is_whole: bool

    @classmethod
    def of(cls, values: Any) -> Numbers:
        numbers = np.asarray(values, float)
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (math.inf, -math.inf)
        if (-INFINITE < low and high < INFINITE) or not numbers.size:  # not so of NaN
            return cls(numbers, low, high, True)
        numbers = np.where(np.abs(numbers) < INFINITE, numbers, np.nan)
        there = numbers[np.isfinite(numbers)]
        return cls(numbers, *cls.of(there).ends, False)

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    @cached_property
    def is_one_way(self) -> bool:
        """Whether none is missing, and they only rise, or only fall."""
        before, after = self.values[:-1], self.values[1:]
        return self.is_whole and (bool((after >= before).all()) or bool((after <= before).all()))


def drawable(values: Any) -> Array:
    """Return numbers; NaN for those that are infinite, or as good as that."""
    return Numbers.of(values).values


@dataclass(frozen=True)
class Scale:
    """A range of numbers, linear or logarithmic; of the latter `low` and `high` are decimal logarithms."""

    low: float
    high: float
    is_log: bool = False

    def places(self, values: Array, dots: int) -> Array:
        """Return where numbers are among so many dots, 0 to dots - 1; what is outside is at an end. All must be finite."""
        within = (values - self.low) * ((dots - 1) / (self.high - self.low))
        return np.rint(within).clip(0, dots - 1).astype(np.intp)

    def begins(self, values: Array, dots: int) -> Array:
        """Return the indices, from 0 on, where numbers that go one way come to another place, of many in little time."""
        bounds = self.low + (np.arange(dots - 1) + 0.5) * ((self.high - self.low) / max(1, dots - 1))
        if values[-1] < values[0]:
            found = len(values) - values[::-1].searchsorted(bounds)[::-1]
        else:
            found = values.searchsorted(bounds)
        is_new = np.diff(found, prepend=0) > 0
        return np.append(0, found[is_new & (found < len(values))])

    def place(self, value: float, dots: int) -> int:
        return int(self.places(np.array([value]), dots)[0])

    def shown(self, values: Array) -> Array:
        """Return numbers as the scale has them; NaN for those that it cannot have."""
        if not self.is_log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, np.log10(values), math.nan)


def scale_of(low: float, high: float, *, is_log: bool = False) -> Scale:
    """Return the scale of numbers from `low` to `high`, both finite; a little is added, so that it is never empty.

    Zero is on a linear scale when the numbers come near to it.
    """
    if is_log:
        return Scale(math.floor(low * 10) / 10, math.ceil(high * 10) / 10 + (0.1 if low == high else 0), True)
    span = high - low
    if span <= max(LEAST_SPAN, 1e-12 * max(abs(low), abs(high))):
        margin = abs(low) * 0.05 if abs(low) > LEAST_SPAN else 1.0
        return Scale(low - margin, high + margin)
    if 0 < low < 0.2 * span:
        low = 0.0
    elif 0 < -high < 0.2 * span:
        high = 0.0
    return Scale(low, high)


@dataclass(frozen=True)
class Ticks:
    """Round numbers of a scale.

    :param offset: what is to be added to the labels, a text; mostly empty.
    """

    values: tuple[float, ...]
    labels: tuple[str, ...]
    offset: str = ""

    @property
    def width(self) -> int:
        return max(map(len, self.labels), default=0)


def ticks_of(scale: Scale, most: int) -> Ticks:
    """Return at most so many ticks; for a logarithmic scale the values are logarithms, as the scale has them."""
    if scale.is_log:
        return _log_ticks(scale, most)
    step = _round_step((scale.high - scale.low) / max(1, most))
    first, last = math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9)
    while last - first + 1 > max(1, most):
        step = _next_step(step)
        first, last = math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)] or [(scale.low + scale.high) / 2]
    largest = max(map(abs, values))
    if largest > MANY_DIGITS * step and len(values) > 1:
        return Ticks(tuple(values), labels([value - values[0] for value in values], step), f"{values[0]:+.15g}")
    return Ticks(tuple(values), labels(values, step))


def labels(values: Sequence[float], step: float) -> tuple[str, ...]:
    """Return numbers that are multiples of a step, with the decimals that it has; all with the same exponent, if any."""
    largest = max(map(abs, values))
    digits = math.floor(math.log10(step) + 1e-9)
    if largest == 0 or SMALL <= largest < LARGE:
        return tuple(f"{value + 0.0:.{max(0, -digits)}f}" for value in values)
    exponent = math.floor(math.log10(largest) + 1e-9)
    decimals = max(0, exponent - digits)
    return tuple(f"{value / 10.0**exponent:.{decimals}f}e{exponent}" if value else "0" for value in values)


def brief(value: float, resolution: float = 0.0) -> str:
    """Return a number with about five digits; with a resolution, with the decimals that it has."""
    if resolution > 0 and abs(value) < LARGE:
        decimals = max(0, -math.floor(math.log10(resolution)))
        if decimals <= MOST_DECIMALS:
            return f"{round(value, decimals) + 0.0:.{decimals}f}"
    return f"{value + 0.0:.5g}"


def _round_step(step: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is not below a step."""
    power = 10.0 ** math.floor(math.log10(step))
    for factor in (1, 2, 5):
        if factor * power >= step * (1 - 1e-9):
            return factor * power
    return 10 * power


def _next_step(step: float) -> float:
    return _round_step(step * 1.5)


def _log_ticks(scale: Scale, most: int) -> Ticks:
    first, last = math.ceil(scale.low - 1e-9), math.floor(scale.high + 1e-9)
    if last - first < 1:  # less than a decade: numbers, at their places
        linear = ticks_of(Scale(10.0**scale.low, 10.0**scale.high), most)
        return Ticks(tuple(math.log10(value) for value in linear.values), linear.labels, linear.offset)
    every = max(1, math.ceil((last - first + 1) / max(1, most)))
    decades = range(first, last + 1, every)
    plain = all(-4 <= decade <= 5 for decade in decades)
    return Ticks(tuple(map(float, decades)), tuple(f"{10.0**each:g}" if plain else f"1e{each}" for each in decades))
