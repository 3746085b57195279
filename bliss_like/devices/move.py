"""Axes on their way: they start together, are followed until all have arrived, and all stop when one fails.

The polling greenlet belongs to the move and not to whoever waits, so that killing a waiter can never leave an axis
unattended. A waiter that is killed stops the axes first; killed again, it leaves without seeing them stand still.

A move has one or two legs. The second one comes back from beyond the targets, for the axes that have backlash; when the
first was stopped, it takes up the play where they stand, and only a `stop()` of its own, or a failure, ends it early.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event

from bliss_like.devices import driving, events, motion_line, silence
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.hooking import hooks_of_motions
from bliss_like.devices.interlock import claim
from bliss_like.devices.logs import logger_of
from bliss_like.devices.naming import name_of
from bliss_like.devices.planning import Motion, Plan
from bliss_like.devices.pursuit import Jog, Pursuit, pursuit_of
from bliss_like.devices.stopping import Interruptible, StopsUnderWay
from bliss_like.errors import AxisStopped, BlissLikeError, NotConnectedError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis

_log = logging.getLogger(__name__)

AGAIN = 0.5
"""Seconds after which an axis that could not be stopped is tried to be stopped again."""

begun: list[Callable[[Move], object]] = []
"""Each is called with every move that begins in this process; it must not wait."""

__all__ = ["Motion", "Move", "begun", "run_plan"]


class _StoppedBeforeStart(BaseException):
    """Thrown into the hooks of a move that somebody stops before it has begun."""


class Move:
    """One or several motions that begin and end together."""

    def __init__(self, plan: Plan, pursuits: Sequence[Pursuit] = ()) -> None:
        """:param pursuits: how the motions are followed; by default each after its type."""
        self.motions = plan.motions
        self.axes = plan.axes
        self._pursuits = list(pursuits) or [pursuit_of(motion) for motion in plan.motions]
        self._began = time.monotonic()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._started = Event()
        self._done = Event()
        self._hooks = hooks_of_motions(plan.motions)
        self._hooking = Interruptible()
        self._is_under_way = self._has_begun = False
        self._stop_wanted = self._was_stopped = self._must_stop_again = False
        self._is_taking_up_play, self._may_take_up_play = False, True
        self._failure: BaseException | None = None
        self._failure_was_raised = False
        self._waiters = 0
        self._stops = StopsUnderWay()
        self.hearing = silence.Hearing(self.axes)

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def stop_wanted(self) -> bool:
        """Somebody has told it to stop."""
        return self._stop_wanted

    @property
    def was_stopped(self) -> bool:
        """Somebody called `stop`, and not all axes had arrived."""
        return self._was_stopped

    @property
    def jog(self) -> Jog | None:
        """How an axis turns that does so without end."""
        pursuit = self._pursuits[0]
        return pursuit if isinstance(pursuit, Jog) else None

    def start(self) -> None:
        """Start all axes, and return when they are started.

        :raises AxisFault: one of them moves already; nothing was started.
        :raises AlreadyLockedDevices: another session drives one of them; nothing was started.
        :raises Exception: what a hook or the controller raised; what had started was stopped.
        """
        self._claim = claim([motion.axis for motion in self.motions], "moving")
        try:
            for before in {axis.current_move for axis in self.axes if axis.current_move is not None}:
                before._wait_for_stops()
            for axis in self.axes:
                axis.refuse_if_moving()
        except BaseException:
            self._claim.release()
            raise
        for axis in self.axes:  # no switch to another greenlet between the check and here
            axis.current_move = self
            axis.settings.hold()
        self._tell_begun()
        silence.begin(self)
        self._greenlet = gevent.spawn(self._run)
        self._or_stop(self._started.wait)
        if self.done:
            self.wait()

    def _tell_begun(self) -> None:
        for tell in begun:
            try:
                tell(self)
            except Exception:  # noqa: BLE001 - who looks on is no reason not to move
                _log.exception("%r, told of the move of %s, failed", tell, ", ".join(map(name_of, self.axes)))

    def wait(self) -> None:
        """Return when all axes stand still; a waiter that is killed stops them and re-raises.

        :raises AxisFault: an axis failed, and all were stopped.
        """
        was_done = self.done
        self._or_stop(self._done.wait)
        if self._failure is not None and not (was_done and self._failure_was_raised):
            self._failure_was_raised = True
            raise self._failure

    def stop(self, *, dead: bool = False) -> None:
        """Ask all axes to stop; `wait` returns once they stand still.

        :param dead: do not even take up the play of those that have backlash.
        """
        if self.done:
            return
        if dead:
            self._may_take_up_play = False
        self._stop_wanted = True
        was_in_hooks = self._hooking.interrupt(_StoppedBeforeStart)
        if self._is_under_way and not was_in_hooks:
            try:
                with self._stops.one():
                    self._stop_axes()
            except BaseException:
                self._must_stop_again = True
                raise

    def turn(self, velocity: float, direction: int) -> bool:
        """Change the velocity (steps/s, > 0) and the direction of an axis that turns; return whether it does.

        One that is told to stop, or is braked before a limit in that direction, does not.
        """
        jog = self.jog
        if jog is None or not self._is_under_way or self._stop_wanted or self._failure is not None:
            return False
        if jog.is_braking and direction == jog.direction:
            return False
        before = (jog.velocity, jog.direction)
        jog.turn(velocity, direction)  # before it does: what looks at it meanwhile must not brake the other way
        try:
            jog.axis.controller.start_jog(jog.axis, velocity, direction)
        except BaseException:
            jog.turn(*before)
            raise
        return True

    def _or_stop(self, wait: Callable[[], Any]) -> None:
        self._waiters += 1
        try:
            wait()
        except BaseException:
            try:
                if not self._is_taking_up_play:
                    self.stop()
            except (Exception, gevent.Timeout) as failure:  # noqa: BLE001 - what killed the waiter is raised
                _log.warning("stopping failed, and is tried again: %s", failure)
            self._done.wait()
            raise
        finally:
            self._waiters -= 1

    # -- in its own greenlet ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._announce(moving=True)
            if self._hooks:
                self._hooking.make(self._run_hooks)
            self._go()
        except _StoppedBeforeStart:
            self._was_stopped = True
        except BaseException as failure:  # noqa: BLE001 - raised in those who wait
            self._fail(failure)
        finally:
            self._end()

    def _run_hooks(self) -> None:
        self._end_if_stopped()
        self.hearing.waits_for = f"the hooks of {silence.names_of(self.axes)}"
        self._hooks.before()
        self.hearing.waits_for = ""

    def _go(self) -> None:
        for motion in self.motions:
            self._end_if_stopped()
            motion.axis.about_to_move(motion)
        self._end_if_stopped()
        self._leg(self._pursuits)
        if second := self._second_leg():
            self._leg(second)
        self._was_stopped |= self._stop_wanted and not all(pursuit.arrived for pursuit in self._pursuits)
        for pursuit in self._pursuits:
            if pursuit.end is not None:
                pursuit.axis.check_encoder(pursuit.end)

    def _end_if_stopped(self) -> None:
        if self._stop_wanted:
            raise _StoppedBeforeStart

    def _leg(self, pursuits: list[Pursuit]) -> None:
        self._has_begun = True
        now = {pursuit.axis for pursuit in pursuits}
        self._pursuits = [*(each for each in self._pursuits if each.axis not in now), *pursuits]
        self._start_axes(pursuits)
        self._is_under_way = True
        self._started.set()
        if self._stop_wanted:
            self._stop_axes()
        self._follow(pursuits)
        self._is_under_way = False

    def _second_leg(self) -> list[Pursuit]:
        """Return what is left to do for the axes with backlash."""
        if not self._stop_wanted:
            ways = [(pursuit, pursuit.motion.dial_target_pos) for pursuit in self._pursuits if pursuit.motion.backlash]
        elif not self._may_take_up_play:
            return []
        else:
            self._was_stopped, self._stop_wanted, self._is_taking_up_play = True, False, True
            ways = [
                (pursuit, pursuit.axis.known_dial() + pursuit.motion.backlash / pursuit.axis.steps_per_unit)
                for pursuit in self._pursuits
                if pursuit.motion.backlash
            ]
        return [Pursuit(pursuit.motion.back_to(dial)) for pursuit, dial in ways]

    def _end(self) -> None:
        self._surely(self._wait_for_stops)
        self._surely(self._take_note_of_ends)
        if self.jog is not None and self._has_begun:
            self._surely(self.jog.axis.end_of_jog)
        self._surely(self._hooks.after)
        for axis in self.axes:
            axis.settings.let_go()
        self._claim.release()
        silence.end(self)
        if self._failure is not None and not self._waiters:
            _log.error("%s", _in_full(self._failure))
        self._done.set()
        self._started.set()
        self._announce(moving=False)

    def _wait_for_stops(self) -> None:
        self._stops.wait(driving.BRAKING_PATIENCE)

    def _surely(self, step: Callable[[], object]) -> None:
        """Whatever comes of a step, those after it are done, and who waits is told."""
        try:
            step()
        except BaseException as failure:  # noqa: BLE001 - raised in those who wait
            if self._failure is None:
                self._failure = failure
            else:
                self._failure.add_note(f"Afterwards: {type(failure).__name__}: {failure}")

    def _take_note_of_ends(self) -> None:
        ends = {pursuit.axis: pursuit.end for pursuit in self._pursuits}
        left = driving.where_left([axis for axis, end in ends.items() if end is None])
        for axis, end in ends.items():
            dial = left.get(axis) if end is None else end
            logger_of(axis).debug("stands at %s%s", dial, ", stopped" if end is None else "")
            self._surely(partial(axis.end_of_motion, dial, stopped=end is None))

    def _announce(self, moving: bool) -> None:
        for axis in self.axes:
            events.send(axis, AxisEvent.INTERNAL_MOVE_DONE, not moving)
            events.send(axis, AxisEvent.MOVE_DONE, not moving)
        if moving:
            for motion in self.motions:
                if (logger := logger_of(motion.axis)).isEnabledFor(logging.DEBUG):
                    logger.debug("%s", motion.user_msg)
                events.send(motion.axis, AxisEvent.MESSAGE, motion, make=lambda motion: motion.user_msg)

    def _start_axes(self, pursuits: Sequence[Pursuit]) -> None:
        driving.start(pursuits)

    def _stop_axes(self) -> None:
        driving.stop(self._pursuits)

    def _follow(self, pursuits: list[Pursuit]) -> None:
        while pursuits := self._not_over(pursuits):
            if self._must_stop_again:  # else it would go on to its target, because one telegram was lost
                self._must_stop_again = False
                self._stop_axes()
            gevent.sleep(self._pause(pursuits))

    def _not_over(self, pursuits: list[Pursuit]) -> list[Pursuit]:
        seen = driving.look_at(pursuits, self.hearing)
        return [pursuit for pursuit, dial, state in seen if not pursuit.is_over(dial, state, self._stop_wanted)]

    def _pause(self, moving: Sequence[Pursuit]) -> float:
        """Look often at first, so that a short move ends soon, and then at the axes' own rate."""
        polling_time = min(pursuit.axis.polling_time for pursuit in moving)
        return min(polling_time, max(0.001, (time.monotonic() - self._began) / 10))

    def _fail(self, failure: BaseException) -> None:
        """Stop what still moves, and wait until it stands still."""
        self._failure = failure
        if not self._has_begun:
            return
        tells_more = isinstance(failure, BlissLikeError) or hasattr(failure, "__notes__")
        if isinstance(failure, Exception) and not tells_more:  # of a driver, which names no axis
            failure.add_note(f"That came in the motion of {', '.join(map(name_of, self.axes))}, which was stopped.")
        self.hearing.waits_for = f"{silence.names_of(self.axes)} to stop"
        errors: list[BaseException] = []
        axes = [pursuit.axis for pursuit in self._pursuits]
        for step in (self._stop_axes, partial(driving.wait_until_still, axes)):  # that also when one cannot be told
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - the first failure is the one to raise
                errors.append(error)
        if errors:
            is_known = str(errors[0]) == str(failure) or all(
                isinstance(error, NotConnectedError) for error in (failure, errors[0])
            )
            why = "" if is_known else f": {str(errors[0]).removesuffix('.')}"
            failure.add_note(f"Stopping the axes failed too{why}. It is tried again until they stand still.")
            for axis in axes:
                gevent.spawn(self._stop_later, axis)

    def _stop_later(self, axis: Axis) -> None:
        """Stop an axis when its controller answers again, as nobody else would; until then, or until it is closed.

        Drivers on a `Line` let that insist on their stops, which is sooner, and before all else; others have only this.
        """
        was_stopped = False
        self._done.wait()
        while axis.current_move is self:
            try:
                if "MOVING" not in axis.read_state():
                    axis.sync_hard()  # where it is then, is where it was left
                    return
                if not was_stopped and axis.current_move is self:
                    with self._stops.one():
                        axis.controller.stop(axis)
                    was_stopped = True
                    _log.warning("%s: still moved after its motion had failed, and was stopped", name_of(axis))
                gevent.sleep(0.02)
            except (Exception, gevent.Timeout):  # noqa: BLE001 - it does not answer yet
                gevent.sleep(AGAIN)


def _in_full(failure: BaseException) -> str:
    """Return what a failure says, with what was noted of it; of one that is not ours, its kind too."""
    kind = "" if isinstance(failure, BlissLikeError) else f"{type(failure).__name__}: "
    return " ".join([f"{kind}{failure}", *getattr(failure, "__notes__", ())])


def run_plan(plan: Plan, wait: bool) -> None:
    """Start motions together and, with `wait`, return when all have arrived.

    :raises AxisStopped: somebody stopped them on their way.
    """
    if not plan.motions:
        return
    if any(axis.settings.is_shared for axis in plan.axes):
        motion_line.follow()
    move = Move(plan)
    move.start()
    if wait:
        move.wait()
        if move.was_stopped:
            raise AxisStopped(f"stopped: {', '.join(motion.errand for motion in plan.motions)}")
