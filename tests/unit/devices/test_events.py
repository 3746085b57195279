"""What devices tell, and receivers that wait, fail or are killed."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.controllers.calc.slits import Slits
from bliss_like.devices import events, motion_line
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.positions import states_of
from tests.unit.devices.calc import GAP, calc, reached, real_axes
from tests.unit.devices.making import Notes, make_axis


class Waiting(Notes):
    """Waits when it is told something, or `at`, for the first time, until it is let go."""

    def __init__(self, at: object = None) -> None:
        self.at, self.is_waiting, self.go_on = at, Event(), Event()

    def take(self, value: object) -> None:
        if not self.is_waiting.is_set() and self.at in (None, value):
            self.is_waiting.set()
            self.go_on.wait()
        super().take(value)


def test_all_receivers_hear_of_things_in_order_though_one_waits() -> None:
    robx, first, second = make_axis(), Waiting(), Notes()
    events.connect(robx, AxisEvent.POSITION, first.take)
    events.connect(robx, AxisEvent.POSITION, second.take)
    telling = gevent.spawn(events.send, robx, AxisEvent.POSITION, 1)
    first.is_waiting.wait()
    events.send(robx, AxisEvent.POSITION, 2)
    first.go_on.set()
    telling.get(timeout=5)
    assert first == second == [1, 2]


def test_the_end_of_a_motion_is_told_before_the_next_one_begins() -> None:
    robx, first, second = make_axis(velocity=10), Waiting(at=True), Notes()
    events.connect(robx, AxisEvent.MOVE_DONE, first.take)
    events.connect(robx, AxisEvent.MOVE_DONE, second.take)
    robx.move(1)
    first.is_waiting.wait()
    robx.move(2, wait=False)
    robx.wait_move()
    first.go_on.set()
    reached(lambda: len(second) == 4)
    assert first == second == [False, True, False, True]


def test_what_waits_is_told_though_who_tells_is_killed() -> None:
    robx, first, second = make_axis(), Waiting(), Notes()
    events.connect(robx, AxisEvent.POSITION, first.take)
    events.connect(robx, AxisEvent.POSITION, second.take)
    telling = gevent.spawn(events.send, robx, AxisEvent.POSITION, 1)
    first.is_waiting.wait()
    events.send(robx, AxisEvent.POSITION, 2)
    telling.kill()
    reached(lambda: second == [2])
    events.send(robx, AxisEvent.POSITION, 3)
    assert first == second == [2, 3]


def test_a_receiver_that_gives_up_with_a_timeout_of_gevent(caplog: pytest.LogCaptureFixture) -> None:
    robx, told = make_axis(velocity=10), Notes()

    def give_up(value: object) -> None:
        raise gevent.Timeout(0.1)

    events.connect(robx, AxisEvent.MOVE_DONE, give_up)
    events.connect(robx, AxisEvent.MOVE_DONE, told.take)
    robx.move(1)
    assert (robx.position, told) == (1, [False, True])
    assert "receiver of MOVE_DONE of robx, failed" in caplog.text


def test_a_state_that_was_asked_for_before_another_session_told_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    robx, states, is_asked, answer = make_axis(), Notes(), Event(), Event()

    def slow_states(*axes: Axis) -> list[AxisState]:
        is_asked.set()
        answer.wait()
        return [AxisState("MOVING")]

    monkeypatch.setattr(robx.controller, "read_states", slow_states)
    events.connect(robx, AxisEvent.STATE, states.take)
    robx.heard({"state": ["MOVING"]})
    for look in (robx.read_state, lambda: states_of([robx, make_axis("other")])):
        is_asked.clear()
        answer.clear()
        looking = gevent.spawn(look)
        is_asked.wait()
        robx.heard({"state": ["READY"]})
        answer.set()
        looking.get(timeout=5)
        assert states[-1] == "READY"


def test_what_an_axis_cannot_take_from_another_session_hides_nothing_after_it(caplog: pytest.LogCaptureFixture) -> None:
    class Unready:
        name = "unready"
        told: list[Any] = []

        def heard(self, values: Any) -> None:
            if values == 1:
                gevent.sleep(0.01)
                raise gevent.Timeout(1)
            self.told.append(values)

        def stop_wanted(self, by: str) -> bool:
            return False

    axis = Unready()
    motion_line.register(axis)
    motion_line._hear([{"axes": {"unready": 1}}, {"axes": {"unready": 2}}])
    reached(lambda: axis.told == [2])
    assert "what another session does with axis unready is not told" in caplog.text


def test_pseudo_axes_tell_nothing_old_after_something_new() -> None:
    """Also when a receiver waits for so long that the motion is over meanwhile."""
    up, down = real_axes("up", "down", velocity=10.0, acceleration=1000.0)
    slits = calc(Slits, {"up": up, "down": down}, GAP)
    first, second = Waiting(), Notes()
    events.connect(slits.axes["vgap"], AxisEvent.POSITION, first.take)
    events.connect(slits.axes["voffset"], AxisEvent.POSITION, second.take)
    up.move(0.5, wait=False)
    first.is_waiting.wait()
    up.wait_move()
    up.move(1)
    reached(lambda: second[-1:] == [0.5])
    first.go_on.set()
    reached(lambda: first[-1:] == [1])
    for _ in range(10):
        gevent.sleep(0.001)
    assert (first[-1], second[-1]) == (1, 0.5)
    assert first == sorted(first) and second == sorted(second)
    assert (slits.axes["vgap"].settings.now()["position"], slits.axes["voffset"].settings.now()["position"]) == (1, 0.5)


def test_what_comes_while_a_receiver_of_a_pseudo_axis_waits_is_told_after_it() -> None:
    """Of a real axis that somebody else moves nobody tells that it has arrived."""
    (up, down), told = real_axes("up", "down"), Waiting()
    slits = calc(Slits, {"up": up, "down": down}, GAP)
    events.connect(slits.axes["vgap"], AxisEvent.POSITION, told.take)
    up.heard({"position": 1.0})
    told.is_waiting.wait()
    up.heard({"position": 2.0})
    told.go_on.set()
    reached(lambda: told == [1, 2])
