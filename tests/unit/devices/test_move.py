"""Axes in motion: true read-back, stops, kills, failures, groups. Motions here last some tens of milliseconds."""

from __future__ import annotations

import time
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices import events
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_group import AxisGroup, move
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.motion import trapezoid
from bliss_like.devices.move import Motion
from bliss_like.devices.pursuit import Jog, Pursuit
from bliss_like.errors import AxisFault, AxisLimitError, AxisOnLimitError, AxisStopped, DeviceError, UserAbort
from tests.unit.devices.making import Notes, make, make_axis
from tests.waiting import wait_until, wait_until_cooperative

SLOW = {"velocity": 10.0, "acceleration": 100.0}
"""Takes 10 s for 100 units, and 0.1 s to stop."""


@pytest.fixture
def slow() -> Axis:
    return make_axis("slow", **SLOW)


def start(axis: Axis, target: float = 100.0) -> gevent.Greenlet[[], None]:
    """Move in a greenlet of its own, and return when the axis moves."""
    moving = gevent.spawn(axis.move, target)
    with gevent.Timeout(5):
        while axis.position == 0:
            gevent.sleep(0.001)
    return moving


def test_the_position_read_in_motion_follows_the_time_law(slow: Axis) -> None:
    law = trapezoid(0, 5, 10, 100)
    assert slow.position == 0  # and initialised before the clock starts
    began = time.monotonic()
    slow.move(5, wait=False)
    started = time.monotonic()
    while slow.is_moving:
        before = time.monotonic()
        position = slow.position
        after = time.monotonic()
        assert law.position(before - started) - 1e-6 <= position <= law.position(after - began) + 1e-6
        gevent.sleep(0.01)
    assert slow.position == 5
    assert time.monotonic() - began >= law.duration


def test_a_move_takes_the_time_of_its_law_and_little_more(slow: Axis) -> None:
    began = time.monotonic()
    slow.move(1)
    assert trapezoid(0, 1, 10, 100).duration <= time.monotonic() - began < 0.2 + 2


def test_stop_from_another_greenlet_brakes_and_tells_who_waits(slow: Axis) -> None:
    moving = start(slow)
    slow.stop()
    at = slow.position
    assert not slow.is_moving
    assert 0 < at < 20
    with pytest.raises(AxisStopped, match="slow on its way to 100"):
        moving.get(timeout=1)
    assert slow.position == at == slow._set_position
    slow.rmove(0.5)
    assert slow.position == pytest.approx(at + 0.5)


def test_wait_move_is_content_with_a_stop(slow: Axis) -> None:
    slow.move(100, wait=False)
    slow.stop(wait=False)
    assert slow.is_moving
    slow.wait_move()
    assert not slow.is_moving


def test_stopping_what_stands_still_is_no_error(slow: Axis) -> None:
    slow.stop()
    slow.wait_move()
    assert slow.position == 0


@pytest.mark.parametrize("error", [UserAbort, gevent.GreenletExit, gevent.Timeout])
def test_killing_who_waits_stops_the_axis(slow: Axis, error: type[BaseException]) -> None:
    moving = start(slow)
    moving.kill(error, timeout=2)
    assert moving.ready()
    assert not slow.is_moving
    at = slow.position
    assert 0 < at < 20
    gevent.sleep(0.02)
    assert slow.position == at


def test_a_timeout_around_a_move_stops_it(slow: Axis) -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        slow.move(100)
    assert not slow.is_moving


def test_killing_one_who_waits_for_a_move_of_somebody_else_stops_it_too(slow: Axis) -> None:
    moving = start(slow)
    waiting = gevent.spawn(slow.wait_move)
    gevent.sleep(0.01)
    waiting.kill(timeout=2)
    assert not slow.is_moving
    with pytest.raises(AxisStopped):
        moving.get(timeout=1)


def test_a_second_move_is_refused_and_the_first_goes_on(slow: Axis) -> None:
    slow.move(1, wait=False)
    with pytest.raises(AxisFault, match="slow is moving; wait for the end of its motion, or stop it"):
        slow.move(2)
    with pytest.raises(AxisFault, match="slow is moving"):
        slow.position = 0
    slow.wait_move()
    assert slow.position == 1


def test_two_greenlets_cannot_both_start_it(slow: Axis) -> None:
    attempts = [gevent.spawn(slow.move, target) for target in (1, 2)]
    gevent.joinall(attempts, timeout=5)
    failures = [attempt.exception for attempt in attempts if attempt.exception]
    assert len(failures) == 1
    assert isinstance(failures[0], AxisFault)
    assert slow.position in (1, 2)


