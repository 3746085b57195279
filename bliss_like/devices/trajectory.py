"""Trajectories: positions of axes over time that the hardware follows by itself, given as points (PVT).

    points = np.array([(0, 0, 0), (1, 2, 1), (2, 0, 2)], dtype=PVT)      # position, velocity, time; user units and seconds
    group = TrajectoryGroup(Trajectory(robx, points))
    group.prepare()
    group.move_to_start()
    group.move_to_end()

Between two points the position is the cubic polynomial that has the velocities of both. The limits are checked along it,
before anything is loaded. Names are those of BLISS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bliss_like.devices import motion_line
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.interlock import claimed
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief, number, place
from bliss_like.devices.planning import Calculating, is_pseudo
from bliss_like.devices.pvt import PVT, Points, check_law, checked_points
from bliss_like.devices.trajectory_move import Call, TrajectoryMove, call_all
from bliss_like.errors import AxisFault, AxisStopped, DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.axis_state import AxisState

__all__ = ["PVT", "CyclicTrajectory", "Trajectory", "TrajectoryGroup", "trajectory_of"]

Positions = NDArray[np.float64]


class Trajectory:
    """Points that one axis passes at given times with given velocities.

    :param pvt: shape (points,), fields `position`, `velocity` (user units) and `time` (seconds, increasing).
    :raises ValueError: fewer than two points, other fields, times that do not increase, or what is not finite.
    """

    def __init__(self, axis: Axis, pvt: ArrayLike) -> None:
        self.axis = axis
        self._pvt = checked_points(axis, pvt)
        self._events_positions: Points = np.empty(0, dtype=PVT)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.axis.name}: {len(self.pvt)} points, {self.pvt['time'][-1]:g} s>"

    @property
    def pvt(self) -> Points:
        return self._pvt

    @property
    def events_positions(self) -> Points:
        """Where the hardware is to give pulses, in the order in which they are passed; fields as `pvt`."""
        return self._events_positions

    @events_positions.setter
    def events_positions(self, events: ArrayLike) -> None:
        self._events_positions = checked_points(self.axis, events, at_least=0)

    def has_events(self) -> bool:
        return len(self.events_positions) > 0

    def convert_to_dial(self) -> Trajectory:
        """Return the same trajectory in dial units."""
        return self._scaled(self.axis.user2dial, 1 / self.axis.sign)

    def convert_to_steps(self) -> Trajectory:
        """Return a trajectory that is in dial units in steps."""
        steps = self.axis.steps_per_unit
        return self._scaled(lambda position: position * steps, steps)

    def _scaled(self, position: Callable[[Any], Any], velocity: float) -> Trajectory:
        scaled = Trajectory(self.axis, self.pvt)
        scaled._pvt, scaled._events_positions = self.pvt.copy(), self.events_positions.copy()
        for points in (scaled._pvt, scaled._events_positions):
            points["position"] = position(points["position"])
            points["velocity"] *= velocity
        return scaled


class CyclicTrajectory(Trajectory):
    """A pattern of points that is repeated: each cycle begins where the one before has ended.

    :param pvt: of one cycle; its positions are counted from `origin`.
    """

    def __init__(self, axis: Axis, pvt: ArrayLike, nb_cycles: int = 1, origin: float = 0) -> None:
        """:raises ValueError: as for `Trajectory`; a pattern whose end has another velocity than its beginning."""
        super().__init__(axis, pvt)
        what = f"trajectory of {name_of(axis)}"
        if number(what, nb_cycles, "nb_cycles") < 1 or int(nb_cycles) != nb_cycles:
            raise ValueError(f"{what}: nb_cycles must be a whole number from 1 on, got {nb_cycles!r}")
        self.nb_cycles = int(nb_cycles)
        self.origin = number(what, origin, "origin")
        first, last = self._pvt[0], self._pvt[-1]
        if first["velocity"] != last["velocity"]:
            raise ValueError(
                f"trajectory of {axis.name}: a pattern that is repeated must end with the velocity that it begins with, got "
                f"{first['velocity']:g} at its beginning and {last['velocity']:g} at its end"
            )

    @property
    def pvt_pattern(self) -> Points:
        """The points of one cycle."""
        return self._pvt

    @property
    def is_closed(self) -> bool:
        """Whether a cycle ends where it has begun."""
        return bool(self._pvt[0]["position"] == self._pvt[-1]["position"])

    @property
    def pvt(self) -> Points:
        """The points of all cycles."""
        return np.concatenate([cycle[1:] if count else cycle for count, cycle in enumerate(self._cycles(self._pvt))])

    @property
    def events_pattern_positions(self) -> Points:
        """Where pulses are to be given in one cycle, counted from `origin`."""
        return self._events_positions

    @events_pattern_positions.setter
    def events_pattern_positions(self, events: ArrayLike) -> None:
        self._events_positions = checked_points(self.axis, events, at_least=0)

    @property
    def events_positions(self) -> Points:
        """Where pulses are to be given, in all cycles."""
        return np.concatenate(list(self._cycles(self._events_positions)))

    @events_positions.setter
    def events_positions(self, events: ArrayLike) -> None:
        raise ValueError(
            f"trajectory of {self.axis.name} has cycles: set events_pattern_positions, the events of one cycle"
        )

    def _cycles(self, points: Points) -> Iterator[Points]:
        first, last = self._pvt[0], self._pvt[-1]
        for count in range(self.nb_cycles):
            cycle = points.copy()
            cycle["position"] += self.origin + count * (last["position"] - first["position"])
            cycle["time"] += count * (last["time"] - first["time"])
            yield cycle


class TrajectoryGroup:
    """Trajectories that are run together.

    :param calc_axis: the pseudo axis whose motion they make, if they do.
    """

    def __init__(self, *trajectories: Trajectory, calc_axis: Axis | None = None) -> None:
        """:raises ValueError: none at all, or two of one axis.
        :raises DeviceError: the hardware of an axis does not know trajectories."""
        self.calc_axis = calc_axis
        self._disabled: set[Axis] = set()
        self._prepared: object = None
        self.trajectories = trajectories

    def __repr__(self) -> str:
        return f"TrajectoryGroup({', '.join(axis.name for axis in self.axes)})"

    @property
    def trajectories(self) -> list[Trajectory]:
        """Of all axes, also of those that are disabled; may be set."""
        return self._trajectories

    @trajectories.setter
    def trajectories(self, trajectories: Sequence[Trajectory]) -> None:
        wrong = [each for each in trajectories if not isinstance(each, Trajectory)]
        if wrong:
            raise ValueError(
                f"expected trajectories, as in TrajectoryGroup(Trajectory(axis, points)), got {brief(wrong[0])}"
            )
        axes = [each.axis for each in trajectories]
        if not axes or len(set(axes)) != len(axes):
            names = ", ".join(axis.name for axis in axes) or "none"
            raise ValueError(f"expected trajectories, one for each axis, got {names}")
        for axis in axes:
            if not axis.controller.has_trajectory():
                raise DeviceError(
                    f"{name_of(axis)}: its controller {axis.controller.name}, a {type(axis.controller).__name__}, cannot follow "
                    f"trajectories. Move the axis step by step, as in ascan"
                )
        self._trajectories = list(trajectories)
        self._disabled &= set(axes)

    @property
    def axes(self) -> list[Axis]:
        return [each.axis for each in self._trajectories]

    @property
    def disabled_axes(self) -> set[Axis]:
        """The axes that stay where they are."""
        return set(self._disabled)

    def disable_axis(self, axis: Axis) -> None:
        """Leave an axis where it is, in the next motions.

        :raises ValueError: it is not of this group, or the last one.
        """
        if self._disabled | {self._own(axis)} == set(self.axes):
            raise ValueError(f"{axis.name} is the last axis of {self} that is not disabled: nothing would move")
        self._disabled.add(axis)

    def enable_axis(self, axis: Axis) -> None:
        """Undo `disable_axis`."""
        self._disabled.discard(self._own(axis))

    def _own(self, axis: Axis) -> Axis:
        if axis not in self.axes:
            named = getattr(axis, "name", brief(axis))
            raise ValueError(f"{named}: not in this group of {', '.join(own.name for own in self.axes)}")
        return axis

    # -- what is run ---------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Check all trajectories and load them into the hardware; nothing moves.

        :raises AxisLimitError: one of them leaves the limits of its axis, or is too fast for it; nothing was loaded.
        :raises AxisFault: an axis is moving.
        """
        for trajectory in self._enabled():
            check_law(trajectory.axis, trajectory.pvt)
            if trajectory.has_events() and not trajectory.axis.controller.has_trajectory_event():
                raise DeviceError(
                    f"{name_of(trajectory.axis)}: its controller {trajectory.axis.controller.name} gives no pulses along trajectories; "
                    f"leave out its events_positions"
                )
        with claimed([each.axis for each in self._enabled()], f"preparing {self}"):
            for trajectory in self._enabled():
                trajectory.axis.refuse_if_moving()
                trajectory.axis.make_ready(again=True)
            self._prepared = None
            self._steps = [each.convert_to_dial().convert_to_steps() for each in self._enabled()]
            call_all(lambda controller, *own: controller.prepare_trajectory(*own), self._steps)
            with_events = [each for each in self._steps if each.has_events()]
            call_all(lambda controller, *own: controller.set_trajectory_events(*own), with_events)
        self._prepared = self._scales()

    def move_to_start(self, wait: bool = True, polling_time: float | None = None) -> None:
        """Move all axes to their first points, each with its own velocity."""
        self._run(lambda controller, *own: controller.move_to_trajectory(*own), False, wait, polling_time)

    def move_to_end(self, wait: bool = True, polling_time: float | None = None) -> None:
        """Run the trajectories.

        :raises AxisFault: an axis is not at its first point, is not ready, or failed; then all were stopped.
        :raises AxisStopped: somebody stopped an axis (only with `wait`).
        """
        self._run(lambda controller, *own: controller.start_trajectory(*own), True, wait, polling_time)

    def stop(self, wait: bool = True) -> None:
        """Brake; no error when all stand still."""
        self._group.stop(wait)

    def wait_move(self) -> None:
        """Return when all axes stand still; a waiter that is killed stops them."""
        self._group.wait_move()

    @property
    def state(self) -> AxisState:
        """MOVING when one of them moves; READY only when all are."""
        return self._group.state

    @property
    def is_moving(self) -> bool:
        return self._group.is_moving

    def _run(self, start: Call, along: bool, wait: bool, polling_time: float | None) -> None:
        axes = [each.axis for each in self._enabled()]
        with claimed(axes, f"moving {self}"):
            if self._prepared != self._scales():
                self.prepare()
            for trajectory in self._enabled():
                trajectory.axis.refuse_if_moving()
                trajectory.axis.check_ready(trajectory.axis.dial, trajectory.axis.read_state())
                if along:
                    _check_start(trajectory)
                if polling_time is not None:
                    trajectory.axis.polling_time = polling_time
            move = TrajectoryMove(self._steps, start, along, [self.calc_axis] if self.calc_axis else [])
            if any(axis.settings.is_shared for axis in axes):
                motion_line.follow()
            move.start()
            if wait:
                move.wait()
                if move.was_stopped:
                    raise AxisStopped(f"stopped on its way: {self}")

    def _enabled(self) -> list[Trajectory]:
        return [each for each in self._trajectories if each.axis not in self._disabled]

    @property
    def _group(self) -> AxisGroup:
        return AxisGroup(*(each.axis for each in self._enabled()))

    def _scales(self) -> object:
        """What the loaded trajectories depend on."""
        return [(each, each.axis.offset, each.axis.sign, each.axis.steps_per_unit) for each in self._enabled()]


