"""Axes on their way: they start together, are followed until all have arrived, and all stop when one fails.

The polling greenlet belongs to the move and not to whoever waits, so that killing a waiter can never leave an axis
unattended. A waiter that is killed stops the axes first; killed again, it leaves without seeing them stand still.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event

from bliss_like.devices import events
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.interlock import claim
from bliss_like.devices.naming import name_of
from bliss_like.errors import AxisFault, AxisStopped

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController

_log = logging.getLogger(__name__)

STOPPED_SHORT = ("FAULT", "LIMPOS", "LIMNEG", "OFF", "DISABLED")
"""States in which an axis that stands away from its target will not get there by waiting."""

BRAKING_PATIENCE = 10.0
"""Seconds that axes may take to stand still after a failure, before it is raised all the same."""


@dataclass(frozen=True)
class Motion:
    """Where one axis is sent; the controller reads `target_pos` and `delta`, which are in its own units (steps)."""

    axis: Axis
    user_target_pos: float
    dial_target_pos: float
    target_pos: float
    delta: float


class Move:
    """One or several motions that begin and end together."""

    def __init__(self, motions: Sequence[Motion]) -> None:
        self._pursuits = [_Pursuit(motion) for motion in motions]
        self._began = time.monotonic()
        self._started = Event()
        self._done = Event()
        self._stop_wanted = False
        self._failure: BaseException | None = None
        self._failure_was_raised = False
        self._waiters = 0

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def was_stopped(self) -> bool:
        """Somebody called `stop`, and not all axes had arrived."""
        return self._stop_wanted and not all(pursuit.arrived for pursuit in self._pursuits)

    def start(self) -> None:
        """Start all axes, and return when they are started.

        :raises AxisFault: one of them moves already; nothing was started.
        :raises AlreadyLockedDevices: another session drives one of them; nothing was started.
        :raises Exception: what the controller raised; what had started was stopped.
        """
        self._claim = claim([pursuit.motion.axis for pursuit in self._pursuits], "moving")
        try:
            for pursuit in self._pursuits:
                pursuit.motion.axis.refuse_if_moving()
        except BaseException:
            self._claim.release()
            raise
        for pursuit in self._pursuits:  # no switch to another greenlet between the check and here
            pursuit.motion.axis.current_move = self
        gevent.spawn(self._run)
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

    def stop(self) -> None:
        """Ask all axes to stop; `wait` returns once they stand still."""
        if self.done:
            return
        self._stop_wanted = True
        if self._started.is_set():
            self._stop_axes()

    def _or_stop(self, wait: Callable[[], Any]) -> None:
        self._waiters += 1
        try:
            wait()
        except BaseException:
            try:
                self.stop()
            except Exception:  # noqa: BLE001 - what killed the waiter is raised, not what followed from it
                _log.exception("stopping failed")
            self._done.wait()
            raise
        finally:
            self._waiters -= 1

    def _run(self) -> None:
        try:
            self._announce(moving=True)
            self._start_axes()
            self._started.set()
            if self._stop_wanted:
                self._stop_axes()
            self._follow()
        except BaseException as failure:  # noqa: BLE001 - raised in those who wait
            self._failure = failure
            self._rescue(failure)
            if not self._waiters:
                _log.error("%s", failure)
        finally:
            for pursuit in self._pursuits:
                pursuit.motion.axis.end_of_motion(pursuit.motion if pursuit.arrived else None)
            self._claim.release()
            self._done.set()
            self._started.set()
            self._announce(moving=False)

    def _announce(self, moving: bool) -> None:
        for pursuit in self._pursuits:
            events.send(pursuit.motion.axis, AxisEvent.MOVE_DONE, not moving)

    def _by_controller(self) -> dict[MotorController, list[Motion]]:
        groups: dict[MotorController, list[Motion]] = {}
        for pursuit in self._pursuits:
            groups.setdefault(pursuit.motion.axis.controller, []).append(pursuit.motion)
        return groups

    def _start_axes(self) -> None:
        groups = self._by_controller()
        for controller, motions in groups.items():
            controller.prepare_all(*motions)
        if len(groups) == 1:
            controller.start_all(*motions)
            return
        starts = [gevent.spawn(_failure_of, controller.start_all, *motions) for controller, motions in groups.items()]
        gevent.joinall(starts)  # all of them before any error: what starts after the others were stopped would run on
        for start in starts:
            failure = start.get()
            if failure is not None:
                raise failure

    def _stop_axes(self) -> None:
        """Stop every controller, also when another one fails to; then raise the first error."""
        first: Exception | None = None
        for controller, motions in self._by_controller().items():
            try:
                controller.stop_all(*motions)
            except Exception as error:  # noqa: BLE001 - the other controllers must be stopped whatever it is
                first = first or error
        if first is not None:
            raise first

    def _follow(self) -> None:
        moving = self._pursuits
        while moving := [pursuit for pursuit in moving if not pursuit.is_over(self._stop_wanted)]:
            gevent.sleep(self._pause(moving))

    def _pause(self, moving: Sequence[_Pursuit]) -> float:
        """Look often at first, so that a short move ends soon, and then at the axes' own rate."""
        polling_time = min(pursuit.motion.axis.polling_time for pursuit in moving)
        return min(polling_time, max(0.001, (time.monotonic() - self._began) / 10))

    def _rescue(self, failure: BaseException) -> None:
        """Stop what still moves, and wait until it stands still."""
        try:
            self._stop_axes()
            deadline = time.monotonic() + BRAKING_PATIENCE
            while any("MOVING" in pursuit.motion.axis.read_state() for pursuit in self._pursuits):
                if time.monotonic() > deadline:
                    failure.add_note("The axes were told to stop, but still move.")
                    return
                gevent.sleep(0.01)
        except Exception as error:  # noqa: BLE001 - the first failure is the one to raise
            failure.add_note(f"Stopping the axes failed too: {error}")


