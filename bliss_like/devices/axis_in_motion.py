"""What a move asks of an axis, and tells it: its motion to a target, whether it may start, and where it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bliss_like.devices import events
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_kept import AxisKept
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import place
from bliss_like.devices.planning import Motion, check_backlash
from bliss_like.errors import AxisDiscrepancy, AxisFault, AxisOffError

if TYPE_CHECKING:
    from bliss_like.devices.motor_controller import MotorController


class AxisInMotion(AxisKept):
    """An axis as those see it who move it."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        super().__init__(name, controller, config)
        self._was_here = False
        """Whether this process has seen it where it was sent last, and nobody else has driven it since."""
        self._after_jog: Any = None

    def is_there(self, position: float, dial: float | None = None) -> bool:
        """Whether it was sent to a user position and need not move.

        :param dial: where its hardware says that it is; without it: whether that need not even be asked, as nobody else can
            have moved it.
        """
        now, wanted = self.settings.now(), self.shown(float(self.user2dial(position)))
        target = now.get("target")
        if target is None or now.get("heading") is not None or self._away(target, wanted) > self.precision:
            return False
        if dial is None:
            return self._was_here and not self.controller.shared
        is_near = self._away(dial, wanted) <= self.nearness
        self._was_here |= is_near
        return is_near

    def plan(self, position: float, dial: float, state: AxisState) -> Motion:
        """Return the motion to a user position that is within the limits.

        :param dial: where its hardware says that it is.
        :param state: what its hardware says of it.
        :raises AxisLimitError, AxisFault: it cannot be done.
        """
        self.check_ready(dial, state)
        self._was_here = True
        return self._motion(position, dial, dial + self.way(dial, self.shown(float(self.user2dial(position)))))

    def _motion(self, user_target: float, dial: float, dial_target: float) -> Motion:
        scale, backlash = self.steps_per_unit, self.backlash
        steps_backlash = 0.0
        target = dial_target * scale
        if backlash and (dial_target - dial) * self.sign * backlash < 0:
            check_backlash(self._itself, user_target, backlash)
            steps_backlash = backlash * self.sign * scale
        beyond = target - steps_backlash
        return Motion(self._itself, user_target, dial_target, beyond, beyond - dial * scale, steps_backlash)

    def check_ready(self, dial: float, state: AxisState) -> None:
        """Look whether it may start from where it is.

        :param dial: where its hardware says that it is.
        :param state: what its hardware says of it.
        :raises AxisFault: its state does not allow it.
        :raises ConfigError: what it has for an encoder is none.
        :raises AxisDiscrepancy: it is not where it was left.
        """
        _ = self.encoder  # what is wrong with it is told before anything moves
        self.saw_state(state, shared="MOVING" not in state)
        name = name_of(self)
        if not (self.config.autopower and "OFF" in state):  # that has its power only when it is about to move
            self._refuse_unready(state)
        now = self.settings.now()
        target, heading = now.get("target"), now.get("heading")
        if self.controller.shared or target is None or self.tolerance is None or not self.config.check_discrepancy:
            return
        dial = self.shown(dial)
        if self._away(dial, target) > self.nearness and (
            heading is None or not self._is_between(dial, target, heading)
        ):
            discrepancy = AxisDiscrepancy(
                f"{name} is at {place(self, self.dial2user(dial))}, but was left at {place(self, self.dial2user(target))}: "
                f"somebody else has moved it, or its controller has forgotten where it is. If its position is right, take "
                f"it with {name}.sync_hard() and move again; if it is wrong, set it: {name}.dial = ..."
            )
            discrepancy.offer = f"sync({name})"
            raise discrepancy

    def _is_between(self, dial: float, target: float, heading: float) -> bool:
        """Whether a move from one place to the other, that nobody saw the end of, may have left it here."""
        way = heading - target
        beyond = abs(self.backlash) + self.nearness
        if self.config.modulo is not None:  # counted along the way, which may lead over the seam
            dial = (
                target + (dial - target + beyond) % self.config.modulo - beyond
                if way > 0
                else (target - (target - dial + beyond) % self.config.modulo + beyond)
            )
        low, high = sorted([target, heading])
        return low - beyond <= dial <= high + beyond

    def _refuse_unready(self, state: AxisState) -> None:
        if "READY" in state or ("MOVING" not in state and self.controller.check_ready_to_move(self._itself, state)):
            return
        name = name_of(self)
        error = AxisOffError if "OFF" in state else AxisFault
        hint = f"; {name}.on() gives it its power" if "OFF" in state else ""
        if "MOVING" in state:
            hint = f", but not in this session; wait for its end ({name}.wait_move()), or stop it: {name}.stop()"
        raise error(f"{name} cannot be moved: its state is {state}{hint}")

    def about_to_move(self, motion: Motion) -> None:
        """Give it its power, and remember where it may be if this process does not see the end."""
        if self.config.autopower and "OFF" in self.read_state():
            self.controller.set_on(self._itself)
            self._refuse_unready(self.read_state())
        if motion.type == "move":
            start = (motion.target_pos - motion.delta) / self.steps_per_unit
            turns = start - self.shown(start)
            self.settings.remember(heading=motion.dial_target_pos - turns)
        else:
            self.settings.remember(target=None, heading=None)

    def end_of_motion(self, dial: float | None, *, stopped: bool) -> None:
        """Remember where the axis was left; None: its hardware does not tell, and the next use will ask."""
        self.settings.remember(target=None if dial is None else self.shown(dial), heading=None)
        if stopped and dial is not None:
            events.send(self, AxisEvent.SYNC_HARD, self.dial2user(dial))
        if self.config.autopower:
            self.controller.set_off(self._itself)
            self.read_state()

    def end_of_jog(self) -> None:
        """Give the hardware its velocity back, and do what was asked for the end."""
        self.push_speed()
        after, self._after_jog = self._after_jog, None
        if callable(after):
            try:
                after(self)
            except Exception as error:
                error.add_note(f"(reset_position of the jog of {name_of(self)})")
                raise
        elif after is not None:
            self.controller.set_position(self._itself, 0.0)
            self.settings.store(target=0.0, heading=None, dial=0.0, offset=0.0)
            self.announce_scale()
