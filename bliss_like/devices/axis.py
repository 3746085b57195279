"""An axis: something with a position that can be moved, in the user's units."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from bliss_like.devices import events, motion_line
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_kept import AxisKept
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.closed_loop import ClosedLoop
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.interlock import claimed
from bliss_like.devices.move import Move, run_plan
from bliss_like.devices.naming import both_names_of, name_of
from bliss_like.devices.numbers import Positive, direction, number, place, places
from bliss_like.devices.planning import Motion, Plan, check_backlash, check_limits, plan, real_axes
from bliss_like.errors import AxisDisabled, AxisDiscrepancy, AxisFault, AxisOffError, ConfigError, DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.encoder import Encoder
    from bliss_like.devices.motion_hook import MotionHook
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)

RETRY = 10.0
"""Seconds for which the hardware of an axis that could not be set up is not asked again, but by a move or `enable()`."""

__all__ = ["Axis", "AxisConfig", "AxisState", "Motion", "check_limits"]


class Axis(AxisKept):
    """One axis of a controller. Nothing touches the hardware before the first read or move."""

    timeout = Positive()
    """Seconds for which it may come no nearer to its target."""
    polling_time = Positive()
    """Seconds between two looks at it in motion."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        super().__init__(name, controller, config)
        self.timeout = config.timeout
        self.polling_time = config.polling_time
        self.motion_hooks: list[MotionHook] = list(config.motion_hooks)
        self.closed_loop = ClosedLoop(self, config.closed_loop) if config.closed_loop is not None else None
        self.current_move: Move | None = None
        self._was_here = False
        """Whether this process has seen it where it was sent last, and nobody else has driven it since."""
        self._is_ready = False
        self._disabled = ""
        self._failed_at = -math.inf
        self._failure: Exception | None = None
        motion_line.register(self)

    def __connect__(self, timeout: float) -> None:
        self.controller.connect_axis(self, timeout)

    def __refuse_close__(self) -> None:
        self.refuse_if_moving()

    def __close__(self) -> None:
        """Stop: nobody would follow its motion any more."""
        if self._moves_here:
            _log.warning("%s was moving and is stopped, as it is closed", name_of(self))
            self.stop()

    def __repr__(self) -> str:
        return f"<Axis {self.name} of {self.controller.name}>"

    def __info__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        lines = [
            f"axis {both_names_of(self)} of {self.controller.name}",
            f"  position  {place(self, self.position)}   (dial {self.dial:.10g}, offset {self.offset:.10g}, sign {self.sign:+d})",
            f"  limits    {places(self, *self.limits)}",
            f"  state     {self.state}",
        ]
        try:
            lines.append(f"  velocity  {self.velocity:g}{unit}/s, acceleration {self.acceleration:g}{unit}/s²")
        except DeviceError:
            pass  # it has none
        if self.backlash:
            lines.append(f"  backlash  {self.backlash:g}{unit}")
        if self.encoder is not None:
            lines.append(f"  encoder   {self.encoder.name}: {place(self, self.measured_position)}")
        if more := self.controller.get_axis_info(self):
            lines.append(more)
        return "\n".join([*lines, *self.set_by_hand()])

    @property
    def interlock(self) -> bool:
        """Whether one session at a time may move it, if the configuration says nothing else."""
        return self.controller.interlock

    @property
    def reals(self) -> tuple[Axis, ...]:
        """The axes that it is made of, if it is a pseudo axis."""
        return ()

    def has_tag(self, tag: str) -> bool:
        tags = self.config.tags
        return tag in ([tags] if isinstance(tags, str) else tags)

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
            self.controller.make_ready(self)
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
        self.refuse_if_moving()
        self.make_ready()
        self.controller.set_on(self)
        self.read_state()

    def off(self) -> None:
        """Take its power away."""
        self.refuse_if_moving()
        self.make_ready()
        self.controller.set_off(self)
        self.read_state()

    # -- position ------------------------------------------------------------------------------------------------------

    @property
    def position(self) -> float:
        """Where the axis is, in user units: read from the hardware, also in motion. Setting it moves only the offset."""
        return float(self.dial2user(self.dial))

    @position.setter
    def position(self, position: float) -> None:
        self.refuse_if_moving()
        position = number(self, position, "position")
        self.offset = self.offset + position - self._set_position

    @property
    def dial(self) -> float:
        """Where the axis is, in dial units: read. Setting it writes the controller's register; the user position stays."""
        self.make_ready()
        return self.shown(self.controller.read_dials(self)[0])

    @dial.setter
    def dial(self, dial: float) -> None:
        self.refuse_if_moving()
        dial, user = number(self, dial, "dial"), self.position
        self.make_ready()
        self.controller.set_position(self, dial * self.steps_per_unit)
        dial = self.dial
        if self.no_offset:
            self.settings.store(target=dial, heading=None)
        else:
            self.settings.store(target=dial, heading=None, offset=user - self.sign * dial)
        self.announce_scale()

    @property
    def _set_position(self) -> float:
        """Where the axis was last sent, in user units: relative moves start from here, so that they do not add up errors."""
        return float(self.dial2user(self._dial_target()))

    def _dial_target(self) -> float:
        target = self.settings.now().get("target")
        if target is None or (self.controller.shared and not self._is_near(target)):
            target = self.dial
            self.settings.remember(target=target, heading=None)
        return float(target)

    def _is_near(self, dial: float) -> bool:
        return self._moves_here or self._away(self.dial, dial) <= self.nearness

    @property
    def _hw_position(self) -> float:
        """The same as `position`, which is always that of the hardware."""
        return self.position

    def sync_hard(self) -> None:
        """Take the hardware's position as the last commanded one, after somebody else has moved the axis."""
        self.refuse_if_moving()
        self.settings.remember(target=None, heading=None)
        self.saw(self.dial, self.read_state())
        events.send(self, AxisEvent.SYNC_HARD, self._set_position)

    def shown(self, dial: float) -> float:
        """Return a dial position as people see it: within one turn, if there are turns."""
        return dial if self.config.modulo is None else dial % self.config.modulo

    def _away(self, one: float, other: float) -> float:
        away, modulo = abs(one - other), self.config.modulo
        return away if modulo is None else min(away % modulo, -away % modulo)

    @property
    def precision(self) -> float:
        """Dial positions that differ by less are the same."""
        return self.controller.steps_position_precision(self) / abs(self.steps_per_unit)

    @property
    def nearness(self) -> float:
        """How far from where it was sent an axis may be and still be there: the tolerance, and at least the precision."""
        return max(self.tolerance or 0.0, self.precision)

    # -- encoder -------------------------------------------------------------------------------------------------------

    @property
    def encoder(self) -> Encoder | None:
        """What measures where the axis is."""
        if self.config.encoder is None:
            return None
        found = self.config.encoder()
        if not hasattr(type(found), "read"):
            raise ConfigError(f"axis {self.name!r}: encoder: expected a reference to an encoder, came {found!r}")
        return cast("Encoder", found)

    @property
    def dial_measured_position(self) -> float:
        """:raises RuntimeError: it has no encoder."""
        encoder = self.encoder
        if encoder is None:
            raise RuntimeError(f"{name_of(self)} has no encoder: write `encoder: $...` for it in its configuration")
        return self.shown(encoder.read())

    @property
    def measured_position(self) -> float:
        """Where its encoder says that it is, in user units.

        :raises RuntimeError: it has no encoder.
        """
        return float(self.dial2user(self.dial_measured_position))

    def check_encoder(self, dial: float) -> None:
        """:raises AxisFault: the encoder says that the axis is not where it should be."""
        encoder = self.encoder
        if encoder is None or self.config.check_encoder is False:
            return
        measured = self.dial_measured_position
        if self._away(measured, dial) > encoder.tolerance:
            raise AxisFault(
                f"{name_of(self)} did not reach its target: it should be at "
                f"{place(self, self.dial2user(self.shown(dial)))}, its encoder "
                f"{encoder.name} says {place(self, self.dial2user(measured))}, which is more than the encoder's tolerance "
                f"{place(self, encoder.tolerance)} away"
            )

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
        state = self.controller.read_states(self)[0]
        self.saw_state(state)
        return state

    hw_state = property(read_state)

    def refuse_if_moving(self) -> None:
        """:raises AxisFault: a move of this axis is under way."""
        if self._moves_here:
            name = name_of(self)
            raise AxisFault(f"{name} is moving; wait for the end of its motion, or stop it: {name}.stop()")

    # -- motion --------------------------------------------------------------------------------------------------------

    def move(
        self, position: float, wait: bool = True, relative: bool = False, polling_time: float | None = None
    ) -> None:
        """Move to a user position.

        :param relative: `position` is counted from the last commanded position.
        :param polling_time: seconds between two looks at the moving axis, from now on.
        :raises AxisLimitError: outside the limits; nothing moved.
        :raises AxisStopped: somebody stopped the axis on its way (only with `wait`).
        :raises AxisFault: it moves already, is not ready, or did not arrive and was stopped.
        :raises AlreadyLockedDevices: another session moves it, or has locked it.
        """
        if polling_time is not None:
            self.polling_time = polling_time
        with claimed(real_axes([self]), f"moving {self.name} {'by' if relative else 'to'} {position}"):
            run_plan(plan({self: position}, relative=relative), wait)

    def rmove(self, distance: float, wait: bool = True, polling_time: float | None = None) -> None:
        """Move by a distance."""
        self.move(distance, wait, True, polling_time)

    def get_motion(self, position: float, relative: bool = False, polling_time: float | None = None) -> Motion | None:
        """What a move would do to this axis, or None when it is there; nothing moves."""
        return next(
            (motion for motion in plan({self: position}, relative=relative).motions if motion.axis is self), None
        )

    def stop(self, wait: bool = True) -> None:
        """Stop, and with it the axes that were started together with this one; no error when it stands still.

        One that another session moves is stopped there, too.
        """
        if self._moves_here and self.current_move is not None:
            self.current_move.stop()
            if wait:
                self.current_move.wait()
        elif "MOVING" in self.read_state():
            if self.settings.is_shared:
                motion_line.ask_to_stop(self.name)
            self.controller.stop(self)
            self.settings.remember(target=None, heading=None)

    def taken_over(self) -> None:
        """This session alone drives it from now on, and another one may have done so before."""
        self.settings.look_again()
        self._was_here = False
        self.controller.taken_over(self)

    def stop_wanted(self, by: str) -> bool:
        """Somebody elsewhere wants it to stand still: stop without waiting, and return whether it moved."""
        if not self._moves_here or self.current_move is None:
            return False
        self.current_move.stop(dead=True)
        return True

    def wait_move(self) -> None:
        """Return when the axis stands still, also when it was stopped. A waiter that is killed stops the axis.

        :raises AxisFault: the motion failed.
        """
        if self.current_move is not None:
            self.current_move.wait()

    def jog(
        self,
        velocity: float | None = None,
        reset_position: float | Callable[[Axis], object] | None = None,
        polling_time: float | None = None,
    ) -> None:
        """Turn without end; called again, change the velocity in motion. `stop()` ends it, and so do the limits.

        :param velocity: in units/s; its sign is the direction. By default `jog_velocity`.
        :param reset_position: 0: the place where it is stopped becomes 0, user and dial; a function: called then.
        """
        wanted = self.jog_velocity if velocity is None else velocity
        if number(self, wanted, "velocity") == 0:
            raise ValueError(
                f"{name_of(self)}: jog with a velocity of 0 does not turn; to end a jog: {name_of(self)}.stop()"
            )
        speed = self._allowed_velocity(abs(wanted), "velocity")
        turn = math.copysign(1, wanted) * self.sign * math.copysign(1, self.steps_per_unit)
        velocity_steps = speed * abs(self.steps_per_unit)
        if self._moves_here and self.current_move is not None and (jog := self.current_move.jog) is not None:
            self.controller.start_jog(self, velocity_steps, int(turn))
            jog.velocity, jog.direction = velocity_steps, int(turn)
            return
        self._operate("jog", int(turn), velocity_steps, wait=False, after=reset_position)

    def home(self, switch: int = 1, wait: bool = True) -> None:
        """Look for the home switch in positive direction, or (switch -1) in negative direction of the controller.

        The position stays what the hardware says; `sync_hard` is done.
        """
        self._operate("homing", direction(self, switch, "switch"), wait=wait)

    def hw_limit(self, limit: int, wait: bool = True) -> None:
        """Move to the positive limit switch, or (limit -1) to the negative one, of the controller; whatever the limits are."""
        self._operate("limit_search", direction(self, limit, "limit"), wait=wait)

    def _operate(self, kind: str, direction: int, velocity: float = 0.0, *, wait: bool, after: Any = None) -> None:
        if after is not None and after != 0 and not callable(after):
            raise ValueError(f"{name_of(self)}: reset_position must be None, 0 or a function, got {after!r}")
        with claimed(real_axes([self]), f"{kind} of {self.name}"):
            self.refuse_if_moving()
            self.make_ready(again=True)
            self._check_ready(self.dial)
            nowhere = direction * math.inf
            motion = Motion(self, nowhere, nowhere, nowhere, nowhere, 0.0, kind, direction, velocity)
            self._after_jog = after
            run_plan(Plan([motion], [self]), wait)

    # -- what a move asks and tells ------------------------------------------------------------------------------------

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
        raw = controller.read_dials(self)[0]
        if commanded and self._away(raw, dial_target) <= self.nearness:
            self._was_here = True
            return None
        self._check_ready(raw)
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
            check_backlash(self, user_target, backlash)
            steps_backlash = backlash * self.sign * scale
        beyond = target - steps_backlash
        return Motion(self, user_target, dial_target, beyond, beyond - dial * scale, steps_backlash)

    def _check_ready(self, dial: float) -> None:
        state = self.read_state()
        name = name_of(self)
        if "OFF" in state and self.config.autopower:
            self.controller.set_on(self)
            state = self.read_state()
        if "READY" not in state and ("MOVING" in state or not self.controller.check_ready_to_move(self, state)):
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

    def saw(self, dial: float, state: AxisState) -> None:
        """Take note of what was read, and tell those who listen if it is something new."""
        dial = self.shown(dial)
        position = float(self.dial2user(dial))
        self.settings.remember(dial=dial, position=position)
        if position != self._last_position:
            self._last_position = position
            events.send(self, AxisEvent.POSITION, position)
        self.saw_state(state)

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
            self.controller.set_off(self)

    def end_of_jog(self) -> None:
        """Give the hardware its velocity back, and do what was asked for the end."""
        self.push_speed()
        after, self._after_jog = self._after_jog, None
        if callable(after):
            after(self)
        elif after is not None:
            self.controller.set_position(self, 0.0)
            self.settings.store(target=0.0, heading=None, offset=0.0)
            self.announce_scale()

    def heard(self, values: Mapping[str, Any]) -> None:
        """Another process has changed something: tell those who listen here."""
        self.settings.look_again()
        if self._moves_here:
            return
        if "position" in values:
            events.send(self, AxisEvent.POSITION, values["position"])
        if values.get("state"):
            self._last_state = AxisState(*((name, "") for name in values["state"]))
            events.send(self, AxisEvent.STATE, self._last_state)
        if {"low_limit", "high_limit", "offset", "sign"} & values.keys():
            events.send(self, AxisEvent.LIMITS, self.limits)
        for key, event in (("velocity", AxisEvent.VELOCITY), ("acceleration", AxisEvent.ACCELERATION)):
            if values.get(key) is not None:
                events.send(self, event, values[key])

    def saw_state(self, state: AxisState) -> None:
        if state != self._last_state:
            self._last_state = state
            self.settings.remember(state=list(state.names))
            events.send(self, AxisEvent.STATE, state)


def unsupported(axis: Axis, what: str) -> DeviceError:
    """The error for what the controller of `axis` cannot do."""
    owner = "" if axis.controller.name == axis.name else f": its controller {axis.controller.name}"
    return DeviceError(f"{name_of(axis)}{owner} has no {what}")
