"""Base of what drives axes. A driver overloads the methods its hardware has; the names are those of BLISS.

Positions, velocities and accelerations are in the controller's own units: steps, steps/s, steps/s².
"""

from __future__ import annotations

from typing import Any, ClassVar

from gevent.lock import RLock

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.axis import Axis, AxisConfig, unsupported
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.move import Motion


class MotorControllerConfig(ObjectConfig):
    """What YAML says of a controller; a driver adds its fields, and may narrow the type of `axes`."""

    axes: list[AxisConfig]


class MotorController:
    """A box that drives one or several axes."""

    Config: ClassVar[type[ObjectConfig]] = MotorControllerConfig

    shared: ClassVar[bool] = False
    """Others may move the axes too: then the position is read before each move, never remembered."""

    interlock: ClassVar[bool] = True
    """One session at a time may move an axis, unless its configuration says `interlock: false`."""

    def __init__(self, name: str, config: Any) -> None:
        """:param config: an instance of `Config`; the hardware is not touched yet."""
        self.name = name
        self.config = config
        self.axes = {item.name: Axis(item.name, self, item) for item in config.axes}
        self._initializing = RLock()
        self._is_initialized = False
        self._initialized_axes: set[Axis] = set()

    def get_item(self, name: str) -> Axis:
        return self.axes[name]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {' '.join(self.axes)}>"

    def __refuse_close__(self) -> None:
        for axis in self.axes.values():
            axis.refuse_if_moving()

    def make_ready(self, axis: Axis) -> None:
        """Initialise the controller and the axis at their first use; after a failure the next use tries again."""
        if axis in self._initialized_axes:
            return
        with self._initializing:
            if not self._is_initialized:
                self.initialize()
                self._is_initialized = True
            if axis in self._initialized_axes:
                return
            self.initialize_axis(axis)
            scale = abs(axis.steps_per_unit)
            if axis.config.velocity is not None:
                self.set_velocity(axis, axis.config.velocity * scale)
            if axis.config.acceleration is not None:
                self.set_acceleration(axis, axis.config.acceleration * scale)
            self._initialized_axes.add(axis)

    # -- what a driver overloads ---------------------------------------------------------------------------------------

    def initialize(self) -> None:
        """Connect to the hardware."""

    def initialize_axis(self, axis: Axis) -> None:
        """Prepare one axis; the velocity and acceleration of its configuration are set after it."""

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        """See to it, before the first use, that the hardware of an axis answers within `timeout` seconds.

        :raises NotConnectedError: it does not; nothing else comes of it, the first use tries again.
        """

    def read_position(self, axis: Axis) -> float:
        """Where the axis is, also in motion."""
        raise NotImplementedError(f"{type(self).__name__} must overload read_position")

    def set_position(self, axis: Axis, position: float) -> None:
        """Write the position register without moving."""
        raise unsupported(axis, "position register that can be written")

    def steps_position_precision(self, axis: Axis) -> float:
        """Positions that differ by less are the same."""
        return 1e-6

    def read_velocity(self, axis: Axis) -> float:
        raise unsupported(axis, "velocity")

    def set_velocity(self, axis: Axis, velocity: float) -> None:
        raise unsupported(axis, "velocity")

    def read_acceleration(self, axis: Axis) -> float:
        raise unsupported(axis, "acceleration")

    def set_acceleration(self, axis: Axis, acceleration: float) -> None:
        raise unsupported(axis, "acceleration")

    def state(self, axis: Axis) -> AxisState:
        """MOVING or READY, with what else is true."""
        raise NotImplementedError(f"{type(self).__name__} must overload state")

    def prepare_move(self, motion: Motion) -> None:
        """Load what the start needs; nothing moves yet."""

    def prepare_all(self, *motions: Motion) -> None:
        for motion in motions:
            self.prepare_move(motion)

    def start_one(self, motion: Motion) -> None:
        """Start, and return at once: `state` tells MOVING from here until the axis has arrived."""
        raise NotImplementedError(f"{type(self).__name__} must overload start_one")

    def start_all(self, *motions: Motion) -> None:
        for motion in motions:
            self.start_one(motion)

    def stop(self, axis: Axis) -> None:
        """Brake, and return at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload stop")

    def stop_all(self, *motions: Motion) -> None:
        """Stop several axes: each of them, also when another one fails to."""
        errors: list[Exception] = []
        for motion in motions:
            try:
                self.stop(motion.axis)
            except Exception as error:  # noqa: BLE001 - the other axes must be stopped whatever it is
                errors.append(error)
        if errors:
            raise errors[0]
