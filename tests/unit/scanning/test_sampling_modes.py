"""Every sampling mode against numpy: numbers and arrays, integers and truth values, converted or not, one reading or many."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import gevent
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bliss_like.common.counter import SamplingCounter, SamplingCounterStatistics, SamplingMode
from bliss_like.controllers.counter import SamplingCounterController
from bliss_like.errors import ChainError, ChannelValueError, DeviceError
from bliss_like.scanning.acquisition import readings as readings_module
from bliss_like.scanning.acquisition.counter import SamplingCounterAcquisitionSlave
from tests.unit.scanning.making import memory_environment, timer_scan

COUNT_TIME = 0.02
STATISTICS = ("mean", "N", "std", "var", "min", "max", "p2v")


class Playback(SamplingCounterController):
    """Gives all counters the same reading; the last one takes so long that no other fits into the count time."""

    def __init__(self, readings: Sequence[Any]) -> None:
        super().__init__("ctl")
        self.readings = readings
        self.nreadings = 0

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        self.nreadings += 1
        if self.nreadings == len(self.readings):
            gevent.sleep(COUNT_TIME)
        return [self.readings[self.nreadings - 1]] * len(counters)

    @property
    def given(self) -> Any:
        return np.asarray(self.readings[: self.nreadings])


def all_modes(playback: Playback, count_time: float = COUNT_TIME, **keys: Any) -> dict[str, Any]:
    """Return the one point of a counter of each mode, called as its mode, by the short names of the channels."""
    for mode in SamplingMode:
        playback.create_counter(SamplingCounter, mode.name, mode=mode, **keys)
    slave = SamplingCounterAcquisitionSlave(*playback.counters, count_time=count_time)
    with memory_environment():
        scan = timer_scan(slave, npoints=1, count_time=count_time)
        scan.run()
        return {name.removeprefix("ctl:"): data[0] for name, data in scan.get_data().items() if name.startswith("ctl:")}


def expected(taken: Any, count_time: float = COUNT_TIME) -> dict[str, Any]:
    """Return what numpy makes of the readings."""
    values = np.asarray(taken, float)
    one = len(values) == 1
    spread = np.full(values.shape[1:], np.nan) if one else values.std(axis=0, ddof=1)
    low, high, mean = values.min(axis=0), values.max(axis=0), values.mean(axis=0)
    of = {"std": spread, "var": spread**2, "min": low, "max": high, "p2v": high - low}
    point = {"MEAN": mean, "SINGLE": taken[0], "LAST": taken[-1], "INTEGRATE": mean * count_time, "SAMPLES": mean}
    point |= {"SAMPLES_samples": taken, "STATS": mean, "INTEGRATE_STATS": mean * count_time}
    point |= {"STATS_N": len(values), "INTEGRATE_STATS_N": len(values)}
    for name, value in of.items():
        point |= {f"STATS_{name}": value}
        point |= {f"INTEGRATE_STATS_{name}": value * count_time ** (2 if name == "var" else 1)}
    return point


def check(got: dict[str, Any], wanted: dict[str, Any], scale: float) -> None:
    assert set(got) == set(wanted)
    for name, value in wanted.items():
        tolerance = scale**2 if name.endswith("_var") else scale
        np.testing.assert_allclose(got[name], value, rtol=1e-7, atol=1e-7 * tolerance, err_msg=name)


def bounds(kind: np.dtype[Any]) -> dict[str, Any]:
    return {"min_value": -1000, "max_value": 1000, "allow_nan": False} if kind.kind == "f" else {}


numbers = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@given(st.lists(numbers, min_size=1, max_size=14), st.sampled_from([0.0, 1e9]))
def test_numbers(values: list[float], offset: float) -> None:
    playback = Playback([value + offset for value in values])
    with patch.object(readings_module, "CHUNK", 4):  # so that chunks have to be put together
        got = all_modes(playback)
    check(got, expected(playback.given), scale=max(1.0, *map(abs, playback.readings)) * 1e-3)


kinds = st.sampled_from([np.dtype(kind) for kind in ("u1", "i2", "?", "f4")])
shapes = npst.array_shapes(min_dims=2, max_dims=3, max_side=4)


@given(kinds.flatmap(lambda kind: npst.arrays(kind, shapes, elements=npst.from_dtype(kind, **bounds(kind)))))
def test_arrays(block: Any) -> None:
    playback = Playback(list(block))
    got = all_modes(playback, dtype=block.dtype, shape=block.shape[1:])
    check(got, expected(playback.given), scale=1000.0)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=6), st.sampled_from([int, np.int32, "u8", bool]))
def test_integers_and_truth_values(values: list[int], kind: Any) -> None:
    dtype = np.dtype(kind)
    readings = [
        bool(value % 2) if dtype.kind == "b" else value if dtype.kind == "i" else abs(value) for value in values
    ]
    playback = Playback(readings)
    got = all_modes(playback, dtype=dtype)
    check(got, expected(playback.given), scale=2.0**31)
    assert {got[name].dtype for name in ("SINGLE", "LAST")} == {dtype}
    assert got["SAMPLES_samples"].dtype == dtype  # nothing is lost of what was read
    assert {got[name].dtype for name in ("MEAN", "INTEGRATE", "STATS", "STATS_max", "SAMPLES")} == {np.dtype(float)}
    assert got["STATS_N"].dtype == np.dtype(int)


@pytest.mark.parametrize("values", [[2.0, 99.0], [2], [True], [np.float32(2)], [np.array(2.0)]])
def test_one_reading_has_a_smallest_and_a_largest_but_no_spread(values: list[Any]) -> None:
    playback = Playback(values)
    check(all_modes(playback, count_time=0), expected(values[:1], 0.0), scale=1.0)
    assert playback.nreadings == 1


def test_each_reading_is_converted() -> None:
    playback = Playback([1.0, 2.0, 4.0])
    got = all_modes(playback, conversion_function=lambda raw: raw**2)
    check(got, expected(playback.given**2), scale=1.0)


def test_lists_are_converted_as_arrays() -> None:
    playback = Playback([[1, 2], [3, 4]])
    got = all_modes(playback, conversion_function=lambda raw: raw * 2, shape=(2,), dtype=int)
    check(got, expected(playback.given * 2.0), scale=1.0)
    assert got["LAST"].dtype == np.dtype(float)


def test_a_conversion_that_fails_says_whose_it_is_and_of_what() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        all_modes(Playback([0.0]), conversion_function=lambda raw: 1 / raw)
    assert caught.value.__notes__[0] == "(counter 'ctl:MEAN': its conversion_function, on 0.0)"


def test_a_device_that_reads_into_the_same_memory_again() -> None:
    class Buffered(Playback):
        buffer = np.zeros(len(SamplingMode))

        def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
            self.buffer[:] = super().read_all(*counters)
            return self.buffer  # type: ignore[return-value]

    playback = Buffered([1.0, 5.0, 3.0])
    check(all_modes(playback), expected(playback.given), scale=1.0)

    class Image(Playback):
        buffer = np.zeros((2, 2))

        def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
            self.buffer[:] = super().read_all(*counters)[0]
            return [self.buffer] * len(counters)

    images = Image([np.eye(2), 3 * np.eye(2)])
    check(all_modes(images, shape=(2, 2)), expected(images.given), scale=1.0)


def test_infinite_and_missing_readings_stay_what_they_are() -> None:
    for strange in (np.inf, np.nan):
        got = all_modes(Playback([1.0, strange, 2.0]))
        assert not np.isfinite(got["MEAN"]) and not np.isfinite(got["STATS_max"]) and np.isnan(got["STATS_std"])


# -- statistics of the last point ------------------------------------------------------------------------------------------


def statistics_of(
    mode: str, readings: Sequence[Any], count_time: float, **keys: Any
) -> SamplingCounterStatistics | None:
    counter = Playback(readings).create_counter(SamplingCounter, "c", mode=mode, **keys)
    with memory_environment():
        assert counter.statistics is None
        timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=count_time), npoints=1).run()
    return counter.statistics


def test_a_counter_of_numbers_has_statistics_with_every_mode() -> None:
    for mode in SamplingMode:
        before = time.time()
        found = statistics_of(mode.name, [1.0, 2.0, 6.0], COUNT_TIME)
        assert found is not None and before <= found.timestamp <= time.time()
        scale = COUNT_TIME if mode in (SamplingMode.INTEGRATE, SamplingMode.INTEGRATE_STATS) else 1.0
        if mode is SamplingMode.SINGLE:
            assert (found.N, found.min, found.max, found.p2v) == (1, 1.0, 1.0, 0.0)
            assert np.isnan(found.std) and np.isnan(found.var)
        else:
            assert found[:7] == pytest.approx((3 * scale, 3, 7**0.5 * scale, 7 * scale**2, scale, 6 * scale, 5 * scale))
        assert found.count_time == COUNT_TIME


def test_arrays_have_statistics_where_they_are_asked_for() -> None:
    spectra = [np.array([1.0, 2.0]), np.array([3.0, 6.0])]
    assert statistics_of("MEAN", spectra, COUNT_TIME, shape=(2,)) is None
    found = statistics_of("STATS", spectra, COUNT_TIME, shape=(2,))
    assert found is not None and (found.mean.tolist(), found.N, found.p2v.tolist()) == ([2, 4], 2, [2, 4])


# -- what cannot be sampled so ---------------------------------------------------------------------------------------------


def scan_of(counter: SamplingCounter, count_time: float = COUNT_TIME) -> Callable[[], None]:
    return timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=count_time), npoints=1).run


def test_texts_and_complex_numbers() -> None:
    label = Playback(["a"]).create_counter(SamplingCounter, "label", dtype=str)
    with pytest.raises(ChainError, match="'ctl:label' gives texts, which have no MEAN: set its mode to SINGLE or LAST"):
        scan_of(label)
    label.mode = SamplingMode.LAST
    scan_of(label)()
    assert label.statistics is None
    impedance = Playback([1 + 1j, 3 + 3j]).create_counter(SamplingCounter, "z", dtype=complex)
    scan = timer_scan(SamplingCounterAcquisitionSlave(impedance, count_time=COUNT_TIME), npoints=1)
    scan.run()
    assert scan.get_data(impedance).tolist() == [2 + 2j]
    impedance.mode = "stats"
    with pytest.raises(ChainError, match="'ctl:z' gives complex numbers, of which there is no largest"):
        scan_of(impedance)


def test_readings_of_different_lengths_have_no_mean() -> None:
    trace = Playback([np.zeros(3), np.zeros(5)]).create_counter(SamplingCounter, "trace", shape=(-1,))
    with pytest.raises(DeviceError, match=r"'ctl:trace': readings of shapes \(3,\) and \(5,\) .* mode SINGLE or LAST"):
        scan_of(trace)()
    trace = Playback([np.zeros(3), np.zeros(5)]).create_counter(SamplingCounter, "trace", shape=(-1,), mode="last")
    scan_of(trace)()


@pytest.mark.parametrize("reading", ["1.5", None, [1.0, 2.0]])
def test_a_reading_that_is_no_number(reading: Any) -> None:
    for mode in SamplingMode:
        for readings in ([reading], [1.0, reading]):
            counter = Playback(readings).create_counter(SamplingCounter, "c", mode=mode)
            if mode is SamplingMode.SINGLE and readings[0] == 1.0:
                continue
            with pytest.raises(ChannelValueError, match="channel 'ctl:c': expected"):
                scan_of(counter)()


@pytest.mark.parametrize("frequency", [0, -1, "fast", True, float("nan")])
def test_a_frequency_that_is_none(frequency: Any) -> None:
    playback = Playback([1.0])
    playback.max_sampling_frequency = frequency
    with pytest.raises(DeviceError, match="controller 'ctl': expected readings per second, or None .* got"):
        scan_of(playback.create_counter(SamplingCounter, "c"))()


def test_the_greatest_frequency_is_kept_also_after_a_slow_reading() -> None:
    times: list[float] = []

    class Slow(SamplingCounterController):
        def read(self, counter: SamplingCounter) -> float:
            times.append(time.monotonic())
            gevent.sleep(0.07 if len(times) == 1 else 0)
            return 1.0

    controller = Slow("slow", max_sampling_frequency=50)
    scan_of(controller.create_counter(SamplingCounter, "c"), count_time=0.2)()
    steps = np.diff(times)
    assert len(steps) > 1 and min(steps) > 0.01  # 20 ms, less what the reading before was late


@pytest.mark.parametrize("made_with", SamplingMode)
@pytest.mark.parametrize("changed_to", SamplingMode)
@pytest.mark.parametrize("is_running", [False, True])
def test_a_mode_that_is_changed_is_for_scans_to_come(
    made_with: SamplingMode, changed_to: SamplingMode, is_running: bool
) -> None:
    class Changing(SamplingCounterController):
        def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
            if is_running:
                counter.mode = changed_to
            return [3] * len(counters)

    counter = Changing("ctl").create_counter(SamplingCounter, "c", mode=made_with, dtype=int)
    dtype = counter.data_dtype
    with memory_environment():
        scan = timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=0.001, npoints=2), npoints=2)
        counter.mode = made_with if is_running else changed_to
        scan.run()
        assert {len(points) for points in scan.get_data().values()} == {2}
        assert scan.get_data(counter).dtype == dtype
        assert counter.mode is changed_to
