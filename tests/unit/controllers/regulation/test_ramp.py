"""Ramps that this process makes: their time law, a new target on the way, and what ends them."""

from __future__ import annotations

import time

import gevent
import gevent.event
import pytest

from bliss_like.controllers.regulation.ramp import SoftRamp
from bliss_like.errors import DeviceError
from tests.waiting import wait_until_cooperative as wait_until


class Recorder:
    """Takes values with their times, until it breaks."""

    def __init__(self, start: float = 0.0, breaks_after: int = 10**9) -> None:
        self.values, self.times = [start], [time.monotonic()]
        self._breaks_after = breaks_after

    def get(self) -> float:
        return self.values[-1]

    def set(self, value: float) -> None:
        if len(self.values) > self._breaks_after:
            raise DeviceError("the heater does not answer")
        self.values.append(value)
        self.times.append(time.monotonic())


def test_the_rate_is_kept() -> None:
    recorder = Recorder(10)
    ramp = SoftRamp(recorder.get, recorder.set, rate=100, poll_time=0.01)
    began = time.monotonic()
    ramp.start(40)
    assert ramp.is_ramping()
    wait_until(lambda: not ramp.is_ramping())
    assert 0.29 <= time.monotonic() - began < 0.5
    assert recorder.values[-1] == 40 and len(recorder.values) > 10
    for value, at in list(zip(recorder.values, recorder.times, strict=True))[1:-1]:
        assert value == pytest.approx(10 + 100 * (at - began), abs=1)


def test_without_a_rate_it_jumps() -> None:
    recorder = Recorder()
    ramp = SoftRamp(recorder.get, recorder.set)
    ramp.start(7)
    assert not ramp.is_ramping() and recorder.values == [0, 7]


def test_a_new_target_and_a_new_rate_hold_from_where_it_is() -> None:
    recorder = Recorder()
    ramp = SoftRamp(recorder.get, recorder.set, rate=50, poll_time=0.005)
    ramp.start(1000)
    wait_until(lambda: recorder.values[-1] > 3)
    turning = recorder.values[-1]
    ramp.rate = 500
    ramp.start(-10)
    wait_until(lambda: not ramp.is_ramping())
    assert recorder.values[-1] == -10
    steps = [abs(b - a) for a, b in zip(recorder.values, recorder.values[1:], strict=False)]
    assert max(steps) < turning + 15


def test_stop_leaves_it_where_it_is() -> None:
    recorder = Recorder()
    ramp = SoftRamp(recorder.get, recorder.set, rate=50, poll_time=0.005)
    ramp.start(1000)
    wait_until(lambda: len(recorder.values) > 3)
    ramp.stop()
    assert not ramp.is_ramping() and ramp.value == recorder.values[-1] < 1000


def test_what_cannot_be_written_ends_it() -> None:
    recorder = Recorder(breaks_after=3)
    ramp = SoftRamp(recorder.get, recorder.set, rate=50, poll_time=0.005)
    ramp.start(1000)
    wait_until(lambda: not ramp.is_ramping())
    assert str(ramp.failure) == "the heater does not answer"
    recorder = Recorder(breaks_after=0)
    with pytest.raises(DeviceError, match="the heater does not answer"):
        SoftRamp(recorder.get, recorder.set).start(5)


def test_a_write_that_gives_up_with_a_timeout_of_gevent_ends_it_and_is_kept() -> None:
    recorder = Recorder()

    def give_up(value: float) -> None:
        raise gevent.Timeout(1)

    ramp = SoftRamp(recorder.get, give_up, rate=50, poll_time=0.005)
    ramp.start(1000)
    wait_until(lambda: not ramp.is_ramping())
    assert isinstance(ramp.failure, gevent.Timeout)


def test_two_starts_at_once_are_one_ramp() -> None:
    recorder, answer = Recorder(), gevent.event.Event()
    ramp = SoftRamp(lambda: answer.wait() and 0.0, recorder.set, rate=50, poll_time=0.005)
    starting = [gevent.spawn(ramp.start, target) for target in (1000, -1000)]
    gevent.sleep(0.01)
    answer.set()
    gevent.joinall(starting, timeout=5, raise_error=True)
    wait_until(lambda: len(recorder.values) > 3)
    assert recorder.values == sorted(recorder.values, reverse=True)  # all on the way to the latter
    ramp.stop()
    before = len(recorder.values)
    gevent.sleep(0.05)
    assert len(recorder.values) == before
