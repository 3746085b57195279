"""Every move has an end: whatever fails, an axis is never left moving, nor its hooks without their end, nor who waits."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices import motion_line
from bliss_like.devices.axis import Axis, Motion
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.interlock import use_interlock
from bliss_like.devices.motion_hook import MotionHook
from bliss_like.errors import AxisFault, AxisOnLimitError, AxisStopped, DeviceError, UserAbort
from tests.unit.devices.making import make, make_axis
from tests.waiting import wait_until

SLOW = {"velocity": 10.0, "acceleration": 1000.0}


def reached(condition: Callable[[], Any], seconds: float = 5) -> None:
    wait_until(lambda: gevent.sleep(0.002) or condition(), timeout=seconds)


class Claimed:
    """Counts what is claimed."""

    def __init__(self) -> None:
        self.count = 0

    def claim(self, devices: Any, purpose: str) -> Claimed:
        self.count += 1
        return self

    def release(self) -> None:
        self.count -= 1


@pytest.fixture(autouse=True)
def claims() -> Any:
    """All are given back at the end of each test."""
    claims = Claimed()
    use_interlock(claims)
    yield claims
    use_interlock(None)
    assert claims.count == 0


class Ill(SimulatedMotors):
    """Fails in one of its methods, with any exception."""

    fails: dict[str, BaseException] = {}
    slow_in = ""

    def at(self, step: str) -> None:
        if step == self.slow_in:
            gevent.sleep(0.05)
        if step in self.fails:
            raise self.fails[step]

    def set_off(self, axis: Axis) -> None:
        self.at("set_off")
        super().set_off(axis)

    def set_on(self, axis: Axis) -> None:
        self.at("set_on")
        super().set_on(axis)

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        self.at("set_velocity")
        super().set_velocity(axis, new_velocity)

    def read_positions(self, *axes: Axis) -> Any:
        self.at("read_positions")
        return super().read_positions(*axes)

    def states(self, *axes: Axis) -> Any:
        self.at("states")
        return super().states(*axes)

    def stop(self, axis: Axis) -> None:
        self.at(f"stop {axis.name}")
        super().stop(axis)

    def start_one(self, motion: Motion) -> None:
        self.at(f"start {motion.axis.name}")
        super().start_one(motion)


class Hook(MotionHook):
    def __init__(self, pause: float = 0.0) -> None:
        super().__init__("hook", None)
        self.pause, self.told, self.nended = pause, [], 0

    def pre_move(self, motion_list: Any) -> None:
        self.told.append("pre")
        gevent.sleep(self.pause)

    def post_move(self, motion_list: Any) -> None:
        self.told.append("post")
        gevent.sleep(self.pause)
        self.nended += 1


def ill(*names: str, **keys: Any) -> tuple[Ill, list[Axis]]:
    motors = make(Ill, "motors", axes=[{"name": name, **SLOW, **keys} for name in names or ("robx",)])
    motors.fails = {}
    for axis in motors.axes.values():
        assert axis.position == 0
    return motors, list(motors.axes.values())


FAILURES = [DeviceError("broken"), gevent.Timeout(), gevent.GreenletExit()]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_power_that_cannot_be_switched_off(failure: BaseException) -> None:
    hook = Hook()
    motors, [robx, roby] = ill("robx", "roby", autopower=True, motion_hooks=[hook])
    motors.fails["set_off"] = failure
    with gevent.Timeout(5), pytest.raises(type(failure)):
        AxisGroup(robx, roby).move({robx: 0.1, roby: 0.1})
    assert "MOVING" not in robx.state and "MOVING" not in roby.state
    assert hook.told == ["pre", "post"]
    assert roby.settings.now()["target"] == 0.1
    motors.fails.clear()
    robx.move(0)


def test_power_is_switched_on_by_the_move_not_by_its_plan() -> None:
    motors, [robx, roby] = ill("robx", "roby", autopower=True)
    robx.off()
    roby.off()
    assert robx.get_motion(1) is not None
    assert robx.state == "OFF"
    roby.limits = -1, 1
    with pytest.raises(DeviceError):
        AxisGroup(robx, roby).move({robx: 0.5, roby: 5})
    assert robx.state == roby.state == "OFF"
    AxisGroup(robx, roby).move({robx: 0.1, roby: 0.1})
    assert robx.state == roby.state == "OFF"
    assert robx.position == 0.1
    motors.fails["set_on"] = DeviceError("no current")
    with gevent.Timeout(5), pytest.raises(DeviceError, match="no current"):
        robx.move(0)
    assert robx.position == 0.1


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_what_ends_a_jog_fails(failure: BaseException) -> None:
    hook = Hook()
    motors, [robx] = ill(motion_hooks=[hook])
    robx.jog(5)
    motors.fails["set_velocity"] = failure
    robx.stop(wait=False)
    with gevent.Timeout(5), pytest.raises(type(failure)):
        robx.wait_move()
    assert hook.told == ["pre", "post"]
    assert not robx.is_moving


def test_a_hook_that_is_none() -> None:
    robx = make_axis("robx", **SLOW)
    robx.motion_hooks = None  # type: ignore[assignment]
    with gevent.Timeout(5), pytest.raises(DeviceError, match="motion_hooks must be a list"):
        robx.move(1)
    assert not robx.is_moving
    robx.motion_hooks = []
    robx.move(0.1)


def test_stopped_twice_in_a_hook_its_end_is_its_own() -> None:
    hook = Hook(0.05)
    motors, [robx] = ill(motion_hooks=[hook])
    moving = gevent.spawn(robx.move, 5)
    reached(lambda: hook.told == ["pre"])
    robx.stop(wait=False)
    robx.stop(wait=False)
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)
    assert hook.told == ["pre", "post"] and hook.nended == 1
    assert robx.position == 0 and not robx.is_moving
    robx.move(0.1)


def test_stopped_as_the_hook_ends() -> None:
    """The hook has finished when it is to be ended: what is not to be interrupted is the end of the move."""

    class Gate(Hook):
        def __init__(self) -> None:
            super().__init__()
            self.gate = gevent.event.Event()

        def pre_move(self, motion_list: Any) -> None:
            super().pre_move(motion_list)
            self.gate.wait()

    hook = Gate()
    motors, [robx] = ill(motion_hooks=[hook])
    moving = gevent.spawn(robx.move, 5)
    reached(lambda: hook.told == ["pre"])
    motors.latency = 0.02  # the end of the move takes time
    hook.gate.set()
    robx.stop(wait=False)
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)
    assert hook.told == ["pre", "post"] and hook.nended == 1
    assert not robx.is_moving


@pytest.mark.parametrize("nturns", range(6))
def test_stopped_as_the_hook_begins(nturns: int, capsys: pytest.CaptureFixture[str]) -> None:
    hook = Hook()
    motors, [robx] = ill(motion_hooks=[hook])
    moving = gevent.spawn(robx.move, 5)
    for _ in range(nturns):
        gevent.sleep(0)
    robx.stop()
    if nturns:
        with pytest.raises(AxisStopped):
            moving.get(timeout=5)
        assert capsys.readouterr().err.count("Traceback") == 1  # that of `moving`
    moving.kill()


def test_the_greenlet_of_the_move_is_killed_again_and_again() -> None:
    hook = Hook(0.02)
    motors, [robx] = ill(motion_hooks=[hook])
    motors.latency = 0.005
    for delay in (0, 0.001, 0.01, 0.03, 0.05, 0.08):
        robx.move(robx.position + 5, wait=False)
        move = robx.current_move
        assert move is not None
        gevent.sleep(delay)
        for _ in range(6):
            move._greenlet.kill(block=False)
            gevent.sleep(0.004)
        reached(lambda move=move: move.done)
        reached(lambda: "MOVING" not in motors.states(robx)[0])
        assert hook.told.count("pre") == hook.told.count("post")
        assert not robx.is_moving
        with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever it was
            robx.wait_move()
        reached(lambda: abs(robx._set_position - robx.position) < 1e-9)
    robx.rmove(0.1)


@pytest.mark.parametrize("step", ["start", "read_positions", "states"])
def test_a_driver_whose_timeout_is_that_of_gevent(step: str) -> None:
    """It is no Exception, and beside another controller it must not be taken for an answer."""
    motors, [robx] = ill()
    other = make_axis("roby", **SLOW)
    assert other.position == 0
    moving = gevent.spawn(AxisGroup(robx, other).move, {robx: 5, other: 5})
    if step != "start":
        reached(lambda: 0 < other.position)
    motors.fails["start robx" if step == "start" else step] = gevent.Timeout(3)
    with pytest.raises(gevent.Timeout):
        moving.get(timeout=5)
    reached(lambda: not other.is_moving)
    assert other.position < 5
    motors.fails.clear()
    reached(lambda: motors.states(robx)[0] == "READY")


def test_one_that_cannot_be_stopped_spares_no_other() -> None:
    motors, [robx, roby] = ill("robx", "roby")
    other = make_axis("other", **SLOW)
    for failure in (DeviceError("deaf"), gevent.Timeout(1)):
        for axis in (robx, roby, other):
            axis.move(axis.position + 50, wait=False)
        motors.fails["stop robx"] = failure
        with pytest.raises(type(failure)):
            motion_line.request_stop(patience=0)
        reached(lambda: not roby.is_moving and not other.is_moving)
        motors.fails.clear()
        with contextlib.suppress(type(failure)):  # what ended its move, told to whoever waits for it first
            robx.stop()
        reached(lambda: not robx.is_moving)


def test_a_stop_that_has_failed_is_repeated() -> None:
    """One lost telegram, and the axis would go on to its target, or for ever, though somebody has pressed Ctrl-C."""
    motors, [robx] = ill()

    class Once(DeviceError):
        def __init__(self) -> None:
            super().__init__("noise on the line")
            motors.fails.clear()

    def once(self: Any, step: str) -> None:
        if motors.fails.pop(step, None) is not None:
            raise DeviceError("noise on the line")

    motors.at = once.__get__(motors)  # type: ignore[method-assign]
    robx.jog(5)
    motors.fails["stop robx"] = DeviceError("once")
    with pytest.raises(DeviceError, match="noise"):
        robx.stop()
    with gevent.Timeout(5):
        robx.wait_move()
    moving = gevent.spawn(robx.move, 1000)
    reached(lambda: robx.is_moving and robx.current_move._is_under_way)
    motors.fails["stop robx"] = DeviceError("once")
    moving.kill(UserAbort, timeout=5)
    assert moving.ready() and not robx.is_moving and robx.position < 900


def test_several_that_could_not_be_stopped_are_all_stopped_later() -> None:
    pairs = [ill(name) for name in ("robx", "roby")]
    for _, [axis] in pairs:
        axis.timeout = 0.05
    axes = [axis for _, [axis] in pairs]
    group = AxisGroup(*axes)
    group.move(dict.fromkeys(axes, 1000), wait=False)
    reached(lambda: all(axis.position > 0 for axis in axes))
    for motors, [axis] in pairs:
        motors.fails |= {"states": DeviceError("gone"), f"stop {axis.name}": DeviceError("gone")}
    with pytest.raises(DeviceError, match="gone"):
        group.wait_move()
    pairs[1][0].fails.clear()  # the first one stays away
    reached(lambda: "MOVING" not in pairs[1][0].states(axes[1])[0])
    pairs[0][0].fails.clear()
    reached(lambda: "MOVING" not in pairs[0][0].states(axes[0])[0])


def test_killed_again_while_it_stops_them_all_are_stopped() -> None:
    motors, [robx, roby] = ill("robx", "roby")
    moving = gevent.spawn(AxisGroup(robx, roby).move, {robx: 1000, roby: 1000})
    reached(lambda: robx.position > 0 and roby.position > 0)
    motors.slow_in = "stop robx"
    moving.kill(UserAbort, block=False)
    gevent.sleep(0.01)
    moving.kill(UserAbort, timeout=5)
    reached(lambda: not robx.is_moving and not roby.is_moving)


# -- jogs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [{}, {"sign": -1}, {"steps_per_unit": -10.0}, {"steps_per_unit": -3.0, "sign": -1}])
def test_a_jog_that_turns_back_is_braked_at_the_other_limit(keys: dict[str, Any]) -> None:
    robx = make_axis("robx", velocity=20.0, acceleration=400.0, **keys)
    robx.position = 3
    robx.limits = 2, 4
    robx.jog(4)
    reached(lambda: robx.position > 3.5)
    robx.jog(-4)
    with gevent.Timeout(5), pytest.raises(AxisOnLimitError):
        robx.wait_move()
    assert 1.5 < robx.position < 3
    robx.jog(4)
    pursuit = robx.current_move.jog  # type: ignore[union-attr]
    reached(lambda: pursuit.is_braking)
    robx.jog(-4)
    with gevent.Timeout(5), pytest.raises(AxisOnLimitError):
        robx.wait_move()
    assert 1.5 < robx.position < 3


def test_a_jog_that_was_told_to_stop_does_not_turn_on() -> None:
    robx = make_axis("robx", velocity=20.0, acceleration=20.0)
    robx.jog(5)
    reached(lambda: robx.position > 0)
    robx.stop(wait=False)
    with pytest.raises(AxisFault, match="moving"):
        robx.jog(-5)
    robx.wait_move()
    assert not robx.is_moving


def test_another_velocity_while_the_hooks_of_a_jog_are_busy() -> None:
    hook = Hook(0.05)
    motors, [robx] = ill(motion_hooks=[hook])
    starting = gevent.spawn(robx.jog, 1)
    reached(lambda: hook.told == ["pre"])
    with pytest.raises(AxisFault, match="moving"):
        robx.jog(2)
    assert motors.states(robx)[0] == "READY"
    starting.get(timeout=5)
    robx.jog(2)
    robx.stop()


# -- what hardware says that makes no sense ----------------------------------------------------------------------------


class Strange(SimulatedMotors):
    position: Any = 0.0
    said: Any = None

    def read_position(self, axis: Axis) -> Any:
        return super().read_position(axis) if self.position == 0.0 else self.position

    def state(self, axis: Axis) -> Any:
        return self.said if self.said is not None else super().state(axis)


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, None, "far away", [1.0, 2.0]])
@pytest.mark.parametrize("tolerance", [1e-4, None])
def test_a_position_that_is_none(nonsense: Any, tolerance: float | None) -> None:
    motors = make(Strange, "motors", axes=[{"name": "robx", "tolerance": tolerance, "timeout": 5.0, **SLOW}])
    robx = motors.axes["robx"]
    moving = gevent.spawn(robx.move, 1000)
    reached(lambda: robx.position > 0)
    motors.position = nonsense
    with pytest.raises(DeviceError, match=r"robx: expected a (finite )?number .* from motors, came"):
        moving.get(timeout=2)
    assert not robx._moves_here
    reached(lambda: "MOVING" not in motors.state(robx))
    for attempt in (
        lambda: robx.move(1),
        lambda: robx.rmove(1),
        lambda: robx.jog(1),
        lambda: setattr(robx, "position", 1),
        lambda: setattr(robx, "dial", 1),
        robx.sync_hard,
    ):
        with pytest.raises(DeviceError, match="robx: expected"):
            attempt()
    assert robx.offset == 0
    motors.position = 0.0
    robx.sync_hard()
    robx.rmove(0.1)


@pytest.mark.parametrize("nonsense", ["READY", 5, ()])
def test_a_state_that_is_none(nonsense: Any) -> None:
    motors = make(Strange, "motors", axes=[{"name": "robx", **SLOW}, {"name": "roby", **SLOW}])
    robx = motors.axes["robx"]
    motors.said = nonsense
    with pytest.raises(DeviceError, match=r"robx: expected an AxisState from motors, came"):
        robx.move(1)
    assert not robx._moves_here


def test_where_it_has_stopped_short_is_told_as_it_stands_there() -> None:
    """Its position is read before its state: when it still moved."""

    class Slow(SimulatedMotors):
        def states(self, *axes: Axis) -> Any:
            gevent.sleep(0.03)
            return super().states(*axes)

    motors = make(Slow, "motors", axes=[{"name": "robx", "hard_low_limit": -9.0, "hard_high_limit": 2.0, **SLOW}])
    robx = motors.axes["robx"]
    with pytest.raises(AxisOnLimitError, match="it is at 2 and should be at 5"):
        robx.move(5)
    robx.sync_hard()
    robx.limits = -3, 3
    robx.move(0)
    robx.jog(-5)
    with pytest.raises(AxisOnLimitError) as caught:
        robx.wait_move()
    assert f"robx was braked at {robx.position:.10g}" in str(caught.value)


def test_too_few_answers() -> None:
    class Short(SimulatedMotors):
        def read_positions(self, *axes: Axis) -> Any:
            return [0.0]

        def states(self, *axes: Axis) -> Any:
            return [AxisState("READY")]

    motors = make(Short, "motors", axes=[{"name": "robx", **SLOW}, {"name": "roby", **SLOW}])
    with pytest.raises(DeviceError, match="motors.*2 axes.*1"):
        motors.read_dials(*motors.axes.values())
    with pytest.raises(DeviceError, match="motors.*2 axes.*1"):
        motors.read_states(*motors.axes.values())


def test_an_encoder_that_says_nothing() -> None:
    class Blind(SimulatedMotors):
        def read_encoder(self, encoder: Any) -> float:
            return math.nan

    motors = make(Blind, "motors", axes=[{"name": "robx", **SLOW}], encoders=[{"name": "enc"}])
    robx = motors.axes["robx"]
    robx.config = robx.config.model_copy(update={"encoder": lambda: motors.encoders["enc"]})
    with pytest.raises(DeviceError, match="enc.*expected a finite number.*came nan"):
        robx.move(0.1)