def _failure_of(call: Callable[..., Any], *args: Any) -> Exception | None:
    """Return what a call raises: gevent would print what a greenlet raises."""
    try:
        call(*args)
    except Exception as failure:  # noqa: BLE001 - raised by the move
        return failure
    return None


def run_motions(motions: Sequence[Motion], wait: bool) -> None:
    """Start motions together and, with `wait`, return when all have arrived.

    :raises AxisStopped: somebody stopped them on their way.
    """
    if not motions:
        return
    move = Move(motions)
    move.start()
    if wait:
        move.wait()
        if move.was_stopped:
            where = ", ".join(f"{name_of(m.axis)} on its way to {m.user_target_pos:g}" for m in motions)
            raise AxisStopped(f"stopped: {where}")


class _Pursuit:
    """Follows one motion, and gives up when the axis comes no nearer to its target for `axis.timeout` seconds."""

    def __init__(self, motion: Motion) -> None:
        self.motion = motion
        self.arrived = False
        self._began = self._last_progress = time.monotonic()
        self._nearest = math.inf

    def is_over(self, stop_wanted: bool) -> bool:
        """Look at the axis once.

        :raises AxisFault: it stopped short, or comes no nearer.
        """
        axis, target = self.motion.axis, self.motion.dial_target_pos
        state, dial = axis.look()
        away = abs(dial - target)
        if "MOVING" not in state:
            self.arrived = axis.tolerance is None or away <= axis.nearness
            if stop_wanted or self.arrived:
                return True
            if any(name in state for name in STOPPED_SHORT):
                raise AxisFault(f"{self._whereabouts(dial)}: its state is {state}")
        now = time.monotonic()
        if away < self._nearest:
            self._nearest, self._last_progress = away, now
        elif now - self._last_progress > axis.timeout:
            raise AxisFault(
                f"{self._whereabouts(dial)}: it came no nearer for {axis.timeout:g} s and was stopped. "
                f"Its state was {state}. If it is only slow, raise `timeout` in its configuration"
            )
        return False

    def _whereabouts(self, dial: float) -> str:
        axis = self.motion.axis
        unit = f" {axis.unit}" if axis.unit else ""
        return (
            f"{name_of(axis)} did not arrive: it is at {axis.dial2user(dial):g}{unit} and should be at "
            f"{self.motion.user_target_pos:g}{unit}, {time.monotonic() - self._began:.1f} s after its start"
        )
