"""Axes on their way: they start together, are followed until all have arrived, and all stop when one fails.

The polling greenlet belongs to the move and not to whoever waits, so that killing a waiter can never leave an axis
unattended. A waiter that is killed stops the axes first; killed again, it leaves without seeing them stand still.

A move has one or two legs. The second one comes back from beyond the targets, for the axes that have backlash; when the
first was stopped, it takes up the play where they stand, and only a `stop()` of its own, or a failure, ends it early.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event

from bliss_like.devices import events, motion_line
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.hooking import hooks_of_motions
from bliss_like.devices.interlock import claim
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import place
from bliss_like.devices.planning import Motion, Plan
from bliss_like.devices.pursuit import Jog, Pursuit, pursuit_of
from bliss_like.devices.reading import by_controller, finite, look, read_states, side_by_side
from bliss_like.errors import AxisFault, AxisStopped, BlissLikeError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)

BRAKING_PATIENCE = 10.0
"""Seconds that axes may take to stand still after a failure, before it is raised all the same."""

AGAIN = 0.5
"""Seconds after which an axis that could not be stopped is tried to be stopped again."""

__all__ = ["Motion", "Move", "run_plan"]


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
        self._in_hooks: Any = None
        self._is_under_way = self._has_begun = False
        self._stop_wanted = self._was_stopped = self._must_stop_again = False
        self._is_taking_up_play, self._may_take_up_play = False, True
        self._failure: BaseException | None = None
        self._failure_was_raised = False
        self._waiters = 0
        self._nstopping = 0
        self._stopped = Event()

    @property
    def done(self) -> bool:
        return self._done.is_set()

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
        self._greenlet = gevent.spawn(self._run)
        self._or_stop(self._started.wait)
        if self.done:
            self.wait()

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
        in_hooks, self._in_hooks = self._in_hooks, None  # they are told once
        if in_hooks is not None:
            in_hooks.kill(_StoppedBeforeStart, block=False)
        elif self._is_under_way:
            try:
                with self._stopping():
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
            self._run_hooks()
            self._go()
        except _StoppedBeforeStart:
            self._was_stopped = True
        except BaseException as failure:  # noqa: BLE001 - raised in those who wait
            self._fail(failure)
        finally:
            self._end()

    def _run_hooks(self) -> None:
        """Call them in a greenlet of their own: a stop interrupts them, and nothing that comes after them."""
        if not self._hooks:
            return
        failures: list[BaseException] = []

        def call() -> None:
            self._in_hooks = calling
            try:
                self._end_if_stopped()
                self._hooks.before()
            except BaseException as failure:  # noqa: BLE001 - raised below
                failures.append(failure)
            finally:
                self._in_hooks = None

        calling = gevent.spawn(call)
        try:
            calling.join()
        finally:
            calling.kill()
        if failures:
            raise failures[0]

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
        return [Pursuit(_to(pursuit.motion, dial)) for pursuit, dial in ways]

    def _end(self) -> None:
        self._surely(self._wait_for_stops)
        self._surely(self._take_note_of_ends)
        if self.jog is not None and self._has_begun:
            self._surely(self.jog.axis.end_of_jog)
        self._surely(self._hooks.after)
        for axis in self.axes:
            axis.settings.let_go()
        self._claim.release()
        if self._failure is not None and not self._waiters:
            _log.error("%s", _in_full(self._failure))
        self._done.set()
        self._started.set()
        self._announce(moving=False)

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """A stop is on its way to a controller."""
        self._nstopping += 1
        try:
            yield
        finally:
            self._nstopping -= 1
            self._stopped.set()

    def _wait_for_stops(self) -> None:
        """Wait for stops that are on their way to a controller: one that comes late would stop the next motion."""
        deadline = time.monotonic() + BRAKING_PATIENCE
        while self._nstopping and time.monotonic() < deadline:
            self._stopped.clear()
            self._stopped.wait(BRAKING_PATIENCE)

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
        left = _where_left([axis for axis, end in ends.items() if end is None])
        for axis, end in ends.items():
            self._surely(partial(axis.end_of_motion, left.get(axis) if end is None else end, stopped=end is None))

    def _announce(self, moving: bool) -> None:
        for axis in self.axes:
            events.send(axis, AxisEvent.INTERNAL_MOVE_DONE, not moving)
            events.send(axis, AxisEvent.MOVE_DONE, not moving)
        if moving:
            for motion in self.motions:
                events.send(motion.axis, AxisEvent.MESSAGE, motion, make=lambda motion: motion.user_msg)

    # -- the hardware ----------------------------------------------------------------------------------------------------

    def _start_axes(self, pursuits: Sequence[Pursuit]) -> None:
        motions = {pursuit.axis: pursuit.motion for pursuit in pursuits}
        starts: list[Callable[[], Any]] = []
        for controller, axes in by_controller(motions).items():
            group = [motions[axis] for axis in axes]
            if group[0].type == "move":
                controller.prepare_all(*group)
                starts.append(partial(controller.start_all, *group))
            else:
                starts.append(partial(controller.start_operation, group[0]))
        side_by_side(starts)  # all of them before any error: what starts after the others were stopped would run on

    def _stop_axes(self) -> None:
        """Stop every controller, also when another one fails to; then raise the first error."""
        motions = {pursuit.axis: pursuit.motion for pursuit in self._pursuits}
        stops: list[Callable[[], Any]] = []
        for controller, axes in by_controller(motions).items():
            group = [motions[axis] for axis in axes]
            stops.append(partial(controller.stop_jog, axes[0]) if self.jog else partial(controller.stop_all, *group))
        side_by_side(stops, to_the_end=True)

    def _follow(self, pursuits: list[Pursuit]) -> None:
        while pursuits := self._look(pursuits):
            if self._must_stop_again:  # else it would go on to its target, because one telegram was lost
                self._must_stop_again = False
                self._stop_axes()
            gevent.sleep(self._pause(pursuits))

    def _look(self, pursuits: list[Pursuit]) -> list[Pursuit]:
        """Return those that are not over.

        States are read last: an axis that is at its target and stands still afterwards has arrived, while one that stood
        still before may just have begun to move, and have reached its target without having come to rest there.
        """
        axes = [pursuit.axis for pursuit in pursuits]
        told = look(axes)
        moving = []
        for pursuit in pursuits:
            axis = pursuit.axis
            dial, state = told[axis]
            dial, state = finite(axis, axis.controller, dial), pursuit.state(axis.controller) or state
            axis.saw(dial, state)
            if not pursuit.is_over(dial, state, self._stop_wanted):
                moving.append(pursuit)
        return moving

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
        errors: list[BaseException] = []
        for step in (self._stop_axes, self._wait_until_still):  # that also when a controller cannot be told to stop
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - the first failure is the one to raise
                errors.append(error)
        if errors:
            failure.add_note(f"Stopping the axes failed too: {errors[0]}\nIt is tried again until they stand still.")
            for axis in [pursuit.axis for pursuit in self._pursuits]:
                gevent.spawn(self._stop_later, axis)

    def _wait_until_still(self) -> None:
        """:raises Exception: a controller does not answer, or its axes do not brake; those of the others stand still."""
        groups = by_controller(pursuit.axis for pursuit in self._pursuits).values()
        side_by_side([partial(self._wait_for, axes) for axes in groups])

    def _wait_for(self, axes: Sequence[Axis]) -> None:
        deadline = time.monotonic() + BRAKING_PATIENCE
        while any("MOVING" in state for state in read_states(axes).values()):
            if time.monotonic() > deadline:
                raise AxisFault(f"{', '.join(map(name_of, axes))}: told to stop, but still moving")
            gevent.sleep(0.01)

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
                    with self._stopping():
                        axis.controller.stop(axis)
                    was_stopped = True
                    _log.warning("%s: still moved when its controller answered again, and was stopped", name_of(axis))
                gevent.sleep(0.02)
            except (Exception, gevent.Timeout):  # noqa: BLE001 - it does not answer yet
                gevent.sleep(AGAIN)


def _where_left(axes: Sequence[Axis]) -> dict[Axis, float]:
    """Return where axes stand, in dial units, without those whose controller does not tell."""
    found: dict[Axis, float] = {}

    def ask(controller: MotorController, group: Sequence[Axis]) -> None:
        try:
            read, states = controller.read_dials_and_states(*group)
            dials = [finite(axis, controller, dial) for axis, dial in zip(group, read, strict=True)]
        except (Exception, gevent.Timeout):  # noqa: BLE001 - the motions have an end all the same
            _log.debug("%s: not known where its axes were left", controller.name, exc_info=True)
            return
        for axis, dial, state in zip(group, dials, states, strict=True):
            axis.saw(dial, state)
            if "MOVING" not in state:
                found[axis] = axis.shown(dial)

    side_by_side([partial(ask, *each) for each in by_controller(axes).items()])
    return found


def _in_full(failure: BaseException) -> str:
    """Return what a failure says, with what was noted of it; of one that is not ours, its kind too."""
    kind = "" if isinstance(failure, BlissLikeError) else f"{type(failure).__name__}: "
    return " ".join([f"{kind}{failure}", *getattr(failure, "__notes__", ())])


def _to(motion: Motion, dial: float) -> Motion:
    """Return the second leg of a motion, that ends at `dial`."""
    axis = motion.axis
    target = dial * axis.steps_per_unit
    return Motion(axis, axis.dial2user(dial), dial, target, motion.backlash)


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
            raise AxisStopped(f"stopped: {', '.join(map(_sent, plan.motions))}")


def _sent(motion: Motion) -> str:
    name = name_of(motion.axis)
    return (
        f"{name} on its way to {place(motion.axis, motion.user_target_pos)}"
        if motion.type == "move"
        else motion.user_msg
    )
