"""A signal: one value of a control system, with its time stamp, whatever the transport.

A controller writes `open_signal("ca://XF:01:m1.RBV")` and never imports a control system: the scheme names the backend,
which is imported when the first signal of its kind is opened.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import gevent
import numpy as np

from bliss_like.errors import ConfigError, DeviceError, NotConnectedError

from .logs import DEVICE
from .numbers import brief
from .silence import Awaited

_log = logging.getLogger(__name__)

BACKENDS = {
    "ca": "bliss_like.backends.epics_ca.ChannelAccess",
    "soft": "bliss_like.backends.soft.SoftBackend",
}
"""Scheme of an address -> dotted name of the class that speaks it."""

DEFAULT_TIMEOUT = 5.0
"""Seconds to wait for a connection or an answer."""


class Reading(NamedTuple):
    """A value, and when and how well it was taken."""

    value: Any
    timestamp: float
    """Epoch seconds, by the clock of the source, not of this machine."""
    alarm: str = ""
    """Severity given by the source, such as MINOR; empty when all is well."""


@dataclass(frozen=True)
class Description:
    """What kind of value a signal has; it does not change while connected."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...] = ()
    unit: str | None = None
    choices: tuple[str, ...] = ()
    """The words behind the integers of an enumeration."""
    writable: bool = True


class SignalBackend(Protocol):
    """One process variable seen through one transport. Methods that wait let the other greenlets run."""

    address: str

    @property
    def connected(self) -> bool:
        """Whether the source can be reached now."""

    def connect(self, timeout: float) -> None:
        """Wait until connected; raises NotConnectedError, naming the address and what to look at."""

    def describe(self) -> Description:
        """Return the kind of value; raises NotConnectedError before the first connection."""

    def get(self, timeout: float) -> Reading:
        """Ask the source, and return its answer; raises NotConnectedError when there is none."""

    def put(self, value: Any, wait: bool, timeout: float | None) -> None:
        """Write; with `wait`, return when the source has done all that follows from it, or raise DeviceError."""

    def subscribe(self, callback: Callable[[Reading], None]) -> Callable[[], None]:
        """Call back with the present reading and each later one, in their order; returns what ends it.

        The callback runs in the hub: it must not block.
        """

    def close(self) -> None:
        """End all subscriptions."""


