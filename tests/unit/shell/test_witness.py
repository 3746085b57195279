"""What is told of a command that was interrupted: facts, and no more of them than somebody reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gevent
import pytest

from bliss_like.data.events import EndScan, WireEvent
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_group import move
from bliss_like.errors import UserAbort
from bliss_like.scanning.greenlets import captured
from bliss_like.shell.witness import Witness
from tests.clock import Clock
from tests.unit.devices.calc import slow_slits
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Device, Log, memory_environment, timer_scan


@pytest.fixture(autouse=True)
def _session(clock: Clock | None) -> Iterator[None]:
    with memory_environment():
        yield


def told(command: Callable[[], object], after: float = 1.0) -> str:
    """Return what is told of a command that is interrupted some seconds after its start."""
    witness = Witness()

    def work() -> None:
        with witness.watching():
            captured(command)
            witness.end_all()

    task = gevent.spawn(work)
    gevent.sleep(after)
    witness.interrupted()
    task.kill(UserAbort("Ctrl-C"), block=False)
    task.join()
    return witness.account()


def axis(name: str = "robx", position: float = 0.0) -> Axis:
    return make_axis(name, velocity=1.0, acceleration=1000.0, unit="mm", initial_position=position)


def test_nothing_of_note() -> None:
    assert told(lambda: gevent.sleep(10)) == "Interrupted."


def test_what_has_arrived_is_no_news() -> None:
    robx, roby = axis(), axis("roby")
    assert told(lambda: (robx.move(0.1), roby.move(10)), 2.1).startswith("Interrupted: roby stopped at ")


def test_where_an_axis_stopped_and_was_going() -> None:
    robx = axis(position=1.0)
    said = told(lambda: robx.move(10))
    assert said.startswith("Interrupted: robx stopped at ") and said.endswith(" mm (was going to 10).")
    assert float(said.split()[4]) == pytest.approx(robx.position, abs=1e-4) == pytest.approx(2, abs=0.01)


def test_what_clean_up_does() -> None:
    robx, roby = axis(position=1.0), axis("roby")

    def macro() -> None:
        try:
            robx.move(10)
        finally:
            gevent.spawn(lambda: (robx.move(1), roby.move(3))).join()

    assert told(macro) == "Interrupted: robx back at 1 mm; roby brought to 3 mm."


def test_a_pseudo_axis_speaks_for_its_reals() -> None:
    slits = slow_slits()
    said = told(lambda: move(slits.axes["vgap"], 50))
    assert "vgap stopped at " in said
    assert not any(f" {real.name} " in said for real in slits.axes["vgap"].reals)


def test_who_is_not_waited_for_is_stopped_and_others_go_on() -> None:
    mine, other = axis("mine"), axis("other")
    background = gevent.Greenlet(lambda: (gevent.sleep(0.5), other.move(3)))
    background.start()
    said = told(lambda: (mine.move(10, wait=False), gevent.sleep(60)))
    assert said.startswith("Interrupted: ") and "other goes on in the background" in said
    assert "mine stopped at " in said and not mine.is_moving
    background.join()
    assert other.position == pytest.approx(3)


def test_an_axis_that_does_not_stop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    robx = axis()
    monkeypatch.setattr(robx.controller, "stop_all", lambda *motions: gevent.sleep(60))
    witness = Witness()

    def work() -> None:
        with witness.watching():
            captured(lambda: robx.move(100))
            witness.end_all()

    task = gevent.spawn(work)
    gevent.sleep(1)
    for _ in range(3):
        witness.interrupted()
        task.kill(UserAbort("Ctrl-C"), block=False)
        gevent.sleep(0.1)
    assert witness.account() == "Interrupted: robx WAS NOT SEEN TO STOP, look after it."


def test_a_scan_that_was_begun_beside_the_command_ends_too() -> None:
    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(0.3)), npoints=20)
    scan.scan_info["npoints"] = 20
    said = told(lambda: (gevent.spawn(captured, scan.run), gevent.sleep(60)))
    assert said == "Interrupted: scan 1 (loopscan) aborted after 3 of 20 points."


def test_who_shows_a_scan_has_told_its_end_before_the_command_is_over() -> None:
    heard: list[WireEvent] = []

    def show(event: WireEvent) -> None:
        gevent.sleep(0.5 if isinstance(event, EndScan) else 0)
        heard.append(event)

    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(0.3)), npoints=20)
    scan.subscribe(show)
    told(lambda: (gevent.spawn(captured, scan.run), gevent.sleep(60)))
    assert isinstance(heard[-1], EndScan)


def test_a_scan_whose_end_was_shown_is_not_told_again() -> None:
    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(0.3)), npoints=20)
    witness = Witness()
    task = gevent.spawn(captured, scan.run)
    gevent.sleep(1)
    scan.abort()
    task.join()
    assert witness.account() == "Interrupted: scan 1 (loopscan) aborted after 3 points."
    assert witness.account({scan.path}) == "Interrupted."


def test_many_axes_are_counted() -> None:
    axes = [axis(f"a{number}") for number in range(6)]
    said = told(lambda: move(dict.fromkeys(axes, 10)))
    assert said.count("stopped at") == 4 and said.endswith("; 2 more axes.")


def test_who_ends_a_command_says_why() -> None:
    witness = Witness()
    witness.interrupted("the beam is gone")
    assert witness.account() == "Interrupted: the beam is gone."


def test_a_key_needs_no_reason() -> None:
    witness = Witness()
    witness.interrupted()
    witness.interrupted("Ctrl-C")
    assert witness.account() == "Interrupted."


def test_a_reason_that_the_table_has_told_is_not_told_again() -> None:
    witness = Witness()

    def no_beam() -> None:
        raise UserAbort("the beam is gone")

    scan = timer_scan(Device("d", Log(), trigger=no_beam), npoints=20)
    task = gevent.spawn(captured, scan.run)
    task.join()
    witness.interrupted("the beam is gone")
    assert witness.account() == "Interrupted: the beam is gone; scan 1 (loopscan) aborted before its first point."
    assert witness.account({scan.path}) == "Interrupted."


def test_an_axis_that_has_come_to_its_target_was_not_going_anywhere_else() -> None:
    robx = axis()
    assert told(lambda: move(robx, 1.0), after=1.00095) == "Interrupted: robx stopped at 1 mm."
