"""What may follow events: any function of an event, an object with `accept(event)` or with a method per event, or a dict of
functions by event."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bliss_like.errors import UsageError

from .events import EndScan, NewData, NewNode, PreparedScan, SavedScan, ScanInfoUpdate, WireEvent

Callback = Callable[[WireEvent], object]
Looks = Callable[[str], bool]
"""Tells whether somebody looks at the points of a channel, by its db_name. May change its mind at any time."""

METHODS: dict[type, str] = {
    NewNode: "new_node",
    ScanInfoUpdate: "scan_info_update",
    PreparedScan: "prepared_scan",
    NewData: "new_data",
    EndScan: "end_scan",
    SavedScan: "saved_scan",
}
"""The method that is called with an event, by its class; an object may have any of them."""

ALL = "all"
"""Key of a dict of functions for those that are called with every event."""


def check_callback(given: Any, *, factory: bool = False) -> None:
    """Return if something can follow events; a class is made anew for each scan.

    :param factory: it is called with the NewNode of each scan, and returns what follows that one, or None.
    :raises UsageError: it cannot; the message says what can.
    """
    if factory:
        if not callable(given):
            raise UsageError(f"factory: expected a function f(new_node) that returns a callback or None, got {given!r}")
        _check_call(given, "f(new_node), called with the node of each scan")
    elif isinstance(given, type):
        if not _follows_events(given):
            raise UsageError(
                f"callback: expected {_expected()}; the objects of class {given.__name__} are none of these"
            )
        _check_call(
            given, f"{given.__name__}(): it is made anew for each scan; or give one object for all", narguments=0
        )
    else:
        callback_of(given)


def callback_of(given: Any) -> Callback:
    """Return the function of an event that something given as a callback stands for.

    :raises UsageError: it is no callback.
    """
    if isinstance(given, type):
        raise UsageError(f"callback: expected a function or an object, got the class {given.__name__}: make one of it")
    if isinstance(given, Mapping):
        return _by_event(given)
    if callable(accept := getattr(given, "accept", None)):
        return accept  # type: ignore[no-any-return]
    methods = {kind: method for kind, name in METHODS.items() if callable(method := getattr(given, name, None))}
    if methods:
        return lambda event: _call(methods, event)
    if callable(given):
        _check_call(given, "f(event)")
        return given  # type: ignore[no-any-return]
    raise UsageError(f"callback: expected {_expected()}; got {given!r}")


def callback_for(given: Any, node: NewNode, *, factory: bool = False) -> Callback | None:
    """Return what follows the scan of that node: a class is made, a factory asked; None: nothing follows it."""
    follower = follower_for(given, node, factory=factory)
    return None if follower is None else callback_of(follower)


def follower_for(given: Any, node: NewNode, *, factory: bool = False) -> Any:
    """Return the same, as it was made."""
    if factory:
        return given(node)
    return given() if isinstance(given, type) else given


def looks_of(follower: Any) -> Looks | None:
    """Return what tells which channels a callback looks at, its method `looks_at`; None: at all."""
    looks = getattr(follower, "looks_at", None)
    return looks if callable(looks) else None


def name_of_callback(given: Any) -> str:
    """Return what messages call a callback."""
    if isinstance(given, Mapping):
        return f"{{{', '.join(map(str, given))}}}"
    owner = getattr(given, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        return f"{type(owner).__name__}.{given.__name__}"
    name = getattr(given, "__qualname__", None) or getattr(getattr(given, "func", None), "__qualname__", None)
    return str(name or type(given).__name__).rpartition("<locals>.")[2]


def _call(methods: Mapping[type, Callback], event: WireEvent) -> None:
    for kind, method in methods.items():  # walkers yield classes derived from these
        if isinstance(event, kind):
            method(event)


def _by_event(given: Mapping[Any, Any]) -> Callback:
    """Return the callback that a dict stands for: a callback, or several, by the name of an event."""
    names = [*METHODS.values(), ALL]
    if unknown := [key for key in given if key not in names]:
        raise UsageError(f"callbacks by event: there is no event {unknown[0]!r}, there are: {', '.join(names)}")
    calls = {key: [callback_of(one) for one in _several(value)] for key, value in given.items()}

    def accept(event: WireEvent) -> None:
        name = next(name for kind, name in METHODS.items() if isinstance(event, kind))
        for call in [*calls.get(ALL, ()), *calls.get(name, ())]:
            call(event)

    return accept


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _follows_events(given: type) -> bool:
    names = ["accept", *METHODS.values()]
    return any(callable(getattr(given, name, None)) for name in names) or any(
        "__call__" in vars(base) for base in given.__mro__
    )


def _check_call(given: Any, expected: str, narguments: int = 1) -> None:
    """:raises UsageError: it cannot be called with so many arguments, or does nothing when it is."""
    name = name_of_callback(given)
    if inspect.iscoroutinefunction(given):
        raise UsageError(f"callback {name}: expected {expected}; it is a coroutine, which nobody would await")
    try:
        signature = inspect.signature(given)
    except (TypeError, ValueError):  # of what is written in C, nobody knows
        return
    try:
        signature.bind(*[None] * narguments)
    except TypeError as error:
        raise UsageError(f"callback {name}: expected {expected}; it takes {signature}: {error}") from None


def _expected() -> str:
    return (
        f"a function f(event), an object with accept(event) or with any of {', '.join(METHODS.values())}, or a dict of "
        f"functions by these names"
    )
