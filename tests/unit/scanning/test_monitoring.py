"""Counters watched in the background: they go on between the scans of the user, and are in nobody's way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

import gevent
import pytest
from gevent.event import Event

from bliss_like.data.node import get_node
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.interlock import use_interlock
from bliss_like.errors import AlreadyLockedDevices, PublishError, ScanUsageError, UserAbort
from bliss_like.scanning import monitoring
from bliss_like.scanning.default_chain import default_chain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.monitoring import MONITORING_SCANS, Monitoring
from bliss_like.scanning.presets import ChainPreset
from bliss_like.scanning.scan import Scan, ScanState
from bliss_like.scans import loopscan
from bliss_like.scans.monitoring import start_monitoring, stop_all_monitoring, stop_monitoring
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Device, Log, Values, in_background, raising, timer_scan
from tests.waiting import wait_until_cooperative as wait_for


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    environment.background.end_all()


def counter(name: str = "diode", read: Callable[[], Sequence[float]] = lambda: [1.0]) -> SamplingCounter:
    return SamplingCounter(name, Values(f"{name}s", read))


def watch(
    name: str = "ring", sleep_time: float = 0.001, npoints: int = 0, read: Callable[[], Sequence[float]] = lambda: [1.0]
) -> Monitoring:
    return start_monitoring(name, 0.001, counter(name, read), sleep_time=sleep_time, npoints=npoints)


def test_it_counts_in_the_background_until_it_is_stopped() -> None:
    watched = watch()
    wait_for(lambda: watched.points >= 3)
    assert (watched.state, list(MONITORING_SCANS)) == ("RUNNING", ["ring"])
    stop_monitoring("ring")
    assert watched.state == "ENDED" and watched.scan is not None
    assert watched.scan.state is ScanState.DONE
    info = get_node(watched.scan.path, environment.tree.store).info  # type: ignore[union-attr]
    assert (info["type"], info["monitoring"], info["save"]) == ("monitoring", "ring", False)
    assert watched.points == len(watched.scan.get_data("ring")) >= 3
    assert watched.scan.path.endswith(":_1_ring")
    assert list(environment.scans) == []


def test_a_number_of_points() -> None:
    watched = watch(npoints=4)
    wait_for(lambda: watched.state == "ENDED")
    assert watched.points == 4


def test_it_makes_way_for_a_scan_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = watch(npoints=0)
    wait_for(lambda: watched.points >= 2)
    first = watched.scan
    assert first is not None
    states = []
    scan = timer_scan(Device("d", Log(), trigger=lambda: states.append((watched.state, first.state))), npoints=2)
    scan.run()
    assert {state for _, state in states} == {ScanState.DONE}
    assert "monitoring ring pauses for loopscan" in caplog.text
    assert [comment["message"] for comment in first.comments] == ["pauses for loopscan"]
    wait_for(
        lambda: watched.scan is not first and watched.scan is not None and watched.points > first.channels[0].length
    )
    assert list(environment.scans) == [scan]


def test_all_points_count_whatever_comes_between() -> None:
    watched = watch(npoints=6, sleep_time=0.002)
    while watched.state != "ENDED":
        loopscan(1, 0, counter())
        gevent.sleep(0.004)
    assert watched.points == 6


def test_a_scan_does_not_wait_for_the_pause_between_two_points() -> None:
    watched = watch(sleep_time=60)
    wait_for(lambda: watched.points == 1)
    began = monotonic()
    loopscan(1, 0, counter())
    assert monotonic() - began < 1


@pytest.mark.parametrize("error", [OSError("broken"), UserAbort("Ctrl-C")])
def test_it_comes_back_after_a_scan_that_did_not_end_well(error: BaseException) -> None:
    watched = watch()
    wait_for(lambda: watched.points >= 1)
    with pytest.raises(type(error)):
        timer_scan(Device("d", Log(), trigger=raising(error))).run()
    before = watched.points
    wait_for(lambda: watched.points > before)


def test_a_scan_that_is_aborted_while_it_waits_leaves_no_trace() -> None:
    reading, go_on = Event(), Event()

    def slow() -> list[float]:
        reading.set()
        go_on.wait(5)
        return [1.0]

    watched = watch(read=slow)
    assert reading.wait(5)
    scan = timer_scan(Device("d", Log()))
    running = in_background(scan)
    wait_for(lambda: not environment.background.is_free.is_set())
    running.kill(UserAbort("Ctrl-C"), block=False)
    assert isinstance(running.get(timeout=5), UserAbort) and scan.state is ScanState.USER_ABORTED
    assert environment.background.is_free.is_set()
    go_on.set()
    before = watched.points
    wait_for(lambda: watched.points > before + 1)


def test_it_waits_until_the_last_of_several_scans_is_over() -> None:
    watched = watch()
    wait_for(lambda: watched.points >= 1)
    counting, end_one, end_other = Event(), Event(), Event()
    one = in_background(timer_scan(Device("a", Log(), trigger=lambda: end_one.wait(5)), npoints=1))
    other = in_background(
        timer_scan(Device("b", Log(), trigger=lambda: (counting.set(), end_other.wait(5))), npoints=1)
    )
    assert counting.wait(5)
    end_one.set()
    assert one.get(timeout=5) is None
    wait_for(lambda: watched.state == "PAUSED")
    end_other.set()
    assert other.get(timeout=5) is None
    wait_for(lambda: watched.state == "RUNNING")


def test_a_device_that_hangs_does_not_hold_up_a_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "LATE", 0.01)
    reading = Event()

    def hang() -> list[float]:
        reading.set()
        Event().wait(30)
        return [1.0]

    watched = watch(read=hang)
    assert reading.wait(5)
    began = monotonic()
    assert loopscan(2, 0, counter()).state is ScanState.DONE
    assert monotonic() - began < 3
    stop_all_monitoring()
    assert watched.state == "ENDED"


def test_one_that_cannot_be_published_any_more_keeps_no_scan_from_running(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = watch()
    wait_for(lambda: watched.points >= 2)
    assert watched.scan is not None
    refuse = raising(PublishError("no server"))
    monkeypatch.setattr(watched.scan.publisher, "publish", lambda event: refuse())
    assert loopscan(2, 0, counter()).state is ScanState.DONE


def test_a_dead_counter_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(monitoring, "RETRY", 0.01)
    alive = [False]

    def read() -> list[float]:
        if not alive[0]:
            raise OSError("no answer")
        return [1.0]

    watched = watch(read=read)
    wait_for(lambda: watched.state == "FAILED")
    assert "OSError: no answer" in watched.error and "no answer" in MONITORING_SCANS.__info__()
    wait_for(lambda: environment.tree.next_scan_number("eh1:tmp:scans", saved=False) > 3)  # type: ignore[union-attr]
    assert caplog.text.count("it is tried again every") == 1
    alive[0] = True
    wait_for(lambda: watched.points > 1)
    assert watched.error == ""


def test_who_aborts_its_scan_ends_it() -> None:
    watched = watch()
    wait_for(lambda: watched.points >= 1)
    assert watched.scan is not None
    watched.scan.abort()
    wait_for(lambda: watched.state == "ENDED")


def test_it_claims_nothing_and_waits_for_who_drives_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "RETRY", 0.01)
    claimed: list[str] = []

    class Interlock:
        refuses = True

        def claim(self, devices: Sequence[object], purpose: str) -> Interlock:
            if self.refuses and purpose.startswith("monitoring"):
                raise AlreadyLockedDevices("rings is in use by session 'other'")
            claimed.append(purpose)
            return self

        def release(self) -> None:
            claimed.pop()

    interlock = Interlock()
    use_interlock(interlock)
    try:
        watched = watch()
        wait_for(lambda: watched.state == "FAILED")
        assert watched.error == "rings is in use by session 'other'"
        interlock.refuses = False
        wait_for(lambda: watched.points >= 2)
        assert claimed == []
        axis = make_axis("robx")
        axis.move(1)
        assert axis.position == 1 and watched.state == "RUNNING"
    finally:
        use_interlock(None)


def test_presets_of_the_default_chain_are_not_for_it() -> None:
    class Shutter(ChainPreset):
        nopened = 0

        def start(self, chain: object) -> None:
            self.nopened += 1

    shutter = Shutter()
    default_chain().add_preset(shutter)
    watched = watch()
    wait_for(lambda: watched.points >= 1)
    assert shutter.nopened == 0
    loopscan(1, 0, counter())
    assert shutter.nopened == 1


def test_a_hook_that_scans_in_its_greenlet_does_not_wait_for_itself() -> None:
    scanned: list[Scan] = []

    class Context:
        def __init__(self, scan: Scan) -> None:
            self.scan = scan

        def __enter__(self) -> None:
            if self.scan.in_background and not scanned:
                scanned.append(loopscan(1, 0, counter("other")))

        def __exit__(self, *_: object) -> None: ...

    environment.presets = [Context]
    watched = watch()
    wait_for(lambda: watched.points >= 1)
    assert scanned[0].state is ScanState.DONE


def test_names() -> None:
    watch("ring")
    with pytest.raises(
        ScanUsageError, match=r"a monitoring 'ring' is RUNNING already: stop_monitoring\(\"ring\"\) first"
    ):
        watch("ring")
    stop_monitoring("ring")
    watch("ring")
    watch("other")
    assert "ring" in repr(MONITORING_SCANS) and "no end" in MONITORING_SCANS.__info__()
    with pytest.raises(ScanUsageError, match="got 'rimg', did you mean 'ring'"):
        stop_monitoring("rimg")
    stop_all_monitoring()
    assert [one.state for one in MONITORING_SCANS.values()] == ["ENDED", "ENDED"]


WRONG: list[tuple[tuple[object, ...], dict[str, object], str]] = [
    (("a b", 1), {}, "name: expected a .* without space"),
    ((3, 1), {}, "name: expected a .*got 3"),
    (("a", -1), {}, "count_time: expected seconds, .* got -1"),
    (("a", counter()), {}, "count_time: expected seconds, .* got .*diode"),
    (("a", float("nan")), {}, "count_time: expected seconds, .* got nan"),
    (("a", 1), {"sleep_time": "1"}, "sleep_time: expected seconds, .* got '1'"),
    (("a", 0), {"sleep_time": 0}, "sleep_time: expected more than 0 when count_time is 0"),
    (("a", 1), {"npoints": -1}, "npoints: expected a whole number, 0 for no end, got -1"),
    (("a", 1), {"npoints": True}, "npoints: expected a whole number, 0 for no end, got True"),
    (("a", 1), {"save": 1}, "save: expected True or False, got 1"),
    (("a", 1), {}, "No counters for scan"),
    (("a", 1, 5), {}, "expected counters"),
]


@pytest.mark.parametrize(("arguments", "keywords", "message"), WRONG)
def test_wrong_calls(arguments: tuple[object, ...], keywords: dict[str, object], message: str) -> None:
    with pytest.raises(ScanUsageError, match=message) as refused:
        start_monitoring(*arguments, **keywords)  # type: ignore[arg-type]
    assert "usage: start_monitoring(name, count_time, *counters, sleep_time=1.0" in str(refused.value)
    with pytest.raises(ScanUsageError, match=message):  # where BLISS has it, and scripts import it from
        monitoring.start_monitoring(*arguments, **keywords)  # type: ignore[arg-type]
    assert len(MONITORING_SCANS) == 0


def test_calls_that_lack_something() -> None:
    with pytest.raises(ScanUsageError, match="start_monitoring: name is missing"):
        start_monitoring()  # type: ignore[call-arg]
    with pytest.raises(ScanUsageError, match="stop_monitoring: name is missing"):
        stop_monitoring()  # type: ignore[call-arg]
