"""The Linkam T95 controller of a heating and cooling stage, over a terminal server.

Requests are letters and numbers, the answer to `T` is ten bytes: state, errors, pump, three spare ones, and the
temperature as four hexadecimal digits, in tenths of a degree. All end with a carriage return. The box tells neither its
limit (the setpoint) nor its rate, so both are remembered here.
Source: Linkam T95 serial communications manual, and the simulator in the package lewis.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from pydantic import Field

from bliss_like.backends.line import Line
from bliss_like.controllers.regulation.controller import Controller
from bliss_like.controllers.regulation.input import Input
from bliss_like.controllers.regulation.keys import RegulationConfig
from bliss_like.controllers.regulation.loop import Loop
from bliss_like.controllers.regulation.output import Output
from bliss_like.errors import DeviceError

STOPPED, HEATING, COOLING, HOLDING, HOLDING_AS_TOLD = 0x01, 0x10, 0x20, 0x30, 0x50
"""The first byte of a status."""

STATES = {
    STOPPED: "STOPPED",
    HEATING: "HEATING",
    COOLING: "COOLING",
    HOLDING: "HOLDING",
    0x40: "HOLDING",  # the time at the limit
    HOLDING_AS_TOLD: "HOLDING",
}

ERRORS = {
    0x01: "cools too fast for its pump",
    0x02: "no stage, or its sensor is an open circuit",
    0x04: "the current was limited, as there was an overload",
    0x08: "cannot leave a profile above 300 degrees",
    0x10: "two stages are connected",
    0x20: "the serial line has errors",
}
"""Bits of the second byte of a status."""

ACKNOWLEDGED = ("", "b''")
"""What a command is answered: nothing, which the simulator writes as Python does."""

SLOWEST, FASTEST = 0.01, 150.0
"""Rates in degrees per minute."""

PATIENCE = 1.0
"""Seconds that the box may take to follow a command."""


class Status(NamedTuple):
    """What `T` is answered."""

    state: int
    errors: int
    pump: int
    temperature: float

    @classmethod
    def of(cls, answer: bytes) -> Status:
        """:raises ValueError: it is no status."""
        if len(answer) != 10:
            raise ValueError(f"expected ten bytes, came {len(answer)}")
        tenths = int(answer[6:10].decode("ascii"), 16)
        if answer[0] not in STATES:
            raise ValueError(f"its first byte {answer[0]:#04x} is no state")
        return cls(answer[0], answer[1] & 0x7F, answer[2] & 0x7F, (tenths - 0x10000 * (tenths > 0x7FFF)) / 10)


class LinkamT95(Controller):
    """One stage: its input is the temperature, its output the speed of the cooling pump (0 to 30, read only)."""

    class Config(RegulationConfig):
        address: str = Field(description="tcp://host:port of the terminal server")
        timeout: float = Field(default=3.0, gt=0, description="seconds to wait for an answer")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._line = Line(config.address, terminator=b"\r", timeout=config.timeout, name=name)
        self._setpoint: float | None = None
        self._is_held = False
        self._rate = FASTEST
        self._switched_on = self._sent_off = -math.inf

    def status(self) -> Status:
        """Ask the box how it is."""
        with self._line.exchange():
            answer = self._line.ask(b"T")
            try:
                return Status.of(answer)
            except ValueError as error:
                raise self._line.unexpected(b"T", answer, str(error)) from None

    def tell(self, command: str) -> None:
        """Send a command that is answered by an empty line."""
        with self._line.exchange():
            answer = self._line.ask(command)
            if answer not in ACKNOWLEDGED:
                raise self._line.unexpected(command, answer, "expected an empty line")

    def initialize_controller(self) -> None:
        self.status()  # the manual wants `T` to be the first request

    def connect_item(self, item: object, timeout: float) -> None:
        self.status()

    def close_controller(self) -> None:
        self._line.close()

    def WRraw(self, string: str) -> bytes:
        return self._line.ask(string.encode("ascii"))

    # -- input and output

    def read_input(self, tinput: Input) -> float:
        status = self.status()
        return math.nan if status.errors & 0x02 else status.temperature

    def state_input(self, tinput: Input) -> str:
        status = self.status()
        wrong = [text for bit, text in ERRORS.items() if status.errors & bit]
        return f"FAULT ({'; '.join(wrong)})" if wrong else STATES[status.state]

    def read_output(self, toutput: Output) -> float:
        return self.status().pump

    def set_output_value(self, toutput: Output, value: float) -> None:
        raise DeviceError(f"{toutput.name} cannot be set: the pump of {self.name} follows the rate of its loop")

    # -- loop

    def get_setpoint(self, tloop: Loop) -> float:
        return self.status().temperature if self._setpoint is None else self._setpoint

    def get_working_setpoint(self, tloop: Loop) -> float:
        status = self.status()
        return status.temperature if status.state in (HEATING, COOLING) else self.get_setpoint(tloop)

    def set_setpoint(self, tloop: Loop, sp: float) -> None:
        self.start_ramp(tloop, sp)

    def start_regulation(self, tloop: Loop) -> None:
        status = self.status()
        if status.state == STOPPED:
            self._send_limit(status.temperature)  # not to wherever it was sent last
            self.tell("S")
            self._switched_on = time.monotonic()

    def stop_regulation(self, tloop: Loop) -> None:
        self._line.insist(f"stopping {self.name}", lambda: self.tell("E"))
        self._switched_on = -math.inf

    def is_regulating(self, tloop: Loop) -> bool:
        return self.status().state != STOPPED or _is_recent(self._switched_on)

    def start_ramp(self, tloop: Loop, sp: float) -> None:
        self.tell(f"R1{round(self._rate * 100)}")
        self._send_limit(sp)
        status = self.status()
        if self._is_held or status.state == HOLDING_AS_TOLD:
            self.tell("H" if sp > status.temperature else "C")
            self._is_held = False
        self._sent_off = time.monotonic()

    def _send_limit(self, degrees: float) -> None:
        tenths = round(degrees * 10)
        self.tell(f"L1{tenths}")
        self._setpoint = tenths / 10

    def stop_ramp(self, tloop: Loop) -> None:
        self._line.insist(f"holding {self.name}", lambda: self.tell("O"))
        self._is_held = True
        self._setpoint = self.status().temperature

    def is_ramping(self, tloop: Loop) -> bool:
        status = self.status()
        if status.state in (HEATING, COOLING):
            return True
        is_there = self._setpoint is None or abs(status.temperature - self._setpoint) < 0.15
        return not is_there and _is_recent(self._sent_off)

    def set_ramprate(self, tloop: Loop, rate: float) -> None:
        """:param rate: degrees/s; 0: as fast as the box can."""
        per_minute = rate * 60 or FASTEST
        if not SLOWEST <= per_minute <= FASTEST:
            raise ValueError(
                f"{tloop.name}: ramprate must be {SLOWEST / 60:.2g} .. {FASTEST / 60:g} degrees per second, got {rate:g}"
            )
        self._rate = per_minute
        self.tell(f"R1{round(per_minute * 100)}")

    def get_ramprate(self, tloop: Loop) -> float:
        return self._rate / 60


def _is_recent(told: float) -> bool:
    """Whether a command is so young that the box may not have followed it."""
    return time.monotonic() - told < PATIENCE
