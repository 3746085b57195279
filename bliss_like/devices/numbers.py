"""Numbers that people give to devices: what is none is refused, by name, before anything is done with it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bliss_like.devices.naming import name_of

_NO_NUMBERS = (str, bytes, bytearray, bool, np.bool_)
"""What `float()` takes, although it is no number: a text has a unit in the next call, a truth value was meant otherwise."""


def as_float(value: Any) -> float:
    """Return any kind of number as a float.

    :raises TypeError, ValueError, OverflowError: it is none, or too large.
    """
    if isinstance(value, _NO_NUMBERS):
        raise TypeError(f"no number: {value!r}")
    return float(value)


def is_number(value: Any) -> bool:
    """Tell whether it is any kind of number."""
    try:
        as_float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def number(axis: Any, value: Any, what: str, *, positive: bool = False) -> float:
    """Return a finite number; a positive one may be infinite.

    :param axis: whose it is, or its name.
    :raises ValueError: it is none.
    """
    try:
        result = as_float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{_called(axis)}: {what} must be a number, got {brief(value)}") from None
    if math.isnan(result) or (positive and result <= 0) or (not positive and math.isinf(result)):
        raise ValueError(f"{_called(axis)}: {what} must be {'> 0' if positive else 'finite'}, got {value!r}")
    return result


class Positive:
    """An attribute of an axis that takes only numbers > 0: `timeout = Positive()` in its class."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, axis: Any, owner: type | None = None) -> float:
        found: float = vars(axis)[self._name]
        return found

    def __set__(self, axis: Any, value: float) -> None:
        vars(axis)[self._name] = number(axis, value, self._name, positive=True)


def seconds(device: Any, value: Any, what: str, *, endless: bool = False) -> float:
    """Return a time; what waits for NaN waits for ever, and lets nobody else run meanwhile.

    :param endless: it may be infinite.
    :raises ValueError: it is no number, or less than 0.
    """
    try:
        found = as_float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not found >= 0 or (math.isinf(found) and not endless):
        raise ValueError(f"{_called(device)}: {what} must be seconds, at least 0, got {brief(value)}")
    return found


def direction(axis: Any, value: Any, what: str) -> int:
    """Return 1 or -1.

    :raises ValueError: it is neither.
    """
    try:
        found = as_float(value)
    except (TypeError, ValueError, OverflowError):
        found = 0.0
    if found not in (1, -1):
        raise ValueError(f"{_called(axis)}: {what} must be 1 or -1, got {brief(value)}")
    return int(found)


def limit(axis: Any, value: Any, what: str, none: float) -> float:
    """Return a limit; None: `none`, an infinity.

    :raises ValueError: it is no number.
    """
    return none if value is None else _limit(axis, value, f"{what} must be a number, None for none", value)


def low_and_high(axis: Any, limits: Any, what: str = "limits") -> tuple[float, float]:
    """Return a pair of limits, infinite where there is none.

    :raises ValueError: they are no pair of numbers, or the low one is not below the high one.
    """
    wanted = f"{what} must be (low, high), None for none"
    try:
        low, high = limits
        if isinstance(limits, str | bytes):
            raise TypeError("a text is no pair")
    except (TypeError, ValueError):
        raise ValueError(f"{_called(axis)}: {wanted}, got {brief(limits)}") from None
    low = -math.inf if low is None else _limit(axis, low, wanted, limits)
    high = math.inf if high is None else _limit(axis, high, wanted, limits)
    if not low < high:
        kind = what.removesuffix("s").replace("_", " ")
        raise ValueError(f"{_called(axis)}: the low {kind} must be below the high {kind}, got {low:g} and {high:g}")
    return low, high


def _limit(axis: Any, value: Any, wanted: str, given: Any) -> float:
    try:
        found = as_float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if math.isnan(found):
        raise ValueError(f"{_called(axis)}: {wanted}, got {brief(given)}")
    return found


def place(axis: Any, position: float) -> str:
    """Return a position with its unit, in ten digits: enough to tell places apart, too few for the noise of floats."""
    unit = getattr(axis, "unit", None)
    return f"{position:.10g} {unit}" if unit else f"{position:.10g}"


def places(axis: Any, low: float, high: float) -> str:
    """Return two limits with their unit."""
    return f"{low:.10g} .. {place(axis, high)}"


def _called(device: Any) -> str:
    return device if isinstance(device, str) else name_of(device)


def decimals_of(axis: Any) -> int:
    """Return the decimals of a position that the axis' tolerance makes sense of, at least 4."""
    tolerance = getattr(axis, "tolerance", None)
    return max(4, min(12, -math.floor(math.log10(tolerance)))) if tolerance else 4


def rounded(axis: Any, value: float) -> str:
    """Return a position with its decimals."""
    if not math.isfinite(value) or abs(value) >= 1e9:
        return f"{value:g}"
    text = f"{value:.{decimals_of(axis)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def brief(value: Any) -> str:
    """Return what was given, in at most 60 characters."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 - a repr of somebody else, or an integer with too many digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
