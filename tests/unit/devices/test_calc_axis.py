"""Pseudo axes: what they read, where their real axes go, what they tell and what they refuse."""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import Any

import gevent
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bliss_like.controllers.calc.slits import Slits
from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices import events
from bliss_like.devices.axis import Axis, check_limits
from bliss_like.devices.axis_group import AxisGroup, move
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.planning import all_below
from bliss_like.devices.planning import real_axes as real_axes_of
from bliss_like.devices.positions import read_positions
from bliss_like.errors import AxisFault, AxisLimitError, AxisStopped, DeviceError
from tests.unit.devices.calc import calc, reached, real_axes
from tests.unit.devices.making import Notes, make

GAP = {"vgap": {}, "voffset": {}}


class Double(CalcController):
    """Twice its real axis."""

    def calc_from_real(self, real_user_positions: dict[str, Any]) -> dict[str, Any]:
        return {"twice": 2 * real_user_positions["x"]}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Any]) -> dict[str, Any]:
        return {"x": pseudo_dial_positions["twice"] / 2}


class Root(CalcController):
    """The square root of its real axis, with functions that take only floats; the param is what 1 is called."""

    def calc_from_real(self, real_user_positions: dict[str, Any]) -> dict[str, Any]:
        return {"root": math.sqrt(real_user_positions["x"]) * real_user_positions["one"]}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Any]) -> dict[str, Any]:
        return {"x": math.pow(pseudo_dial_positions["root"] / pseudo_dial_positions["one"], 2)}


class CountingMotors(SimulatedMotors):
    """Notes which axes were read together."""

    def __init__(self, name: str, config: Any) -> None:
        super().__init__(name, config)
        self.readings: list[list[str]] = []

    def read_positions(self, *axes: Axis) -> Any:
        self.readings.append([axis.name for axis in axes])
        return [SimulatedMotors.read_position(self, axis) for axis in axes]

    def read_position(self, axis: Axis) -> float:
        return float(self.read_positions(axis)[0])


class StatedMotors(SimulatedMotors):
    """In the states that a test wants."""

    states_wanted: dict[str, AxisState]

    def state(self, axis: Axis) -> AxisState:
        return self.states_wanted.get(axis.name) or super().state(axis)


@pytest.fixture
def slits() -> Slits:
    up, down = real_axes("up", "down", unit="mm")
    return calc(Slits, {"up": up, "down": down}, GAP, no_offset=False)


# -- positions


def test_a_position_is_that_of_the_real_axes_now(slits: Slits) -> None:
    slits.reals[0].move(2)
    slits.reals[1].move(1)
    assert (slits.axes["vgap"].position, slits.axes["voffset"].position) == (3, 0.5)
    assert slits.axes["vgap"].dial == 3


def test_offset_and_sign_are_its_own_and_persist_in_targets(slits: Slits) -> None:
    vgap, (up, down) = slits.axes["vgap"], slits.reals
    vgap.position = 10
    vgap.sign = -1
    up.sign, down.offset = -1, 5
    down.move(5)
    assert (vgap.position, vgap.dial) == (10 - 5, 5)
    targets = slits.real_targets({vgap: 2})
    for axis, position in targets.items():
        axis.move(position)
    assert vgap.position == 2
    assert vgap.dial == 8


def test_all_real_axes_of_a_tree_are_read_once_and_together() -> None:
    motors = make(CountingMotors, "motors", axes=[{"name": name} for name in ("up", "down", "z")])
    up, down, z = motors.axes.values()
    one = calc(Slits, {"up": up, "down": down}, GAP, name="one")
    other = calc(Double, {"x": up}, {"twice": {}}, name="other")
    both = calc(Slits, {"up": one.axes["vgap"], "down": other.axes["twice"]}, {"vgap": {"name": "top"}, "voff": {}})
    assert all_below(both.axes["top"]) == [one.axes["vgap"], up, down, other.axes["twice"]]
    for axis in (up, down, z):
        assert axis._set_position == 0
    motors.readings.clear()
    assert read_positions([both.axes["top"], one.axes["vgap"], z]) == dict.fromkeys(
        [both.axes["top"], one.axes["vgap"], z], 0
    )
    assert motors.readings == [["up", "down", "z"]]
    motors.readings.clear()
    _ = both.axes["top"].position
    assert motors.readings == [["up", "down"]]
    assert real_axes_of([both.axes["top"], z]) == [up, down, z]


