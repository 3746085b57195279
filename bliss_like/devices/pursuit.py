"""Following one axis until its motion is over: at its target, at a switch, or when somebody stops it."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import place, places
from bliss_like.devices.planning import Motion
from bliss_like.errors import AxisFault, AxisLimitError, AxisOffError, AxisOnLimitError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)

STOPPED_SHORT = {
    "LIMPOS": AxisOnLimitError,
    "LIMNEG": AxisOnLimitError,
    "OFF": AxisOffError,
    "DISABLED": AxisFault,
    "FAULT": AxisFault,
}
"""States in which an axis that stands away from its target will not get there by waiting, and the error that tells it."""


STANDSTILL = 0.5
"""Seconds for which an axis that was seen on its way must stand still, away from its target, to have been stopped there."""


class Pursuit:
    """Follows a motion to a target, and gives up when the axis comes no nearer to it for `axis.timeout` seconds.

    One that was seen on its way and stands still is given up sooner: somebody else has stopped it, or it has stalled. But not
    one that has not moved yet, as some devices begin late; and where a read-back is seldom refreshed, that much is waited.
    """

    def __init__(self, motion: Motion) -> None:
        self.motion = motion
        self.axis = motion.axis
        self.arrived = False
        self.target = motion.target_pos / motion.axis.steps_per_unit
        """In dial units: where this motion ends, which may be beyond where the axis is to be."""
        self._began = self._last_progress = self._stands_since = self._changed = time.monotonic()
        self._nearest = self._reached = self._farthest = math.inf
        self._stands_at = self._last_dial = math.nan
        self._refresh_time = 0.0
        self._was_on_its_way = self._stood_still = False

    @property
    def end(self) -> float | None:
        """Where the axis was left, in dial units; None: it has to be asked."""
        return self.motion.dial_target_pos if self.arrived and not self.motion.backlash else None

    def state(self, controller: MotorController) -> AxisState | None:
        """Return the state that only this kind of motion can ask for; None: that of all."""
        return None

    def is_over(self, dial: float, state: AxisState, stop_wanted: bool) -> bool:
        """Take note of what the axis does.

        :raises AxisFault: it stopped short, or comes no nearer.
        """
        axis = self.axis
        away = abs(dial - self.target)
        if "MOVING" not in state:
            self.arrived = axis.tolerance is None or away <= axis.nearness
            if stop_wanted or self.arrived:
                return True
            for name, error in STOPPED_SHORT.items():
                if name in state and self._stands_still():
                    raise error(f"{self._whereabouts(dial)}: its state is {state}")
        now = time.monotonic()
        self._refuse_standstill(dial, away, state, now)
        self._nearest = min(away, self._nearest)
        creep = 0.0 if "MOVING" in state else axis.nearness  # with less in all that time it never arrives
        if away < self._reached - creep:
            self._reached, self._last_progress = away, now
        elif now - self._last_progress > axis.timeout:
            raise AxisFault(
                f"{self._whereabouts(dial)}: it came no nearer for {axis.timeout:g} s and was stopped. "
                f"Its state was {state}. If it is only slow, raise `timeout` in its configuration"
            )
        return False

    def _refuse_standstill(self, dial: float, away: float, state: AxisState, now: float) -> None:
        """:raises AxisFault: it was on its way, and stands still."""
        nearness = self.axis.nearness
        if math.isinf(self._farthest):
            self._farthest = away
        if dial != self._last_dial:
            self._refresh_time = max(self._refresh_time, now - self._changed)
            self._last_dial, self._changed = dial, now
        is_moving = "MOVING" in state
        if is_moving and away < self._farthest - nearness:
            self._was_on_its_way = True
        if is_moving or away < self._nearest or abs(dial - self._stands_at) > nearness:
            self._stands_at, self._stands_since = dial, now
        stands = now - self._stands_since
        if self._was_on_its_way and stands > max(STANDSTILL, 2 * self._refresh_time):
            raise AxisFault(
                f"{self._whereabouts(dial)}: it stands still since {stands:.1f} s. Somebody else has stopped it, or it has "
                f"stalled. Its state is {state}"
            )

    def _stands_still(self) -> bool:
        """Tell whether it has stood still before: the position was read before the state, when it may still have moved."""
        before, self._stood_still = self._stood_still, True
        return before

    def _whereabouts(self, dial: float) -> str:
        axis = self.axis
        return (
            f"{name_of(axis)} did not arrive: it is at {place(axis, axis.dial2user(dial))} and should be at "
            f"{place(axis, axis.dial2user(self.target))}, {time.monotonic() - self._began:.1f} s after its start"
        )


class Search(Pursuit):
    """Follows an axis that looks for a switch: it is over when it stands still."""

    def state(self, controller: MotorController) -> AxisState | None:
        return controller.home_state(self.axis) if self.motion.type == "homing" else None

    @property
    def end(self) -> float | None:
        return None

    def is_over(self, dial: float, state: AxisState, stop_wanted: bool) -> bool:
        """:raises AxisFault: it stands still without having found what it looked for."""
        if "MOVING" in state:
            return False
        if stop_wanted:
            return True
        looked_for = {"homing": ("HOME", "READY"), "limit_search": ("LIMPOS", "LIMNEG")}[self.motion.type]
        if "FAULT" in state or "OFF" in state or not any(name in state for name in looked_for):
            if not self._stands_still():
                return False
            error = AxisOffError if "OFF" in state else AxisFault
            raise error(
                f"{name_of(self.axis)} has not found its {'home' if self.motion.type == 'homing' else 'limit'} switch: it "
                f"stands at {place(self.axis, self.axis.dial2user(dial))}, its state is {state}"
            )
        if self.motion.type == "homing" and "HOME" not in state and ("LIMPOS" in state or "LIMNEG" in state):
            _log.warning(
                "%s: its search for the home switch has ended at a limit switch, at %s: %s",
                name_of(self.axis),
                place(self.axis, self.axis.dial2user(dial)),
                " ".join(state.names),
            )
        self.arrived = True
        return True


class Jog(Pursuit):
    """Follows an axis that turns without end, and brakes it before it leaves its limits."""

    def __init__(self, motion: Motion) -> None:
        super().__init__(motion)
        self.direction, self.velocity = motion.direction, motion.velocity
        """Of the controller; they change when the axis is told another velocity in motion."""
        self.is_braking = False

    def turn(self, velocity: float, direction: int) -> None:
        """It is told another velocity in motion."""
        self.velocity, self.direction, self.is_braking = velocity, direction, False

    @property
    def end(self) -> float | None:
        return None

    def is_over(self, dial: float, state: AxisState, stop_wanted: bool) -> bool:
        """:raises AxisFault: it ended by itself."""
        if "MOVING" in state:
            if not self.is_braking and self._must_brake(dial):
                self.is_braking = True
                self.axis.controller.stop_jog(self.axis)
            return False
        self.arrived = stop_wanted or self.is_braking
        if stop_wanted:
            return True
        if self._stands_still():
            self._tell_its_end(dial, state)
        return False

    def _tell_its_end(self, dial: float, state: AxisState) -> None:
        """:raises AxisFault: always."""
        axis = self.axis
        at = place(axis, axis.dial2user(dial))
        is_at_limit = any(
            abs(dial - limit) <= axis.nearness for limit in axis.dial_limits
        )  # its hardware knows it, too
        if self.is_braking or is_at_limit:
            limits = places(axis, *axis.limits)
            raise AxisOnLimitError(f"{name_of(axis)} was braked at {at}, before it left its limits {limits}")
        error = next((error for name, error in STOPPED_SHORT.items() if name in state), AxisFault)
        raise error(
            f"{name_of(axis)} does not turn any more: it stands at {at}. Somebody else has stopped it, or it has stalled. "
            f"Its state is {state}"
        )

    def _must_brake(self, dial: float) -> bool:
        axis = self.axis
        room = _room(axis, dial, self.direction)
        if room == math.inf:
            return False
        velocity = self.velocity / abs(axis.steps_per_unit)
        acceleration = axis.acceleration
        return room <= velocity * velocity / 2 / acceleration + velocity * 1.5 * axis.polling_time


def _room(axis: Axis, dial: float, direction: int) -> float:
    """Return how far an axis may turn in a direction of its controller, in dial units."""
    if axis.is_free_ring:
        return math.inf
    low, high = axis.dial_limits
    dial = axis.unrolled(dial)
    return (high - dial) if direction * axis.steps_per_unit > 0 else (dial - low)


def check_room(axis: Axis, dial: float, direction: int) -> None:
    """:raises AxisLimitError: an axis is at or beyond the limit to which it is to turn."""
    if _room(axis, dial, direction) <= 0:
        low, high = axis.limits
        is_upwards = direction * axis.sign * axis.steps_per_unit > 0
        side, limit = ("high", high) if is_upwards else ("low", low)
        raise AxisLimitError(
            f"{name_of(axis)} is at {place(axis, axis.dial2user(axis.shown(dial)))}, its {side} limit is {place(axis, limit)}: it "
            "can only turn the other way. Nothing was moved"
        )


def pursuit_of(motion: Motion) -> Pursuit:
    kinds = {"move": Pursuit, "jog": Jog, "homing": Search, "limit_search": Search}
    return kinds[motion.type](motion)
