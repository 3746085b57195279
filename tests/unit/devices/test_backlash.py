"""Backlash: every motion ends in the direction of its sign, also one that was stopped, and a second stop ends that too."""

from __future__ import annotations

import gevent
import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis, Motion
from bliss_like.errors import AxisLimitError, AxisStopped, UserAbort
from tests.unit.devices.making import make
from tests.waiting import wait_until


class Recording(SimulatedMotors):
    """Keeps what it is told to start."""

    def start_one(self, motion: Motion) -> None:
        self.__dict__.setdefault("started", []).append(motion)
        super().start_one(motion)


def made(**keys: object) -> tuple[Axis, list[Motion]]:
    motors = make(Recording, "motors", axes=[{"name": "robx", "backlash": 0.5, **keys}])
    motors.__dict__["started"] = started = []
    return motors.axes["robx"], started


SLOW = {"velocity": 10.0, "acceleration": 1000.0}


def targets(started: list[Motion]) -> list[float]:
    return [motion.target_pos for motion in started]


def test_a_motion_against_it_goes_beyond_and_comes_back() -> None:
    axis, started = made()
    axis.move(-3)
    assert targets(started) == [-3.5, -3]
    assert (started[0].backlash, started[1].backlash) == (0.5, 0)
    assert axis.position == axis._set_position == -3


def test_a_motion_along_it_goes_straight() -> None:
    axis, started = made()
    axis.move(3)
    assert targets(started) == [3]


@pytest.mark.parametrize(
    ("keys", "target", "expected"),
    [
        ({"backlash": -0.5}, 3, [3.5, 3]),
        ({"sign": -1}, -3, [3.5, 3]),
        ({"sign": -1}, 3, [-3]),
        ({"steps_per_unit": -100}, -3, [350, 300]),
        ({"steps_per_unit": 100, "sign": -1}, -3, [350, 300]),
    ],
)
def test_its_sign_is_that_of_the_user_scale(keys: dict[str, object], target: float, expected: list[float]) -> None:
    axis, started = made(**keys)
    axis.move(target)
    assert targets(started) == expected
    assert axis.position == target


def test_the_way_beyond_must_be_within_the_limits() -> None:
    axis, started = made(low_limit=-3.2)
    with pytest.raises(
        AxisLimitError,
        match=r"robx: -3.5 \(beyond the target by its backlash of 0.5\) is below its low limit -3.2 by 0.3",
    ):
        axis.move(-3)
    assert started == []
    axis.move(-2.7)
    assert axis.position == -2.7


def test_two_axes_of_which_one_has_it() -> None:
    motors = make(Recording, "motors", axes=[{"name": "a", "backlash": 1}, {"name": "b"}])
    from bliss_like.devices.axis_group import move

    move(motors.axes["a"], -1, motors.axes["b"], -1)
    assert [(motion.axis.name, motion.target_pos) for motion in motors.__dict__["started"]] == [
        ("a", -2),
        ("b", -1),
        ("a", -1),
    ]


def test_a_stop_takes_up_the_play_where_the_axis_stands() -> None:
    axis, started = made(**SLOW)
    moving = gevent.spawn(axis.move, -50)
    wait_until(lambda: gevent.sleep(0.001) or axis.position < -1)
    axis.stop()
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)
    assert len(started) == 2
    assert started[1].delta == 0.5
    assert axis.position == pytest.approx(started[1].target_pos)
    assert axis._set_position == axis.position


def test_it_survives_a_second_interruption() -> None:
    """Ctrl-C, and once more by the impatient: the second one leaves the wait, and not the axis with its play."""
    axis, started = made(velocity=2.0, acceleration=1000.0)
    moving = gevent.spawn(axis.move, -50)
    wait_until(lambda: gevent.sleep(0.001) or axis.position < -0.2)
    moving.kill(UserAbort("Ctrl-C"), block=False)
    wait_until(lambda: gevent.sleep(0.001) or len(started) == 2)
    moving.kill(UserAbort("Ctrl-C"), block=False)
    gevent.joinall([moving], timeout=5)
    assert moving.dead
    assert axis.is_moving
    axis.wait_move()
    assert axis.position == pytest.approx(started[1].target_pos)


def test_a_second_stop_ends_it() -> None:
    axis, started = made(velocity=1.0, acceleration=1000.0)
    axis.move(-50, wait=False)
    wait_until(lambda: gevent.sleep(0.001) or axis.position < -0.1)
    axis.stop(wait=False)
    wait_until(lambda: gevent.sleep(0.001) or len(started) == 2)
    axis.stop()
    assert not axis.is_moving
    assert axis.position < started[1].target_pos


def test_a_stop_in_the_second_leg_is_the_end() -> None:
    axis, started = made(velocity=1.0, acceleration=1000.0)
    axis.move(-0.1, wait=False)
    wait_until(lambda: gevent.sleep(0.001) or len(started) == 2)
    axis.stop()
    assert len(started) == 2
    assert not axis.is_moving
    assert axis._set_position == axis.position != -0.1


def test_a_stop_from_elsewhere_moves_nothing_any_more() -> None:
    axis, started = made(**SLOW)
    axis.move(-50, wait=False)
    wait_until(lambda: gevent.sleep(0.001) or axis.position < -1)
    assert axis.stop_wanted("the web")
    axis.wait_move()
    assert len(started) == 1
    assert not axis.stop_wanted("the web")
