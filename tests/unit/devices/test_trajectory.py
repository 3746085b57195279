"""Trajectories of simulated axes: true between their points, checked before they are loaded, stopped together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gevent
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bliss_like.controllers.calc.energy_wavelength import EnergyWavelength
from bliss_like.devices.axis import Axis
from bliss_like.devices.motion_hook import MotionHook
from bliss_like.devices.planning import Motion
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.devices.trajectory import PVT, CyclicTrajectory, Trajectory, TrajectoryGroup, trajectory_of
from bliss_like.errors import AxisFault, AxisLimitError, AxisOnLimitError, AxisStopped, DeviceError, UserAbort
from tests.unit.devices.calc import calc
from tests.unit.devices.making import make_axis

FAST = {"velocity": 100.0, "acceleration": 10000.0}


def points(*rows: tuple[float, float, float]) -> NDArray[np.void]:
    """Rows of position, velocity, time."""
    return np.array(list(rows), dtype=PVT)


def hermite(pvt: NDArray[np.void], when: float) -> float:
    """The cubic through two points with two slopes, as in textbooks."""
    if when <= pvt["time"][0]:
        return float(pvt["position"][0])
    if when >= pvt["time"][-1]:
        return float(pvt["position"][-1])
    node = int(np.searchsorted(pvt["time"], when, side="right")) - 1
    (p0, v0, t0), (p1, v1, t1) = pvt[node], pvt[node + 1]
    dt = t1 - t0
    s = (when - t0) / dt
    return float(
        (2 * s**3 - 3 * s**2 + 1) * p0
        + (s**3 - 2 * s**2 + s) * dt * v0
        + (3 * s**2 - 2 * s**3) * p1
        + (s**3 - s**2) * dt * v1
    )


WAVE = points((1, 0, 0), (2, 10, 0.05), (1.5, -10, 0.1), (3, 0, 0.2))


@pytest.fixture
def robx() -> Axis:
    return make_axis(steps_per_unit=-500, sign=-1, **FAST)


def test_the_axis_follows_the_polynomial(robx: Axis) -> None:
    robx.offset = 0.5
    group = TrajectoryGroup(Trajectory(robx, WAVE))
    group.prepare()
    group.move_to_start()
    assert robx.position == pytest.approx(1)
    began = time.monotonic()
    group.move_to_end(wait=False)
    started = time.monotonic()
    seen = 0
    while group.is_moving:
        before = time.monotonic() - started
        position = robx.position
        after = time.monotonic() - began
        possible = [hermite(WAVE, when) for when in np.linspace(before, after, 200)]
        assert min(possible) - 0.02 <= position <= max(possible) + 0.02
        seen += 1
        gevent.sleep(0.002)
    group.wait_move()
    assert seen > 10
    assert time.monotonic() - began >= 0.2
    assert robx.position == pytest.approx(3) and "READY" in group.state


def test_it_prepares_itself_and_again_when_scales_change(robx: Axis) -> None:
    group = TrajectoryGroup(Trajectory(robx, WAVE))
    group.move_to_start()
    robx.offset += 1
    group.move_to_start()
    assert robx.position == pytest.approx(1)


def test_axes_of_several_controllers_run_together(robx: Axis) -> None:
    other = make_axis("other", **FAST)
    still = make_axis("still", **FAST)
    group = TrajectoryGroup(*(Trajectory(axis, WAVE) for axis in (robx, other, still)))
    for trajectory in group.trajectories:
        trajectory.events_positions = WAVE[1:2]
    group.disable_axis(still)
    assert (group.axes, group.disabled_axes) == ([robx, other, still], {still})
    group.prepare()
    group.move_to_start()
    group.move_to_end(wait=False)
    assert robx.is_moving and other.is_moving and not still.is_moving
    group.wait_move()
    passed = [axis.controller.pulses(axis)[0][0] for axis in (robx, other)]  # type: ignore[attr-defined]
    assert abs(passed[0] - passed[1]) < 0.1
    assert (robx.position, other.position, still.position) == (pytest.approx(3), pytest.approx(3), 0)
    still.jog(1)
    group.stop()
    assert not group.is_moving and still.is_moving
    still.stop()
    still.move(0)
    group.disable_axis(robx)
    with pytest.raises(ValueError, match="other is the last axis of TrajectoryGroup.* that is not disabled"):
        group.disable_axis(other)
    group.enable_axis(robx)
    group.enable_axis(still)
    group.move_to_start()
    assert still.position == 1
    with pytest.raises(ValueError, match="stranger: not in this group of robx, other, still"):
        group.disable_axis(make_axis("stranger"))


@pytest.mark.parametrize("error", [UserAbort, gevent.GreenletExit, gevent.Timeout])
@pytest.mark.parametrize("step", ["start", "end"])
def test_killed_at_any_step_all_axes_stand_still(step: str, error: type[BaseException]) -> None:
    slow, other = (
        make_axis(name, velocity=20, acceleration=200, initial_position=-5 if step == "start" else 0)
        for name in ("slow", "other")
    )
    group = TrajectoryGroup(*(Trajectory(axis, points((0, 0, 0), (10, 0, 2))) for axis in (slow, other)))
    moving = gevent.spawn(group.move_to_start if step == "start" else group.move_to_end)
    began = slow.position
    with gevent.Timeout(5):
        while abs(slow.position - began) < 0.1:
            gevent.sleep(0.001)
    moving.kill(error, timeout=5)
    assert not slow.is_moving and not other.is_moving
    assert slow.position != 10 and other.position not in (0, 10)
    with pytest.raises(AxisFault, match=r"but its trajectory begins at 0: call move_to_start\(\) before"):
        group.move_to_end()
    slow.move(1)


def test_a_stop_brakes_and_tells_who_waits() -> None:
    slow, other = (make_axis(name, velocity=20, acceleration=200) for name in ("slow", "other"))
    group = TrajectoryGroup(*(Trajectory(axis, points((0, 0, 0), (10, 0, 2))) for axis in (slow, other)))
    moving = gevent.spawn(group.move_to_end)
    with gevent.Timeout(5):
        while other.position < 0.1:
            gevent.sleep(0.001)
    slow.stop()
    assert not group.is_moving
    assert 0.1 < other.position < 5
    with pytest.raises(AxisStopped, match=r"stopped on its way: TrajectoryGroup\(slow, other\)"):
        moving.get(timeout=1)


def test_one_that_does_not_start_stops_all() -> None:
    fine, dead = make_axis("fine", **FAST), make_axis("dead", **FAST)
    group = TrajectoryGroup(*(Trajectory(axis, points((0, 0, 0), (10, 0, 2))) for axis in (fine, dead)))
    group.prepare()
    dead.controller.faults[dead] = "start"  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match="dead: simulated fault"):
        group.move_to_end()
    assert not fine.is_moving and fine.position < 1


def test_a_controller_that_is_gone_in_motion_is_a_failure_and_stops_the_others() -> None:
    fine, gone = make_axis("fine", **FAST), make_axis("gone", **FAST)
    group = TrajectoryGroup(*(Trajectory(axis, points((0, 0, 0), (10, 0, 2))) for axis in (fine, gone)))
    group.prepare()
    gone.controller.unplug(after=0.05)  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match="gone_motors: simulated fault, the controller does not answer"):
        group.move_to_end()
    gone.controller.plug_in()  # type: ignore[attr-defined]
    assert not fine.is_moving and fine.position < 5
    gone.stop()


class Brake(MotionHook):
    """Notes what it is told; may veto."""

    vetoes = False

    def __init__(self) -> None:
        super().__init__("brake", None)
        self.told: list[str] = []

    def pre_move(self, motion_list: Sequence[Motion]) -> None:
        self.told += [f"before {motion.axis.name} {motion.type} {motion.user_target_pos:g}" for motion in motion_list]
        if self.vetoes:
            raise RuntimeError("the brake is stuck")

    def post_move(self, motion_list: Sequence[Motion]) -> None:
        self.told += [f"after {motion.axis.name}" for motion in motion_list]


def test_hooks_are_told_and_may_veto(robx: Axis) -> None:
    brake = Brake()
    robx.motion_hooks.append(brake)
    group = TrajectoryGroup(Trajectory(robx, WAVE))
    group.prepare()
    assert brake.told == []
    group.move_to_start()
    group.move_to_end()
    assert brake.told == ["before robx move 1", "after robx", "before robx trajectory 3", "after robx"]
    brake.vetoes = True
    with pytest.raises(RuntimeError, match="the brake is stuck"):
        group.move_to_start()
    assert robx.position == 3 and brake.told[-1] == "after robx"


def test_an_axis_that_fails_on_its_way_stops_all() -> None:
    fine = make_axis("fine", velocity=20, acceleration=200)
    ends = make_axis("ends", velocity=20, acceleration=200, hard_high_limit=2)
    group = TrajectoryGroup(*(Trajectory(axis, points((0, 0, 0), (10, 0, 2))) for axis in (fine, ends)))
    with pytest.raises(AxisOnLimitError, match="ends did not arrive: it is at 2 and should be at 10, .*LIMPOS"):
        group.move_to_end()
    assert not fine.is_moving and 2 < fine.position < 6


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [(0, 0, 0), (1, -5, 1), (0, 0, 2)],
            r"the position 1.548 is above its high limit 1.2; .*, between nodes 0 and 1 of its trajectory \(0.7\d* s\)",
        ),
        (
            [(0, 0, 0), (-2, 0, 10)],
            r"the position -2 is below its low limit -1.2; .*, at node 1 of its trajectory \(10 s\)",
        ),
        (
            [(0, 0, 0), (1, 0, 0.2)],
            r"it needs a velocity of 7.5, but has 5, between nodes 0 and 1 of its trajectory \(0.1 s\)",
        ),
        (
            [(0, 0, 0), (0.1, 0, 0.05)],
            r"it needs an acceleration of 240, but has 100, at node 0 of its trajectory \(0 s\)",
        ),
        ([(0, 1, 0), (1, 0, 2)], "its trajectory begins with a velocity of 1, expected 0"),
        ([(0, 0, 0), (1, 1, 2)], "its trajectory ends with a velocity of 1, expected 0"),
    ],
)
def test_limits_are_checked_between_the_points_before_anything_is_loaded(rows: Any, message: str) -> None:
    axis = make_axis(low_limit=-1.2, high_limit=1.2, velocity=5, acceleration=100)
    other = make_axis("other", **FAST)
    good = points((0, 0, 0), (1, 0, 1))
    loaded: list[Axis] = []
    other.controller.prepare_trajectory = lambda *each: loaded.extend(each)  # type: ignore[method-assign]
    with pytest.raises(AxisLimitError, match=f"robx: {message}.*Nothing was moved"):
        TrajectoryGroup(Trajectory(other, good), Trajectory(axis, points(*rows))).prepare()
    assert loaded == []


@pytest.mark.parametrize(
    ("pvt", "message"),
    [
        (points((0, 0, 0)), "expected at least 2 points, got 1"),
        (points((0, 0, 0), (1, 0, 1), (2, 0, 1)), "times must increase, got 1 s at node 2, after 1 s"),
        (points((0, 0, 0), (np.nan, 0, 1)), "position at node 1 must be finite, got nan"),
        ([(0, 0, 0), (1, 0, 1)], "expected points of shape .* with the fields position, velocity and time"),
    ],
)
def test_points_that_are_no_trajectory(robx: Axis, pvt: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"trajectory of robx: {message}"):
        Trajectory(robx, pvt)


def test_groups_that_cannot_be(robx: Axis) -> None:
    with pytest.raises(ValueError, match="expected trajectories, one for each axis, got none"):
        TrajectoryGroup()
    with pytest.raises(ValueError, match="one for each axis, got robx, robx"):
        TrajectoryGroup(Trajectory(robx, WAVE), Trajectory(robx, WAVE))
    soft = SoftAxis("soft", robx, position="position", move="position")
    with pytest.raises(
        DeviceError, match="soft: its controller .* cannot follow trajectories. Move the axis step by step"
    ):
        TrajectoryGroup(Trajectory(robx, WAVE), Trajectory(soft, WAVE))


def test_pulses_that_the_hardware_cannot_give(robx: Axis, monkeypatch: pytest.MonkeyPatch) -> None:
    trajectory = Trajectory(robx, WAVE)
    trajectory.events_positions = WAVE[1:]
    monkeypatch.setattr(robx.controller, "has_trajectory_event", lambda: False)
    with pytest.raises(DeviceError, match="robx: its controller robx_motors gives no pulses along trajectories"):
        TrajectoryGroup(trajectory).prepare()


def test_moving_axes_are_left_alone(robx: Axis) -> None:
    robx.move(20, wait=False)
    group = TrajectoryGroup(Trajectory(robx, WAVE))
    with pytest.raises(AxisFault, match="robx is moving"):
        group.prepare()
    robx.stop()


# -- cycles and events -------------------------------------------------------------------------------------------------

swings = st.lists(st.floats(-5, 5), min_size=1, max_size=4)


@given(swings, st.integers(1, 4), st.floats(-10, 10), st.booleans())
def test_cycles_are_joined(swing: list[float], nb_cycles: int, origin: float, closed: bool) -> None:
    positions = [0.0, *swing, 0.0 if closed else 7.0]
    pattern = points(*((position, 0, number) for number, position in enumerate(positions)))
    trajectory = CyclicTrajectory(make_axis(), pattern, nb_cycles, origin)
    assert trajectory.is_closed is closed
    assert (trajectory.pvt_pattern == pattern).all()
    pvt = trajectory.pvt
    assert len(pvt) == nb_cycles * (len(pattern) - 1) + 1
    assert (np.diff(pvt["time"]) == 1).all()
    assert pvt["position"][0] == origin
    assert pvt["position"][-1] == pytest.approx(origin + (0 if closed else 7 * nb_cycles))
    jumps = np.tile(np.diff(positions), nb_cycles)
    assert np.diff(pvt["position"]) == pytest.approx(jumps)


def test_cycles_run_and_give_their_pulses(robx: Axis) -> None:
    trajectory = CyclicTrajectory(robx, points((0, 0, 0), (1, 0, 0.05), (0, 0, 0.1)), 2, origin=2)
    trajectory.events_pattern_positions = points((0.5, 0, 0.025), (0.648, 0, 0.07))
    assert trajectory.has_events() and trajectory.events_positions["position"].tolist() == [2.5, 2.648, 2.5, 2.648]
    group = TrajectoryGroup(trajectory)
    group.move_to_start()
    began = time.time()
    group.move_to_end()
    assert robx.position == pytest.approx(2)
    pulses = robx.controller.pulses(robx)  # type: ignore[attr-defined]
    where = [robx.dial2user(steps / robx.steps_per_unit) for _, steps in pulses]
    assert where == pytest.approx([2.5, 2.648, 2.5, 2.648])
    after = np.diff([when for when, _ in pulses])
    assert after == pytest.approx([0.045, 0.055, 0.045], abs=1e-5)
    assert began <= pulses[0][0] <= began + 0.2


def test_cycles_that_cannot_be(robx: Axis) -> None:
    with pytest.raises(ValueError, match="nb_cycles must be a whole number from 1 on, got 0"):
        CyclicTrajectory(robx, WAVE, 0)
    with pytest.raises(ValueError, match="got 1 at its beginning and 0 at its end"):
        CyclicTrajectory(robx, points((0, 1, 0), (1, 0, 1)), 2)
    with pytest.raises(ValueError, match="set events_pattern_positions"):
        CyclicTrajectory(robx, WAVE).events_positions = WAVE


# -- of a pseudo axis --------------------------------------------------------------------------------------------------


def mono(**keys: Any) -> EnergyWavelength:
    theta = make_axis("theta", initial_position=9.1, steps_per_unit=1e4, **keys)
    return calc(EnergyWavelength, {"monoang": theta}, {"energy": {}, "wavelength": {}}, crystal="Si(111)")


def test_a_pseudo_axis_moves_with_a_constant_velocity() -> None:
    controller = mono(**FAST)
    energy, theta = controller.axes["energy"], controller.reals[0]
    group = trajectory_of(energy, 12, 13, 10, 0.02, interpolation_factor=4)
    assert group.calc_axis is energy and group.axes == [theta]
    pvt = group.trajectories[0].pvt
    assert len(pvt) == 10 * 4 + 2
    begin, end = pvt["time"][1], pvt["time"][-2]
    assert end - begin == pytest.approx(0.2)
    when = np.linspace(begin, end, 101)
    angles = np.array([hermite(pvt, each) for each in when])
    energies = controller.calc_from_real({"monoang": angles})["energy"]
    assert energies == pytest.approx(np.linspace(12, 13, 101), abs=1e-4)
    group.move_to_start()
    assert energy.position < 12
    group.move_to_end(wait=False)
    assert group.is_moving and energy.is_moving
    group.wait_move()
    assert energy.position == pytest.approx(13, abs=0.05) and energy.position > 13
    with pytest.raises(
        ValueError, match="energy: expected at least 2 points and a time_per_point > 0 s, got 1 and 0.1"
    ):
        trajectory_of(energy, 12, 13, 1, 0.1)


def test_ramps_keep_to_the_acceleration() -> None:
    controller = mono(velocity=1, acceleration=0.5)
    group = trajectory_of(controller.axes["energy"], 12, 13, 20, 0.1)
    group.prepare()
    ramp = group.trajectories[0].pvt
    rate = (ramp["position"][2] - ramp["position"][1]) / (ramp["time"][2] - ramp["time"][1])
    assert ramp["velocity"][1] == pytest.approx(rate, rel=0.01)
    assert ramp["time"][1] == pytest.approx(abs(ramp["velocity"][1]) / 0.5)
    controller.reals[0].limits = 8, 8.9
    with pytest.raises(AxisLimitError, match="theta: the position 9.64.* is above its high limit 8.9; .* at node 0"):
        group.prepare()
