"""The setpoint of a loop as an axis: `mv(sample_temp, 80)`, `ascan(sample_temp, 20, 80, 6, 1, diode)`.

Its position is what the input reads, its velocity the ramprate. It is MOVING until the loop has settled; a stop holds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bliss_like.controllers.regulation.keys import LoopAxisConfig
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.devices.move import Motion

if TYPE_CHECKING:
    from bliss_like.controllers.regulation.approach import Approach
    from bliss_like.controllers.regulation.loop import Loop


class _LoopDrive(MotorController):
    """Drives the one axis of a loop."""

    shared = True

    def __init__(self, loop: Loop, config: LoopAxisConfig) -> None:
        super().__init__(config.name, MotorControllerConfig.model_construct(name=config.name, axes=[config]))
        self._loop = loop
        self._approach: Approach | None = None

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        self._loop.__connect__(timeout)

    def read_position(self, axis: Axis) -> float:
        approach = self._approach
        if approach is not None and (approach.failure or not approach.is_over):
            return approach.value  # it bears some readings that fail
        return self._loop.measured()

    def state(self, axis: Axis) -> AxisState:
        """:raises RegulationFault: the motion has failed; told once."""
        approach = self._approach
        if approach is not None and not approach.is_over:
            return AxisState("MOVING")
        self._approach = None
        if approach is not None and approach.failure is not None:
            raise approach.failure
        loop = self._loop
        if loop.approach is not None and not loop.approach.is_over:
            return AxisState("MOVING")
        return AxisState("READY" if loop.config.autostart or loop.is_regulating() else "OFF")

    def start_one(self, motion: Motion) -> None:
        self._loop.go(motion.target_pos)
        self._approach = self._loop.approach
        if self._approach is not None:
            self._approach.followers += 1

    def stop(self, axis: Axis) -> None:
        self._loop.hold()

    def set_on(self, axis: Axis) -> None:
        self._loop.start_regulation()

    def set_off(self, axis: Axis) -> None:
        self._loop.stop_regulation()

    def read_velocity(self, axis: Axis) -> float:
        return self._loop.ramprate or math.inf

    def set_velocity(self, axis: Axis, velocity: float) -> None:
        self._loop.ramprate = 0.0 if math.isinf(velocity) else velocity


def axis_of(loop: Loop, config: LoopAxisConfig | None) -> Axis:
    """Make the axis of a loop, called `<loop>_axis` unless it has keys of its own."""
    config = LoopAxisConfig(name=f"{loop.name}_axis") if config is None else config
    if config.unit is None:
        config = config.model_copy(update={"unit": loop.unit})
    return _LoopDrive(loop, config).axes[config.name]
