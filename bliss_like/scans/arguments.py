"""What every scan command checks before anything moves, and how it says what is wrong."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, ParamSpec, TypeVar

from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief
from bliss_like.errors import ScanUsageError
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.chain_nodes import iter_counters

P = ParamSpec("P")
R = TypeVar("R")
_USAGE = "\nusage: "
_Check = Callable[[str, Any], object]


def scan_command(command: Callable[P, R]) -> Callable[P, R]:
    """Check the arguments of a scan command by their names before it runs.

    :raises ScanUsageError: with the usage and which argument is wrong.
    """
    signature = inspect.signature(command)

    @functools.wraps(command)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                raise ScanUsageError(str(error)) from None
            for name, value in bound.arguments.items():
                check = _CHECKS.get(re.sub(r"\d+$", "", name))
                if check is not None:
                    check(name, value)
            return command(*args, **kwargs)
        except ScanUsageError as error:
            if _USAGE in str(error):  # of a command that a running scan called
                raise
            raise ScanUsageError(f"{command.__name__}: {error}{_USAGE}{_usage(command.__name__, signature)}") from None

    return checked


def _usage(name: str, signature: inspect.Signature) -> str:
    shown = []
    for parameter in signature.parameters.values():
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        shown.append(f"{'*' if parameter.kind is parameter.VAR_POSITIONAL else ''}{parameter.name}{default}")
    return f"{name}({', '.join(shown)})"


def wrong(name: str, expected: str, value: Any) -> ScanUsageError:
    return ScanUsageError(f"{name}: expected {expected}, got {brief(value)}")


def check_axis(name: str, value: Any) -> None:
    if not is_axis(value):
        raise wrong(name, "an axis", value)


def check_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not _is_finite(value):
        raise wrong(name, "a number", value)


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def check_time(name: str, value: Any) -> None:
    check_number(name, value)
    if value < 0:
        raise wrong(name, "seconds, not less than 0", value)


def check_count_time(name: str, value: Any) -> None:
    if isinstance(value, Real) and not isinstance(value, bool):
        check_time(name, value)
    else:
        raise wrong(name, "seconds", value)


def check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise wrong(name, "a whole number, at least 1", value)


def check_counters(_: str, values: Any) -> None:
    list(iter_counters(values))


def _optional(check: _Check) -> _Check:
    return lambda name, value: None if value is None else check(name, value)


def _info(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise wrong(name, "a dict", value)


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise wrong(name, "a text", value)


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise wrong(name, "True or False", value)


_CHECKS: dict[str, _Check] = {
    "motor": check_axis,
    "start": check_number,
    "stop": check_number,
    "intervals": check_count,
    "count_time": check_count_time,
    "counters": check_counters,
    "sleep_time": _optional(check_time),
    "stab_time": _optional(check_time),
    "scan_info": _optional(_info),
    "name": _optional(_text),
    "title": _optional(_text),
    "scan_type": _optional(_text),
    "save": _flag,
    "save_images": _optional(_flag),
    "run": _flag,
    "return_scan": _flag,
    "backnforth": _flag,
    "restore_motor_positions": _flag,
}


def check_different(axes: Iterable[Any]) -> None:
    seen: set[Any] = set()
    for axis in axes:
        if axis in seen:
            raise ScanUsageError(f"Duplicated axis {name_of(axis)}: it cannot be at two places at once")
        seen.add(axis)


def check_tuples(name: str, values: Any, items: Mapping[str, _Check]) -> list[tuple[Any, ...]]:
    """Return `values` as a list of tuples of these items, at least one.

    :raises ScanUsageError: some value is not.
    """
    expected = f"[({', '.join(items)}), ...]"
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise wrong(name, expected, values)
    rows = list(values)
    if not rows:
        raise wrong(name, f"{expected} of at least one axis", rows)
    for index, row in enumerate(rows):
        if not isinstance(row, tuple | list) or len(row) != len(items):
            raise wrong(f"{name}[{index}]", f"({', '.join(items)})", row)
        for (item, check), value in zip(items.items(), row, strict=True):
            check(f"{name}[{index}] {item}", value)
    return [tuple(row) for row in rows]


def number(value: float) -> str:
    """Write a number as people type it."""
    return f"{value:.10g}"