def fitted(value: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Convert a value that is to be written, for backends: 1.0 and True fit an integer, 1.5 and 300 no uint8.

    :raises ValueError: something would be lost, or it is of another kind.
    """
    array = np.asarray(value)
    if dtype.kind in "biuf" and array.dtype.kind in "biuf":
        with np.errstate(invalid="ignore"):
            converted = array.astype(dtype)
        if dtype.kind == "f" or np.array_equal(converted, array):
            return converted
    elif dtype.kind == array.dtype.kind == "U":
        return array
    raise ValueError(f"expected {'text' if dtype.kind == 'U' else dtype}, got {value!r}")


class Listeners:
    """Who listens to one process variable; for backends."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[Reading], None]] = {}

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def add(self, callback: Callable[[Reading], None]) -> Callable[[], None]:
        """Return what takes it away again; the same callback may be added twice."""
        key = object()
        self._callbacks[key] = callback

        def remove() -> None:
            self._callbacks.pop(key, None)

        return remove

    def tell(self, reading: Reading) -> None:
        for callback in list(self._callbacks.values()):
            tell(callback, reading)


def tell(callback: Callable[[Reading], None], reading: Reading) -> None:
    """Call a listener; one that raises is logged, and the others hear nothing of it."""
    try:
        callback(reading)
    except Exception:  # noqa: BLE001 - one listener's mistake must not silence the others
        _log.exception("%r, listener of a signal, failed", callback)


class Signal:
    """One value of a control system; it connects at its first use, and again by itself after a break."""

    def __init__(self, name: str, backend: SignalBackend, timeout: float = DEFAULT_TIMEOUT) -> None:
        """:param timeout: seconds to wait for a connection or an answer."""
        self.name = name
        self.logger = logging.getLogger(DEVICE + name)
        self.backend = backend
        self.timeout = timeout

    def __repr__(self) -> str:
        return f"<Signal {self.name}: {self.backend.address}>"

    @property
    def address(self) -> str:
        return self.backend.address

    @property
    def connected(self) -> bool:
        return self.backend.connected

    def connect(self, timeout: float | None = None) -> None:
        """:raises NotConnectedError: the source did not answer within `timeout` seconds, by default those of the signal."""
        if not self.backend.connected:
            with Awaited(self.backend.address):
                self.backend.connect(self.timeout if timeout is None else timeout)

    @property
    def description(self) -> Description:
        self.connect()
        return self.backend.describe()

    @property
    def unit(self) -> str | None:
        return self.description.unit

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.description.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.description.shape

    def get(self) -> Any:
        """The present value, asked from the source."""
        return self.read().value

    def read(self) -> Reading:
        """The present value with the time stamp of its source.

        :raises NotConnectedError: no answer within `timeout`.
        """
        self.connect()
        with Awaited(f"an answer of {self.backend.address}"):
            reading = self.backend.get(self.timeout)
        if self.logger.isEnabledFor(logging.DEBUG):
            self.logger.debug("is %s", brief(reading.value))
        return reading

    def put(self, value: Any, wait: bool = True, timeout: float | None = None) -> None:
        """Write a value.

        :param wait: return when the source has done all that follows from it, such as a motion.
        :param timeout: seconds to wait for that; None: as long as it takes.
        :raises DeviceError: refused, or not done in time; NotConnectedError when the connection broke.
        """
        self.connect()
        if self.logger.isEnabledFor(logging.DEBUG):
            self.logger.debug("put %s", brief(value))
        with Awaited(f"{self.backend.address} to become {brief(value)}"):
            self.backend.put(value, wait, timeout)

    def subscribe(self, callback: Callable[[Reading], None]) -> Callable[[], None]:
        """Call `callback(reading)` for the present reading and each later one, in the hub; returns what ends it."""
        self.connect()
        return self.backend.subscribe(callback)

    def close(self) -> None:
        self.backend.close()


def open_signal(address: str, name: str | None = None, timeout: float = DEFAULT_TIMEOUT) -> Signal:
    """Make the signal of an address; it is looked for, and not waited for before its first use.

    :param address: `scheme://rest`, such as `ca://XF:01:m1.RBV`.
    :raises ConfigError: no such scheme, or its control system is not installed.
    """
    scheme, separator, _ = address.partition("://")
    if not separator or scheme not in BACKENDS:
        known = ", ".join(f"{scheme}://" for scheme in BACKENDS)
        raise ConfigError(f"signal address {address!r}: expected one that begins with {known}")
    module_name, _, class_name = BACKENDS[scheme].rpartition(".")
    try:
        backend_class = getattr(importlib.import_module(module_name), class_name)
    except ImportError as error:
        raise ConfigError(f"signal address {address!r} needs a package that is not installed: {error.name}") from error
    return Signal(name or address, backend_class(address), timeout)


def connect_together(signals: Iterable[Signal], timeout: float) -> None:
    """Wait for several signals at once.

    :raises NotConnectedError: some did not answer within `timeout` seconds; the message names them.
    """
    errors: dict[str, NotConnectedError] = {}

    def connect(signal: Signal) -> None:
        try:
            signal.connect(timeout)
        except NotConnectedError as error:
            errors[signal.address] = error

    absent = {signal.address: signal for signal in signals if not signal.connected}
    waiting = [gevent.spawn(connect, signal) for signal in absent.values()]
    try:
        gevent.joinall(waiting, raise_error=True)
    finally:
        gevent.killall(waiting)
    silent = [address for address in absent if address in errors]
    if len(silent) > 1:
        names = ", ".join(silent[1:3]) + (f" and {len(silent) - 3} more" if len(silent) > 3 else "")
        raise NotConnectedError(f"{errors[silent[0]]} The same with {names}")
    if silent:
        raise errors[silent[0]]


__all__ = [
    "Description",
    "DeviceError",
    "Listeners",
    "NotConnectedError",
    "Reading",
    "Signal",
    "SignalBackend",
    "connect_together",
    "fitted",
    "open_signal",
]
