"""Piezo amplifiers with position sensors over TCP, in the manner of Physik Instrumente's General Command Set (GCS).

A piezo knows no steps. With its servo (closed loop) it goes to a position, and its read-back differs by noise; without, it
goes to a voltage, and its read-back differs by hysteresis and creep too: give such an axis `tolerance: null`.
Try it: `python -m bliss_like.controllers.simulated.servers.piezo`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Self

import gevent
from pydantic import Field, model_validator

from bliss_like.backends.line import Line
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_config import ClosedLoopConfig
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig, refuse_same
from bliss_like.devices.move import Motion
from bliss_like.errors import DeviceError

ERRORS = {
    1: "it does not understand the parameters",
    2: "it does not know the command",
    5: "the servo is switched the other way",
    7: "the target is out of its limits",
    10: "it was stopped",
    15: "it has no such channel",
    17: "the value is out of range",
}
"""What `ERR?` answers to a command that was not done."""

STOPPED = 10

SERVO_OFF = (
    "SERVO_OFF",
    "goes to a voltage, so that its read-back only comes near: switch its servo on, or `tolerance: null`",
)


class PiezoAxisConfig(AxisConfig):
    """What YAML says of one channel of the amplifier."""

    closed_loop: ClosedLoopConfig | None = None  # type: ignore[assignment]
    channel: str = Field(pattern="^[A-Z0-9]+$", description="the name that the amplifier has for it")
    unit: str | None = "um"
    tolerance: float | None = Field(
        default=0.05, ge=0, description="um; above the noise of the read-back. null: trust it"
    )
    um_per_volt: float = Field(default=1.0, gt=0, description="nominal, for moves without servo")
    window: float = Field(default=0.05, gt=0, description="um; without servo: at rest when the read-back stays within")
    settling_time: float = Field(default=0.02, ge=0, description="seconds to stay within the window")


class Piezo(MotorController):
    """The channels of one amplifier. Positions in um, velocities (slew rates) in um/s."""

    class Config(MotorControllerConfig):
        address: str = Field(description="tcp://host:port")
        axes: list[PiezoAxisConfig]  # type: ignore[assignment]

        @model_validator(mode="after")
        def _check_channels(self) -> Self:
            refuse_same("channel", {axis.name: axis.channel for axis in self.axes})
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        # the error of a command that went down with a connection must not be taken for that of the next command
        self._line = Line(config.address, name=name, on_open=lambda line: line.ask("ERR?"))
        self._keys = {self.axes[item.name]: item for item in config.axes}
        self._settling: dict[Axis, tuple[float, float]] = {}

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        self._line.ask("*IDN?", timeout)

    # -- reading

    def read_position(self, axis: Axis) -> float:
        return self._ask([("POS?", axis)])[0]

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        return self._ask([("POS?", axis) for axis in axes])

    def read_velocity(self, axis: Axis) -> float:
        return self._ask([("VEL?", axis)])[0]

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        self._do(f"VEL {self._keys[axis].channel} {new_velocity:g}")

    def steps_position_precision(self, axis: Axis) -> float:
        return 1e-4

    def state(self, axis: Axis) -> AxisState:
        return self.states(axis)[0]

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        queries = ("SVO?", "ONT?", "SVA?", "VOL?", "POS?")
        told = self._ask([(query, axis) for axis in axes for query in queries])
        states = []
        for i, axis in enumerate(axes):
            servo, on_target, *analogue = told[i * len(queries) : (i + 1) * len(queries)]
            rests = bool(on_target) if servo else self._has_settled(axis, *analogue)
            states.append(AxisState("READY" if rests else "MOVING", *([] if servo else [SERVO_OFF])))
        return states

    def _has_settled(self, axis: Axis, target: float, voltage: float, position: float) -> bool:
        """Without servo the amplifier cannot tell: look whether its voltage is there, and the read-back stays in the window."""
        keys, now = self._keys[axis], time.monotonic()
        is_there = abs(voltage - target) * keys.um_per_volt <= keys.window
        reference, since = self._settling.get(axis, (position, -math.inf))
        if not is_there or abs(position - reference) > keys.window:
            self._settling[axis] = position, now
            return False
        if now - since < keys.settling_time:
            return False
        self._settling.pop(axis, None)
        return True

    # -- moving

    def start_one(self, motion: Motion) -> None:
        axis = motion.axis
        if self._ask([("SVO?", axis)])[0]:
            self._do(f"MOV {self._keys[axis].channel} {motion.target_pos:.4f}")
        else:
            self._settling[axis] = math.inf, 0.0
            self._do(f"SVA {self._keys[axis].channel} {motion.target_pos / self._keys[axis].um_per_volt:.4f}")

    def stop(self, axis: Axis) -> None:
        self._line.insist(f"stopping {axis.name}", lambda: self._do(f"HLT {self._keys[axis].channel}", STOPPED))

    # -- the servo

    def get_closed_loop_requirements(self) -> Sequence[str]:
        return ()

    def get_closed_loop_state(self, axis: Axis) -> str:
        return "on" if self._ask([("SVO?", axis)])[0] else "off"

    def activate_closed_loop(self, axis: Axis, onoff: bool = True) -> None:
        """Return when it has settled, or could have: until then it would refuse to move."""
        if bool(self._ask([("SVO?", axis)])[0]) == bool(onoff):
            return
        self._settling.pop(axis, None)
        self._do(f"SVO {self._keys[axis].channel} {int(onoff)}")
        deadline = time.monotonic() + axis.timeout
        while "MOVING" in self.state(axis) and time.monotonic() < deadline:
            gevent.sleep(axis.polling_time)

    # -- the language

    def _ask(self, queries: Sequence[tuple[str, Axis]]) -> list[float]:
        """Ask for numbers, in one round trip: `POS? A` is answered `A=12.3`."""
        channels = [self._keys[axis].channel for _, axis in queries]
        requests = [f"{query} {channel}" for (query, _), channel in zip(queries, channels, strict=True)]
        values = []
        for request, channel, answer in zip(requests, channels, self._line.ask_many(requests), strict=True):
            name, _, value = answer.partition("=")
            try:
                values.append(float(value))
            except ValueError:
                name = ""
            if name != channel:
                raise self._line.unexpected(request, answer, f"expected {channel}=<number>")
        return values

    def _do(self, command: str, expected: int = 0) -> None:
        """Send a command, which is not answered, and ask how it went."""
        with self._line.exchange():
            self._line.write(command)
            error = self._line.ask_for(int, "ERR?")
        if error not in (0, expected):
            raise DeviceError(f"{self._line} refused {command!r}: error {error}, {ERRORS.get(error, 'see its manual')}")

    # -- for people

    def get_id(self, axis: Axis) -> str:
        return self._line.ask("*IDN?")

    def raw_write(self, message: str | bytes) -> None:
        self._line.write(message)

    def raw_write_read(self, message: str | bytes) -> str | bytes:
        return self._line.ask(message)

    def __close__(self) -> None:
        super().__close__()
        self._line.close()
