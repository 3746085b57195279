"""An axis: something with a position that can be moved, in the user's units.

Three scales: user = sign * dial + offset, dial = steps / steps_per_unit; the controller speaks steps. Limits are kept in
dial units, so that moving the user's zero never opens them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from bliss_like.config.models import ItemConfig
from bliss_like.devices import events
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.interlock import claimed
from bliss_like.devices.move import Motion, Move, run_motions
from bliss_like.devices.naming import both_names_of, name_of
from bliss_like.errors import AxisFault, AxisLimitError, DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)

__all__ = ["Axis", "AxisConfig", "AxisState", "check_limits"]


class AxisConfig(ItemConfig):
    """What YAML says of one axis."""

    unit: str | None = None
    steps_per_unit: float = Field(default=1.0, description="controller units in one dial unit; negative turns the way")
    sign: Literal[1, -1] = 1
    velocity: float | None = Field(default=None, gt=0, description="units/s; absent: what the hardware has")
    acceleration: float | None = Field(default=None, gt=0, description="units/s²; absent: what the hardware has")
    low_limit: float = Field(default=-math.inf, description="dial units")
    high_limit: float = Field(default=math.inf, description="dial units")
    tolerance: float | None = Field(default=1e-4, ge=0, description="units from the target; null: trust the controller")
    timeout: float = Field(default=10.0, gt=0, description="seconds an axis may come no nearer to its target")
    polling_time: float = Field(default=0.02, gt=0, description="seconds between two looks at a moving axis")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low_limit < self.high_limit:
            raise ValueError(f"low_limit {self.low_limit:g} must be below high_limit {self.high_limit:g}")
        if self.steps_per_unit == 0:
            raise ValueError("steps_per_unit must not be 0")
        return self


class Axis:
    """One axis of a controller. Nothing touches the hardware before the first read or move."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        self.name = name
        self.controller = controller
        self.config = config
        self.unit = config.unit
        self.steps_per_unit = config.steps_per_unit
        self.tolerance = config.tolerance
        self.timeout = config.timeout
        self.polling_time = config.polling_time
        self.current_move: Move | None = None
        self._sign: int = config.sign
        self._offset = 0.0
        self._dial_limits = (config.low_limit, config.high_limit)
        self._dial_target: float | None = None
        self._last_state: AxisState | None = None

    def __connect__(self, timeout: float) -> None:
        self.controller.connect_axis(self, timeout)

    def __refuse_close__(self) -> None:
        self.refuse_if_moving()

    def __close__(self) -> None:
        """Stop: nobody would follow its motion any more."""
        if self.current_move is not None and not self.current_move.done:
            _log.warning("%s was moving and is stopped, as it is closed", name_of(self))
            self.stop()

    def __repr__(self) -> str:
        return f"<Axis {self.name} of {self.controller.name}>"

    def __info__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        low, high = self.limits
        return "\n".join(
            [
                f"axis {both_names_of(self)} of {self.controller.name}",
                f"  position  {self.position:g}{unit}   (dial {self.dial:g}, offset {self.offset:g}, sign {self.sign:+d})",
                f"  limits    {low:g} .. {high:g}{unit}",
                f"  state     {self.state}",
            ]
        )

    @property
    def interlock(self) -> bool:
        """Whether one session at a time may move it, if the configuration says nothing else."""
        return self.controller.interlock

    # -- scales --------------------------------------------------------------------------------------------------------

    def dial2user(self, dial: float) -> float:
        return self._sign * dial + self._offset

    def user2dial(self, user: float) -> float:
        return (user - self._offset) / self._sign

    @property
    def sign(self) -> int:
        return self._sign

    @sign.setter
    def sign(self, sign: int) -> None:
        if sign not in (1, -1):
            raise ValueError(f"{name_of(self)}: sign must be 1 or -1, got {sign!r}")
        self.refuse_if_moving()
        self._sign = int(sign)
        self._announce_scale()

    @property
    def offset(self) -> float:
        return self._offset

    @offset.setter
    def offset(self, offset: float) -> None:
        self.refuse_if_moving()
        self._offset = self._number(offset, "offset")
        self._announce_scale()

    def _announce_scale(self) -> None:
        events.send(self, AxisEvent.POSITION, self._set_position)
        events.send(self, AxisEvent.LIMITS, self.limits)

    # -- position ------------------------------------------------------------------------------------------------------

    @property
    def position(self) -> float:
        """Where the axis is, in user units: read from the hardware, also in motion. Setting it moves only the offset."""
        return self.dial2user(self.dial)

    @position.setter
    def position(self, position: float) -> None:
        self.refuse_if_moving()
        position = self._number(position, "position")
        self.offset = self._offset + position - self._set_position

    @property
    def dial(self) -> float:
        """Where the axis is, in dial units: read. Setting it writes the controller's register; the user position stays."""
        return self._ready_controller().read_position(self) / self.steps_per_unit

    @dial.setter
    def dial(self, dial: float) -> None:
        self.refuse_if_moving()
        dial, user = self._number(dial, "dial"), self.position
        self._ready_controller().set_position(self, dial * self.steps_per_unit)
        self._dial_target = self.dial
        self.offset = user - self._sign * self._dial_target

    @property
    def _set_position(self) -> float:
        """Where the axis was last sent, in user units: relative moves start from here, so that they do not add up errors."""
        if self._dial_target is None or (self.controller.shared and not self._is_near(self._dial_target)):
            self._dial_target = self.dial
        return self.dial2user(self._dial_target)

    def _is_near(self, dial: float) -> bool:
        moving = self.current_move is not None and not self.current_move.done
        return moving or abs(self.dial - dial) <= self.nearness

    def sync_hard(self) -> None:
        """Take the hardware's position as the last commanded one, after somebody else has moved the axis."""
        self.refuse_if_moving()
        self._dial_target = None
        events.send(self, AxisEvent.POSITION, self._set_position)

    # -- limits --------------------------------------------------------------------------------------------------------

    @property
    def dial_limits(self) -> tuple[float, float]:
        """(low, high) in dial units, infinite where there is none."""
        return self._dial_limits

    @dial_limits.setter
    def dial_limits(self, limits: tuple[float | None, float | None]) -> None:
        self._dial_limits = self._low_and_high(limits)
        events.send(self, AxisEvent.LIMITS, self.limits)

    @property
    def limits(self) -> tuple[float, float]:
        """(low, high) in user units; None or infinite where there is none."""
        low, high = sorted(self.dial2user(limit) for limit in self._dial_limits)
        return low, high

    @limits.setter
    def limits(self, limits: tuple[float | None, float | None]) -> None:
        dial_low, dial_high = sorted(self.user2dial(limit) for limit in self._low_and_high(limits))
        self.dial_limits = (dial_low, dial_high)

    def _low_and_high(self, limits: tuple[float | None, float | None]) -> tuple[float, float]:
        try:
            low, high = limits
            low, high = -math.inf if low is None else float(low), math.inf if high is None else float(high)
        except (TypeError, ValueError):
            raise ValueError(f"{name_of(self)}: limits must be (low, high), None for none, got {limits!r}") from None
        if not low < high:
            raise ValueError(f"{name_of(self)}: the low limit must be below the high limit, got {low:g} and {high:g}")
        return low, high

    @property
    def low_limit(self) -> float:
        return self.limits[0]

    @low_limit.setter
    def low_limit(self, limit: float | None) -> None:
        self.limits = (limit, self.limits[1])

    @property
    def high_limit(self) -> float:
        return self.limits[1]

    @high_limit.setter
    def high_limit(self, limit: float | None) -> None:
        self.limits = (self.limits[0], limit)

    # -- speed ---------------------------------------------------------------------------------------------------------

    @property
    def velocity(self) -> float:
        """In units/s, as the controller has it; infinite for an axis that is there at once."""
        return self._ready_controller().read_velocity(self) / abs(self.steps_per_unit)

    @velocity.setter
    def velocity(self, velocity: float) -> None:
        velocity = self._number(velocity, "velocity", positive=True)
        self._ready_controller().set_velocity(self, velocity * abs(self.steps_per_unit))
        events.send(self, AxisEvent.VELOCITY, self.velocity)

    @property
    def acceleration(self) -> float:
        """In units/s², as the controller has it."""
        return self._ready_controller().read_acceleration(self) / abs(self.steps_per_unit)

    @acceleration.setter
    def acceleration(self, acceleration: float) -> None:
        acceleration = self._number(acceleration, "acceleration", positive=True)
        self._ready_controller().set_acceleration(self, acceleration * abs(self.steps_per_unit))
        events.send(self, AxisEvent.ACCELERATION, self.acceleration)

    @property
    def acctime(self) -> float:
        """Seconds from rest to full velocity."""
        return self.velocity / self.acceleration

    @acctime.setter
    def acctime(self, acctime: float) -> None:
        self.acceleration = self.velocity / self._number(acctime, "acctime", positive=True)

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def is_moving(self) -> bool:
        return "MOVING" in self.state

    @property
    def state(self) -> AxisState:
        """MOVING from the start of a move until all its axes have arrived; otherwise what the hardware says."""
        if self.current_move is not None and not self.current_move.done:
            return AxisState("MOVING")
        return self.read_state()

    def read_state(self) -> AxisState:
        """What the hardware says now."""
        state = self._ready_controller().state(self)
        if state != self._last_state:
            self._last_state = state
            events.send(self, AxisEvent.STATE, state)
        return state

    def refuse_if_moving(self) -> None:
        """:raises AxisFault: a move of this axis is under way."""
        if self.current_move is not None and not self.current_move.done:
            name = name_of(self)
            raise AxisFault(f"{name} is moving; wait for the end of its motion, or stop it: {name}.stop()")

    # -- motion --------------------------------------------------------------------------------------------------------

    def move(self, position: float, wait: bool = True, relative: bool = False) -> None:
        """Move to a user position.

        :param relative: `position` is counted from the last commanded position.
        :raises AxisLimitError: outside the limits; nothing moved.
        :raises AxisStopped: somebody stopped the axis on its way (only with `wait`).
        :raises AxisFault: it moves already, is not ready, or did not arrive and was stopped.
        :raises AlreadyLockedDevices: another session moves it, or has locked it.
        """
        with claimed([self], f"moving {self.name} {'by' if relative else 'to'} {position}"):
            motion = self.plan(position, relative)
            run_motions([motion] if motion else [], wait)

    def rmove(self, distance: float, wait: bool = True) -> None:
        """Move by a distance."""
        self.move(distance, wait, relative=True)

    def stop(self, wait: bool = True) -> None:
        """Stop, and with it the axes that were started together with this one; no error when it stands still."""
        if self.current_move is not None and not self.current_move.done:
            self.current_move.stop()
            if wait:
                self.current_move.wait()
        elif "MOVING" in self.read_state():
            self._ready_controller().stop(self)
            self._dial_target = None

    def wait_move(self) -> None:
        """Return when the axis stands still, also when it was stopped. A waiter that is killed stops the axis.

        :raises AxisFault: the motion failed.
        """
        if self.current_move is not None:
            self.current_move.wait()

    def plan(self, position: float, relative: bool = False) -> Motion | None:
        """What a move would do, or None when the axis is there: then the hardware was not even asked.

        :raises AxisLimitError, AxisFault: it cannot be done.
        """
        position = self._number(position, "position", error=AxisLimitError)
        self.refuse_if_moving()
        user_target = self._set_position + position if relative else position
        check_limits({self: user_target})
        dial_target = self.user2dial(user_target)
        controller = self._ready_controller()
        commanded = self._dial_target is not None and abs(self._dial_target - dial_target) <= self.precision
        if commanded and not controller.shared:
            return None
        dial = self.dial
        if commanded and abs(dial - dial_target) <= self.nearness:
            return None
        self._check_ready(dial)
        target = dial_target * self.steps_per_unit
        return Motion(self, user_target, dial_target, target, target - dial * self.steps_per_unit)

    def _check_ready(self, dial: float) -> None:
        state = self.read_state()
        if "READY" not in state:
            raise AxisFault(f"{name_of(self)} cannot be moved: its state is {state}")
        if self.controller.shared or self._dial_target is None:
            return
        if self.tolerance is not None and abs(dial - self._dial_target) > self.nearness:
            raise AxisFault(
                f"{name_of(self)} is at {self.dial2user(dial):g}, but was left at {self._set_position:g}: somebody else has "
                f"moved it. If its position is right, call {name_of(self)}.sync_hard() and move again"
            )

    @property
    def precision(self) -> float:
        """Dial positions that differ by less are the same."""
        return self.controller.steps_position_precision(self) / abs(self.steps_per_unit)

    @property
    def nearness(self) -> float:
        """How far from where it was sent an axis may be and still be there: the tolerance, and at least the precision."""
        return max(self.tolerance or 0.0, self.precision)

    def look(self) -> tuple[AxisState, float]:
        """State and dial position now; tells those who listen.

        The state is read last: an axis that is at its target and stands still afterwards has arrived, while one that stood
        still before may just have begun to move, and have reached its target without having come to rest there.
        """
        dial = self.dial
        state = self.read_state()
        events.send(self, AxisEvent.POSITION, self.dial2user(dial))
        return state, dial

    def end_of_motion(self, arrived: Motion | None) -> None:
        """Remember where the axis was left: at the target, or unknown until read."""
        self._dial_target = arrived.dial_target_pos if arrived else None

    def _ready_controller(self) -> MotorController:
        self.controller.make_ready(self)
        return self.controller

    def _number(self, value: float, what: str, positive: bool = False, error: type[Exception] = ValueError) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise error(f"{name_of(self)}: {what} must be a number, got {value!r}") from None
        if math.isnan(number) or (positive and number <= 0) or (not positive and math.isinf(number)):
            raise error(f"{name_of(self)}: {what} must be {'> 0' if positive else 'finite'}, got {value!r}")
        return number


def check_limits(positions: Mapping[Any, ArrayLike]) -> None:
    """Check whole trajectories before anything moves.

    :param positions: {axis: one user position, or an array of them}.
    :raises AxisLimitError: naming the axis, its first position that is outside, and its limits.
    """
    for axis, values in positions.items():
        targets = np.asarray(values, dtype=float).ravel()
        low, high = axis.limits
        rounding = 1e-9 * max(1.0, *(abs(limit) for limit in (low, high) if math.isfinite(limit)), 1.0)
        outside = ~((targets >= low - rounding) & (targets <= high + rounding))
        if outside.any():
            first = targets[outside.argmax()]
            side = f"below its low limit {low:g}" if first < low else f"above its high limit {high:g}"
            if not math.isfinite(first):
                side = f"not between its limits {low:g} and {high:g}"
            raise AxisLimitError(
                f"{name_of(axis)}: {first:g} is {side}; its limits are {low:g} .. {high:g}. Nothing was moved"
            )


def unsupported(axis: Axis, what: str) -> DeviceError:
    """The error for what the controller of `axis` cannot do."""
    return DeviceError(f"{axis.name}: its controller {axis.controller.name} has no {what}")
