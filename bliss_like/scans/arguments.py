"""What the arguments of scans are: their types, as annotations that also say what to expect, take and refuse.

`typing.get_type_hints(ascan, include_extras=True)` gives each argument with its `Kind`: forms, completion and validation are
made of that. A scan says `start: Position`, and gets a float.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Annotated, Any, TypedDict

import numpy as np

from bliss_like.devices.axis import Axis
from bliss_like.devices.naming import both_names_of, name_of
from bliss_like.devices.numbers import brief
from bliss_like.devices.planning import all_below
from bliss_like.errors import ScanUsageError, UsageError
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.chain_nodes import iter_counters
from bliss_like.scanning.default_chain import ChainSettings
from bliss_like.scanning.subscriptions import Subscription, subscriptions_of

MAX_POINTS = 10_000_000
"""More positions than this are a slip of the keyboard: at 1 ms each they take three hours."""


TOO_MANY = 1_000_000_000
"""What counts more than this is never meant."""


@dataclass(frozen=True)
class Kind:
    """What an argument is."""

    expected: str
    """In words, for errors and forms: "seconds, at least 0"."""
    take: Callable[[str, Any], Any]
    """Returns the value that a scan uses; called with the name of the argument for the error.

    :raises ScanUsageError: it is of another kind.
    """

    def __repr__(self) -> str:
        return self.expected

    def fits(self, value: Any) -> bool:
        try:
            self.take("", value)
        except ScanUsageError:
            return False
        return True


def wrong(name: str, expected: str, value: Any) -> ScanUsageError:
    return ScanUsageError(f"{name}: expected {expected}, got {shown(value)}")


def shown(value: Any) -> str:
    """Return a value as errors show it: what has a name by that, anything else in at most 60 characters."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if is_axis(value):
        return f"the axis {both_names_of(value)}"
    if isinstance(getattr(value, "fullname", None), str):
        return f"the counter {both_names_of(value)}"
    if inspect.isroutine(value):
        return f"the function {value.__name__}"
    text = brief(value)
    return f"a {type(value).__name__}" if " object at 0x" in text else text


# -- numbers ---------------------------------------------------------------------------------------------------------------


def _kind(expected: str, convert: Callable[[Any], Any]) -> Kind:
    """Return a kind whose `convert` raises TypeError, ValueError or OverflowError for what is of another one."""

    def take(name: str, value: Any) -> Any:
        try:
            return convert(value)
        except (TypeError, ValueError, OverflowError):
            raise wrong(name, expected, value) from None

    return Kind(expected, take)