def test_relative_moves_start_from_where_the_real_axes_were_sent() -> None:
    (x,) = real_axes("x", steps_per_unit=1)
    twice = calc(Double, {"x": x}, {"twice": {}}).axes["twice"]
    x.move(0.25)
    assert twice._set_position == 0.5


def test_a_group_knows_the_real_axes(slits: Slits) -> None:
    vgap, (up, down) = slits.axes["vgap"], slits.reals
    group = AxisGroup(vgap)
    group.move(vgap, 3)
    assert group.position == {vgap: 3}
    assert group.position_with_reals == {vgap: 3, up: 1.5, down: 1.5}
    assert group.axes_with_reals == {"vgap": vgap, "up": up, "down": down}
    assert group.dial == {vgap: 3}
    assert group.state == "READY"


def test_axes_that_cannot_be_read_say_so() -> None:
    class Broken(SimulatedMotors):
        def read_position(self, axis: Axis) -> float:
            raise DeviceError(f"{axis.name}: no answer")

    broken = make(Broken, "broken", axes=[{"name": "bad"}]).axes["bad"]
    (good,) = real_axes("good")
    made = calc(Slits, {"up": good, "down": broken}, GAP)
    with pytest.raises(DeviceError, match="bad: no answer"):
        _ = made.axes["vgap"].position


# -- setting positions


def test_no_offset_sets_the_real_axes() -> None:
    up, down = real_axes("up", "down")
    vgap = calc(Slits, {"up": up, "down": down}, GAP).axes["vgap"]
    up.move(1)
    vgap.position = 0
    assert (up.position, down.position) == (pytest.approx(0.5), pytest.approx(-0.5))
    assert (up.dial, vgap.position, vgap.offset) == (1, pytest.approx(0), 0)
    with pytest.raises(RuntimeError, match="vgap: its user position is its dial position; it has no offset to set"):
        vgap.offset = 1


def test_setting_the_dial_keeps_the_user_position(slits: Slits) -> None:
    vgap, (up, down) = slits.axes["vgap"], slits.reals
    vgap.position = 4
    vgap.dial = 2
    assert (vgap.position, vgap.dial) == (4, 2)
    assert (up.position, down.position) == (1, 1)


def test_it_has_no_velocity(slits: Slits) -> None:
    for attribute in ("velocity", "acceleration"):
        with pytest.raises(DeviceError, match=f"vgap is calculated and has no {attribute} of its own.*: up, down"):
            getattr(slits.axes["vgap"], attribute)
        with pytest.raises(DeviceError, match=f"vgap is calculated and has no {attribute} of its own"):
            setattr(slits.axes["vgap"], attribute, 1)


# -- calculations


def root(one: float = 1.0) -> tuple[Root, Axis]:
    x, param = real_axes("x", "param", initial_position=4)
    param.position = one
    return calc(Root, {"x": x, "param one": param}, {"root": {}}), x


def test_a_param_is_read_and_never_moved() -> None:
    made, x = root(10)
    assert made.axes["root"].position == 20
    assert made.real_targets({made.axes["root"]: 30}) == {x: 9}
    assert [axis.name for axis in made.params] == ["param"]
    assert made.get_axis_by_tag("one") is made.params[0]


def test_functions_of_floats_are_called_for_each_position(caplog: pytest.LogCaptureFixture) -> None:
    made, x = root()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            (targets,) = made.real_targets({made.axes["root"]: np.array([[1.0, 2], [3, 4]])}).values()
    assert targets.tolist() == [[1, 4], [9, 16]]
    assert [record.message[:44] for record in caplog.records] == ["calc: calc_to_real takes one position at a t"]


def test_what_a_function_refuses_names_the_positions() -> None:
    made, x = root()
    x.move(-1)
    with pytest.raises(AxisLimitError, match="calc: calc_from_real has no answer for x = -1, one = 1: "):
        _ = made.axes["root"].position


