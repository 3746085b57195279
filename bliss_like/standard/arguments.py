"""What people give to verbs: axes, their names or aliases, and numbers; what is wrong is said before anything moves."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import as_float, brief
from bliss_like.errors import UsageError
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.environment import environment

P = ParamSpec("P")
R = TypeVar("R")


def verb(usage: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a verb answer a wrong call with what is wrong and with its usage.

    :param usage: how its arguments are written.
    """

    def decorate(command: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(command)

        @functools.wraps(command)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise _with_usage(command.__name__, error, usage) from None
            try:
                return command(*args, **kwargs)
            except UsageError as error:
                if "\nusage: " in str(error):
                    raise
                raise _with_usage(command.__name__, error, usage) from None

        checked.usage = f"{command.__name__}({usage})"  # type: ignore[attr-defined]  # asked for at the prompt
        return checked

    return decorate


def _with_usage(name: str, error: Exception, usage: str) -> UsageError:
    return UsageError(f"{name}: {error}\nusage: {name}({usage})")


def session_axes() -> list[Any]:
    """Return the axes of the session."""
    return list(environment.axes())


def axis_of(place: str, given: Any) -> Any:
    """Return the axis that is meant.

    :param place: which argument it is, for the error.
    :raises UsageError: it is no axis, nor the name or the alias of one.
    """
    if isinstance(given, str):
        return _axis_named(place, given)
    if not is_axis(given):
        raise UsageError(f"{place}: expected an axis or its name, got {_shown(given)}")
    return given


def _axis_named(place: str, name: str) -> Any:
    found = environment.names().get(name)
    if is_axis(found):
        return found
    axes = {known: axis for axis in session_axes() for known in (axis.name, name_of(axis))}
    if name in axes:
        return axes[name]
    if found is not None:
        raise UsageError(f"{place}: expected an axis, '{name}' is {_shown(found)}")
    raise UsageError(f"{place}: the session has no axis '{name}'{did_you_mean(name, axes)}")


def axes_of(given: Sequence[Any], at_least: int = 0) -> list[Any]:
    """Return the axes that are meant, each once.

    :raises UsageError: one of them is none; there are too few.
    """
    if len(given) < at_least:
        raise UsageError("expected at least one axis, or its name; got none")
    axes = [axis_of(f"argument {number}", each) for number, each in enumerate(given, 1)]
    return list(dict.fromkeys(axes))


def targets_of(args: Sequence[Any], what: str = "position") -> dict[Any, float]:
    """Sort `axis, position, axis, position, ...` or `{axis: position, ...}` into {axis: position}.

    :raises UsageError: an axis is none or there twice, a position is no number, or they do not come in pairs.
    """
    places = ("argument {0}", "argument {1}")
    if len(args) == 1 and isinstance(args[0], Mapping):
        places = ("key {2}", "value {2}")
        pairs: Iterable[tuple[Any, Any]] = args[0].items()
    elif not args or len(args) % 2:
        last = f"; nothing follows {_shown(args[-1])}" if args else ""
        raise UsageError(f"expected pairs of axis and {what}, got {len(args)} argument{'s' * (len(args) != 1)}{last}")
    else:
        pairs = zip(args[::2], args[1::2], strict=True)
    targets: dict[Any, float] = {}
    for number, (given, value) in enumerate(pairs):
        place, place_of_value = (each.format(2 * number + 1, 2 * number + 2, number + 1) for each in places)
        axis = axis_of(place, given)
        if axis in targets:
            raise UsageError(f"{place}: {name_of(axis)} is there twice; it can go to one place only")
        targets[axis] = number_of(f"{place_of_value}: {what} of {name_of(axis)}", value)
    return targets


def number_of(place: str, value: Any) -> float:
    """:raises UsageError: it is no finite number."""
    try:
        number = as_float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{place}: expected a number, got {_shown(value)}")
    return number


def columns_of(max_cols: Any) -> int | None:
    """:raises UsageError: it is no number of columns."""
    if max_cols is not None and (isinstance(max_cols, bool) or not isinstance(max_cols, int) or max_cols < 1):
        raise UsageError(f"max_cols: expected a whole number, at least 1, got {_shown(max_cols)}")
    return max_cols


def _shown(value: Any) -> str:
    return name_of(value) if is_axis(value) else f"{brief(value)} ({type(value).__name__})"
