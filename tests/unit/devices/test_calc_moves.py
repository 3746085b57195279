"""Pseudo axes that move: limits, events, interruptions."""

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
from bliss_like.devices.axis import check_limits
from bliss_like.devices.axis_group import AxisGroup, move
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.errors import AxisFault, AxisLimitError, AxisStopped, DeviceError
from tests.unit.devices.calc import GAP, Double, Root, calc, reached, real_axes, root, slow_slits
from tests.unit.devices.making import Notes


@pytest.fixture
def slits() -> Slits:
    up, down = real_axes("up", "down", unit="mm")
    return calc(Slits, {"up": up, "down": down}, GAP, no_offset=False)


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


def test_telling_what_pseudo_axes_do_asks_the_hardware_for_nothing() -> None:
    up, down = real_axes("up", "down")
    inner = calc(Slits, {"up": up, "down": down}, GAP, name="inner")
    twice = calc(Double, {"x": inner.axes["vgap"]}, {"twice": {}}).axes["twice"]
    box, states, positions = up.controller, Notes(), Notes()
    assert isinstance(box, SimulatedMotors)
    twice.move(8)
    before = box.exchanges
    move(up, 1, down, 1)
    plain = box.exchanges - before
    events.connect(twice, AxisEvent.STATE, states.take)
    events.connect(twice, AxisEvent.POSITION, positions.take)
    before = box.exchanges
    twice.move(4 / 3)
    reached(lambda: positions and "READY" in states[-1:])
    assert box.exchanges - before == plain


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
    with pytest.raises(AxisFault, match="up is at 3 mm, but was left at 1 mm"):
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
    with pytest.raises(AxisLimitError, match="vgap: 100 is above its high limit 8"):  # and not what is wrong with up
        vgap.move(100)
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


def test_a_calculation_that_fails_does_not_fail_the_motion(caplog: pytest.LogCaptureFixture) -> None:
    made, x = root()
    told = Notes()
    events.connect(made.axes["root"], AxisEvent.POSITION, told.take)
    with caplog.at_level(logging.WARNING):
        x.move(-1)
        x.move(-2)
    gevent.sleep(0)
    assert x.position == -2
    assert told == []
    (record,) = caplog.records
    assert record.message.startswith(
        "calc: what its axes do is not told: calc: calc_from_real has no answer for x = -1"
    )
    x.move(9)
    gevent.sleep(0)
    assert told == [3]


# -- interruptions


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


def test_what_pseudo_axes_tell_asks_no_hardware() -> None:
    """While axes tell that a motion is over nothing else must happen: the next one could begin in between."""
    up, down = real_axes("up", "down", velocity=10.0, acceleration=1000.0)
    [other] = real_axes("other", velocity=10.0)
    vgap = calc(Slits, {"up": up, "down": down}, GAP).axes["vgap"]
    told: list[Any] = []
    receivers = [lambda value, name=name: told.append((name, value)) for name in ("up", "other", "vgap")]
    for axis, receiver in zip((up, other, vgap), receivers, strict=True):
        assert axis.state == "READY"
        events.connect(axis, AxisEvent.MOVE_DONE, receiver)
    events.connect(vgap, AxisEvent.STATE, receivers[2])
    over = lambda is_over: told.append("over") if is_over else None  # noqa: E731
    events.connect(up, AxisEvent.INTERNAL_MOVE_DONE, over)
    read = up.controller.states
    up.controller.states = lambda *axes: told.append("asked") or read(*axes)  # type: ignore[method-assign, func-returns-value]
    AxisGroup(up, other).move({up: 0.1, other: 0.1})
    assert "asked" in told
    assert told[told.index("over") :] == [
        "over",
        ("vgap", AxisState("READY")),
        ("vgap", True),
        ("up", True),
        ("other", True),
    ]
