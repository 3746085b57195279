"""An axis: something with a position that can be moved, in the user's units.

It is built in storeys, each of which knows those below it, and a file each: scales and limits (`axis_scale`), first use and
state (`axis_ready`), position (`axis_position`), velocity (`axis_speed`), configuration and settings (`axis_kept`), what a
move asks (`axis_in_motion`), and here what people do with an axis.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices import events, motion_line
from bliss_like.devices.axis_config import AxisConfig
from bliss_like.devices.axis_in_motion import AxisInMotion
from bliss_like.devices.axis_info import describe
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.closed_loop import ClosedLoop
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.interlock import claimed
from bliss_like.devices.move import run_plan
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import Positive, direction, number
from bliss_like.devices.planning import Motion, Plan, check_limits, plan, real_axes
from bliss_like.devices.pursuit import check_room
from bliss_like.devices.reading import side_by_side
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.motion_hook import MotionHook
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)

__all__ = ["Axis", "AxisConfig", "AxisState", "Motion", "check_limits"]


class Axis(AxisInMotion):
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
        self.current_move = None

    def __repr__(self) -> str:
        return f"<Axis {self.name} of {self.controller.name}>"

    def __info__(self) -> str:
        return describe(self)

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
        elif halt([self]) and wait:
            self._wait_for_others()

    def wait_move(self) -> None:
        """Return when the axis stands still, also when it was stopped. A waiter that is killed stops the axis.

        :raises AxisFault: the motion failed; one of another session is told there alone.
        """
        moved_here = self._moves_here
        if self.current_move is not None:
            self.current_move.wait()
        if not moved_here:
            self._wait_for_others()

    def _wait_for_others(self) -> None:
        """Wait for the end of a motion that another session has begun, or one that was killed."""
        try:
            while "MOVING" in self.state:
                gevent.sleep(self.polling_time)
        except Exception:
            raise
        except BaseException:  # the waiter was killed
            self.stop(wait=False)
            raise

    def jog(
        self,
        velocity: float | None = None,
        reset_position: float | Callable[[Axis], object] | None = None,
        polling_time: float | None = None,
    ) -> None:
        """Turn without end; called again, change the velocity in motion. `stop()` ends it, and so do the limits.

        :param velocity: in units/s; its sign is the direction. By default `jog_velocity`.
        :param reset_position: 0: the place where it is stopped becomes 0, user and dial; a function: called then.
        :param polling_time: seconds between two looks at the moving axis, from now on.
        """
        wanted = self.jog_velocity if velocity is None else velocity
        if number(self, wanted, "velocity") == 0:
            raise ValueError(
                f"{name_of(self)}: jog with a velocity of 0 does not turn; to end a jog: {name_of(self)}.stop()"
            )
        if reset_position is not None and reset_position != 0 and not callable(reset_position):
            raise ValueError(f"{name_of(self)}: reset_position must be None, 0 or a function, got {reset_position!r}")
        speed = self._allowed_velocity(abs(wanted), "velocity")
        turn = math.copysign(1, wanted) * self.sign * math.copysign(1, self.steps_per_unit)
        velocity_steps = speed * abs(self.steps_per_unit)
        if polling_time is not None:
            self.polling_time = polling_time
        if self.current_move is not None and self.current_move.turn(velocity_steps, int(turn)):
            if reset_position is not None:
                self._after_jog = reset_position
            return
        self._operate("jog", int(turn), velocity_steps, wait=False, after=reset_position)

    def turn_faster(self, velocity: float) -> None:
        """Turn with another velocity from now on, in the same direction; nothing for an axis that does not turn."""
        jog = self.current_move.jog if self._moves_here and self.current_move is not None else None
        if jog is not None and self.current_move is not None:
            self.current_move.turn(velocity * abs(self.steps_per_unit), jog.direction)

    def home(self, switch: int = 1, wait: bool = True) -> None:
        """Look for the home switch in positive direction, or (switch -1) in negative direction of the controller.

        The position stays what the hardware says; `sync_hard` is done.
        """
        self._operate("homing", direction(self, switch, "switch"), wait=wait)

    def hw_limit(self, limit: int, wait: bool = True) -> None:
        """Move to the positive limit switch, or (limit -1) to the negative one, of the controller; whatever the limits are."""
        self._operate("limit_search", direction(self, limit, "limit"), wait=wait)

    def _operate(self, kind: str, direction: int, velocity: float = 0.0, *, wait: bool, after: Any = None) -> None:
        with claimed(real_axes([self]), f"{kind} of {self.name}"):
            self.refuse_if_moving()
            self.make_ready(again=True)
            dial = self.known_dial()
            self.check_ready(dial, self.read_state())
            if kind == "jog":
                check_room(self, dial, direction)
            nowhere = direction * math.inf
            motion = Motion(self, nowhere, nowhere, nowhere, nowhere, 0.0, kind, direction, velocity)
            self._after_jog = after
            run_plan(Plan([motion], [self]), wait)

    # -- other processes -----------------------------------------------------------------------------------------------

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

    def heard(self, values: Mapping[str, Any]) -> None:
        """Another process has changed something: tell those who listen here."""
        if self._moves_here:
            return
        if values.get("position") is not None:
            self._last_position = values["position"]
            events.send(self, AxisEvent.POSITION, values["position"])
        if values.get("state"):
            self._nheard += 1
            self._last_state = AxisState(*((name, "") for name in values["state"]))
            events.send(self, AxisEvent.STATE, self._last_state)
        if {"low_limit", "high_limit", "offset", "sign"} & values.keys():
            events.send(self, AxisEvent.LIMITS, self.limits)
        for key, event in (("velocity", AxisEvent.VELOCITY), ("acceleration", AxisEvent.ACCELERATION)):
            if values.get(key) is not None:
                events.send(self, event, values[key])


def halt(axes: Iterable[Axis]) -> list[Axis]:
    """Stop the axes, or those that they are calculated from, without waiting; return those that no move of here drives.

    Others who may move them are asked once for all: a second demand might find the next motion already.

    :raises BaseException: the first error, after all were told to stop, and others were asked.
    """
    # A move that is stopped stops all its axes: one of them is enough.
    one_of_each = {axis.current_move if axis._moves_here else axis: axis for axis in real_axes(axes)}
    of_others: list[Axis] = []

    def stop(axis: Axis) -> None:
        if axis._moves_here and axis.current_move is not None:
            axis.current_move.stop()
        elif "MOVING" in axis.read_state():
            of_others.append(axis)
            axis.controller.stop(axis)

    try:
        side_by_side([partial(stop, axis) for axis in one_of_each.values()], to_the_end=len(one_of_each) > 1)
    finally:
        shared = [axis.name for axis in of_others if axis.settings.is_shared]
        if shared:
            motion_line.finish()
            motion_line.ask_to_stop(*shared)
        for axis in of_others:
            axis.settings.remember(target=None, heading=None)
    return of_others


def unsupported(axis: Axis, what: str) -> DeviceError:
    """The error for what the controller of `axis` cannot do."""
    owner = "" if axis.controller.name == axis.name else f": its controller {axis.controller.name}"
    return DeviceError(f"{name_of(axis)}{owner} has no {what}")