def _plain(value: Any) -> Any:
    """Return what a numpy scalar, or an array of no dimension, holds."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _float(value: Any) -> float:
    number = _plain(value)
    if isinstance(number, bool) or not isinstance(number, Real | Decimal) or not math.isfinite(float(number)):
        raise TypeError
    return float(number)


def _seconds(value: Any) -> float:
    seconds = _float(value)
    if seconds < 0:
        raise ValueError
    return seconds


def _length(value: Any) -> float:
    length = _float(value)
    if length <= 0:
        raise ValueError
    return length


def _part(value: Any) -> float:
    part = _length(value)
    if part > 1:
        raise ValueError
    return part


def _whole(at_least: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        number = _plain(value)
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise TypeError
        if not at_least <= int(number) <= TOO_MANY:
            raise ValueError
        return int(number)

    return convert


def _line(value: Any) -> np.ndarray[Any, Any]:
    """Return positions as an array of floats of one dimension."""
    if isinstance(value, str | bytes | Mapping):
        raise TypeError
    values = value if hasattr(value, "__len__") else list(value)
    if isinstance(values, list | tuple) and any(isinstance(one, bool) for one in values):
        raise TypeError
    line = np.asarray(values)
    if line.ndim != 1 or not line.size or line.dtype.kind not in "iufO":
        raise ValueError
    return np.array([_float(number) for number in line]) if line.dtype.kind == "O" else _finite(line.astype(float))


def _finite(line: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if not np.isfinite(line).all():
        raise ValueError
    return line


# -- axes and counters -----------------------------------------------------------------------------------------------------


def _axis(value: Any) -> Any:
    if isinstance(value, type) or not is_axis(value):
        raise TypeError
    return value


def _countable(value: Any) -> Any:
    """Return what has counters; what can be gone through only once becomes a list."""
    if isinstance(value, Mapping):
        raise TypeError
    found = list(value) if isinstance(value, Iterator) else value
    for _ in iter_counters(found):
        pass
    return found


def _seconds_or_countable(value: Any) -> Any:
    try:
        return _seconds(value)
    except (TypeError, OverflowError):
        return _countable(value)


AXIS = _kind("an axis", _axis)
POSITION = _kind("a number, in the unit of the axis", _float)
POSITIONS = _kind("a list of numbers, at least one", _line)
COUNTERS = _kind("counters, or what has some: a controller, a measurement group, a list", _countable)
SECONDS = _kind("seconds, at least 0", _seconds)
COUNT = _kind("a whole number, at least 1", _whole(1))
COUNT_TIME_OR_COUNTER = _kind("seconds, at least 0, or a counter", _seconds_or_countable)


def _rows(items: Mapping[str, Kind], at_least: int = 1) -> Kind:
    """Return the kind of lists of tuples of these items."""
    row_of = f"({', '.join(items)})"
    wanted = f"[{row_of}, ...]"
    several = "" if at_least == 1 else f" of at least {at_least} axes"

    def take(name: str, value: Any) -> list[tuple[Any, ...]]:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable) or is_axis(value):
            raise wrong(name, wanted, value)
        rows = list(value)
        if len(rows) < at_least:
            raise wrong(name, f"{wanted}{several or ' of at least one axis'}", rows)
        return [_row(f"{name}[{index}]", row) for index, row in enumerate(rows)]

    def _row(name: str, row: Any) -> tuple[Any, ...]:
        if not isinstance(row, tuple | list) or len(row) != len(items):
            raise wrong(name, row_of, row)
        return tuple(kind.take(f"{name} {item}", one) for (item, kind), one in zip(items.items(), row, strict=True))

    return Kind(f"{wanted}{several}", take)


# -- keywords --------------------------------------------------------------------------------------------------------------


def _is(expected: str, kind: type, convert: Callable[[Any], Any] = lambda value: value) -> Kind:
    def checked(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError
        return convert(value)

    return _kind(expected, checked)


def _name(value: str) -> str:
    if not value or any(character in ":{}" or character.isspace() for character in value):
        raise ValueError
    return value


def _storable(value: Mapping[str, Any]) -> Mapping[str, Any]:
    json.dumps(value, default=lambda item: item.tolist() if hasattr(item, "tolist") else str(item))
    return value


def _take_subs(name: str, value: Any) -> list[Subscription]:
    try:
        return subscriptions_of(value)
    except UsageError as error:
        raise ScanUsageError(f"{name}: {error}") from None


Motor = Annotated[Axis, AXIS]
Position = Annotated[float, POSITION]
Positions = Annotated[Iterable[float], POSITIONS]
Length = Annotated[float, _kind("a number > 0, in the unit of the axis", _length)]
Change = Annotated[float, _kind("a number > 0, in the unit of the counter", _length)]
Part = Annotated[float, _kind("a number > 0, at most 1", _part)]
Seconds = Annotated[float, SECONDS]
Intervals = Annotated[int, COUNT]
NPoints = Annotated[int, _kind("a whole number, at least 1 (timescan counts without end)", _whole(1))]
NPointsOrEndless = Annotated[int, _kind("a whole number, 0 for no end", _whole(0))]
Countable = Annotated[Any, COUNTERS]
Lines = Annotated[Sequence[tuple[Axis, float, float]], _rows({"motor": AXIS, "start": POSITION, "stop": POSITION})]
GridLines = Annotated[
    Sequence[tuple[Axis, float, float, int]],
    _rows({"motor": AXIS, "start": POSITION, "stop": POSITION, "intervals": COUNT}, at_least=2),
]
PositionLists = Annotated[Sequence[tuple[Axis, Iterable[float]]], _rows({"motor": AXIS, "positions": POSITIONS})]
Flag = Annotated[bool, _is("True or False", bool)]
Text = Annotated[str, _is("a text", str)]
Name = Annotated[str, _is("a text without space, ':', '{' or '}'", str, _name)]
Info = Annotated[Mapping[str, Any], _is("a dict of what JSON can hold", Mapping, _storable)]

Subs = Annotated[Any, Kind("a callback of its events, or a list of them", _take_subs)]


class Options(TypedDict, total=False):
    """The keywords of every scan; what they are without being given stands in `Recipe`."""

    title: Text | None
    save: Flag
    save_images: Flag | None
    sleep_time: Seconds | None
    run: Flag
    return_scan: Flag
    scan_info: Info | None
    chain_settings: ChainSettings | None
    subs: Subs | None


class MovingOptions(Options, total=False):
    """Those of every scan that moves axes."""

    stab_time: Seconds | None


class StepOptions(MovingOptions, total=False):
    """Those of a scan that is called by its type, unless it is given a name."""

    name: Name | None


# -- several arguments together ---------------------------------------------------------------------------------------------


def check_different(axes: Iterable[Any]) -> None:
    """:raises ScanUsageError: one comes twice, or is moved by another one too."""
    seen: list[Any] = []
    for axis in axes:
        if axis in seen:
            raise ScanUsageError(f"Duplicated axis {both_names_of(axis)}: it cannot be at two places at once")
        for other in seen:
            _check_apart(axis, other)
        seen.append(axis)


def _check_apart(one: Any, other: Any) -> None:
    for pseudo, axis in ((one, other), (other, one)):
        if axis in all_below(pseudo):
            raise ScanUsageError(
                f"{name_of(axis)} is moved by {name_of(pseudo)} already: it cannot be at two places at once; scan one of them"
            )
    shared = [axis for axis in all_below(one) if axis in all_below(other)]
    if shared and one.controller is not other.controller:
        raise ScanUsageError(
            f"{name_of(shared[0])} is moved by {name_of(one)} and by {name_of(other)}: it cannot be at two places at once; "
            "scan one of them"
        )


def check_npoints(npoints: int) -> None:
    """:raises ScanUsageError: so many points cannot be meant."""
    if npoints > MAX_POINTS:
        raise ScanUsageError(
            f"{npoints} points: expected at most {MAX_POINTS}; is a number of intervals or a step wrong?"
        )


def number(value: float) -> str:
    """Write a number as people type it."""
    return f"{value:.10g}"