def test_an_axis_that_ends_short_of_its_target_is_a_fault_that_says_all() -> None:
    axis = make_axis("lame", fault="short", unit="mm", timeout=0.1)
    with pytest.raises(
        AxisFault,
        match=r"lame did not arrive: it is at 5 mm and should be at 10 mm, 0.\d s after its start: it came no",
    ):
        axis.move(10)
    assert axis.position == axis._set_position == 5


class Panel(SimulatedMotors):
    """Motors that somebody else can stop; they may begin late, tell only some of their positions, or no state."""

    begins_after = refreshes_every = 0.0
    tells_state = True
    _began = _told_at = -1e9
    _told: float = 0

    def start_one(self, motion: Motion) -> None:
        self._began = time.monotonic()
        gevent.spawn_later(self.begins_after, super().start_one, motion)

    def read_position(self, axis: Axis) -> float:
        if time.monotonic() > self._told_at + self.refreshes_every:
            self._told_at, self._told = time.monotonic(), super().read_position(axis)
        return self._told

    def state(self, axis: Axis) -> AxisState:
        is_new = time.monotonic() < self._began + 0.04  # as a write that is answered before the motor begins
        state = super().state(axis)
        return AxisState("MOVING" if is_new or (self.tells_state and "MOVING" in state) else "READY")


@pytest.fixture
def panel() -> Panel:
    return make(Panel, "panel", axes=[{"name": "robx", "unit": "mm", "tolerance": 0.01, **SLOW}])


def test_an_axis_that_somebody_else_stops_is_a_fault_that_says_so_soon(panel: Panel) -> None:
    robx = panel.axes["robx"]
    moving = start(robx)
    wait_until(lambda: gevent.sleep(0.001) or robx.position > 0.2)
    panel.stop(robx)
    stopped = time.monotonic()
    with pytest.raises(
        AxisFault, match=r"robx did not arrive: .*: it stands still since 0.\d s. Somebody else has stopped"
    ):
        moving.get(timeout=5)
    assert time.monotonic() - stopped < 2
    robx.move(0)
    assert robx.position == 0


def test_a_jog_that_somebody_else_stops_and_one_that_the_hardware_ends_at_a_limit(panel: Panel) -> None:
    robx = panel.axes["robx"]
    robx.jog(5)
    wait_until(lambda: gevent.sleep(0.001) or robx.position > 0.2)
    panel.stop(robx)
    with pytest.raises(AxisFault, match="robx does not turn any more: .* Somebody else has stopped it"):
        robx.wait_move()
    robx.limits = -20, 20
    jog = Jog(Motion(robx, 0, 0, 0, 0, 0.0, "jog", 1, 5))
    assert not jog.is_over(20, AxisState("READY"), stop_wanted=False)
    with pytest.raises(AxisOnLimitError, match="robx was braked at 20 mm, before it left its limits -20 .. 20 mm"):
        jog.is_over(20, AxisState("READY"), stop_wanted=False)


@pytest.mark.parametrize("tells_state", [True, False])
def test_an_axis_that_begins_late_is_waited_for(panel: Panel, tells_state: bool) -> None:
    panel.begins_after, panel.tells_state = 0.7, tells_state
    robx = panel.axes["robx"]
    robx.move(0.5)
    assert robx.position == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("tells_state", [True, False])
def test_an_axis_whose_position_is_seldom_refreshed_is_waited_for(panel: Panel, tells_state: bool) -> None:
    panel.refreshes_every, panel.tells_state = 0.7, tells_state
    robx = panel.axes["robx"]
    robx.move(10)
    assert robx.position == pytest.approx(10, abs=0.01)


def test_an_axis_that_stands_still_and_creeps_is_not_waited_for_for_ever() -> None:
    began = time.monotonic()

    class Creeping(SimulatedMotors):
        def read_position(self, axis: Axis) -> float:
            return (time.monotonic() - began) * 1e-3

    robx = make(Creeping, "motors", axes=[{"name": "robx", "timeout": 0.1, "tolerance": 0.1}]).axes["robx"]
    with pytest.raises(AxisFault, match=r"should be at 10, 0.\d s after .*: it came no nearer for 0.1 s"):
        robx.move(10)


def test_an_axis_just_within_its_tolerance_has_arrived(panel: Panel) -> None:
    robx = panel.axes["robx"]
    robx.tolerance = 0.001
    panel.set_position(robx, 4.56)
    robx.sync_hard()
    assert 4.561 - 4.56 > 0.001
    motion = robx.get_motion(4.561)
    assert motion is not None
    pursuit = Pursuit(motion)
    assert pursuit.is_over(4.56, AxisState("READY"), stop_wanted=False)
    assert pursuit.arrived


