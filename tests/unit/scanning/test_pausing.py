"""Pausing: where scans hold, who is told, and how they go on or end."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from bliss_like.data.events import ScanInfoUpdate
from bliss_like.data.lifecycle import ScanState
from bliss_like.errors import UserAbort
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Sequence
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Device, Log, end_of, in_background, published, timer_scan
from tests.waiting import wait_until_cooperative


def told(scan: Scan, key: str) -> list[Any]:
    return [event.info[key] for event in published(scan) if isinstance(event, ScanInfoUpdate) and key in event.info]


def comments(scan: Scan) -> list[str]:
    return [comment["message"] for comment in scan.comments]


def slow_scan(npoints: int = 5) -> Scan:
    return timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(0.1)), npoints=npoints)


@pytest.fixture(autouse=True)
def somebody() -> None:
    environment.user_name = "marie"


def test_a_pause_is_published_when_the_scan_is_held() -> None:
    scan = slow_scan()
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING)
    gevent.sleep(0.05)
    assert environment.pausing.pause() == [scan]
    assert scan.is_paused and not told(scan, "paused")  # the point under way is finished first
    wait_until_cooperative(lambda: told(scan, "paused"))
    held_at = scan.channels[0].length
    gevent.sleep(1)
    assert scan.channels[0].length == held_at == 1
    assert environment.pausing.resume() == [scan]
    assert task.get(timeout=5) is None
    assert told(scan, "paused") == ["user", ""]
    assert comments(scan) == ["paused by marie", "resumed"]
    assert scan.state is ScanState.DONE and scan.channels[0].length == 5


def test_who_goes_on_before_the_point_is_over_has_not_paused() -> None:
    scan = slow_scan()
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING)
    scan.pause()
    scan.resume()
    assert task.get(timeout=5) is None
    assert not told(scan, "paused") and not scan.comments


def test_an_abort_while_paused() -> None:
    scan = slow_scan()
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING)
    environment.pausing.pause()
    wait_until_cooperative(lambda: scan.scan_info.get("paused") == "user")
    scan.abort()
    assert isinstance(task.get(timeout=5), UserAbort)
    assert told(scan, "paused") == ["user", ""]
    assert comments(scan) == ["paused by marie"]
    assert end_of(scan).state == "USER_ABORTED"
    assert not environment.pausing.is_paused and not environment.pausing.running
    after = slow_scan()  # is not held by what is over
    assert in_background(after).get(timeout=5) is None


def test_the_next_scan_of_a_paused_sequence_does_not_begin() -> None:
    sequence, between = Sequence(), gevent.event.Event()
    second, unnamed = slow_scan(2), slow_scan(2)

    def macro() -> None:
        with sequence.sequence_context() as context:
            context.add_and_run(slow_scan(2))
            between.set()
            gevent.sleep(0.1)
            unnamed.run()
            context.add_and_run(second)

    task = gevent.spawn(macro)
    between.wait()
    assert environment.pausing.pause() == [sequence.scan]
    unnamed.wait_state(ScanState.STARTING)
    gevent.sleep(1)
    assert unnamed.channels[0].length == 0 and unnamed.scan_info["paused"] == "user"
    environment.pausing.resume()
    task.get(timeout=5)
    assert second.channels[0].length == unnamed.channels[0].length == 2
    assert sequence.state is ScanState.DONE


def test_a_sequence_that_is_paused_by_itself() -> None:
    sequence = Sequence()
    scans = [slow_scan(2), slow_scan(2)]

    def macro() -> None:
        with sequence.sequence_context() as context:
            for scan in scans:
                context.add_and_run(scan)

    task = gevent.spawn(macro)
    scans[0].wait_state(ScanState.STARTING)
    sequence.scan.pause()
    alone = slow_scan(2)
    assert in_background(alone).get(timeout=5) is None  # has nothing to do with it
    assert [scan.is_paused for scan in scans] == [True, False]
    sequence.scan.resume()
    task.get(timeout=5)
    assert [scan.channels[0].length for scan in scans] == [2, 2]


def test_nothing_to_pause() -> None:
    assert environment.pausing.pause() == []
    assert in_background(slow_scan()).get(timeout=5) is None


def test_two_that_hold_a_scan() -> None:
    scan = slow_scan()
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING)
    wait_until_cooperative(lambda: scan.channels[0].length)
    scan.gate.close("writer")
    wait_until_cooperative(lambda: scan.scan_info.get("paused"))
    scan.pause()
    scan.gate.open("writer")
    gevent.sleep(1)
    held_at = scan.channels[0].length
    scan.resume()
    assert task.get(timeout=5) is None
    assert told(scan, "paused") in (["writer", "user", ""], ["writer", "user, writer", "user", ""])
    assert comments(scan) == ["paused by marie", "resumed"]
    assert held_at < scan.channels[0].length == 5
