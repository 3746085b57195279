"""Callbacks that say which channels they look at: of others they are told nothing."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.data.events import EndScan, NewData, NewNode, PreparedScan, WireEvent
from bliss_like.data.lifecycle import ScanState
from bliss_like.live import LiveTable
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Device, Log, end_of, timer_scan
from tests.unit.scanning.test_subscriptions import points


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, a scan waits at its end for who is lossy."""
    for module in ("scan_run", "listening"):  # in this order: the first one imports it of the second
        monkeypatch.setattr(f"bliss_like.scanning.{module}.LAST", 30.0)


def scan_of_two(npoints: int = 5, **does: Any) -> Scan:
    return timer_scan(Device("one", Log()), Device("two", Log(), **does), npoints=npoints)


class Picky:
    """Looks at the channels of one device, among those that it has heard of."""

    def __init__(self, device: str = "one") -> None:
        self.device = device
        self.known: set[str] = set()
        self.events: list[WireEvent] = []

    def accept(self, event: WireEvent) -> None:
        self.events.append(event)
        if isinstance(event, NewNode) and event.kind.is_channel:
            self.known.add(event.path)

    def looks_at(self, path: str) -> bool:
        return path in self.known and self.device in path


@pytest.mark.parametrize("lossless", [False, True])
def test_one_that_is_lossy_is_not_told_of_others(lossless: bool) -> None:
    picky, events = Picky(), list[WireEvent]()
    scan = scan_of_two()
    scan.subscribe(picky, lossless=lossless)
    scan.subscribe(events.append)
    scan.run()
    assert points(picky.events, "one:value") == points(events, "two:value") == [0, 1, 2, 3, 4]
    assert points(picky.events, "two:value") == ([0, 1, 2, 3, 4] if lossless else [])
    assert end_of(scan).lengths == {channel.path: 5 for channel in scan.channels}
    assert picky.events[-1] == events[-1]


def test_it_has_changed_its_mind_for_what_comes_then() -> None:
    """Also when the points of both channels have come before it was asked."""
    go_on = Event()

    class Late(Picky):
        def accept(self, event: WireEvent) -> None:
            if isinstance(event, PreparedScan):
                go_on.wait()
            super().accept(event)
            if isinstance(event, NewData):
                self.device = "two"

    late = Late()
    scan = scan_of_two(stop=go_on.set)
    scan.subscribe(late)
    scan.run()
    assert points(late.events, "one:value") == [0, 1, 2, 3, 4] and not points(late.events, "two:value")


@pytest.mark.parametrize("kind", [NewNode, PreparedScan])
def test_it_is_asked_when_it_has_heard_what_there_is_to_hear(kind: type) -> None:
    go_on = Event()

    class Slow(Picky):
        def accept(self, event: WireEvent) -> None:
            if isinstance(event, kind):
                go_on.wait()  # meanwhile the scan goes on
            super().accept(event)

    slow = Slow()
    scan = scan_of_two(stop=go_on.set)
    scan.subscribe(slow)
    scan.run()
    assert points(slow.events, "one:value") == [0, 1, 2, 3, 4]


def test_one_that_cannot_tell_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Bad(Picky):
        def looks_at(self, path: str) -> bool:
            raise ValueError("bad")

    bad, events = Bad(), list[WireEvent]()
    scan = scan_of_two()
    scan.subscribe(bad)
    scan.subscribe(events.append)
    scan.run()
    assert scan.state is ScanState.DONE and points(events, "two:value") == [0, 1, 2, 3, 4]
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "callback Bad failed at" in record.getMessage() and "ValueError: bad" in record.getMessage()


def test_it_may_change_its_mind() -> None:
    class Fickle(Picky):
        def accept(self, event: WireEvent) -> None:
            super().accept(event)
            if isinstance(event, NewData):
                self.device = "two" if "one" in event.path else "one"

    fickle, npoints = Fickle(), 2000
    scan = scan_of_two(npoints)
    scan.subscribe(fickle)
    scan.run()
    assert isinstance(fickle.events[-1], EndScan)
    for name in ("one:value", "two:value"):
        came = points(fickle.events, name)
        assert came and all(
            value in (index, pytest.approx(index)) or value != value for index, value in enumerate(came)
        )


def test_a_table_has_its_first_rows_also_when_it_comes_late() -> None:
    go_on, lines = Event(), list[str]()

    def out(line: str) -> None:
        go_on.wait()  # at its title
        lines.append(str(line))

    scan = scan_of_two(5, stop=go_on.set)
    scan.subscribe(LiveTable(out=out))
    scan.run()
    assert [line.split()[0] for line in lines if line.split()[0].isdigit()] == ["0", "1", "2", "3", "4"]
    assert not any(line.split()[1:] == [] for line in lines)


def test_a_fold_of_two_scans_at_once() -> None:
    lines: list[str] = []
    environment.subscriptions.subscribe(LiveTable(out=lambda line: lines.append(str(line)), rows_per_second=None))
    started, go_on = Event(), Event()

    def wait() -> None:
        started.set()
        go_on.wait()

    other = scan_of_two(3, start=wait)
    task = gevent.spawn(other.run)
    started.wait()
    scan_of_two(4).run()
    go_on.set()
    task.get()
    assert sum(line.split()[0].isdigit() for line in lines) == 3 + 4
