"""The clock of the tests: what is waited for ends in order and at its time, by that clock, and at once by any other."""

from __future__ import annotations

import time

import gevent
import pytest
from gevent.event import Event

from tests.clock import Clock, own_clock


def test_what_waits_ends_at_its_time(clock: Clock) -> None:
    ended: list[tuple[str, float]] = []

    def wait(name: str, seconds: float) -> None:
        gevent.sleep(seconds)
        ended.append((name, clock.elapsed))

    gevent.joinall([gevent.spawn(wait, name, seconds) for name, seconds in (("b", 7200), ("a", 3600), ("c", 7200))])
    assert [name for name, _ in ended] == ["a", "b", "c"]
    assert [at for _, at in ended] == pytest.approx([3600, 7200, 7200], abs=1e-3)


def test_every_clock_goes_on_alike(clock: Clock) -> None:
    before = time.monotonic(), time.perf_counter(), time.time()
    gevent.sleep(50)
    time.sleep(50)
    after = time.monotonic(), time.perf_counter(), time.time()
    assert [end - start for start, end in zip(before, after, strict=True)] == pytest.approx([100] * 3)


def test_timeouts_are_timeouts(clock: Clock) -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(5):
        Event().wait()
    assert clock.elapsed == pytest.approx(5)
    with gevent.Timeout(5):
        gevent.sleep(1)
    assert not Event().wait(timeout=10)
    assert clock.elapsed == pytest.approx(16)
    gevent.spawn_later(3, gevent.sleep, 4).join()
    assert clock.elapsed == pytest.approx(23)


def test_who_looks_again_and_again_sees_it_go_on(clock: Clock) -> None:
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        pass


def test_who_waits_is_not_forgotten_beside_others_that_never_do(clock: Clock) -> None:
    def work() -> None:
        while True:
            time.monotonic()
            gevent.sleep(0)

    working = gevent.spawn(work)
    gevent.sleep(0.01)
    working.kill()
    assert clock.elapsed == pytest.approx(0.01, rel=0.1)


@pytest.mark.real_time
def test_what_a_test_leaves_running_ends_with_it() -> None:
    with own_clock():
        left = gevent.spawn(gevent.sleep, 1e9)
        gevent.sleep(0)
    assert left.dead


def test_it_is_given_back() -> None:
    loop, real = gevent.get_hub().loop, time.monotonic
    with own_clock():
        assert time.monotonic is not real
    assert gevent.get_hub().loop is loop and time.monotonic is real
    gevent.sleep(0.001)
