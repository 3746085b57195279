"""A move interrupted at each of its steps: nothing moves afterwards, who waits is told, the next move works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis, Motion
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.motion_hook import MotionHook
from bliss_like.errors import AxisFault, AxisStopped, DeviceError, NotConnectedError, UserAbort
from tests.unit.devices.making import make
from tests.waiting import wait_until

STEPS = ("pre_move", "prepare_all", "start_all", "moving", "backlash", "post_move")


class Steps(SimulatedMotors):
    """Tells where in a move it is, and waits there for a moment."""

    reached = ""
    waits_in = ""

    def at(self, step: str) -> None:
        self.reached = step
        if step == self.waits_in:
            gevent.sleep(0.05)

    def prepare_all(self, *motions: Motion) -> None:
        self.at("prepare_all")

    def start_all(self, *motions: Motion) -> None:
        if any(motion.backlash for motion in motions):
            self.at("start_all")
        super().start_all(*motions)
        self.reached = "moving" if any(motion.backlash for motion in motions) else "backlash"


class Hook(MotionHook):
    motors: Steps

    def pre_move(self, motion_list: Any) -> None:
        self.motors.at("pre_move")

    def post_move(self, motion_list: Any) -> None:
        self.motors.at("post_move")


@pytest.fixture
def motors() -> Steps:
    hook = Hook("hook", None)
    keys = {"velocity": 20.0, "acceleration": 1000.0, "backlash": 0.5, "motion_hooks": [hook]}
    hook.motors = make(Steps, "motors", axes=[{"name": "robx", **keys}, {"name": "roby", **keys}])
    return hook.motors


def stop(axis: Axis, moving: gevent.Greenlet[..., None]) -> None:
    axis.stop()
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)


def stop_group(axis: Axis, moving: gevent.Greenlet[..., None]) -> None:
    AxisGroup(axis).stop()
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)


def kill(axis: Axis, moving: gevent.Greenlet[..., None]) -> None:
    moving.kill(UserAbort("Ctrl-C"), timeout=5)
    with pytest.raises(UserAbort):
        moving.get(timeout=5)


def time_out(axis: Axis, moving: gevent.Greenlet[..., None]) -> None:
    moving.kill(gevent.Timeout(0.1), timeout=5)
    with pytest.raises(gevent.Timeout):
        moving.get(timeout=5)


def elsewhere(axis: Axis, moving: gevent.Greenlet[..., None]) -> None:
    assert axis.stop_wanted("another session")
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)


@pytest.mark.parametrize("way", [stop, stop_group, kill, time_out, elsewhere])
@pytest.mark.parametrize("step", STEPS[:-1])
def test_interrupted(motors: Steps, step: str, way: Callable[[Axis, Any], None]) -> None:
    robx, roby = motors.axes["robx"], motors.axes["roby"]
    motors.waits_in = step
    moving = gevent.spawn(AxisGroup(robx, roby).move, {robx: -5, roby: -4})
    wait_until(lambda: gevent.sleep(0.001) or motors.reached == step)
    if step == "moving":
        gevent.sleep(0.01)
    way(robx, moving)
    motors.waits_in = ""
    for axis in (robx, roby):
        axis.wait_move()
        assert axis.state == "READY"
        assert motors.state(axis) == "READY"
        assert axis._set_position == axis.position
    at = (robx.position, roby.position)
    gevent.sleep(0.02)
    assert (robx.position, roby.position) == at
    assert motors.reached == "post_move"
    robx.move(0.2)
    assert robx.position == pytest.approx(0.2)


def test_interrupted_after_the_motion(motors: Steps) -> None:
    """In the hook at its end: the axis has arrived, the hook is finished, and who waits has been interrupted."""
    robx = motors.axes["robx"]
    motors.waits_in = "post_move"
    moving = gevent.spawn(robx.move, 0.1)
    wait_until(lambda: gevent.sleep(0.001) or motors.reached == "post_move")
    kill(robx, moving)
    assert robx.position == robx._set_position == pytest.approx(0.1)
    assert not robx.is_moving


class Broken(SimulatedMotors):
    """Fails in one of its methods, once."""

    fails_in = ""

    def _fail(self, where: str) -> None:
        if where == self.fails_in:
            self.fails_in = ""
            raise DeviceError(f"{where} failed")

    def prepare_move(self, motion: Motion) -> None:
        self._fail("prepare_move")

    def start_one(self, motion: Motion) -> None:
        super().start_one(motion)
        self._fail("start_one")

    def read_positions(self, *axes: Axis) -> Any:
        if any(self.state(axis) == "MOVING" for axis in axes):
            self._fail("read_positions")
        return super().read_positions(*axes)

    def states(self, *axes: Axis) -> Any:
        if any(self.state(axis) == "MOVING" for axis in axes):
            self._fail("states")
        return super().states(*axes)


@pytest.mark.parametrize("where", ["prepare_move", "start_one", "read_positions", "states"])
def test_a_controller_that_fails(where: str) -> None:
    keys = {"velocity": 20.0, "acceleration": 1000.0}
    motors = make(Broken, "motors", axes=[{"name": "robx", **keys}, {"name": "roby", **keys}])
    robx, roby = motors.axes["robx"], motors.axes["roby"]
    assert robx.position == roby.position == 0
    motors.fails_in = where
    with pytest.raises(DeviceError, match=f"{where} failed"):
        AxisGroup(robx, roby).move({robx: 5, roby: 5})
    for axis in (robx, roby):
        assert motors.state(axis) == "READY"
        assert axis.position < 5
        assert axis._set_position == axis.position
    AxisGroup(robx, roby).move({robx: 0.1, roby: 0.1})


class Gone(SimulatedMotors):
    """A controller whose cable can be pulled, while its motors move on."""

    is_gone = False

    def _ask(self) -> None:
        if self.is_gone:
            raise NotConnectedError(f"{self.name}: no answer")

    def read_position(self, axis: Axis) -> float:
        self._ask()
        return super().read_position(axis)

    def state(self, axis: Axis) -> Any:
        self._ask()
        return super().state(axis)

    def stop(self, axis: Axis) -> None:
        self._ask()
        super().stop(axis)


def test_a_controller_that_is_gone_in_the_middle_and_comes_back() -> None:
    motors = make(Gone, "motors", axes=[{"name": "robx", "velocity": 1.0, "acceleration": 100.0}])
    robx = motors.axes["robx"]
    moving = gevent.spawn(robx.move, 100)
    wait_until(lambda: gevent.sleep(0.001) or robx.position > 0)
    motors.is_gone = True
    with pytest.raises(NotConnectedError, match="motors: no answer") as caught:
        moving.get(timeout=5)
    assert "Stopping the axes failed too" in caught.value.__notes__[0]
    motors.is_gone = False
    wait_until(lambda: gevent.sleep(0.01) or robx.hw_state == "READY", timeout=5)  # nobody else stops it
    robx.rmove(0.1)


def test_those_of_a_controller_that_answers_are_seen_to_stand_still_when_another_one_is_gone() -> None:
    gone = make(Gone, "gone", axes=[{"name": "robx", "velocity": 1.0, "acceleration": 100.0}])
    keys = {"name": "roby", "velocity": 10.0, "acceleration": 100.0, "tolerance": 0.001}
    robx, roby = gone.axes["robx"], make(SimulatedMotors, "motors", axes=[keys]).axes["roby"]
    moving = gevent.spawn(AxisGroup(robx, roby).move, {robx: 100, roby: 100})
    wait_until(lambda: gevent.sleep(0.001) or roby.position > 1)
    gone.is_gone = True
    with pytest.raises(NotConnectedError, match="gone: no answer"):
        moving.get(timeout=5)
    assert roby.hw_state == "READY"
    roby.move(1)
    gone.is_gone = False
    wait_until(lambda: gevent.sleep(0.01) or robx.hw_state == "READY", timeout=5)
    robx.rmove(0.1)


def test_a_power_that_cannot_be_switched_off_after_a_move_is_told() -> None:
    class Stubborn(SimulatedMotors):
        def set_off(self, axis: Axis) -> None:
            raise NotConnectedError("no answer")

    robx = make(Stubborn, "motors", axes=[{"name": "robx", "autopower": True}]).axes["robx"]
    with gevent.Timeout(5), pytest.raises(NotConnectedError, match="no answer"):
        robx.move(1)
    assert (robx.position, robx.state) == (1, "READY")


def test_an_axis_that_moves_already_is_left_alone() -> None:
    motors = make(SimulatedMotors, "motors", axes=[{"name": "robx", "velocity": 10.0}, {"name": "roby"}])
    robx, roby = motors.axes["robx"], motors.axes["roby"]
    robx.move(1, wait=False)
    for attempt in (
        lambda: robx.move(2),
        lambda: AxisGroup(robx, roby).move({roby: 1, robx: 2}),
        lambda: robx.home(),
        lambda: robx.jog(1),
        lambda: setattr(robx, "position", 3),
        lambda: setattr(robx, "velocity", 3),
        lambda: setattr(robx, "sign", -1),
        robx.sync_hard,
        robx.disable,
    ):
        with pytest.raises(
            AxisFault, match=r"robx is moving; wait for the end of its motion, or stop it: robx.stop\(\)"
        ):
            attempt()
    assert roby.position == 0
    robx.wait_move()
    assert robx.position == 1