def _check_start(trajectory: Trajectory) -> None:
    """:raises AxisFault: the axis is not where its trajectory begins."""
    axis, first = trajectory.axis, trajectory.pvt["position"][0]
    if abs(axis.position - first) > axis.nearness:
        raise AxisFault(
            f"{name_of(axis)} is at {place(axis, axis.position)}, but its trajectory begins at {place(axis, first)}: call move_to_start() before"
        )


def trajectory_of(
    calc_axis: Axis, start: float, stop: float, npoints: int, time_per_point: float, interpolation_factor: int = 1
) -> TrajectoryGroup:
    """Return the trajectories of the real axes that move a pseudo axis from `start` to `stop` with a constant velocity.

    The way takes npoints * time_per_point seconds; before it and after it all real axes accelerate and brake in the same time.

    :param interpolation_factor: nodes of the real axes' trajectories for each point.
    :raises ValueError: fewer than two points, or no time.
    """
    start, stop = number(calc_axis, start, "start"), number(calc_axis, stop, "stop")
    nodes = int(number(calc_axis, npoints, "npoints")) * int(
        number(calc_axis, interpolation_factor, "interpolation_factor")
    )
    if nodes < 2 or not number(calc_axis, time_per_point, "time_per_point") > 0:
        raise ValueError(
            f"{name_of(calc_axis)}: expected at least 2 points and a time_per_point > 0 s, got {npoints} and {time_per_point}"
        )
    times = np.linspace(0, npoints * time_per_point, nodes)
    targets = {
        axis: np.broadcast_to(positions, nodes)
        for axis, positions in _of_reals({calc_axis: np.linspace(start, stop, nodes)}).items()
    }
    if not targets:
        raise ValueError(f"{name_of(calc_axis)}: no real axis moves between {start:g} and {place(calc_axis, stop)}")
    velocities = {axis: _slope(positions, times) for axis, positions in targets.items()}
    ramps = [
        max(*(abs(velocities[axis][node]) / axis.acceleration for axis in targets), time_per_point / 10)
        for node in (0, -1)
    ]
    return TrajectoryGroup(
        *(Trajectory(axis, _with_ramps(targets[axis], velocities[axis], times, *ramps)) for axis in targets),
        calc_axis=calc_axis,
    )


def _of_reals(targets: dict[Axis, Positions]) -> dict[Axis, Positions]:
    """Return the positions of real axes that make those of pseudo axes."""
    for axis, positions in targets.items():
        if is_pseudo(axis):
            calculating = cast(Calculating, axis.controller)
            others = {other: its for other, its in targets.items() if other is not axis}
            return _of_reals({**others, **calculating.real_targets({axis: positions})})
    return targets


def _slope(positions: Positions, times: Positions) -> Positions:
    slope: Positions = np.gradient(positions, times, edge_order=2 if len(times) > 2 else 1)
    return slope


def _with_ramps(
    positions: Positions,
    velocities: Positions,
    times: Positions,
    before: float,
    after: float,
) -> Points:
    """Return points that begin and end at rest, with constant accelerations for so many seconds before and after."""
    points = np.zeros(len(times) + 2, dtype=PVT)
    points["position"][1:-1], points["velocity"][1:-1], points["time"][1:-1] = positions, velocities, times + before
    points["position"][0] = positions[0] - velocities[0] * before / 2
    points["position"][-1] = positions[-1] + velocities[-1] * after / 2
    points["time"][-1] = points["time"][-2] + after
    return points