def test_functions_that_return_nonsense() -> None:
    class Less(Double):
        def calc_from_real(self, real_user_positions: dict[str, Any]) -> dict[str, Any]:
            return {"thrice": 0.0}

        def calc_to_real(self, pseudo_dial_positions: dict[str, Any]) -> dict[str, Any]:
            return {"y": 1.0} if pseudo_dial_positions["twice"] else None  # type: ignore[return-value]

    (x,) = real_axes("x")
    twice = calc(Less, {"x": x}, {"twice": {}}).axes["twice"]
    with pytest.raises(DeviceError, match="calc: Less.calc_from_real gives no twice; it gives thrice"):
        _ = twice.position
    with pytest.raises(DeviceError, match="calc: Less.calc_to_real gives y, but its axes have the tags x, twice"):
        twice.controller.real_targets({twice: 1})
    with pytest.raises(
        DeviceError, match="calc: calc_to_real must return a dictionary, a number for each tag, came None"
    ):
        twice.controller.real_targets({twice: 0})


def test_a_controller_that_calculates_nothing() -> None:
    (x,) = real_axes("x")
    with pytest.raises(NotImplementedError, match="CalcController must overload calc_from_real"):
        _ = calc(CalcController, {"x": x}, {"twice": {}}).axes["twice"].position


# -- states


def test_the_state_says_which_real_axis_it_is() -> None:
    motors = make(StatedMotors, "motors", axes=[{"name": "up"}, {"name": "down"}])
    motors.states_wanted = {"up": AxisState("READY", "LIMPOS"), "down": AxisState("READY")}
    vgap = calc(Slits, {"up": motors.axes["up"], "down": motors.axes["down"]}, GAP).axes["vgap"]
    assert vgap.state == AxisState("READY", "LIMPOS")
    assert "LIMPOS (up: stands on its positive limit switch)" in str(vgap.state)
    motors.states_wanted["down"] = AxisState(("JAMMED", "does not turn"), "FAULT")
    assert set(vgap.state.names) == {"LIMPOS", "JAMMED", "FAULT"}
    assert "JAMMED (down: does not turn)" in str(vgap.state)
    motors.states_wanted["up"] = AxisState("MOVING")
    assert "MOVING" in vgap.state
    assert vgap.is_moving
    assert vgap.controller.pseudos_are_moving()


# -- what is refused


def test_a_pseudo_axis_and_one_of_its_real_axes_do_not_move_at_once(slits: Slits) -> None:
    vgap, voffset, up = slits.axes["vgap"], slits.axes["voffset"], slits.reals[0]
    twice = calc(Double, {"x": vgap}, {"twice": {}}).axes["twice"]
    move(vgap, 1, voffset, 1)
    for pseudo, axis in ((vgap, up), (twice, up), (twice, vgap)):
        with pytest.raises(RuntimeError, match=f"^{axis.name} .* moved by itself and by {pseudo.name}. Move one after"):
            move(pseudo, pseudo.position, axis, 5)
        with pytest.raises(RuntimeError, match=f"^{axis.name} .* moved by itself and by {pseudo.name}. Move one after"):
            check_limits({pseudo: [0, 1], axis: [0, 1]})
    assert up.position == 1.5


