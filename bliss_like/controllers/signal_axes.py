"""Axes made of signals: a setpoint, a read-back, and what else the control system offers: done, stop, velocity.

They work over every transport. An axis is READY when the setpoint's write has completed and its done signal says so; it
has arrived when it is then within its tolerance. All of them are needed: some records complete a write before the motor
has started, others never complete it at all, and a done signal may fall only after the write was answered.
"""

from __future__ import annotations

import math
from functools import cached_property

import gevent
from pydantic import Field

from bliss_like.devices.axis import Axis, AxisConfig, unsupported
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.devices.move import Motion
from bliss_like.devices.signal import Signal, connect_together, open_signal


class SignalAxisConfig(AxisConfig):
    """What YAML says of one axis, and where it is read and moved."""

    setpoint: str = Field(description="address to write the target to, such as ca://XF:01:m1.VAL")
    readback: str | None = Field(default=None, description="address of the position; absent: the setpoint's")
    done: str | None = Field(default=None, description="address that has `done_value` when the axis stands still")
    done_value: float = 1
    stop: str | None = Field(default=None, description="address that stops when `stop_value` is written; absent: hold")
    stop_value: float = 1
    velocity_signal: str | None = None
    completion: bool = Field(default=True, description="the write of the setpoint completes when the motion ends")
    max_step: float | None = Field(
        default=None,
        gt=0,
        description="dial units; the way is sent in pieces of this length at most, each after the completion of the one "
        "before. For what can be neither stopped nor sent elsewhere once it moves: a stop then ends with the piece",
    )


class SignalAxes(MotorController):
    """Any number of independent axes made of signals."""

    class Config(MotorControllerConfig):
        axes: list[SignalAxisConfig]  # type: ignore[assignment]

    shared = True

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._drives = {self.axes[item.name]: _Drive(item) for item in config.axes}

    def initialize_axis(self, axis: Axis) -> None:
        for signal in self._drives[axis].signals:  # all are open, hence sought, before the first is waited for
            signal.connect()

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        connect_together(self._drives[axis].signals, timeout)

    def read_position(self, axis: Axis) -> float:
        return float(self._drives[axis].readback.get())

    def read_velocity(self, axis: Axis) -> float:
        return float(self._velocity(axis).get())

    def set_velocity(self, axis: Axis, velocity: float) -> None:
        self._velocity(axis).put(velocity)

    def _velocity(self, axis: Axis) -> Signal:
        velocity = self._drives[axis].velocity
        if velocity is None:
            raise unsupported(axis, "velocity; give it a velocity_signal")
        return velocity

    def state(self, axis: Axis) -> AxisState:
        return AxisState("MOVING" if self._drives[axis].is_moving() else "READY")

    def start_one(self, motion: Motion) -> None:
        self._drives[motion.axis].start(motion.target_pos)

    def stop(self, axis: Axis) -> None:
        self._drives[axis].halt()

    def __close__(self) -> None:
        for drive in self._drives.values():
            for signal in drive.signals:
                signal.close()


class _Drive:
    """The signals of one axis, and the write of its setpoint while it is under way."""

    def __init__(self, config: SignalAxisConfig) -> None:
        self._config = config
        self._max_step = config.max_step * abs(config.steps_per_unit) if config.max_step else None
        self._writing: gevent.Greenlet[[float], None] | None = None
        self._error: Exception | None = None
        self._halted = False

    @cached_property
    def setpoint(self) -> Signal:
        return open_signal(self._config.setpoint)

    @cached_property
    def readback(self) -> Signal:
        return open_signal(self._config.readback) if self._config.readback else self.setpoint

    @cached_property
    def done(self) -> Signal | None:
        return open_signal(self._config.done) if self._config.done else None

    @cached_property
    def stop(self) -> Signal | None:
        return open_signal(self._config.stop) if self._config.stop else None

    @cached_property
    def velocity(self) -> Signal | None:
        return open_signal(self._config.velocity_signal) if self._config.velocity_signal else None

    @property
    def signals(self) -> list[Signal]:
        every = (self.setpoint, self.readback, self.done, self.stop, self.velocity)
        return [signal for signal in every if signal is not None]

    def is_moving(self) -> bool:
        """:raises Exception: the write of the setpoint has failed."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._writing:
            return True
        return self.done is not None and self.done.get() != self._config.done_value

    def start(self, target: float) -> None:
        self._halted = False
        if not self._config.completion:
            self.setpoint.put(target, wait=False)
            return
        self._error = None
        self._writing = gevent.spawn(self._write, target)

    def _write(self, target: float) -> None:
        try:
            for position in self._pieces(target):
                if self._halted:
                    return
                self.setpoint.put(position)
        except Exception as error:  # noqa: BLE001 - raised by `is_moving`, in the move that waits for it
            self._error = error

    def _pieces(self, target: float) -> list[float]:
        if self._max_step is None:
            return [target]
        start = float(self.readback.get())
        pieces = math.ceil(abs(target - start) / self._max_step - 1e-9)
        way = self._max_step if target > start else -self._max_step
        return [start + way * piece for piece in range(1, pieces)] + [target]

    def halt(self) -> None:
        """Stop by the stop signal; without one, hold: make the present position the target."""
        self._halted = True
        if self.stop is not None:
            self.stop.put(self._config.stop_value, wait=False)
        elif self._max_step is None:
            self.setpoint.put(self.readback.get(), wait=False)
