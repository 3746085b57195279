"""What a move asks of an axis, and tells it: its motion to a target, whether it may start, and where it ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from bliss_like.devices import events
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_kept import AxisKept
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import place
from bliss_like.devices.planning import Motion, check_backlash
from bliss_like.errors import AxisDiscrepancy, AxisFault, AxisOffError

if TYPE_CHECKING:
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)


class AxisInMotion(AxisKept):
    """An axis as those see it who move it."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        super().__init__(name, controller, config)
        self._was_here = False
        """Whether this process has seen it where it was sent last, and nobody else has driven it since."""
        self._after_jog: Any = None

    def plan(self, position: float) -> Motion | None:
        """Return the motion to a user position that is within the limits, or None when the axis is there.

        The hardware is not asked when it was already sent there, and nobody else can have moved it.

        :raises AxisLimitError, AxisFault: it cannot be done.
        """
        self.make_ready(again=True)
        controller, now = self.controller, self.settings.now()
        dial_target = self.shown(float(self.user2dial(position)))
        target, heading = now.get("target"), now.get("heading")
        commanded = target is not None and heading is None and self._away(target, dial_target) <= self.precision
        if commanded and self._was_here and not controller.shared:
            return None
        raw = controller.read_dials(self._itself)[0]
        if commanded and self._away(raw, dial_target) <= self.nearness:
            self._was_here = True
            return None
        self.check_ready(raw)
        self._was_here = True
        way = dial_target - raw
        if self.config.modulo is not None:
            way = (way + self.config.modulo / 2) % self.config.modulo - self.config.modulo / 2
        return self._motion(position, raw, raw + way)

    def _motion(self, user_target: float, dial: float, dial_target: float) -> Motion:
        scale, backlash = self.steps_per_unit, self.backlash
        steps_backlash = 0.0
        target = dial_target * scale
        if backlash and (dial_target - dial) * self.sign * backlash < 0:
            check_backlash(self._itself, user_target, backlash)
            steps_backlash = backlash * self.sign * scale
        beyond = target - steps_backlash
        return Motion(self._itself, user_target, dial_target, beyond, beyond - dial * scale, steps_backlash)

    def check_ready(self, dial: float) -> None:
        """Switch its power on, if that is configured, and look whether it may start from where it is.

        :param dial: where its hardware says that it is.
        :raises AxisFault: its state does not allow it.
        :raises AxisDiscrepancy: it is not where it was left.
        """
        state = self.read_state()
        name = name_of(self)
        if "OFF" in state and self.config.autopower:
            self.controller.set_on(self._itself)
            state = self.read_state()
        if "READY" not in state and ("MOVING" in state or not self.controller.check_ready_to_move(self._itself, state)):
            error = AxisOffError if "OFF" in state else AxisFault
            hint = f"; {name}.on() gives it its power" if "OFF" in state else ""
            raise error(f"{name} cannot be moved: its state is {state}{hint}")
        now = self.settings.now()
        target, heading = now.get("target"), now.get("heading")
        if self.controller.shared or target is None or self.tolerance is None or not self.config.check_discrepancy:
            return
        dial, ends = self.shown(dial), sorted([target, target if heading is None else self.shown(heading)])
        if self._away(dial, target) > self.nearness and not ends[0] <= dial <= ends[1]:
            discrepancy = AxisDiscrepancy(
                f"{name} is at {place(self, self.dial2user(dial))}, but was left at "
                f"{place(self, self.dial2user(target))}: somebody else has moved it, or its controller has forgotten where it is. If its position is right, take it with "
                f"{name}.sync_hard() and move again; if it is wrong, set it: {name}.dial = ..."
            )
            discrepancy.offer = f"sync({name})"
            raise discrepancy

    def about_to_move(self, motion: Motion) -> None:
        """Remember where it may be if this process does not see the end."""
        if motion.type == "move":
            self.settings.remember(heading=motion.dial_target_pos)
        else:
            self.settings.remember(target=None, heading=None)

    def end_of_motion(self, dial: float | None) -> None:
        """Remember where the axis was left: at `dial`, or wherever its hardware says."""
        stopped = dial is None
        try:
            if dial is None:
                dial = self.dial
                self.saw(dial, self.read_state())
        except Exception:  # noqa: BLE001 - the motion has an end all the same, and the next use will tell
            _log.debug("%s: not known where it was left", self.name, exc_info=True)
        self.settings.remember(target=None if dial is None else self.shown(dial), heading=None)
        if stopped and dial is not None:
            events.send(self, AxisEvent.SYNC_HARD, self.dial2user(dial))
        if self.config.autopower:
            self.controller.set_off(self._itself)

    def end_of_jog(self) -> None:
        """Give the hardware its velocity back, and do what was asked for the end."""
        self.push_speed()
        after, self._after_jog = self._after_jog, None
        if callable(after):
            after(self)
        elif after is not None:
            self.controller.set_position(self._itself, 0.0)
            self.settings.store(target=0.0, heading=None, dial=0.0, offset=0.0)
            self.announce_scale()