def test_an_axis_in_fault_is_reported_at_once() -> None:
    axis = make_axis("ill", fault="moving")
    began = time.monotonic()
    with pytest.raises(AxisFault, match="ill did not arrive: .* its state is FAULT"):
        axis.move(10)
    assert time.monotonic() - began < 1


def test_a_slow_axis_that_gets_nearer_is_no_fault() -> None:
    axis = make_axis(velocity=1, timeout=0.05)
    axis.move(0.3)
    assert axis.position == 0.3


def test_an_axis_that_is_stuck_in_motion_is_stopped() -> None:
    class Stuck(SimulatedMotors):
        stopped = 0

        def read_position(self, axis: Axis) -> float:
            return 0.0

        def stop(self, axis: Axis) -> None:
            self.stopped += 1
            super().stop(axis)

    motors = make(Stuck, "motors", axes=[{"name": "robx", "timeout": 0.05, **SLOW}])
    with pytest.raises(
        AxisFault, match="it is at 0 and should be at 100, .* came no nearer for 0.05 s and was stopped"
    ):
        motors.axes["robx"].move(100)
    assert motors.stopped == 1
    assert not motors.axes["robx"].is_moving


def test_a_failure_without_a_waiter_is_logged_and_raised_to_who_asks(caplog: pytest.LogCaptureFixture) -> None:
    axis = make_axis("ill", fault="moving", velocity=100)
    axis.move(1, wait=False)
    with gevent.Timeout(5):
        while axis.is_moving:
            gevent.sleep(0.001)
    assert "ill did not arrive" in caplog.text
    with pytest.raises(AxisFault, match="ill did not arrive"):
        axis.wait_move()
    axis.wait_move()


def test_an_axis_moved_by_somebody_else_is_not_trusted_until_synchronised() -> None:
    motors = make(SimulatedMotors, "motors", axes=[{"name": "robx"}])
    robx = motors.axes["robx"]
    robx.move(1)
    motors.set_position(robx, 2)
    with pytest.raises(AxisFault, match=r"robx is at 2, but was left at 1: .* take it with robx.sync_hard\(\)"):
        robx.move(5)
    robx.sync_hard()
    robx.move(5)
    assert robx.position == 5


def test_events_of_a_move(slow: Axis) -> None:
    done, positions, states = Notes(), Notes(), Notes()
    events.connect(slow, AxisEvent.MOVE_DONE, done.take)
    events.connect(slow, AxisEvent.POSITION, positions.take)
    events.connect(slow, AxisEvent.STATE, states.take)
    slow.move(0.5)
    assert done == [False, True]
    assert positions == sorted(positions) and len(positions) > 3
    assert positions[-1] == pytest.approx(0.5, abs=slow.nearness)
    assert [str(state).split()[0] for state in states] == ["READY", "MOVING", "READY"]


# -- groups ------------------------------------------------------------------------------------------------------------


def test_a_group_starts_together_across_controllers_and_ends_with_the_last() -> None:
    near, far = make_axis("near", **SLOW), make_axis("far", **SLOW)
    group = AxisGroup(near, far)
    moving = gevent.spawn(group.move, {near: 0.5, far: 1.5})
    wait_until(lambda: gevent.sleep(0.001) or (near.is_moving and far.is_moving))
    moving.get(timeout=10)
    assert group.position == {near: 0.5, far: 1.5}
    assert "READY" in group.state


def test_one_that_fails_stops_all_also_on_other_controllers(slow: Axis) -> None:
    ill = make_axis("ill", fault="moving", velocity=100)
    with pytest.raises(AxisFault, match="ill did not arrive"):
        AxisGroup(slow, ill).move(slow, 100, ill, 1)
    assert not slow.is_moving
    assert 0 < slow.position < 20


def test_one_that_does_not_start_stops_all(slow: Axis, capsys: pytest.CaptureFixture[str]) -> None:
    dead = make_axis("dead", fault="start")
    with pytest.raises(DeviceError, match="dead: simulated fault"):
        move(slow, 100, dead, 1)
    assert not slow.is_moving
    assert slow.position < 20
    assert capsys.readouterr().err == ""  # the traceback of a greenlet is for nobody


def test_a_failing_stop_neither_hides_the_failure_nor_spares_the_others(slow: Axis) -> None:
    stubborn = make_axis("stubborn", fault="stop", **SLOW)
    ill = make_axis("ill", fault="moving", velocity=100)
    with pytest.raises(AxisFault, match="ill did not arrive") as caught:
        move({stubborn: 100, ill: 1, slow: 100})
    assert "Stopping the axes failed too" in caught.value.__notes__[0]
    with gevent.Timeout(2):
        while slow.is_moving or stubborn.is_moving:
            gevent.sleep(0.005)
    assert slow.position < 20


