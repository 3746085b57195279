"""Counters made of any object: every argument, and what they say when there is nothing to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bliss_like.common.counter import SoftCounter
from bliss_like.errors import DeviceError
from bliss_like.scanning.acquisition.counter import SamplingCounterAcquisitionSlave
from tests.unit.scanning.making import memory_environment, timer_scan


class Ring:
    name = "ring"
    current = 200.0

    def lifetime(self) -> float:
        return 30.0

    def orbit(self) -> list[int]:
        return [1, 2, 3]

    @property
    def broken(self) -> float:
        return self.nothing  # type: ignore[attr-defined,no-any-return]


def read(counter: SoftCounter) -> Any:
    with memory_environment():
        scan = timer_scan(SamplingCounterAcquisitionSlave(counter, count_time=0), npoints=1)
        scan.run()
        return scan.get_data(counter)[0]


def test_attributes_methods_and_functions() -> None:
    ring = Ring()
    assert read(SoftCounter(ring, "current")) == 200
    assert read(SoftCounter(ring, "lifetime")) == 30
    assert read(SoftCounter(ring, ring.lifetime)) == 30
    assert read(SoftCounter(ring, Ring.lifetime)) == 30  # as BLISS takes it
    assert read(SoftCounter(value=ring.lifetime)) == 30
    assert read(SoftCounter(ring, lambda ring: ring.current / 2, name="half")) == 100
    assert read(SoftCounter(value=lambda: 7.0, name="seven")) == 7


def test_names() -> None:
    ring = Ring()
    assert SoftCounter(ring, "current").fullname == "ring:current"
    assert SoftCounter(ring, "current", name="i").fullname == "ring:i"
    assert SoftCounter(ring, ring.lifetime).fullname == "ring:lifetime"
    assert SoftCounter(value=lambda: 1.0, name="one").fullname == "one:one"
    assert SoftCounter(object.__new__(type("Gauge", (), {"value": 1})), "value").fullname == "Gauge:value"


def test_what_is_got_is_applied_then_converted() -> None:
    counter = SoftCounter(
        Ring(), "lifetime", apply=lambda hours: hours * 60, conversion_function=lambda m: m + 1, unit="min"
    )
    assert (read(counter), counter.unit, counter.mode.name) == (1801, "min", "MEAN")
    assert counter.raw_read == 1800


def test_dtype_and_shape() -> None:
    counter = SoftCounter(Ring(), "orbit", dtype=np.int32, shape=(3,), mode="SINGLE")
    point = read(counter)
    assert (point.tolist(), point.dtype) == ([1, 2, 3], np.dtype(np.int32))


def test_its_frequency_may_be_limited() -> None:
    counter = SoftCounter(Ring(), "current", max_sampling_frequency=5)
    assert counter.max_sampling_frequency == counter.controller.max_sampling_frequency == 5  # type: ignore[attr-defined]
    counter.max_sampling_frequency = None
    assert counter.controller.max_sampling_frequency is None  # type: ignore[attr-defined]


def test_what_is_not_there() -> None:
    with pytest.raises(
        DeviceError, match="SoftCounter 'curent': Ring 'ring' has no attribute 'curent', did you mean 'current'"
    ):
        SoftCounter(Ring(), "curent")
    with pytest.raises(DeviceError, match="'value' is to be read of no object; give obj=, or a function as value="):
        SoftCounter()
    with pytest.raises(DeviceError, match="expected the name of an attribute, or a function, as value=, got 5"):
        SoftCounter(Ring(), 5)  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="expected a function as apply=, got 2"):
        SoftCounter(Ring(), "current", apply=2)  # type: ignore[arg-type]
    broken = SoftCounter(Ring(), "broken")  # a property is not read before it is counted
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):  # what is wrong inside is told as it is
        read(broken)


def test_what_is_not_there_any_more() -> None:
    ring = Ring()
    ring.pressure = 1.0  # type: ignore[attr-defined]
    counter = SoftCounter(ring, "pressure")
    del ring.pressure  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match="SoftCounter 'pressure': Ring 'ring' has no attribute 'pressure' any more"):
        read(counter)
    ring.pressure = None  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match="SoftCounter 'ring:pressure': expected a value, it is None"):
        read(counter)
