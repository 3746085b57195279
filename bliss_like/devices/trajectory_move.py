"""Axes on their way along trajectories: started together, followed until all have arrived, all stopped when one fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.move import Move
from bliss_like.devices.planning import Motion, Plan
from bliss_like.devices.pursuit import STOPPED_SHORT, Pursuit
from bliss_like.devices.reading import side_by_side
from bliss_like.errors import AxisFault

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController
    from bliss_like.devices.trajectory import Trajectory

Call = Callable[..., Any]
"""Calls a method of a controller: with the controller, and its trajectories."""


def call_all(call: Call, trajectories: Sequence[Trajectory]) -> None:
    """Call the controllers of trajectories side by side, each with its own."""
    groups: dict[MotorController, list[Trajectory]] = {}
    for trajectory in trajectories:
        groups.setdefault(trajectory.axis.controller, []).append(trajectory)
    side_by_side([partial(call, controller, *own) for controller, own in groups.items()])


class TrajectoryMove(Move):
    """Axes on their way to the first points of their trajectories, or along them.

    :param trajectories: in steps.
    :param start: starts it, in the hardware.
    :param along: along the trajectories.
    :param others: axes that move by it, too: the pseudo axis that is made of these.
    """

    def __init__(self, trajectories: Sequence[Trajectory], start: Call, along: bool, others: Sequence[Axis]) -> None:
        motions = [_motion(each, along) for each in trajectories]
        plan = Plan(motions, [*(each.axis for each in trajectories), *others])
        super().__init__(
            plan, [_Follower(motion, each) for motion, each in zip(motions, trajectories, strict=True)] if along else ()
        )
        self._trajectories = trajectories
        self._start = start

    def _start_axes(self, pursuits: Sequence[Pursuit]) -> None:
        call_all(self._start, self._trajectories)

    def _stop_axes(self) -> None:
        call_all(lambda controller, *own: controller.stop_trajectory(*own), self._trajectories)


class _Follower(Pursuit):
    """Follows an axis along its trajectory, which may lead it away from its end for a while."""

    def __init__(self, motion: Motion, trajectory: Trajectory) -> None:
        super().__init__(motion)
        self._duration = float(trajectory.pvt["time"][-1])

    def is_over(self, dial: float, state: AxisState, stop_wanted: bool) -> bool:
        """:raises AxisFault: it stands still elsewhere than at its end, or moves for much longer than it should."""
        if "MOVING" not in state:
            self.arrived = self.axis.tolerance is None or abs(dial - self.target) <= self.axis.nearness
            if stop_wanted or self.arrived:
                return True
            if not self._stands_still():
                return False
            error = next((error for name, error in STOPPED_SHORT.items() if name in state), AxisFault)
            raise error(f"{self._whereabouts(dial)}: its state is {state}")
        if time.monotonic() - self._began > self._duration + self.axis.timeout:
            raise AxisFault(
                f"{self._whereabouts(dial)}: its trajectory takes {self._duration:g} s, but it still moves and was stopped"
            )
        return False


def _motion(trajectory: Trajectory, along: bool) -> Motion:
    axis, steps = trajectory.axis, float(trajectory.pvt["position"][-1 if along else 0])
    dial = steps / axis.steps_per_unit
    delta = steps - axis.dial * axis.steps_per_unit
    return Motion(axis, float(axis.dial2user(dial)), dial, steps, delta, type="trajectory" if along else "move")
