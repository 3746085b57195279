"""A fast shutter of a box that times its opening: one of several outputs of a box that speaks lines of text over TCP.

The box knows by itself how fast the blades are, and keeps the safety system's permission: `?WHY` says what is missing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import gevent
from pydantic import Field

from bliss_like.backends.line import Line
from bliss_like.config.models import ObjectConfig
from bliss_like.devices.numbers import is_number
from bliss_like.devices.shutter import CLOSED_STATES, BaseShutter, BaseShutterState, ShutterMode
from bliss_like.errors import DeviceError

Value = TypeVar("Value")
Member = TypeVar("Member", bound=enum.Enum)


class TimedShutter(BaseShutter):
    """Opens for milliseconds, timed by the hardware: `shutter.open_for(0.02)`."""

    class Config(ObjectConfig):
        address: str = Field(description="of the box: tcp://host:port")
        channel: int = Field(default=1, ge=1, description="its plug on the box")
        timeout: float = Field(default=1.0, gt=0, description="seconds that it may take to open or to close")

    modes = (ShutterMode.MANUAL, ShutterMode.EXTERNAL)

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._channel = config.channel
        self._line = Line(config.address, name=name)

    def _ask(self, query: str, kind: Callable[[str], Value]) -> Value:
        return self._line.ask_for(kind, f"?{query} {self._channel}")

    def _command(self, command: str, *arguments: object) -> None:
        request = " ".join(map(str, (command, self._channel, *arguments)))
        answer = self._line.ask(request)
        if answer.startswith("ERROR"):
            raise DeviceError(f"{self.name} refused {request!r}: {answer.removeprefix('ERROR').strip()}")
        if answer != "OK":
            raise self._line.unexpected(request, answer, "expected OK")

    def _state(self) -> BaseShutterState:
        return self._ask("STATE", partial(_named, BaseShutterState))

    def _refusal(self) -> str:
        why = self._ask("WHY", str)
        return "" if why == "NOTHING" else why

    def _open(self) -> None:
        self._command("OPEN")

    def _close(self) -> None:
        # Whatever happens to the line or to us, the box is told in the end.
        self._line.insist(f"closing {self.name}", lambda: self._command("CLOSE"))

    def _mode(self) -> ShutterMode:
        return self._ask("MODE", partial(_named, ShutterMode))

    def _set_mode(self, mode: ShutterMode) -> None:
        self._command("MODE", mode.name)

    def open_for(self, seconds: float) -> None:
        """Open it for a time between 1 ms and 1000 s that the box keeps, and return when it is closed again."""
        if not is_number(seconds) or not 0.001 <= seconds <= 1000:
            raise DeviceError(f"{self.name}: expected 0.001 to 1000 s to be open for, got {seconds!r}")
        with self._allowed_to_open():
            self._command("PULSE", f"{seconds:.6f}")
            gevent.sleep(seconds)
            self._wait_for(CLOSED_STATES, "closed", None)
            if self.state is BaseShutterState.INTERLOCK:
                raise DeviceError(f"{self.name} was not open for {seconds:g} s, it is {self.state_string}")

    def measure_open_close_time(self) -> tuple[float, float]:
        """Open and close it, and return the seconds that each took, as the box has measured them."""
        super().measure_open_close_time()
        opening, closing, _ = self.cycle
        return opening, closing

    @property
    def cycle(self) -> tuple[float, float, float]:
        """Seconds that it took to open, to close, and that it was open, the last time, by the clock of the box."""
        return self._ask("TIMES", _three_numbers)

    def __close__(self) -> None:
        self._line.close()


def _three_numbers(answer: str) -> tuple[float, float, float]:
    opening, closing, was_open = map(float, answer.split())
    return opening, closing, was_open


def _named(kind: type[Member], answer: str) -> Member:
    if answer not in kind.__members__:
        raise ValueError(f"expected one of {', '.join(kind.__members__)}")
    return kind[answer]