def test_each_controller_of_a_group_is_asked_for_all_its_axes_at_once() -> None:
    boxes = [make(SimulatedMotors, f"box{n}", axes=[{"name": f"x{n}{i}"} for i in range(20)]) for n in range(2)]
    axes = [axis for box in boxes for axis in box.axes.values()]
    move(dict.fromkeys(axes, 1.0))
    before = [box.exchanges for box in boxes]
    move(dict.fromkeys(axes, 2.0))
    # Where they are and how they do, the start, and the first again when they are there.
    assert [box.exchanges - was for box, was in zip(boxes, before, strict=True)] == [3, 3]


def test_a_group_that_was_stopped_is_asked_at_once_where_it_stands() -> None:
    took = []
    for size in (1, 20):
        box = make(SimulatedMotors, "box", axes=[{"name": f"x{i}", "velocity": 1.0} for i in range(size)])
        group = AxisGroup(*box.axes.values())
        group.move(dict.fromkeys(box.axes.values(), 100.0), wait=False)
        before = box.exchanges
        group.stop()
        took.append(box.exchanges - before)
        assert all(axis._set_position == axis.position for axis in box.axes.values())
    assert took[0] == took[1]


def test_stopping_one_of_a_group_stops_all(slow: Axis) -> None:
    other = make_axis("other", **SLOW)
    group = AxisGroup(slow, other)
    group.move(slow, 100, other, 100, wait=False)
    other.stop()
    group.wait_move()
    assert not group.is_moving
    assert slow.position < 20


def test_limits_of_all_are_checked_before_any_moves(slow: Axis) -> None:
    narrow = make_axis("narrow", high_limit=1)
    with pytest.raises(AxisLimitError, match="narrow"):
        move(slow, 1, narrow, 2)
    assert (slow.position, narrow.position) == (0, 0)


def test_relative_group_moves_and_wrong_arguments(slow: Axis) -> None:
    fast = make_axis("fast")
    group = AxisGroup(slow, fast)
    group.rmove(slow, 0.1, fast, 5)
    group.rmove(slow, 0.1, fast, 5)
    assert group.position == {slow: pytest.approx(0.2), fast: 10}
    group.move({fast: 10})
    with pytest.raises(ValueError, match="expected axis, position, axis, position, ..., got 1 argument"):
        group.move(slow)
    with pytest.raises(ValueError, match="fast is there twice"):
        group.move(fast, 1, fast, 2)
    with pytest.raises(ValueError, match="stranger: expected axes of the group, which is a group of slow, fast"):
        group.move(make_axis("stranger"), 1)
    with pytest.raises(ValueError, match="fast is there twice"):
        AxisGroup(fast, fast)
    group.stop()


def test_a_new_jog_velocity_is_that_of_an_axis_that_turns() -> None:
    axis = make_axis("robx", velocity=10.0, acceleration=1000.0, jog_velocity=1.0)
    axis.jog(-2)
    wait_until(lambda: gevent.sleep(0.001) or axis.position < -0.01)
    axis.jog_velocity = 5
    before, began = axis.position, time.monotonic()
    gevent.sleep(0.1)
    assert (axis.position - before) / (time.monotonic() - began) == pytest.approx(-5, rel=0.2)
    axis.stop()
    assert axis.velocity == 10
    assert axis.jog_velocity == 5
    axis.jog_velocity = 3
    assert not axis.is_moving


class SlowToStop(SimulatedMotors):
    """Its stops are a long time on their way to the hardware."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.may_stop = Event()

    def stop_all(self, *motions: Motion) -> None:
        self.may_stop.wait()
        super().stop_all(*motions)


def test_a_stop_that_comes_late_does_not_stop_the_next_motion() -> None:
    motors = make(SlowToStop, "motors", axes=[{"name": "robx", "velocity": 50, "acceleration": 5000}])
    robx = motors.axes["robx"]
    robx.move(1, wait=False)
    stopping = gevent.spawn(robx.stop)
    wait_until_cooperative(lambda: "MOVING" not in robx.hw_state)
    waiting = gevent.spawn(robx.wait_move)
    waiting.join(timeout=0.5)
    assert not waiting.ready()  # as long as the stop is on its way
    with pytest.raises(AxisFault, match="moving"):
        robx.move(2)
    motors.may_stop.set()
    stopping.get(timeout=5)
    robx.move(2)
    assert robx.position == 2
