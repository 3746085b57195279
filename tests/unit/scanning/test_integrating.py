"""Integrating counters: blocks, late and missing values, values that come after a stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.devices.counter import Counter, IntegratingCounter, IntegratingCounterController
from bliss_like.errors import ChainError, DeviceError, UserAbort
from bliss_like.scanning.acquisition.counter import IntegratingCounterAcquisitionSlave
from bliss_like.scanning.parameters import ParameterError
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Log, Master, chain_of, end_of, in_background, timer_scan
from tests.waiting import wait_until_cooperative

HARDWARE = IntegratingCounterAcquisitionSlave.HARDWARE


class Card(IntegratingCounterController):
    """Gives what `values(from_index)` returns, for each counter."""

    def __init__(self, values: Callable[[int], Any] = lambda from_index: [], names: str = "a", **keys: Any) -> None:
        super().__init__("card")
        self.values = values
        self.asked: list[int] = []
        self.made = [self.create_counter(IntegratingCounter, name, **keys) for name in names]

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
        self.asked.append(from_index)
        return [self.values(from_index) for _ in counters]

    def slave(self, npoints: int, **keys: Any) -> IntegratingCounterAcquisitionSlave:
        return IntegratingCounterAcquisitionSlave(*self.made, npoints=npoints, **keys)


def test_blocks_of_any_length_as_lists_or_arrays() -> None:
    there = iter(np.repeat([3, 3, 4, 9, 10], 2))  # for two counters
    card = Card(lambda start: np.arange(start, next(there)), names="ab", unit="V")
    scan = timer_scan(card.slave(10, trigger_type=HARDWARE), npoints=1)
    scan.run()
    assert scan.get_data("card:a").tolist() == scan.get_data("card:b").tolist() == list(range(10))
    assert card.asked == [0, 3, 3, 4, 9]


def test_spectra_in_blocks_each_converted_by_itself() -> None:
    spectra = np.arange(12.0).reshape(4, 3) + 1
    card = Card(lambda start: spectra[start : start + 2], shape=(3,), conversion_function=lambda s: s / s.sum())
    scan = timer_scan(card.slave(4, trigger_type=HARDWARE), npoints=1)
    scan.run()
    assert scan.get_data("card:a") == pytest.approx(spectra / spectra.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("convert", [lambda x: x * 2, lambda x: x * 2 if x < 100 else x, lambda x: float(x) * 2])
def test_a_conversion_may_know_blocks_or_not(convert: Callable[[Any], Any]) -> None:
    card = Card(lambda start: list(range(start, 6)), dtype=int, conversion_function=convert)
    scan = timer_scan(card.slave(6, trigger_type=HARDWARE), npoints=1)
    scan.run()
    assert scan.get_data("card:a").tolist() == [0, 2, 4, 6, 8, 10]
    assert scan.get_data("card:a").dtype == np.dtype(float)


def test_a_quick_device_is_not_kept_waiting() -> None:
    """Each trigger is answered at once, so that 200 points take nothing like 200 times a fixed period."""
    card = Card(lambda start: list(range(start, slave._triggered)))
    slave = card.slave(200, count_time=0)
    scan = timer_scan(slave, npoints=200)
    began = time.monotonic()
    scan.run()
    assert scan.get_data("card:a").tolist() == list(range(200))
    assert time.monotonic() - began < 200 * 0.01


def test_count_time_of_the_master() -> None:
    slave = Card().slave(2)
    timer_scan(slave, npoints=2, count_time=0.25)
    assert slave.count_time == 0.25
    assert Card().slave(2, count_time=[0.1, 0.2]).count_time == 0.1
    with pytest.raises(ParameterError, match="'count_time': expected one for each of 3 points, got 2"):
        Card().slave(3, count_time=[0.1, 0.2])


@pytest.mark.parametrize("count_time", [-1, "1 s", float("nan"), [[1.0]], [0.1, None]])
def test_a_count_time_that_is_none(count_time: Any) -> None:
    with pytest.raises(ParameterError, match="parameter 'count_time': expected seconds, or a list"):
        Card().slave(2, count_time=count_time)


# -- what goes wrong -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, 5, [None], [[1.0]], [[1.0], [1.0], [1.0]]])
def test_an_answer_that_is_none(answer: Any) -> None:
    class Strange(Card):
        def get_values(self, from_index: int, *counters: Counter) -> Sequence[Any]:
            return answer  # type: ignore[no-any-return]

    with pytest.raises(
        DeviceError, match="controller 'card': expected from get_values a list of values for each of a, b"
    ):
        timer_scan(Strange(names="ab").slave(1), npoints=1).run()


def test_a_device_that_never_delivers() -> None:
    scan = timer_scan(Card().slave(10, count_time=0, timeout=0.05), npoints=10)
    with pytest.raises(DeviceError, match=r"'card': point 1 of 10 did not come within 0\.\d s .* armed, and triggered"):
        scan.run()
    assert end_of(scan).state == "KILLED"


def test_a_device_that_stops_delivering() -> None:
    card = Card(lambda start: list(range(start, min(3, slave._triggered))))
    slave = card.slave(10, count_time=0, timeout=0.05)
    scan = timer_scan(slave, npoints=10)
    with pytest.raises(DeviceError, match="'card': point 4 of 10 did not come"):
        scan.run()
    assert scan.get_data("card:a").tolist() == [0, 1, 2]


def test_triggers_by_cable_may_take_their_time_unless_a_limit_is_given() -> None:
    start = time.monotonic()
    card = Card(lambda _: [1.0] if time.monotonic() - start > 0.1 else [])
    timer_scan(card.slave(1, trigger_type=HARDWARE), npoints=1).run()
    with pytest.raises(DeviceError, match="'card': point 1 of 1 did not come within"):
        timer_scan(Card().slave(1, trigger_type=HARDWARE, timeout=0.02), npoints=1).run()


def test_what_was_asked_for_of_too_much_is_kept() -> None:
    scan = timer_scan(Card(lambda start: list(range(100))).slave(4), npoints=4)
    with pytest.raises(ChainError, match="controller 'card': expected 4 points, got 100"):
        scan.run()
    assert scan.get_data("card:a").tolist() == [0, 1, 2, 3]


def test_a_stop_in_the_middle_loses_nothing_that_was_delivered() -> None:
    class Flushing(IntegratingCounterAcquisitionSlave):
        def stop_device(self) -> None:
            gevent.sleep(0.02)  # while it stops, the last values come
            delivered[0] = 7

    delivered = [3]
    card = Card(lambda start: list(range(start, delivered[0])))
    slave = Flushing(*card.made, npoints=100, trigger_type=HARDWARE)
    scan = Scan(chain_of(Master("m", Log(), npoints=1, trigger=lambda: gevent.sleep(60)), slave), "fly")
    running = in_background(scan)
    wait_until_cooperative(lambda: slave.channels[0].length == 3)
    scan.abort()
    assert isinstance(running.get(timeout=5), UserAbort)
    assert scan.get_data("card:a").tolist() == list(range(7))
