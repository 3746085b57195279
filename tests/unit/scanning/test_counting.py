"""Acquisition of sampling and integrating counters, and the timer."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    IntegratingCounterController,
    SamplingCounter,
    SamplingMode,
)
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import ChainError, ChannelValueError, DeviceError
from bliss_like.scanning.acquisition import timer
from bliss_like.scanning.acquisition.integrating import IntegratingCounterAcquisitionSlave
from bliss_like.scanning.acquisition.readings import CHUNK
from bliss_like.scanning.acquisition.sampling import SamplingCounterAcquisitionSlave
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.parameters import ParameterError
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Device, Log, Values, chain_of, timer_scan


def sampled(mode: SamplingMode, readings: Sequence[Any], count_time: float, **keys: Any) -> tuple[Any, SamplingCounter]:
    """Return the single point, by the short names of the channels, of a counter that gives these readings.

    The last of them takes so long that no other fits in.
    """
    values = iter(enumerate(readings, 1))

    def read() -> list[Any]:
        number, value = next(values)
        if number == len(readings):
            gevent.sleep(count_time)
        return [value]

    counter = SamplingCounter("c", Values("ctl", read), mode=mode, unit="V", **keys)
    slave = SamplingCounterAcquisitionSlave(counter, count_time=count_time)
    scan = timer_scan(slave, npoints=1, count_time=count_time)
    scan.run()
    return {
        name.partition(":")[2]: data[0] for name, data in scan.get_data().items() if name.startswith("ctl")
    }, counter


def test_readings_of_a_long_count_are_not_kept() -> None:
    class Reading(float):
        alive = 0

        def __init__(self, _: float) -> None:
            Reading.alive += 1

        def __del__(self) -> None:
            Reading.alive -= 1

    largest = [0]

    def read() -> list[float]:
        largest[0] = max(largest[0], Reading.alive)
        return [Reading(3.0)]

    controller = Values("ctl", read)
    slave = SamplingCounterAcquisitionSlave(SamplingCounter("c", controller), count_time=0.3)
    scan = timer_scan(slave, npoints=1, count_time=0.3)
    scan.run()
    assert scan.get_data("ctl:c").tolist() == [3.0]
    assert largest[0] < 1.5 * CHUNK < controller.nreadings


def test_the_mean_of_small_integers_does_not_run_over() -> None:
    controller = Values("ctl", lambda: [np.array([200, 100], np.uint8)])
    slave = SamplingCounterAcquisitionSlave(SamplingCounter("c", controller, shape=(2,)), count_time=0.01)
    scan = timer_scan(slave, npoints=1, count_time=0.01)
    scan.run()
    assert controller.nreadings > 1
    assert scan.get_data("ctl:c").tolist() == [[200.0, 100.0]]


@pytest.mark.parametrize(
    ("mode", "point"),
    [
        (SamplingMode.MEAN, {"c": 2.0}),
        (SamplingMode.SINGLE, {"c": 2.0}),
        (SamplingMode.LAST, {"c": 2.0}),
        (SamplingMode.INTEGRATE, {"c": 0.0}),
        (SamplingMode.SAMPLES, {"c": 2.0, "c_samples": [2.0]}),
        (
            SamplingMode.STATS,
            {"c": 2.0, "c_N": 1, "c_std": math.nan, "c_var": math.nan, "c_min": 2.0, "c_max": 2.0, "c_p2v": 0.0},
        ),
    ],
)
def test_one_reading(mode: SamplingMode, point: dict[str, Any]) -> None:
    got, counter = sampled(mode, [2.0, 99.0], count_time=0)
    assert list(got) == list(point)
    for name, value in point.items():
        np.testing.assert_array_equal(got[name], value)
    assert counter.controller.nreadings == 1  # type: ignore[attr-defined]


def test_the_mean_of_all_readings_that_fit() -> None:
    got, counter = sampled(SamplingMode.MEAN, [1.0, 3.0, 1.0], count_time=0.1)
    assert counter.controller.nreadings == 3  # type: ignore[attr-defined]
    assert got["c"] == pytest.approx(5 / 3)


def test_without_a_limit_readings_follow_each_other() -> None:
    controller = Values("ctl", lambda: [1.0])
    slave = SamplingCounterAcquisitionSlave(SamplingCounter("c", controller), count_time=0.02)
    timer_scan(slave, npoints=1, count_time=0.02).run()
    assert controller.nreadings > 20


def test_first_and_last() -> None:
    assert sampled(SamplingMode.LAST, [1, 2, 3], 0.1)[0]["c"] == 3
    got, counter = sampled(SamplingMode.SINGLE, [1, 2, 3], 0.1)
    assert (got["c"], counter.controller.nreadings) == (1, 1)  # type: ignore[attr-defined]


def test_statistics() -> None:
    before = time.time()
    got, counter = sampled(SamplingMode.STATS, [1.0, 2.0, 6.0], 0.1)
    expected = {"c": 3, "c_N": 3, "c_std": np.std([1, 2, 6], ddof=1), "c_var": 7, "c_min": 1, "c_max": 6, "c_p2v": 5}
    assert got == pytest.approx(expected)
    assert counter.statistics is not None
    assert before <= counter.statistics.timestamp <= time.time()
    assert (counter.statistics.mean, counter.statistics.count_time) == (3, 0.1)


def test_statistics_of_a_small_spread_on_a_large_value() -> None:
    got, _ = sampled(SamplingMode.STATS, [1e9, 1e9 + 1], 0.1)
    assert got["c_var"] == pytest.approx(0.5)


def test_integrals() -> None:
    assert sampled(SamplingMode.INTEGRATE, [1.0, 3.0], 0.1)[0]["c"] == pytest.approx(2 * 0.1)
    got, _ = sampled(SamplingMode.INTEGRATE_STATS, [1.0, 3.0], 0.1)
    assert (got["c"], got["c_p2v"]) == pytest.approx((2 * 0.1, 2 * 0.1))
    assert got["c_var"] == pytest.approx(2 * 0.1**2)


def test_samples() -> None:
    got, _ = sampled(SamplingMode.SAMPLES, [1.0, 2.0, 6.0], 0.1)
    assert got["c"] == 3
    assert got["c_samples"].tolist() == [1, 2, 6]


def test_spectra() -> None:
    lines = [np.array([0.0, 1.0, 2.0]), np.array([2.0, 3.0, 4.0])]
    got, _ = sampled(SamplingMode.MEAN, lines, 0.1, shape=(3,))
    assert got["c"].tolist() == [1, 2, 3]
    got, _ = sampled(SamplingMode.STATS, lines, 0.1, shape=(3,))
    assert got["c_max"].tolist() == [2, 3, 4]
    assert got["c_N"] == 2


@pytest.mark.parametrize("mode", [mode for mode in SamplingMode if mode is not SamplingMode.SAMPLES])
def test_spectra_given_as_lists(mode: SamplingMode) -> None:
    got, _ = sampled(mode, [[1.0, 2.0, 3.0]] * 2, count_time=0.01, shape=(3,))
    scale = 0.01 if mode in (SamplingMode.INTEGRATE, SamplingMode.INTEGRATE_STATS) else 1.0
    assert got["c"].tolist() == pytest.approx([scale * 1, scale * 2, scale * 3])


@pytest.mark.parametrize("mode", SamplingMode)
def test_a_reading_is_one_point(mode: SamplingMode) -> None:
    with pytest.raises(ChannelValueError, match=r"'ctl:c': expected one point of shape \(\), got .* of shape \(3,\)"):
        sampled(mode, [[1.0, 2.0, 3.0]] * 2, count_time=0.01)


def test_a_controller_that_gives_nothing() -> None:
    class Nothing(Values):
        def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
            return None  # type: ignore[return-value]

    counter = SamplingCounter("c", Nothing("ctl", list))
    with pytest.raises(DeviceError, match="controller 'ctl': expected 1 values from read_all, got None"):
        timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=0)).run()


def test_dtypes_of_modes() -> None:
    controller = Values("ctl", lambda: [7])
    last = SamplingCounter("last", controller, mode="LAST", dtype=np.uint16)
    mean = SamplingCounter("mean", controller, mode="mean", dtype=np.uint16)
    converted = SamplingCounter("kelvin", controller, lambda raw: raw + 273.15, mode="single", dtype=np.uint16)
    assert [counter.data_dtype.str for counter in (last, mean, converted)] == ["<u2", "<f8", "<f8"]
    with pytest.raises(ValueError, match="expected one of MEAN, STATS"):
        last.mode = "average"


def test_a_class_of_counters_with_its_own_dtype_shape_and_unit() -> None:
    class Spectrum(SamplingCounter):
        @property
        def dtype(self) -> Any:
            return np.int32

        @property
        def shape(self) -> Sequence[int]:
            return (3,)

        @property
        def unit(self) -> str:  # type: ignore[override]
            return "counts"

    spectrum = Spectrum("c", Values("ctl", lambda: [np.arange(3)]), mode=SamplingMode.LAST)
    scan = timer_scan(SamplingCounterAcquisitionSlave(spectrum, count_time=0), npoints=2)
    scan.run()
    data = scan.get_data(spectrum)
    assert (data.shape, data.dtype) == ((2, 3), np.dtype(np.int32))
    assert scan.node.channels()[-1].unit == "counts"
    assert "int32, shape (3,), unit counts" in spectrum.__info__()


def test_conversions_and_several_counters_of_one_controller() -> None:
    controller = Values("ctl", lambda: [1.0, 2.0])
    a = SamplingCounter("a", controller)
    b = SamplingCounter("b", controller, lambda raw: raw * 10, mode=SamplingMode.SINGLE)
    scan = timer_scan(SamplingCounterAcquisitionSlave(a, b, npoints=3), npoints=3)
    scan.run()
    assert controller.nreadings == 3
    assert scan.get_data(a).tolist() == [1.0] * 3
    assert scan.get_data(b).tolist() == [20.0] * 3


def test_a_controller_that_gives_too_few_values() -> None:
    controller = Values("ctl", lambda: [1.0])
    counters = [SamplingCounter(name, controller) for name in "ab"]
    with pytest.raises(DeviceError, match="'ctl': expected 2 values from read_all, got 1"):
        timer_scan(SamplingCounterAcquisitionSlave(*counters)).run()


def test_count_times_of_each_point() -> None:
    counter = SamplingCounter("c", Values("ctl", lambda: [1.0]), mode=SamplingMode.INTEGRATE)
    scan = timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=[0.001, 0.002], npoints=2), npoints=2)
    scan.run()
    assert scan.get_data(counter) == pytest.approx([0.001, 0.002])
    with pytest.raises(ParameterError, match="'count_time': expected one for each of 2 points, got 1"):
        SamplingCounterAcquisitionSlave(counter, count_time=[0.001], npoints=2)
    scan = timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=[0.001, 0.002], npoints=2), npoints=3)
    with pytest.raises(ParameterError, match="2 count times were given, triggered once more"):
        scan.run()


def test_a_soft_counter() -> None:
    class Beam:
        name = "beam"
        current = 200.0

        def lifetime(self) -> float:
            return 30.0

    beam = Beam()
    current = SoftCounter(beam, "current", unit="mA")
    lifetime = SoftCounter(beam, "lifetime", name="tau", apply=lambda hours: hours * 3600)
    function = SoftCounter(value=lambda: 5.0, name="five")
    assert [counter.fullname for counter in (current, lifetime)] == ["beam:current", "beam:tau"]
    slaves = [SamplingCounterAcquisitionSlave(counter) for counter in (current, lifetime, function)]
    scan = timer_scan(*slaves, npoints=1)
    scan.run()
    assert [scan.get_data(counter)[0] for counter in (current, lifetime, function)] == [200, 108000, 5]
    with pytest.raises(DeviceError, match="no attribute 'power'"):
        SoftCounter(beam, "power")


# -- integrating counters --------------------------------------------------------------------------------------------------


class Scaler(IntegratingCounterController):
    """Has some values more each time it is asked."""

    def __init__(self, *gains: int, npoints: int) -> None:
        super().__init__("scaler")
        self.npoints, self.there = npoints, 0
        self.all_counters = [IntegratingCounter(name, self, dtype=int) for name in "abc"[: len(gains)]]
        self.gains = dict(zip(self.all_counters, gains, strict=True))

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
        self.there = min(self.npoints, self.there + 3)
        return [[n * self.gains[counter] for n in range(from_index, self.there)] for counter in counters]  # type: ignore[index]


def test_values_are_fetched_until_all_are_there() -> None:
    scaler = Scaler(1, 10, npoints=10)
    slave = IntegratingCounterAcquisitionSlave(
        *scaler.all_counters, npoints=10, poll_period=0.001, trigger_type=IntegratingCounterAcquisitionSlave.HARDWARE
    )
    scan = timer_scan(slave, npoints=1)
    scan.run()
    assert scan.get_data("scaler:a").tolist() == list(range(10))
    assert scan.get_data("scaler:b").tolist() == [10 * n for n in range(10)]


def test_each_trigger_is_fetched_before_the_next() -> None:
    class OnePerTrigger(Scaler):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            return [list(range(from_index, slave._triggered)) for _ in counters]

    scaler = OnePerTrigger(1, npoints=4)
    slave = IntegratingCounterAcquisitionSlave(*scaler.all_counters, npoints=4, poll_period=0.001)
    scan = timer_scan(slave, npoints=4)
    scan.run()
    assert scan.get_data("scaler:a").tolist() == [0, 1, 2, 3]


def test_values_of_different_lengths(caplog: pytest.LogCaptureFixture) -> None:
    class Uneven(Scaler):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            return [[1, 2], [1]]

    scaler = Uneven(1, 1, npoints=4)
    with pytest.raises(
        DeviceError, match=r"'scaler': expected .* for each of a, b, equally many of each, got \[2, 1\]"
    ):
        timer_scan(IntegratingCounterAcquisitionSlave(*scaler.all_counters, npoints=4)).run()
    assert not caplog.records  # that points are missing is no news


def test_a_device_that_runs_on_is_asked_for_its_points_only() -> None:
    class Endless(Scaler):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            return [[from_index, from_index + 1] for _ in counters]

    scaler = Endless(1, npoints=4)
    slave = IntegratingCounterAcquisitionSlave(*scaler.all_counters, npoints=4, poll_period=0.001)
    scan = timer_scan(slave, npoints=4)
    scan.run()
    assert scan.get_data("scaler:a").tolist() == [0, 1, 2, 3]


def test_more_values_than_points() -> None:
    class Runaway(Scaler):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            return [list(range(100))]

    scaler = Runaway(1, npoints=4)
    with pytest.raises(ChainError, match="expected 4 points, got 100"):
        timer_scan(IntegratingCounterAcquisitionSlave(*scaler.all_counters, npoints=4)).run()


# -- the timer -------------------------------------------------------------------------------------------------------------


def test_count_time_and_sleep_time_are_kept() -> None:
    timer = SoftwareTimerMaster(0.01, sleep_time=0.02, npoints=3)
    scan = Scan(chain_of(timer, Device("d", Log())))
    before = time.time()
    scan.run()
    elapsed = scan.get_data("elapsed_time")
    assert elapsed[0] == 0
    assert all(np.diff(elapsed) >= 0.03)
    assert time.time() - before >= 0.07
    assert scan.get_data("epoch") - elapsed == pytest.approx(np.full(3, scan.get_data("epoch")[0]))


def test_a_slow_device_makes_the_point_longer_not_the_next_one_shorter() -> None:
    numbers = count()
    slow_once = Device("d", Log(), trigger=lambda: gevent.sleep(0.05 if next(numbers) == 1 else 0))
    scan = Scan(chain_of(SoftwareTimerMaster(0.01, npoints=4), slow_once))
    scan.run()
    steps = np.diff(scan.get_data("elapsed_time"))
    assert steps[1] >= 0.05
    assert steps[2] >= 0.01


def test_statistics_of_a_controller_that_reads_an_array() -> None:
    class Box(Values):
        def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
            return np.array([1.0, 2.0])  # type: ignore[return-value]

    box = Box("box", list)
    a, b = SamplingCounter("a", box), SamplingCounter("b", box)
    timer_scan(SamplingCounterAcquisitionSlave(a, b, npoints=2), npoints=2).run()
    assert a.statistics is not None and b.statistics is not None
    assert (a.statistics.mean, b.statistics.mean, b.statistics.N) == (1.0, 2.0, 1)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_the_clock_may_be_set_while_a_point_is_counted(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    days = count(1.6e9, step)
    monkeypatch.setattr(timer, "time", lambda: next(days))
    master = SoftwareTimerMaster(0.01, npoints=3)
    began = time.monotonic()
    scan = Scan(chain_of(master), "loopscan")
    with gevent.Timeout(5):
        scan.run()
    assert 0.03 <= time.monotonic() - began
    elapsed = scan.get_data("elapsed_time")
    assert elapsed[0] == 0 and (np.diff(elapsed) >= 0.01).all() and elapsed[-1] < 5
