"""Whether an axis can be used, and what it does: its first use, its power and its state."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from bliss_like.devices import events
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_scale import AxisScale
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.naming import name_of
from bliss_like.errors import AxisDisabled, AxisFault

if TYPE_CHECKING:
    from bliss_like.devices.motor_controller import MotorController
    from bliss_like.devices.move import Move

RETRY = 10.0
"""Seconds for which the hardware of an axis that could not be set up is not asked again, but by a move or `enable()`."""


class AxisReady(AxisScale):
    """An axis that sets up its hardware at the first use, and tells what it does."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        super().__init__(name, controller, config)
        self.current_move: Move | None = None
        self._is_ready = False
        self._disabled = ""
        self._failed_at = -math.inf
        self._failure: Exception | None = None
        self._last_state: AxisState | None = None
        self._nheard = 0
        """How often another session has told its state."""

    # -- readiness -----------------------------------------------------------------------------------------------------

    def make_ready(self, *, again: bool = False) -> None:
        """Set up the hardware at the first use.

        :param again: try at once, even if it has just failed.
        :raises AxisDisabled: it was taken out of use, or has just failed to be set up.
        """
        if self._is_ready:
            return
        name = name_of(self)
        if self._disabled:
            raise AxisDisabled(f"{name} is disabled ({self._disabled}); {name}.enable() takes it into use again")
        if not again and time.monotonic() - self._failed_at < RETRY:
            raise AxisDisabled(
                f"{name} is disabled, as its hardware could not be set up: {self._failure}. When that is mended: "
                f"{name}.enable()"
            ) from self._failure
        try:
            self.controller.make_ready(self._itself)
        except Exception as failure:
            self._failed_at, self._failure = time.monotonic(), failure
            raise
        self._failure, self._failed_at, self._is_ready = None, -math.inf, True

    @property
    def disabled(self) -> bool:
        """Whether it was taken out of use, or its hardware could not be set up."""
        return bool(self._disabled) or (not self._is_ready and self._failure is not None)

    def disable(self, reason: str = "taken out of use by hand") -> None:
        """Take it out of use in this session: nothing asks its hardware any more."""
        self.refuse_if_moving()
        self._disabled, self._is_ready = reason, False

    def enable(self) -> None:
        """Take it into use again.

        :raises Exception: its hardware cannot be set up.
        """
        self._disabled = ""
        self.make_ready(again=True)

    def on(self) -> None:
        """Give it its power."""
        self.refuse_change()
        self.make_ready()
        self.controller.set_on(self._itself)
        self.read_state()

    def off(self) -> None:
        """Take its power away."""
        self.refuse_change()
        self.make_ready()
        self.controller.set_off(self._itself)
        self._itself._was_here = False  # without power it may not stay where it is
        self.read_state()

    # -- state ---------------------------------------------------------------------------------------------------------

    @property
    def _moves_here(self) -> bool:
        return self.current_move is not None and not self.current_move.done

    @property
    def is_moving(self) -> bool:
        return "MOVING" in self.state

    @property
    def state(self) -> AxisState:
        """MOVING from the start of a move until all its axes have arrived; otherwise what the hardware says.

        DISABLED when its hardware cannot be set up.
        """
        if self._moves_here:
            return AxisState("MOVING")
        try:
            return self.read_state()
        except Exception as error:
            if not self.disabled:
                raise
            return AxisState(("DISABLED", str(error)))

    def read_state(self) -> AxisState:
        """What the hardware says now."""
        self.make_ready()
        heard = self._nheard
        state = self.controller.read_states(self._itself)[0]
        self.glimpsed(state, heard)
        return state

    hw_state = property(read_state)

    def refuse_if_moving(self) -> None:
        """:raises AxisFault: a move of this axis is under way."""
        if self._moves_here:
            name = name_of(self)
            raise AxisFault(f"{name} is moving; wait for the end of its motion, or stop it: {name}.stop()")

    def refuse_change(self) -> None:
        """:raises AxisFault: it moves, here or in another session: what a motion depends on is not to be changed."""
        self.refuse_if_moving()
        told = self.settings.now().get("state", ())
        if not self.settings.is_shared or ("MOVING" not in told and "MOVING" not in (self._last_state or ())):
            return
        try:
            moves = "MOVING" in self.read_state()  # the other session may have been killed
        except Exception:  # noqa: BLE001 - it does not answer: what needs no hardware can be set all the same
            return
        if moves:
            name = name_of(self)
            raise AxisFault(
                f"{name} is moving, but not in this session; wait until it stands still ({name}.wait_move()), or stop it: "
                f"{name}.stop()"
            )

    def glimpsed(self, state: AxisState, heard: int) -> None:
        """Take note of a state that was read once, by who does not follow the axis to the end of its motion.

        :param heard: `_nheard` before it was read: what was told meanwhile may be newer.
        """
        if heard == self._nheard:
            self.saw_state(state, shared=self._moves_here or "MOVING" not in state)

    def saw_state(self, state: AxisState, shared: bool = True) -> None:
        """Take note of a state, and tell those who listen if it is something new.

        :param shared: tell other sessions, too.
        """
        if shared:
            self.settings.remember(state=list(state.names))
        if state != self._last_state:
            self._last_state = state
            events.send(self, AxisEvent.STATE, state)
