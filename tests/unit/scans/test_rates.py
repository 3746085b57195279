"""Several rates in one scan: devices with a timer of their own beside the points of the scan."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

import gevent
import numpy as np
import pytest
from gevent.event import Event

from bliss_like.data.lifecycle import ScanState
from bliss_like.devices.counter import IntegratingCounter, IntegratingCounterController, SamplingCounter
from bliss_like.errors import ChainError, UserAbort
from bliss_like.scanning.acquisition.timer import PeriodicTimerMaster, SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.default_chain import DefaultAcquisitionChain
from bliss_like.scanning.scan import Scan
from bliss_like.scans import ascan, loopscan, timescan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Device, Log, Values, end_of, in_background, raising


def quick() -> Sequence[float]:
    gevent.sleep(0.001)
    return [1.0]


def counter(name: str, read: Any = quick) -> SamplingCounter:
    return SamplingCounter(name, Values(f"{name}_box", read))


def at_rate(device: Any, every: float) -> dict[str, Any]:
    """A chain setting: one reading every so many seconds."""
    return {"device": device, "every": every, "acquisition_settings": {"count_time": 0}}


def lengths(scan: Scan) -> dict[str, int]:
    """The numbers of points by channel, as they can be read; the end has told the same."""
    found = {name: len(values) for name, values in scan.get_data().items()}
    told = end_of(scan).lengths
    assert found == {channel.fullname: told[channel.path] for channel in scan.channels}
    return found


def test_a_slow_counter_beside_fast_ones() -> None:
    fast, slow = counter("fast"), counter("slow")
    scan = loopscan(30, 0.004, fast, slow, chain_settings=[{"device": slow, "every": 0.03}])
    found = lengths(scan)
    assert found["fast_box:fast"] == found["timer:epoch"] == 30
    assert 2 <= found["slow_box:slow"] == found["timer_0.03s:epoch"] == found["timer_0.03s:elapsed_time"] < 30
    assert scan.get_data("timer_0.03s:elapsed_time")[0] == 0
    assert list(scan.scan_info["acquisition_chain"]) == ["timer", "timer_0.03s"]
    names = [node.db_name.removeprefix(scan.path + ":") for node in scan.node.channels()]
    assert "timer_0.03s:slow_box:slow" in names and "timer:fast_box:fast" in names


def test_points_are_never_early_and_do_not_drift() -> None:
    def read() -> Sequence[float]:
        gevent.sleep(0.004)
        return [1.0]

    slow = counter("slow", read)
    scan = loopscan(1, 0.1, counter("fast"), slow, chain_settings=[at_rate(slow, 0.01)])
    elapsed = scan.get_data("timer_0.01s:elapsed_time")
    assert (elapsed >= 0.01 * np.arange(len(elapsed)) - 0.002).all()
    assert (np.diff(elapsed) > 0.002).all()


def test_what_was_missed_is_not_made_up_for() -> None:
    calls: list[int] = []

    def read() -> Sequence[float]:
        calls.append(1)
        gevent.sleep(0.035 if len(calls) == 1 else 0)
        return [float(len(calls))]

    slow = counter("slow", read)
    scan = loopscan(1, 0.1, counter("fast"), slow, chain_settings=[at_rate(slow, 0.01)])
    elapsed = scan.get_data("timer_0.01s:elapsed_time")
    assert elapsed[1] >= 0.03 and len(elapsed) <= 9


def test_a_fast_counter_beside_a_step_scan() -> None:
    axis, fast, slow = make_axis("x", velocity=float("inf")), counter("fast"), counter("slow")
    scan = ascan(axis, 0, 1, 3, 0.05, fast, slow, chain_settings=[at_rate(fast, 0.002)])
    found = lengths(scan)
    assert found["axis:x"] == found["slow_box:slow"] == 4
    assert found["fast_box:fast"] == found["timer_0.002s:epoch"] > 4


def test_one_timer_for_devices_of_one_rate_and_several_rates() -> None:
    one, two, three, four = (counter(name) for name in ("one", "two", "three", "four"))
    settings = [at_rate(device, every) for device, every in ((one, 0.01), (two, 0.01), (three, 0.08))]
    scan = loopscan(1, 0.15, one, two, three, four, chain_settings=settings)
    assert [top.name for top in scan.acq_chain.top_masters] == ["timer", "timer_0.01s", "timer_0.08s"]
    found = lengths(scan)
    assert found["one_box:one"] == found["two_box:two"] > found["three_box:three"] > found["four_box:four"] == 1


def test_an_integrating_device_at_a_rate_of_its_own() -> None:
    class Scaler(IntegratingCounterController):
        def get_values(self, from_index: int, *counters: IntegratingCounter) -> list[list[float]]:
            there = int((monotonic() - began) / 0.005)
            return [[float(n) for n in range(from_index, there)] for _ in counters]

    began, scaler = monotonic(), Scaler("scaler")
    monitor = scaler.create_counter(IntegratingCounter, "monitor")
    scan = loopscan(3, 0.02, counter("fast"), monitor, chain_settings=[{"device": scaler, "every": 0.01}])
    assert scan.state is ScanState.DONE
    assert lengths(scan)["scaler:monitor"] >= 1


def test_a_point_that_is_not_done_at_the_end_is_dropped() -> None:
    calls: list[int] = []

    def read() -> Sequence[float]:
        calls.append(1)
        if len(calls) == 2:
            gevent.sleep(60)
        return [1.0]

    slow = counter("slow", read)
    scan = loopscan(4, 0.01, counter("fast"), slow, chain_settings=[at_rate(slow, 0.01)])
    found = lengths(scan)
    assert scan.state is ScanState.DONE and len(calls) == 2
    assert found["slow_box:slow"] == found["timer_0.01s:epoch"] == found["timer_0.01s:elapsed_time"] == 1
    assert found["fast_box:fast"] == 4


@pytest.mark.parametrize("late", ["a sensor", "the device"])
def test_an_integrating_device_has_as_many_points_as_all_others_of_its_rate(late: str) -> None:
    class Scaler(IntegratingCounterController):
        def get_values(self, from_index: int, *counters: IntegratingCounter) -> list[list[float]]:
            triggered = self.nodes[0]._triggered
            there = 1 if late == "the device" else triggered
            return [[float(n) for n in range(from_index, min(there, triggered))] for _ in counters]

        def get_acquisition_object(self, *params: Any) -> Any:
            self.nodes = [super().get_acquisition_object(*params)]
            return self.nodes[0]

    calls: list[int] = []

    def read() -> Sequence[float]:
        calls.append(1)
        if len(calls) == 2 and late == "a sensor":
            gevent.sleep(60)
        return [1.0]

    scaler, sensor = Scaler("scaler"), counter("sensor", read)
    monitor = scaler.create_counter(IntegratingCounter, "monitor")
    scan = loopscan(
        4, 0.01, counter("fast"), monitor, sensor, chain_settings=[at_rate(scaler, 0.01), at_rate(sensor, 0.01)]
    )
    found = lengths(scan)
    assert scan.state is ScanState.DONE and len(calls) == 2
    assert found["scaler:monitor"] == found["sensor_box:sensor"] == found["timer_0.01s:epoch"] == 1
    assert found["fast_box:fast"] == 4


@pytest.mark.parametrize("terminator", [True, False])
def test_a_master_that_ends_before_the_others(terminator: bool) -> None:
    log = Log()
    short, long = SoftwareTimerMaster(0.005, npoints=2, name="short"), SoftwareTimerMaster(0.01, npoints=6, name="long")
    short.terminator = terminator
    chain = AcquisitionChain()
    chain.add(short, Device("a", log))
    chain.add(long, Device("b", log))
    scan = Scan(chain)
    scan.run()
    found = lengths(scan)
    assert found["a:value"] == found["short:epoch"] == 2
    assert (found["b:value"] < 6) if terminator else (found["b:value"] == 6)
    assert sorted(log.of("stop")) == ["a", "b"]


def test_an_abort_stops_all_rates() -> None:
    log, reading = Log(), Event()

    def hang() -> None:
        reading.set()
        gevent.sleep(60)

    main, own = SoftwareTimerMaster(0.001, npoints=0), PeriodicTimerMaster(0.002)
    chain = AcquisitionChain()
    chain.add(main, Device("fast", log))
    chain.add(own, Device("slow", log, trigger=hang))
    scan = Scan(chain)
    task = in_background(scan)
    assert reading.wait(5)
    task.kill(UserAbort, block=False)
    assert isinstance(task.get(timeout=5), UserAbort)
    assert sorted(log.of("stop")) == ["fast", "slow"]
    found = lengths(scan)
    assert found["slow:value"] == found["timer_0.002s:epoch"] == 0
    assert end_of(scan).state == "USER_ABORTED"


def test_a_failure_at_a_rate_of_its_own_ends_the_scan() -> None:
    slow = counter("slow", raising(OSError("no answer")))
    scan: Any = timescan(0.01, counter("fast"), slow, chain_settings=[{"device": slow, "every": 0.01}], run=False)
    with pytest.raises(OSError, match="no answer"):
        scan.run()
    assert end_of(scan).state == "KILLED"


def test_wrong_rates() -> None:
    chain, slow, other = DefaultAcquisitionChain(), counter("slow"), counter("other")
    for every in (0, -1, float("nan"), float("inf"), "1 s", True):
        with pytest.raises(ChainError, match="every: expected seconds, more than 0"):
            chain.set_settings([{"device": slow, "every": every}])
    with pytest.raises(ChainError, match="no master beside it"):
        chain.set_settings([{"device": slow, "every": 1, "master": other}])
    with pytest.raises(ChainError, match="expected seconds, more than 0, got 0"):
        PeriodicTimerMaster(0)
    chain.set_settings([{"device": slow, "every": 0.5}])
    assert "every 0.5 s" in chain.__info__()
