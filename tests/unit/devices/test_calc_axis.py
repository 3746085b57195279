"""Pseudo axes: what they read, where their real axes go, what they tell and what they refuse."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from bliss_like.controllers.calc.slits import Slits
from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis, check_limits
from bliss_like.devices.axis_group import AxisGroup, move
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.planning import all_below
from bliss_like.devices.planning import real_axes as real_axes_of
from bliss_like.devices.positions import read_positions
from bliss_like.errors import AxisLimitError, DeviceError
from tests.unit.devices.calc import GAP, Double, calc, real_axes, root
from tests.unit.devices.making import make


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
    with pytest.raises(ValueError, match="axes .up and .down have the same tag 'up'"):
        make(Slits, "calc", axes=[{"name": up, "tags": "real up"}, {"name": down, "tags": "real up"}])
