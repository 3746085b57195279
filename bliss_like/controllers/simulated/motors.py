"""Simulated motors that keep time: they accelerate, cruise and brake, and a position read in motion is true.

In YAML, a velocity of `.inf` makes an axis that is there at once, and `fault` an axis that misbehaves, for tests.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motion import TimeLaw, at_rest, trapezoid
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.devices.move import Motion
from bliss_like.errors import DeviceError


class SimulatedAxisConfig(AxisConfig):
    initial_position: float = Field(default=0.0, description="dial units")
    fault: Literal["start", "moving", "short", "stop"] | None = Field(
        default=None,
        description="start: refuses to start; moving: fails half way; short: ends half way and says nothing; "
        "stop: raises when it is told to stop, and stops nevertheless",
    )


@dataclass
class _Track:
    """Where one motor is going, in steps."""

    law: TimeLaw
    fault: str | None
    began: float = 0.0
    velocity: float = math.inf
    acceleration: float = math.inf
    broken: bool = field(default=False)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began


class SimulatedMotors(MotorController):
    """Any number of independent motors."""

    class Config(MotorControllerConfig):
        axes: list[SimulatedAxisConfig]  # type: ignore[assignment]

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._tracks = {
            self.axes[item.name]: _Track(at_rest(item.initial_position * item.steps_per_unit), item.fault)
            for item in config.axes
        }

    def initialize_axis(self, axis: Axis) -> None:
        """Let the motor stand where it was left."""
        dial = axis.settings.now().get("dial")
        if dial is not None:
            self._tracks[axis].law = at_rest(dial * axis.steps_per_unit)

    def read_position(self, axis: Axis) -> float:
        track = self._tracks[axis]
        return track.law.position(track.elapsed)

    def set_position(self, axis: Axis, position: float) -> None:
        self._tracks[axis].law = at_rest(position)

    def read_velocity(self, axis: Axis) -> float:
        return self._tracks[axis].velocity

    def set_velocity(self, axis: Axis, velocity: float) -> None:
        self._tracks[axis].velocity = velocity

    def read_acceleration(self, axis: Axis) -> float:
        return self._tracks[axis].acceleration

    def set_acceleration(self, axis: Axis, acceleration: float) -> None:
        self._tracks[axis].acceleration = acceleration

    def state(self, axis: Axis) -> AxisState:
        track = self._tracks[axis]
        if track.elapsed < track.law.duration:
            return AxisState("MOVING")
        return AxisState("FAULT", "READY") if track.broken else AxisState("READY")

    def start_one(self, motion: Motion) -> None:
        track = self._tracks[motion.axis]
        if track.fault == "start":
            raise DeviceError(f"{motion.axis.name}: simulated fault, the motor refuses to start")
        start = self.read_position(motion.axis)
        end = motion.target_pos if track.fault not in ("moving", "short") else (start + motion.target_pos) / 2
        track.law = trapezoid(start, end, track.velocity, track.acceleration)
        track.began = time.monotonic()
        track.broken = track.fault == "moving"

    def stop(self, axis: Axis) -> None:
        track = self._tracks[axis]
        track.law = track.law.stopped_at(track.elapsed, track.acceleration)
        if track.fault == "stop":
            raise DeviceError(f"{axis.name}: simulated fault, the motor does not confirm its stop")