@pytest.mark.parametrize(
    "item, sentence",
    [
        ({"name": "vgap", "tags": "real up"}, "write its name as '\\$vgap'"),
        ({"name": "vgap", "tags": "vgap", "velocity": 1}, "velocity: a pseudo axis has none; give it to its real axes"),
        (
            {"name": "vgap", "steps_per_unit": 2, "acceleration": 1},
            "acceleration, steps_per_unit: a pseudo axis has none",
        ),
    ],
)
def test_keys_that_make_no_sense(item: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(Slits, "calc", axes=[item])


def test_keys_of_a_real_axis_belong_where_it_is() -> None:
    (up,) = real_axes("up")
    with pytest.raises(ValueError, match="low_limit: to be given where the axis itself is, not where it is used"):
        make(Slits, "calc", axes=[{"name": up, "tags": "real up", "low_limit": 0}])
    with pytest.raises(ValueError, match="of a .axis, they begin with 'real' or 'param', came 'up'"):
        make(Slits, "calc", axes=[{"name": up, "tags": "up"}])


def test_a_tag_that_is_there_twice() -> None:
    up, down = real_axes("up", "down")
    with pytest.raises(DeviceError, match="calc: the tag 'up' is there twice"):
        make(Slits, "calc", axes=[{"name": up, "tags": "real up"}, {"name": down, "tags": "real up"}])


# -- moving


def test_a_move_is_one_of_the_real_axes(slits: Slits) -> None:
    vgap, voffset, (up, down) = slits.axes["vgap"], slits.axes["voffset"], slits.reals
    vgap.move(2)
    assert (up.position, down.position, vgap.position) == (1, 1, 2)
    voffset.rmove(0.5)
    assert (up.position, down.position, vgap.position) == (1.5, 0.5, 2)
    move(vgap, 4, voffset, 1)
    assert (up.position, down.position) == (3, 1)


def test_nested_axes_move() -> None:
    up, down = real_axes("up", "down")
    inner = calc(Slits, {"up": up, "down": down}, GAP, name="inner")
    twice = calc(Double, {"x": inner.axes["vgap"]}, {"twice": {}}).axes["twice"]
    twice.move(8)
    assert (up.position, down.position, twice.position) == (2, 2, 8)
    twice.rmove(-4)
    assert (up.position, twice.position) == (1, 4)


def test_relative_moves_add_up_no_errors() -> None:
    (x,) = real_axes("x", steps_per_unit=7)
    twice = calc(Double, {"x": x}, {"twice": {}}).axes["twice"]
    for _ in range(30):
        twice.rmove(0.1)
    assert twice._set_position == pytest.approx(3, abs=1e-12)


def test_moving_is_told_and_stopped(slits: Slits) -> None:
    vgap, (up, down) = slits.axes["vgap"], slits.reals
    for axis in (up, down):
        axis.velocity, axis.acceleration = 1, 100
    vgap.move(20, wait=False)
    assert "MOVING" in vgap.state
    assert vgap.is_moving and slits.axes["voffset"].is_moving
    with pytest.raises(AxisFault, match="moving"):
        vgap.move(3)
    with pytest.raises(AxisFault, match="moving"):
        vgap.position = 3
    vgap.stop()
    assert not up.is_moving and not down.is_moving and not vgap.is_moving
    assert 0 <= up.position < 9
    vgap.move(vgap.position)


def test_a_real_axis_that_was_moved_by_hand(slits: Slits) -> None:
    vgap, up = slits.axes["vgap"], slits.reals[0]
    vgap.move(2)
    up.controller.set_position(up, 300)
    with pytest.raises(AxisFault, match="up is at 3, but was left at 1"):
        vgap.move(3)
    vgap.sync_hard()
    vgap.move(3)
    assert vgap.position == pytest.approx(3)


def test_the_limits_of_the_pseudo_axis_and_of_the_real_ones() -> None:
    up, down = real_axes("up", "down", low_limit=-1, high_limit=4)
    made = calc(Slits, {"up": up, "down": down}, {"vgap": {"high_limit": 8, "low_limit": 0}, "voffset": {}})
    vgap, voffset = made.axes["vgap"], made.axes["voffset"]
    with pytest.raises(AxisLimitError, match="vgap: 9 is above its high limit 8"):
        vgap.move(9)
    voffset.move(1)
    with pytest.raises(AxisLimitError, match="up: 5 is above its high limit 4.*vgap"):
        vgap.move(8)
    with pytest.raises(AxisLimitError, match="up.*vgap|vgap.*up"):
        check_limits({vgap: np.linspace(0, 8, 5)})
    check_limits({vgap: np.linspace(0, 6, 5)})
    assert (up.position, down.position) == (1, -1)


@given(
    low=st.floats(-3, 0),
    high=st.floats(1, 3),
    sign=st.sampled_from([1, -1]),
    offset=st.floats(-5, 5),
    line=st.lists(st.floats(0, 8), min_size=1, max_size=5),
)
@settings(max_examples=50, deadline=None)
def test_a_trajectory_is_refused_when_any_real_axis_would_leave_its_limits(
    low: float, high: float, sign: int, offset: float, line: list[float]
) -> None:
    up, down = real_axes("up", "down")
    vgap = calc(Slits, {"up": up, "down": down}, GAP, no_offset=False).axes["vgap"]
    down.sign, down.offset = sign, offset
    down.sync_hard()
    vgap.position = 0
    up.limits, down.dial_limits = (low - 10, high), (low, high)
    there = [vgap.controller.real_targets({vgap: gap}) for gap in line]
    ups = [targets.get(up, up._set_position) for targets in there]
    downs = [down.user2dial(targets.get(down, down._set_position)) for targets in there]
    margin = 1e-6
    outside = [
        name
        for name, dials in (("up", ups), ("down", downs))
        if max(dials) > high + margin or min(dials) < low - margin
    ]
    inside = all(low + margin < dial < high - margin for dial in [*ups, *downs])
    if outside:
        with pytest.raises(AxisLimitError, match=rf"({'|'.join(outside)}).*vgap"):
            check_limits({vgap: np.array(line)})
    elif inside:
        check_limits({vgap: np.array(line)})


# -- what it tells


@pytest.fixture
def notes(slits: Slits) -> dict[tuple[str, AxisEvent], Notes]:
    """What the two pseudo axes tell, by name and event."""
    found = {}
    for axis in slits.pseudos:
        for event in (AxisEvent.POSITION, AxisEvent.STATE, AxisEvent.MOVE_DONE):
            found[axis.name, event] = Notes()
            events.connect(axis, event, found[axis.name, event].take)
    return found


def test_a_pseudo_axis_tells_that_its_real_axes_move(slits: Slits, notes: dict[tuple[str, AxisEvent], Notes]) -> None:
    up, down = slits.reals
    up.velocity, up.acceleration = 100, 1e4
    up.move(2)
    gevent.sleep(0)
    assert notes["vgap", AxisEvent.MOVE_DONE] == [False, True]
    positions = notes["vgap", AxisEvent.POSITION]
    assert positions == sorted(set(positions))
    assert len(positions) > 2 and positions[-1] == 2
    assert notes["voffset", AxisEvent.POSITION][-1] == 1
    states = notes["vgap", AxisEvent.STATE]
    assert ["MOVING" in state for state in states] == [True, False]
    down.position = 5
    gevent.sleep(0)
    assert positions[-1] == 7


def test_axes_that_move_together_are_told_once(slits: Slits, notes: dict[tuple[str, AxisEvent], Notes]) -> None:
    up, down = slits.reals
    for _ in range(3):
        move(up, up._set_position + 1, down, down._set_position + 1)
    gevent.sleep(0)
    assert notes["vgap", AxisEvent.MOVE_DONE] == [False, True] * 3
    assert notes["vgap", AxisEvent.POSITION] == [2, 4, 6]
    assert notes["voffset", AxisEvent.POSITION] == [0]


def test_nobody_listens_and_nothing_is_calculated(slits: Slits, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(slits, "_from_real", lambda positions: asked.append(positions))
    slits.reals[0].move(3)
    gevent.sleep(0)
    assert asked == []


def test_a_closed_controller_tells_nothing(slits: Slits, notes: dict[tuple[str, AxisEvent], Notes]) -> None:
    slits.__close__()
    slits.reals[0].move(3)
    gevent.sleep(0)
    assert not any(notes.values())


def test_a_move_of_a_pseudo_axis_is_told_once_and_in_order(slits: Slits) -> None:
    told: list[tuple[str, AxisEvent, Any]] = []
    keep = []
    for axis in slits.pseudos:
        for event in (AxisEvent.POSITION, AxisEvent.MOVE_DONE):
            keep.append(partial(lambda name, event, value: told.append((name, event, value)), axis.name, event))
            events.connect(axis, event, keep[-1])
    slits.axes["vgap"].move(2)
    gevent.sleep(0)
    assert [(event, value) for name, event, value in told if name == "vgap"] == [
        (AxisEvent.MOVE_DONE, False),
        (AxisEvent.POSITION, 2),
        (AxisEvent.MOVE_DONE, True),
    ]
    assert [(event, value) for name, event, value in told if name == "voffset"] == [
        (AxisEvent.MOVE_DONE, False),
        (AxisEvent.POSITION, 0),
        (AxisEvent.MOVE_DONE, True),
    ]
    del told[:]
    slits.axes["voffset"].move(0)
    assert told == []


def test_nested_axes_and_params_tell_too() -> None:
    up, down, param = real_axes("up", "down", "param", initial_position=1)
    inner = calc(Slits, {"up": up, "down": down}, GAP, name="inner")
    root = calc(Root, {"x": inner.axes["vgap"], "param one": param}, {"root": {}}).axes["root"]
    positions, ends = Notes(), Notes()
    events.connect(root, AxisEvent.POSITION, positions.take)
    events.connect(root, AxisEvent.MOVE_DONE, ends.take)
    root.move(4)
    assert (positions[-1], ends) == (4, [False, True])
    up.move(24 + 1)
    gevent.sleep(0)
    assert positions[-1] == pytest.approx(math.sqrt(33))
    assert ends == [False, True] * 2
    param.move(2)
    gevent.sleep(0)
    assert positions[-1] == pytest.approx(2 * math.sqrt(33))
    assert ends == [False, True] * 2


# -- interruptions


def slow_slits(**of_down: Any) -> Slits:
    (up,) = real_axes("up", velocity=10, acceleration=1000)
    (down,) = real_axes("down", **({"velocity": 10, "acceleration": 1000} | of_down))
    return calc(Slits, {"up": up, "down": down}, GAP)


def test_a_waiter_that_is_killed_stops_the_real_axes() -> None:
    made = slow_slits()
    vgap = made.axes["vgap"]
    waiter = gevent.spawn(vgap.move, 100)
    reached(lambda: vgap.position > 0)
    waiter.kill()
    assert vgap.state == AxisState("READY")
    assert 0 < vgap.position < 90
    assert vgap._set_position == pytest.approx(vgap.position)


def test_the_stop_of_one_real_axis_stops_them_all() -> None:
    made = slow_slits()
    vgap = made.axes["vgap"]
    vgap.move(100, wait=False)
    reached(lambda: vgap.position > 0)
    made.reals[0].stop()
    assert not vgap.is_moving
    vgap.move(100, wait=False)
    assert vgap.stop_wanted("another process")
    vgap.wait_move()
    assert not vgap.stop_wanted("another process")
    with pytest.raises(AxisStopped):
        gevent.spawn_later(0.05, made.axes["voffset"].stop)
        vgap.move(200)


@pytest.mark.parametrize("fault", ["start", "moving", "short"])
def test_a_real_axis_that_fails_stops_the_others_and_is_named(fault: str) -> None:
    made = slow_slits(fault=fault, timeout=0.3)
    vgap, up = made.axes["vgap"], made.reals[0]
    with pytest.raises(DeviceError, match="^down"):
        vgap.move(20)
    assert not vgap.is_moving
    here = up.position
    assert here < 10.1
    gevent.sleep(0.02)
    assert up.position == here


def test_a_real_axis_that_cannot_move_is_named(slits: Slits) -> None:
    up, _ = slits.reals
    up.disable("it is being repaired")
    with pytest.raises(DeviceError, match="up is disabled .it is being repaired"):
        slits.axes["vgap"].move(1)
    assert "DISABLED" in slits.axes["vgap"].state and "READY" not in slits.axes["vgap"].state


def test_it_looks_for_no_switches(slits: Slits) -> None:
    vgap = slits.axes["vgap"]
    for call in (lambda: vgap.jog(1), vgap.home, lambda: vgap.hw_limit(1)):
        with pytest.raises(DeviceError, match="vgap is calculated and has no (jog|homing|limit search) of its own"):
            call()


def test_a_pseudo_axis_moves_on_a_trajectory() -> None:
    made = slow_slits()
    vgap, (up, down) = made.axes["vgap"], made.reals
    group = made.scan_on_trajectory(vgap, 1, 3, 11, 0.01)
    assert group.calc_axis is vgap and group.axes == [up, down]
    group.prepare()
    group.move_to_start()
    group.move_to_end()
    assert vgap.position > 3
    assert up.position == pytest.approx(down.position)
