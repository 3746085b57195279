"""What is in the beam or out of it: screens, diodes, filters. A driver overloads `_set_in`, `_set_out` and `_state`."""

from __future__ import annotations

import enum
import time
from abc import ABC, abstractmethod

import gevent

from bliss_like.devices.numbers import brief, seconds
from bliss_like.errors import DeviceError


class ActuatorState(enum.StrEnum):
    """Where an actuator is."""

    IN = "IN"
    OUT = "OUT"
    MOVING = "MOVING"
    UNKNOWN = "UNKNOWN"
    FAULT = "FAULT"


class AbstractActuator(ABC):
    """`set_in set_out toggle is_in is_out state`.

    :param timeout: seconds that it may take on its way.
    """

    def __init__(self, name: str, timeout: float = 5.0) -> None:
        self.name = name
        self.timeout = timeout

    @abstractmethod
    def _set_in(self) -> None:
        """Make it go into the beam; may return at once."""

    @abstractmethod
    def _set_out(self) -> None:
        """Make it go out of the beam; may return at once."""

    @abstractmethod
    def _state(self) -> ActuatorState:
        """What the hardware says now."""

    @property
    def state(self) -> ActuatorState:
        return self._state()

    def is_in(self) -> bool:
        return self.state is ActuatorState.IN

    def is_out(self) -> bool:
        return self.state is ActuatorState.OUT

    def set_in(self, wait: bool = True, timeout: float | None = None) -> None:
        """Bring it into the beam.

        :raises DeviceError: it is not there within `timeout` seconds, by default those of the actuator.
        """
        timeout = self._patience(timeout)
        self._set_in()
        if wait:
            self.wait(ActuatorState.IN, timeout)

    def set_out(self, wait: bool = True, timeout: float | None = None) -> None:
        """Bring it out of the beam; as `set_in`."""
        timeout = self._patience(timeout)
        self._set_out()
        if wait:
            self.wait(ActuatorState.OUT, timeout)

    def toggle(self) -> None:
        """Bring it to the other side.

        :raises DeviceError: it is neither in nor out.
        """
        state = self.state
        if state not in (ActuatorState.IN, ActuatorState.OUT):
            raise DeviceError(f"{self.name} is {state}, neither in nor out: say set_in() or set_out()")
        (self.set_out if state is ActuatorState.IN else self.set_in)()

    def wait(self, wanted: ActuatorState, timeout: float | None = None) -> None:
        """:raises DeviceError: it is not in that state within `timeout` seconds."""
        began = time.monotonic()
        patience = self._patience(timeout)
        if wanted not in list(ActuatorState):
            raise ValueError(
                f"{self.name}: expected one of {', '.join(ActuatorState)} to wait for, got {brief(wanted)}"
            )
        while (state := self.state) != wanted:
            elapsed = time.monotonic() - began
            if elapsed > patience or state is ActuatorState.FAULT:
                raise DeviceError(
                    f"{self.name} should be {wanted} and is {state}, {elapsed:.1f} s after it was told to"
                )
            gevent.sleep(min(0.05, max(0.001, elapsed / 10)))

    def _patience(self, timeout: float | None) -> float:
        return self.timeout if timeout is None else seconds(self, timeout, "timeout", endless=True)

    def __info__(self) -> str:
        return f"{type(self).__name__} {self.name}: {self.state}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
