"""Slow and failing detectors: each says what is wrong, the others stop, what was measured is kept, and the next scan works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Barrier
from time import monotonic
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.data.lifecycle import ScanState
from bliss_like.devices.counter import Counter, IntegratingCounter, IntegratingCounterController, SamplingCounter
from bliss_like.errors import ChainError, ChannelValueError, DeviceError
from bliss_like.scanning import branch
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionMaster, TriggerType
from bliss_like.scanning.scan import Scan
from bliss_like.scans import loopscan
from tests.unit.scanning.making import Device, Log, Reader, Values, chain_of, end_of, in_background, timer_scan

ONCE: dict[str, Any] = {"prepare_once": True, "start_once": True, "trigger_type": TriggerType.HARDWARE}


def at_call(number: int, action: Callable[[], object]) -> Callable[[], object]:
    """Return what does something at its n-th call."""
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        if len(calls) == number:
            action()

    return call


def fail() -> None:
    raise OSError("no answer")


class Pulses(AcquisitionMaster):
    """Triggers without waiting for anybody."""

    def __init__(self, npoints: int) -> None:
        super().__init__(name="pulses", npoints=npoints)

    def start(self) -> None:
        for _ in range(self.npoints):
            self.trigger_slaves()


# -- slow ones -----------------------------------------------------------------------------------------------------------


def test_one_that_takes_longer_than_the_count_time_is_waited_for() -> None:
    slow = Device("slow", Log(), trigger=lambda: gevent.sleep(0.02))
    scan = timer_scan(slow, Device("quick", Log()), npoints=3, count_time=0.001)
    scan.run()
    assert len(scan.get_data("slow:value")) == len(scan.get_data("quick:value")) == 3
    assert scan.get_data("elapsed_time")[2] >= 0.04


def test_triggered_again_before_it_is_done_it_is_named_and_so_is_the_way_out() -> None:
    log = Log()
    slow = Device("slow", log, trigger=lambda: gevent.sleep(60))
    scan = Scan(chain_of(Pulses(3), slow, Device("quick", log)))
    with pytest.raises(ChainError, match="cannot trigger slow: previous trigger is not done; trigger more slowly"):
        scan.run()
    assert sorted(log.of("stop")) == ["quick", "slow"]


def test_one_that_says_that_it_is_not_ready_is_not_triggered() -> None:
    class Busy(Device):
        def trigger_ready(self) -> bool:
            return False

    log = Log()
    with pytest.raises(ChainError, match="cannot trigger busy: previous trigger is not done"):
        timer_scan(Busy("busy", log), Device("other", log)).run()
    assert log.of("trigger") == [] and sorted(log.of("stop")) == ["busy", "other"]


def test_one_that_never_becomes_ready_can_be_stopped() -> None:
    log, waits = Log(), Event()

    def never() -> None:
        waits.set()
        Event().wait()

    scan = timer_scan(Device("stuck", log, wait_ready=never))
    task = in_background(scan)
    assert waits.wait(5)
    scan.abort()
    task.get(timeout=5)
    assert scan.state is ScanState.USER_ABORTED and log.of("stop") == ["stuck"]


def test_eight_that_are_read_at_once() -> None:
    def read() -> Sequence[float]:
        gevent.sleep(0.02)
        return [1.0]

    counters = [SamplingCounter(f"c{n}", Values(f"box{n}", read)) for n in range(8)]
    began = monotonic()
    loopscan(5, 0, *counters)
    assert monotonic() - began < 8 * 5 * 0.02 / 2


@pytest.mark.real_time
def test_eight_whose_drivers_block_in_c_are_read_at_once_in_threads() -> None:
    together = Barrier(8)  # none gets past it before all are there

    def read() -> Sequence[float]:
        gevent.get_hub().threadpool.apply(together.wait, (20,))
        return [1.0]

    counters = [SamplingCounter(f"c{n}", Values(f"box{n}", read)) for n in range(8)]
    loopscan(2, 0, *counters)


# -- failing ones ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["prepare", "start", "trigger", "wait_ready"])
def test_one_that_fails_at_the_third_point_keeps_what_was_measured(verb: str) -> None:
    log = Log()
    scan = timer_scan(Device("ill", log, **{verb: at_call(3, fail)}), Device("well", log), npoints=5)
    with pytest.raises(OSError, match="no answer") as raised:
        scan.run()
    assert "in ill" in raised.value.__notes__[0]
    assert 2 <= len(scan.get_data("well:value")) <= 3
    assert sorted(log.of("stop")) == ["ill", "well"]


def test_blocks_that_come_late_are_all_there() -> None:
    reader = Reader("late", Log(), block=4, delay=0.02, npoints=10, **ONCE)
    scan = timer_scan(reader, npoints=10)
    scan.run()
    assert scan.get_data("late:value").tolist() == [float(n) for n in range(10)]


def test_one_that_delivers_too_few_says_how_many() -> None:
    class Few(Reader):
        def reading(self) -> None:
            self.channels[0].emit([0.0, 1.0])

    log = Log()
    scan = timer_scan(Few("few", log, npoints=5, **ONCE), Device("well", log), npoints=5)
    with pytest.raises(
        ChainError, match="few: expected 5 points, its reading ended after 2; 3 are missing, those that"
    ):
        scan.run()
    assert scan.get_data("few:value").tolist() == [0.0, 1.0]
    assert len(scan.get_data("well:value")) == 5
    assert end_of(scan).state == "KILLED"


def test_several_that_fail_to_stop_do_not_keep_the_others_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "STOP_TIMEOUT", 0.05)
    log = Log()
    scan = timer_scan(Device("a", log, stop=fail), Device("b", log, stop=Event().wait), Device("c", log))
    with pytest.raises(OSError, match="no answer"):
        scan.run()
    assert sorted(log.of("stop")) == ["a", "b", "c"]


def test_one_that_hangs_in_its_stop_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branch, "STOP_TIMEOUT", 0.05)
    scan = timer_scan(Device("stuck", Log(), stop=Event().wait))
    with pytest.raises(ChainError, match="stuck>: stop did not return within 0.05 s; it was given up, look after"):
        scan.run()


# -- what they read --------------------------------------------------------------------------------------------------------

GARBAGE = [None, "abc", [1, 2], ..., 1j, [[1.0]], {"a": 1}]


@pytest.mark.parametrize("value", GARBAGE, ids=str)
def test_a_value_that_is_none_names_its_channel_and_keeps_the_points_before(value: Any) -> None:
    values: Iterator[Any] = iter([1.0, 2.0, value])
    counter = SamplingCounter("c", Values("box", lambda: [next(values)]))
    scan: Any = loopscan(5, 0, counter, run=False)
    with pytest.raises((ChannelValueError, DeviceError), match="box"):
        scan.run()
    assert scan.get_data(counter).tolist() == [1.0, 2.0]
    assert end_of(scan).state == "KILLED"


def test_nan_is_a_value() -> None:
    counter = SamplingCounter("c", Values("box", lambda: [float("nan")]))
    scan: Any = loopscan(2, 0, counter)
    assert scan.state is ScanState.DONE and len(scan.get_data(counter)) == 2


@pytest.mark.parametrize("column", [*[[value] for value in GARBAGE], None, 5], ids=str)
def test_a_block_that_is_none_names_its_controller(column: Any) -> None:
    class Bad(IntegratingCounterController):
        def get_values(self, from_index: int, *counters: Counter) -> list[Any]:
            return [column]

    counter = Bad("bad").create_counter(IntegratingCounter, "c")
    scan: Any = loopscan(1, 0, counter, run=False)
    with gevent.Timeout(5), pytest.raises((ChannelValueError, DeviceError), match="bad"):
        scan.run()
    assert end_of(scan).state == "KILLED"


# -- ended before all points ---------------------------------------------------------------------------------------------


def test_stop_ends_a_scan_whose_reader_waits_for_points_that_do_not_come() -> None:
    scaler = Scaler()
    scan: Any = loopscan(1000, 0.01, scaler.monitor, run=False)
    (scaler.slave,) = (node for node in scan.acq_chain.nodes_list if node.device is scaler)
    task = in_background(scan)
    with gevent.Timeout(5):
        while not scaler.slave.channels[0].length:
            gevent.sleep(0.005)
        scan.stop()
    assert task.get(timeout=5) is None
    assert scan.state is ScanState.DONE
    assert len({len(values) for values in scan.get_data().values()}) == 1


class Scaler(IntegratingCounterController):
    """Has a point for each trigger."""

    slave: Any = None

    def __init__(self) -> None:
        super().__init__("scaler")
        self.monitor = self.create_counter(IntegratingCounter, "monitor")

    def get_values(self, from_index: int, *counters: Counter) -> list[list[float]]:
        return [[1.0] * (self.slave._triggered - from_index) for _ in counters]


# -- those that may fail -----------------------------------------------------------------------------------------------------


def test_a_dead_sensor_that_is_not_critical_costs_its_points_only(caplog: pytest.LogCaptureFixture) -> None:
    values: Iterator[float] = iter([20.0, 21.0])
    sensor = Values("sensor", lambda: [next(values, None) or fail()])
    sensor.is_critical = False
    temperature, diode = SamplingCounter("temperature", sensor), SamplingCounter("diode", Values("box", lambda: [1.0]))
    scan: Any = loopscan(5, 0, temperature, diode)
    assert scan.state is ScanState.DONE
    read = scan.get_data(temperature)
    assert read[:2].tolist() == [20.0, 21.0] and len(read) == 5 and all(value != value for value in read[2:])
    assert len(scan.get_data(diode)) == 5
    assert "sensor" in caplog.text and "no answer" in caplog.text


def test_after_any_failure_the_same_devices_can_be_scanned_again() -> None:
    log = Log()
    for verb in ("prepare", "start", "trigger", "wait_ready", "stop"):
        action = at_call(1, fail)
        for expected in (ScanState.KILLED, ScanState.DONE):
            chain = AcquisitionChain()
            chain.add(SoftwareTimerMaster(0, npoints=2), Device("d", log, **{verb: action}))
            scan = Scan(chain)
            in_background(scan).get(timeout=5)
            assert scan.state is expected
