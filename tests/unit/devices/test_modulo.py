"""Axes that turn: positions are those within one turn, the hardware counts turns, and limits are an arc."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from bliss_like.devices.axis import Axis
from bliss_like.errors import AxisDiscrepancy, AxisLimitError, AxisOnLimitError, AxisStopped
from tests.unit.devices.making import make_axis
from tests.waiting import wait_until


def ring(**keys: Any) -> Axis:
    return make_axis("phi", **{"modulo": 360.0, "velocity": 1000.0, "acceleration": 100000.0, **keys})


def register(axis: Axis) -> float:
    return float(axis.controller.read_position(axis)) / axis.steps_per_unit


def reached(condition: Any) -> None:
    wait_until(lambda: gevent.sleep(0.001) or condition(), timeout=5)


def test_the_short_way_over_the_seam() -> None:
    phi = ring()
    phi.move(350)
    assert register(phi) == pytest.approx(-10)
    phi.move(20)
    assert register(phi) == pytest.approx(20)
    phi.rmove(-30)
    assert phi.position == pytest.approx(350)
    phi.move(-10)
    assert register(phi) == pytest.approx(-10)


@pytest.mark.parametrize("keys", [{}, {"sign": -1}, {"steps_per_unit": -10.0}])
def test_positions_are_within_the_first_turn_of_the_user(keys: dict[str, Any]) -> None:
    """Whatever the offset and the sign: where it was sent is where it is shown."""
    phi = ring(**keys)
    phi.move(15)
    phi.position = 0
    for position in (350, 10, 0, 359.5):
        phi.move(position)
        assert (phi.position, phi._set_position) == pytest.approx((position, position))
        assert phi.dial2user(phi.dial) == pytest.approx(position)
    phi.offset = 100.0
    assert 0 <= phi.position < 360 and 0 <= phi._set_position < 360
    phi.move(-1e-14)
    assert phi.position == 0


@pytest.mark.parametrize("keys", [{}, {"sign": -1}, {"steps_per_unit": -10.0}])
def test_the_way_stays_within_the_limits(keys: dict[str, Any]) -> None:
    """Between 340 and 20 there is a wall: the short way leads through it."""
    phi = ring(**keys)
    phi.move(180)
    low, high = sorted(phi.dial2user(dial) for dial in (20.0, 340.0))
    phi.limits = low, high
    phi.move(phi.dial2user(330.0))
    before = register(phi)
    seen = []
    moving = gevent.spawn(phi.move, phi.dial2user(30.0))
    while not moving.ready():
        seen.append(phi.dial)
        gevent.sleep(0.002)
    moving.get()
    assert register(phi) == pytest.approx(before - 300)
    assert all(29 < dial % 360 < 331 for dial in seen)
    for dial in (10.0, 350.0, 370.0, -10.0):
        with pytest.raises(AxisLimitError):
            phi.move(phi.dial2user(dial))
    phi.move(phi.dial2user(360.0 + 40.0))
    assert phi.dial % 360 == pytest.approx(40)


def test_limits_of_a_whole_turn_are_none() -> None:
    for limits in ((0, 360), (-180, 180)):
        phi = ring(backlash=10.0)
        phi.limits = limits
        phi.move(350)
        phi.rmove(20)
        assert phi.position == pytest.approx(10)
        phi.move(5)  # by way of 355
        assert phi.position == pytest.approx(5)
        assert register(phi) == pytest.approx(5)


def test_limits_around_the_seam() -> None:
    phi = ring()
    phi.limits = -90, 90
    phi.move(-80)
    assert phi.position == pytest.approx(280)
    phi.move(80)
    assert register(phi) == pytest.approx(80)
    for position in (100, 180, 260, -100):
        with pytest.raises(AxisLimitError):
            phi.move(position)
    phi.move(300)
    assert register(phi) == pytest.approx(-60)


def test_backlash_within_the_limits_of_an_arc() -> None:
    phi = ring(backlash=10.0)
    phi.move(100)
    phi.limits = 20, 340
    with pytest.raises(AxisLimitError, match="backlash"):
        phi.move(25)
    phi.move(35)
    assert phi.position == pytest.approx(35)


def test_a_stop_with_backlash_does_not_turn_it_back() -> None:
    phi = ring(backlash=1.0, velocity=100.0, acceleration=10000.0)
    phi.controller.set_position(phi, 3700.0)
    moving = gevent.spawn(phi.move, 40)
    reached(lambda: phi.is_moving and phi.dial < 95)
    phi.stop()
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)
    assert 3600 < register(phi) < 3710


def test_left_by_a_process_that_died_at_the_seam() -> None:
    for at, is_right in ((355.0, True), (5.0, True), (100.0, False), (180.0, False)):
        phi = ring(initial_position=3600.0)
        phi.move(350)
        motion = phi.get_motion(10)
        assert motion is not None
        phi.about_to_move(motion)
        phi.controller.set_position(phi, 3600.0 + at)
        if is_right:
            phi.move(20)
        else:
            with pytest.raises(AxisDiscrepancy):
                phi.move(20)


def test_left_beyond_its_target_by_the_backlash() -> None:
    axis = make_axis("robx", backlash=1.0)
    axis.move(10)
    axis.controller.set_position(axis, 4.2)
    axis.settings.remember(heading=5.0)
    axis.move(7)
    axis.controller.set_position(axis, 3.5)
    axis.settings.remember(heading=5.0)
    with pytest.raises(AxisDiscrepancy):
        axis.move(7)


def test_a_tolerance_over_the_seam() -> None:
    phi = ring(tolerance=0.01)
    phi.move(10)
    phi.move(0)
    phi.controller.set_position(phi, -0.005)
    phi.move(0)
    phi.move(180)
    phi.move(359.999)
    phi.move(0.001)
    assert phi.position == pytest.approx(0.001)


def test_a_jog() -> None:
    phi = ring(velocity=2000.0)
    phi.limits = 0, 360
    phi.jog(2000)
    reached(lambda: register(phi) > 400)
    phi.stop()
    phi.move(180)
    phi.limits = 20, 340
    phi.jog(2000)
    with gevent.Timeout(5), pytest.raises(AxisOnLimitError):
        phi.wait_move()
    assert 200 < phi.position <= 345
    with pytest.raises(AxisLimitError, match="Nothing was moved"):
        phi.controller.set_position(phi, 345.0)
        phi.sync_hard()
        phi.jog(10)


@pytest.mark.parametrize("is_stopped", [False, True])
@pytest.mark.parametrize("new", [2.0, -2.0, 0.5])
def test_other_steps_keep_the_user_position(new: float, is_stopped: bool) -> None:
    """Also when it is not known where it was left: it was killed while it jogged."""
    axis = make_axis("robx", steps_per_unit=1.0, sign=-1)
    axis.move(10)
    axis.position = 12
    axis.limits = -20, 30
    settings = axis.settings
    if is_stopped:
        settings.remember(target=None, heading=None)
    else:
        settings.remember(heading=-11.0)
    again = make_axis("robx", steps_per_unit=new, sign=-1, initial_position=axis.dial / new)
    again.settings = settings
    assert again.position == pytest.approx(12)
    low, high = again.limits
    assert again.dial2user(again.dial) == pytest.approx(12)
    if new > 0:
        assert (low, high) == pytest.approx((12 - 32 / new, 12 + 18 / new))
    again.rmove(1)
    assert again.position == pytest.approx(13)
