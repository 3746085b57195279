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
from bliss_like.devices.planning import Motion
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.config.node import ConfigNode
    from bliss_like.controllers.regulation.approach import Approach
    from bliss_like.controllers.regulation.loop import Loop


class LoopAxis(Axis):
    """Relative moves start from the setpoint, so that the noise of the input does not add up."""

    controller: _LoopDrive

    def _dial_target(self) -> float:
        loop = self.controller.loop
        return loop.setpoint if loop.is_regulating() else loop.measured()


class _LoopDrive(MotorController):
    """Drives the one axis of a loop."""

    shared = True
    axis_class = LoopAxis

    def __init__(self, loop: Loop, config: LoopAxisConfig, node: ConfigNode | None) -> None:
        keys = MotorControllerConfig.model_construct(name=loop.name, axes=[config])
        keys._node = node
        super().__init__(loop.name, keys)
        self.loop = loop
        self._approach: Approach | None = None

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        self.loop.__connect__(timeout)

    def read_position(self, axis: Axis) -> float:
        approach = self._approach
        if approach is not None and (approach.failure or not approach.is_over):
            return approach.value  # it bears some readings that fail
        return self.loop.measured()

    def state(self, axis: Axis) -> AxisState:
        """:raises RegulationFault: the motion has failed; told once."""
        approach = self._approach
        if approach is not None and not approach.is_over:
            return AxisState("MOVING")
        self._approach = None
        if approach is not None and approach.failure is not None:
            raise approach.failure
        loop = self.loop
        if loop.approach is not None and not loop.approach.is_over:
            return AxisState("MOVING")
        return AxisState("READY" if loop.config.autostart or loop.is_regulating() else "OFF")

    def start_one(self, motion: Motion) -> None:
        self.loop.go(motion.target_pos)
        self._approach = self.loop.approach
        if self._approach is not None:
            self._approach.followers += 1

    def stop(self, axis: Axis) -> None:
        self.loop.hold()

    def set_on(self, axis: Axis) -> None:
        self.loop.start_regulation()

    def set_off(self, axis: Axis) -> None:
        self.loop.stop_regulation()

    def read_velocity(self, axis: Axis) -> float:
        return self.loop.ramprate or math.inf

    def set_velocity(self, axis: Axis, velocity: float) -> None:
        name = self.loop.name
        raise DeviceError(
            f"{axis.name}: its velocity is the ramprate of {name}; set {name}.ramprate, in units per second"
        )


def axis_of(loop: Loop, config: LoopAxisConfig | None, node: ConfigNode | None) -> Axis:
    """Make the axis of a loop.

    :param config: None: it has no keys of its own, and is called `<loop>_axis`.
    :param node: where it is written; with it, limits and offsets that are set by hand are kept.
    """
    if config is None:
        config, node = LoopAxisConfig.model_validate({"name": f"{loop.name}_axis"}), None
    if config.unit is None:
        config = config.model_copy(update={"unit": loop.unit})
    return _LoopDrive(loop, config, node).axes[config.name]
