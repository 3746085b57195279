"""Numbers in as many digits as make sense."""

from __future__ import annotations

import math

LARGE, SMALL = 1e7, 1e-4
"""From there on numbers are written with an exponent."""
SIGNIFICANT, MOST_DECIMALS = 6, 5
"""Digits of the first number of a column, and how many of them may be decimals: numbers that are larger are to find a place, too."""
LEAST = 1e-3
"""A column whose first number is smaller has exponents."""
RANGE = 1e6
"""So has one whose numbers grow by that factor and no longer fit."""
IN_SUCCESSION = 3
"""And one of which so many numbers after each other would be written as zero, and are none."""
UNDETERMINED = 1e3
"""A value is not determined whose error is so much larger."""
ROUNDING = 1e-12
"""Part of the largest number that is as good as zero."""


def uncertain(value: float, error: float | None) -> str:
    """Return a value with its standard deviation in units of the last digit: `0.697(2)`, `1.50(12)e-09`.

    The error has one digit, two if the first is a 1. Without an error the value has six digits. A value that is not
    determined at all comes with its error behind it: `5.012 +- 1e+17`.
    """
    if error is None or not math.isfinite(error) or not math.isfinite(value) or error <= 1e-9 * abs(value):
        return f"{value:.{6 if error is None else 9}g}"
    if error >= LARGE and error > UNDETERMINED * abs(value):
        return f"{value:.4g} +- {error:.1g}"
    size = max(abs(value), error)
    exponent = math.floor(math.log10(size)) if size >= LARGE or size < SMALL else 0
    value, error = value / 10.0**exponent, error / 10.0**exponent
    decimals = -math.floor(math.log10(error))
    if float(f"{error:.0e}") < 2 * 10.0**-decimals:
        decimals += 1
    if decimals <= 0:
        step = 10.0**-decimals
        text = f"{round(value / step) * step:.0f}({round(error / step) * step:.0f})"
    else:
        text = f"{value:.{decimals}f}({round(error * 10.0**decimals)})"
    return f"{text}e{exponent:+03d}" if exponent else text


def placed(position: float, step: float) -> str:
    """Return a position with the decimals that tell a hundredth of a step from another one.

    :param step: distance between two points; 0 when that is not known.
    """
    if not math.isfinite(position) or not (math.isfinite(step) and step > 0):
        return f"{position:.6g}"
    decimals = 2 - math.floor(math.log10(step) + 1e-9)
    if decimals > 9 or abs(position) >= LARGE:
        return f"{position:.6g}"
    text = f"{position:.{max(0, decimals)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def number(value: float, width: int, decimals: int | None = None, *, whole: bool = False) -> str:
    """Return a number in at most `width` characters: what does not fit is written with an exponent.

    :param decimals: so many; None for six significant digits.
    :param whole: write one without decimals as an integer.
    """
    if not math.isfinite(value):
        return f"{value:f}"[:width]
    if whole and value == int(value):
        text = f"{value:.0f}"
    elif decimals is not None:
        text = f"{value:.{decimals}f}"
    elif value and not 1e-5 <= abs(value) < 1e15:
        text = f"{value:.5e}"
    else:
        text = f"{value:.{max(0, 5 - (math.floor(math.log10(abs(value))) if value else 0))}f}"
    if text.startswith("-") and not text.strip("-0."):
        text = text[1:]
    return text if len(text) <= width else _exponential(value, width)


def _exponential(value: float, width: int) -> str:
    shortest = f"{value:.0e}"
    if len(shortest) > width:
        return "#" * width
    return f"{value:.{max(0, min(5, width - len(shortest) - 1))}e}"


class ColumnDigits:
    """How the numbers of a column are written, which is known of those that have come, and holds for those that come.

    Whole numbers as such, until there is one that is not; then all have the same decimals, or all have an exponent: so the
    points are below each other. What no longer fits changes that for good, always in this direction.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.decimals: int | None = 0
        """None: numbers have an exponent."""
        self._is_whole = True
        self._first, self._largest, self._vanishing = 0.0, 0.0, 0

    def learn(self, value: float) -> bool:
        """Take a number into account that comes next; return whether from it on points are elsewhere than in those before."""
        if not math.isfinite(value) or not value:
            return False
        before, was_whole, size = self.decimals, self._is_whole, abs(value)
        self._first = self._first or size
        self._largest = max(self._largest, size)
        self._is_whole = self._is_whole and value.is_integer()
        if self.decimals is not None:
            if was_whole and not self._is_whole:
                self.decimals = None if size < LEAST else self._fitting()
            if self.decimals is not None and not self._fits(value):
                self.decimals = None if self._is_whole or size > RANGE * self._first else self._fitting()
            if self.decimals is not None and not self._is_seen(size):
                self.decimals = None
        return self.decimals != before and not (was_whole and self.decimals is not None)

    def text(self, value: float) -> str:
        """Return a number in at most `width` characters."""
        if self.decimals is None and math.isfinite(value):
            text = f"{value:.{max(0, min(5, self.width - 7))}e}"
            return text if len(text) <= self.width else number(value, self.width)
        return number(value, self.width, self.decimals)

    def _fitting(self) -> int | None:
        """Return the decimals that suit the largest number; None if there is no room for it."""
        places = math.floor(math.log10(self._largest)) + 1
        most = max(1, min(SIGNIFICANT - places, MOST_DECIMALS))
        return next((n for n in range(most, -1, -1) if len(f"{-self._largest:.{n}f}") <= self.width), None)

    def _fits(self, value: float) -> bool:
        return len(f"{value:.{self.decimals}f}") <= self.width

    def _is_seen(self, size: float) -> bool:
        """Return whether there is anything to be seen of numbers that are not zero."""
        if size >= 0.5 * 10.0 ** -(self.decimals or 0) or size < ROUNDING * self._largest:
            self._vanishing = 0
        else:
            self._vanishing += 1
        return self._vanishing < IN_SUCCESSION


def duration(seconds: float) -> str:
    """Return a time as people say it: `3.2 s`, `45 s`, `3 min 20 s`, `2 h 05 min`, `3 d 04 h`."""
    if not math.isfinite(seconds):
        return "?"
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds >= 0.1 or not seconds else f"{seconds:.3f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60:02} h"
