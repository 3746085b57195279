"""Shutters, and valves: what lets the beam through or not, and is closed again whatever happens.

A driver overloads `_state`, `_open` and `_close`, which may return at once; `_refusal` where something may forbid to open.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Self

import gevent

from bliss_like.devices import events, numbers
from bliss_like.devices.events import ShutterEvent
from bliss_like.devices.interlock import claimed
from bliss_like.errors import DeviceError

__all__ = ["BaseShutter", "BaseShutterState", "ShutterMode"]


class BaseShutterState(enum.Enum):
    """What a shutter or a valve may be, and how that is called."""

    OPEN = "open"
    CLOSED = "closed"
    MOVING = "moving"
    RUNNING = "open, and opened again by itself"
    STANDBY = "closed, waits for a permission"
    INTERLOCK = "closed by an interlock"
    DISABLE = "disabled"
    FAULT = "faulty"
    UNKNOWN = "in an unknown state"


class ShutterMode(enum.Enum):
    """Who opens it."""

    MANUAL = "commands: open() and close()"
    EXTERNAL = "a cable, such as the gate of a detector"
    CONFIGURATION = "nobody: it is being set up"


OPEN_STATES = frozenset({BaseShutterState.OPEN, BaseShutterState.RUNNING})
CLOSED_STATES = frozenset({BaseShutterState.CLOSED, BaseShutterState.STANDBY, BaseShutterState.INTERLOCK})
HOPELESS = frozenset({BaseShutterState.FAULT, BaseShutterState.DISABLE, BaseShutterState.INTERLOCK})
"""States that no waiting ends."""


class BaseShutter:
    """A shutter: `open close state is_open is_closed open_context closed_context`, `with shutter:`.

    :param timeout: seconds that it may take to open or to close.
    """

    interlock = False
    """Whether one session at a time may open it; anybody may close it at any time."""

    modes: ClassVar[tuple[ShutterMode, ...]] = (ShutterMode.MANUAL,)
    """Those that the hardware knows."""

    def __init__(self, name: str, timeout: float = 3.0) -> None:
        self.name = name
        self.timeout = timeout
        self._last_state: BaseShutterState | None = None

    # -- for drivers -------------------------------------------------------------------------------------------------

    def _state(self) -> BaseShutterState:
        """What the hardware says now."""
        raise NotImplementedError(f"{type(self).__name__} must overload _state")

    def _open(self) -> None:
        """Make it open; may return at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload _open")

    def _close(self) -> None:
        """Make it close; may return at once. Called again when it may not have been heard: it must bear that."""
        raise NotImplementedError(f"{type(self).__name__} must overload _close")

    def _refusal(self) -> str:
        """In words, what keeps it from opening now, such as `hutch EH1 is not searched`; empty: nothing is known to."""
        return ""

    def _mode(self) -> ShutterMode:
        """Who opens it now; for hardware that knows several `modes`."""
        return ShutterMode.MANUAL

    def _set_mode(self, mode: ShutterMode) -> None:
        """Go into one of `modes`."""

    # -- state -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> BaseShutterState:
        state = self._state()
        if state is not self._last_state:
            self._last_state = state
            events.send(self, ShutterEvent.STATE, state)
        return state

    @property
    def state_string(self) -> str:
        """The state in words, with what keeps it closed."""
        state = self.state
        refusal = "" if state in OPEN_STATES else self._refusal()
        return f"{state.value}: {refusal}" if refusal else state.value

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED_STATES

    @property
    def mode(self) -> ShutterMode:
        """Who opens it: a ShutterMode; may be set by its name."""
        return self._mode()

    @mode.setter
    def mode(self, mode: ShutterMode | str) -> None:
        known = {known.name: known for known in self.modes}
        wanted = known.get(mode.name if isinstance(mode, ShutterMode) else str(mode).upper())
        if wanted is None:
            raise DeviceError(f"{self.name} has no mode {mode!r}; expected {' or '.join(known)}")
        self._set_mode(wanted)

    def __info__(self) -> str:
        return f"{type(self).__name__} {self.name}: {self.state_string}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    # -- opening and closing -----------------------------------------------------------------------------------------

    def open(self, timeout: float | None = None) -> None:
        """Open it, and return when it is open; if it does not open it is closed again.

        :param timeout: seconds, by default those of the shutter.
        :raises DeviceError: it may not be opened, it is faulty, or it did not open in time; the message says which.
        :raises AlreadyLockedDevices: another session has it.
        """
        patience = self._patience(timeout)
        with self._allowed_to_open():
            if not self.is_open:
                self._open()
                self._wait_for(OPEN_STATES, "open", patience)

    def open_for(self, seconds: float) -> None:
        """Open it for a time, and return when it is closed again.

        :param seconds: from its being open to its beginning to close; timed by the hardware where that can do it.
        :raises DeviceError: as for `open` and `close`.
        """
        seconds = numbers.seconds(self, seconds, "the time to be open for")
        with self:
            gevent.sleep(seconds)

    def measure_open_close_time(self) -> tuple[float, float]:
        """Open and close it, and return the seconds that each took."""
        began = time.monotonic()
        with self:
            opened = time.monotonic()
            self.close()
            return opened - began, time.monotonic() - opened

    @contextmanager
    def _allowed_to_open(self) -> Iterator[None]:
        """For what opens it: whatever ends that but success closes it again.

        :raises DeviceError: it may not be opened.
        """
        with claimed([self], f"opening {self.name}"):
            mode = self.mode
            if mode is not ShutterMode.MANUAL:
                raise DeviceError(
                    f"{self.name} is not opened: in mode {mode.name} that is done by {mode.value}. "
                    f"To open it yourself: {self.name}.mode = 'MANUAL'"
                )
            refusal = "" if self.is_open else self._refusal()
            if refusal:
                raise DeviceError(f"{self.name} stays closed: {refusal}")
            try:
                yield
            except BaseException as error:
                self._close_after(error)
                raise

    def close(self, timeout: float | None = None) -> None:
        """Close it, and return when it is closed. Who is killed meanwhile leaves when it is closed; killed again, at once.

        :raises DeviceError: it did not close in time.
        """
        _surely(lambda: self._close_and_wait(timeout))

    def _close_and_wait(self, timeout: float | None) -> None:
        self._close()  # also when it is closed: it may have been told to open a moment ago
        self._wait_for(CLOSED_STATES, "closed", timeout)

    def _close_after(self, error: BaseException) -> None:
        """Close it, as opening failed or was given up; that counts, whatever closing does."""
        try:
            _surely(lambda: self._close_and_wait(None))
        except (Exception, gevent.Timeout) as again:  # noqa: BLE001 - the first failure is the one to raise
            error.add_note(f"Closing {self.name} failed too: {again}")

    def _wait_for(self, wanted: frozenset[BaseShutterState], word: str, timeout: float | None) -> None:
        patience = self._patience(timeout)
        began = time.monotonic()
        while (state := self.state) not in wanted:
            elapsed = time.monotonic() - began
            if state in HOPELESS or elapsed > patience:
                late = "" if state in HOPELESS else f", {elapsed:.1f} s after it was told to"
                raise DeviceError(
                    f"{self.name} should be {word} and is {self.state_string}{late}{self._way_out(state)}"
                )
            gevent.sleep(min(0.05, max(0.001, elapsed / 10)))

    def _patience(self, timeout: float | None) -> float:
        return self.timeout if timeout is None else numbers.seconds(self, timeout, "timeout", endless=True)

    def _way_out(self, state: BaseShutterState) -> str:
        if state is BaseShutterState.MOVING:
            return ". If it is only slow, raise `timeout` in its configuration"
        return ". Have a look at it"

    # -- contexts ----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Open it; the end of the context closes it, whatever happened and whatever it was before."""
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def open_context(self) -> Iterator[Self]:
        """Open it for the time of a context; at the end it is as it was before."""
        with self._as_before(self.open):
            yield self

    @contextmanager
    def closed_context(self) -> Iterator[Self]:
        """Close it for the time of a context; at the end it is as it was before."""
        with self._as_before(self.close):
            yield self

    @contextmanager
    def _as_before(self, action: Callable[[], None]) -> Iterator[None]:
        was_open = self.is_open
        try:
            action()
            yield
        finally:
            (self.open if was_open else self.close)()


def _surely(action: Callable[[], object]) -> None:
    """Do it in a greenlet of its own, so that whoever is killed meanwhile leaves when it is done; killed again, at once."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            action()
        except BaseException as failure:  # noqa: BLE001 - raised below; gevent's Timeout is no Exception
            failures.append(failure)

    task = gevent.spawn(run)
    try:
        task.join()
    except BaseException:
        task.join()
        raise
    if failures:
        raise failures[0]
