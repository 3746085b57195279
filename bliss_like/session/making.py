"""The objects of a session, made and connected side by side: what does not answer costs its timeout once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, runtime_checkable

from gevent import Timeout

from bliss_like.config.config import FAILURES, Config
from bliss_like.errors import ConfigError, DeviceError, NotConnectedError
from bliss_like.scanning.greenlets import run_all

from .namespace import STANDARD_NAMES
from .written import hiding_problem

CONNECT_TIMEOUT = 2.0
"""Seconds that a new session waits for hardware, all of it together."""

GRACE = 1.0
"""Seconds more for an object that does not look at the time."""


@runtime_checkable
class Connecting(Protocol):
    """An object that can be asked, before its first use, whether its hardware answers."""

    def __connect__(self, timeout: float) -> None:
        """Connect all at once within `timeout` seconds; raises NotConnectedError, naming what does not answer.

        A failure is told to the user and has no other consequence: the object connects at its next use.
        """


@dataclass(frozen=True)
class Made:
    """How one object came out."""

    name: str
    seconds: float = 0.0
    value: Any = None
    error: BaseException | None = None


def make_all(names: Iterable[str], config: Config, being_made: set[str]) -> list[Made]:
    """Ask for all objects at the same time; return them in the order of their names.

    One that would hide a standard name of sessions counts as failed.

    :param being_made: has, at any time, the names of those that are not ready yet.
    """
    outcomes: dict[str, Made] = {}

    def make(name: str) -> None:
        began = monotonic()
        being_made.add(name)
        try:
            value = config.get(name)
            if name in STANDARD_NAMES:
                raise ConfigError(f"{config.get_config(name).place}: {hiding_problem(name)}")
        except FAILURES as error:  # one broken object does not stop the rest
            outcomes[name] = Made(name, monotonic() - began, error=error)
        else:
            outcomes[name] = Made(name, monotonic() - began, value)
        finally:
            being_made.discard(name)

    names = list(names)
    run_all([_bound(make, name) for name in names])
    return [outcomes[name] for name in names]


def connect_all(objects: Mapping[str, Any], timeout: float = CONNECT_TIMEOUT) -> list[Exception]:
    """Connect all objects that can be, at the same time; return what does not answer, in the order of the objects."""
    errors: dict[str, Exception] = {}

    def connect(name: str, made: Connecting) -> None:
        try:
            with Timeout(timeout + GRACE):
                made.__connect__(timeout)
        except Timeout:
            errors[name] = NotConnectedError(f"{name}: not connected after {timeout + GRACE:g} s")
        except NotConnectedError as error:
            told = str(error)
            errors[name] = NotConnectedError(told if told.startswith(f"{name}:") else f"{name}: {told}")
        except Exception as error:  # noqa: BLE001 - whatever a device raises, the session comes up
            errors[name] = DeviceError(f"{name}: cannot be connected: {type(error).__name__}: {error}")
            errors[name].__cause__ = error

    run_all([_bound(connect, name, made) for name, made in objects.items() if isinstance(made, Connecting)])
    return [errors[name] for name in objects if name in errors]


def _bound(function: Callable[..., None], *args: Any) -> Callable[[], None]:
    return lambda: function(*args)
