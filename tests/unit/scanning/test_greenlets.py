"""Calls side by side, and clean-up under Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest
from gevent.event import Event

from bliss_like.errors import UserAbort
from bliss_like.scanning.greenlets import Shield, SideBySide, breathe, run_all
from tests.unit.scanning.making import raising


def test_calls_that_do_not_wait_are_made_in_order_before_start_returns() -> None:
    done: list[int] = []
    together = SideBySide([lambda n=n: done.append(n) for n in range(3)])
    together.start()
    assert done == [0, 1, 2]
    assert not together.is_running
    together.wait()
    together.close()


def test_calls_that_wait_run_beside_each_other_and_beside_the_caller() -> None:
    go, done = Event(), []

    def wait(n: int) -> None:
        go.wait()
        done.append(n)

    together = SideBySide([lambda n=n: wait(n) for n in range(8)])
    for _ in range(3):
        together.start()
        assert together.is_running and len(together.waiting) == 8
        assert done == []
        go.set()
        together.wait()
        assert sorted(done) == list(range(8))
        done.clear()
        go.clear()
    together.close()


def test_eight_calls_wait_at_the_same_time() -> None:
    run_all([meeting(8)] * 8)


def meeting(size: int) -> Callable[[], None]:
    """A call that returns when it has been made `size` times, all of them waiting."""
    everybody, present = Event(), []

    def meet() -> None:
        present.append(None)
        if len(present) == size:
            everybody.set()
        assert everybody.wait(10)

    return meet


def test_a_call_may_wait_for_one_that_comes_after_it() -> None:
    event = Event()
    run_all([event.wait, event.set])


@pytest.mark.parametrize("before", [[], [lambda: gevent.sleep(60)]])
def test_the_first_error_is_raised_at_once_and_ends_the_others(before: list) -> None:
    ended: list[str] = []

    def patient() -> None:
        try:
            gevent.sleep(60)
        finally:
            ended.append("patient")

    def late() -> None:
        gevent.sleep(0.001)
        raise OSError("no answer")

    with pytest.raises(OSError, match="no answer"):
        run_all([*before, patient, late])
    assert ended == ["patient"]


def test_after_an_error_the_set_can_be_used_again() -> None:
    outcomes: list[BaseException | None] = [OSError("once"), None]

    def call() -> None:
        error = outcomes.pop(0)
        if error:
            raise error

    together = SideBySide([call])
    with pytest.raises(OSError, match="once"):
        together.run()
    together.run()
    together.close()


def test_ending_the_caller_ends_the_calls() -> None:
    ended: list[str] = []

    def patient(name: str) -> None:
        try:
            gevent.sleep(60)
        finally:
            ended.append(name)

    caller = gevent.spawn(run_all, [lambda: patient("a"), lambda: patient("b")])
    gevent.sleep(0)
    caller.kill(timeout=5)
    assert sorted(ended) == ["a", "b"]


def test_a_call_that_does_not_end_is_given_up() -> None:
    go = Event()

    def stubborn() -> None:
        while not go.is_set():
            try:
                go.wait()
            except gevent.GreenletExit:
                pass

    together = SideBySide([stubborn])
    together.start()
    assert together.kill(timeout=0.01) is False
    go.set()
    assert together.kill(timeout=5) is True
    together.close()


def test_a_closed_set_ends_whoever_still_uses_it() -> None:
    done: list[int] = []
    together = SideBySide([lambda: done.append(1), lambda: done.append(2)])
    together.close()
    with pytest.raises(gevent.GreenletExit):
        together.start()
    assert done == []


def test_breathing_lets_others_run() -> None:
    turns: list[int] = []
    other = gevent.spawn(turns.append, 1)
    while not turns:
        breathe()
    other.get()


def test_a_shield_finishes_the_cleanup_and_keeps_the_abort() -> None:
    go, done = Event(), []

    def cleanup() -> None:
        go.wait()
        done.append("clean")

    shield = Shield()
    runner = gevent.spawn(shield.run, cleanup)
    gevent.sleep(0)
    for _ in range(2):
        runner.kill(UserAbort, block=False)
        gevent.sleep(0.001)
    go.set()
    runner.get(timeout=5)
    assert done == ["clean"]
    assert isinstance(shield.abort, UserAbort) and not shield.gave_up


def test_a_shield_gives_up_at_the_third_abort() -> None:
    shield = Shield(aborts=1)
    runner = gevent.spawn(shield.run, Event().wait)
    gevent.sleep(0)
    runner.kill(UserAbort, block=False)
    gevent.sleep(0.001)
    assert not runner.ready()
    runner.kill(UserAbort, block=False)
    runner.get(timeout=5)
    assert shield.gave_up


def test_a_shield_raises_what_the_cleanup_raises() -> None:
    with pytest.raises(OSError, match="stuck"):
        Shield().run(raising(OSError("stuck")))
