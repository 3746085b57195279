"""Axes on their way along trajectories: started together, followed until all have arrived, all stopped when one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices.move import Motion, Move, _failure_of, _Pursuit
from bliss_like.errors import AxisFault

if TYPE_CHECKING:
    from bliss_like.devices.motor_controller import MotorController
    from bliss_like.devices.trajectory import Trajectory

Call = Callable[..., Any]
"""A method of MotorController, called with the controller and its trajectories."""


def by_controller(trajectories: Sequence[Trajectory]) -> dict[MotorController, list[Trajectory]]:
    groups: dict[MotorController, list[Trajectory]] = {}
    for trajectory in trajectories:
        groups.setdefault(trajectory.axis.controller, []).append(trajectory)
    return groups


def call_all(call: Call, trajectories: Sequence[Trajectory]) -> None:
    """Call all controllers side by side, each with its trajectories; when all have returned, raise the first error."""
    calls = [
        gevent.spawn(_failure_of, call, controller, *own) for controller, own in by_controller(trajectories).items()
    ]
    gevent.joinall(calls)
    for failure in (each.get() for each in calls):
        if failure is not None:
            raise failure


class TrajectoryMove(Move):
    """One motion along trajectories, or to their first points."""

    def __init__(self, trajectories: Sequence[Trajectory], start: Call, point: int, polling_time: float | None) -> None:
        """:param trajectories: in steps.
        :param point: 0: to the first points; -1: along the trajectories, to the last."""
        super().__init__([_motion(each, point) for each in trajectories])
        self._trajectories = trajectories
        self._start = start
        self._polling_time = polling_time
        if point:
            self._pursuits = [
                _Follower(pursuit.motion, float(each.pvt["time"][-1]))
                for pursuit, each in zip(self._pursuits, trajectories, strict=True)
            ]

    def _start_axes(self) -> None:
        call_all(self._start, self._trajectories)

    def _stop_axes(self) -> None:
        call_all(lambda controller, *own: controller.stop_trajectory(*own), self._trajectories)

    def _pause(self, moving: Sequence[_Pursuit]) -> float:
        return self._polling_time or super()._pause(moving)


class _Follower(_Pursuit):
    """Follows an axis on a trajectory, which may go away from its end for a while."""

    def __init__(self, motion: Motion, duration: float) -> None:
        super().__init__(motion)
        self._duration = duration

    def is_over(self, stop_wanted: bool) -> bool:
        axis = self.motion.axis
        state, dial = axis.look()
        if "MOVING" not in state:
            self.arrived = axis.tolerance is None or abs(dial - self.motion.dial_target_pos) <= axis.nearness
            if stop_wanted or self.arrived:
                return True
            raise AxisFault(f"{self._whereabouts(dial)}: its state is {state}")
        if time.monotonic() - self._began > self._duration + axis.timeout:
            raise AxisFault(
                f"{self._whereabouts(dial)}: its trajectory takes {self._duration:g} s, but it still moves and was stopped"
            )
        return False


def _motion(trajectory: Trajectory, point: int) -> Motion:
    axis, steps = trajectory.axis, float(trajectory.pvt["position"][point])
    dial = steps / axis.steps_per_unit
    return Motion(axis, axis.dial2user(dial), dial, steps, steps - axis.dial * axis.steps_per_unit)
