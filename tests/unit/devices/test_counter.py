"""Counters, their controllers and namespaces."""

from __future__ import annotations

import numpy as np
import pytest

from bliss_like.devices.counter import (
    Counter,
    CounterController,
    IntegratingCounterController,
    SamplingCounter,
    SamplingCounterController,
    SamplingMode,
    counter_namespace,
)
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import DeviceError


class Box(SamplingCounterController):
    def read(self, counter: SamplingCounter) -> float:
        return float(len(counter.name))


@pytest.fixture
def box() -> Box:
    box = Box("box")
    box.create_counter(SamplingCounter, "a", unit="V")
    SamplingCounter("bb", box, mode="LAST", dtype=np.int32)
    return box


def test_names(box: Box) -> None:
    inner = Box("inner", master_controller=box)
    counter = inner.create_counter(SamplingCounter, "c")
    assert (counter.fullname, counter.controller) == ("box:inner:c", inner)
    assert [counter.fullname for counter in box.counters] == ["box:a", "box:bb"]
    with pytest.raises(DeviceError, match="'box' has a counter 'a' already"):
        SamplingCounter("a", box)
    with pytest.raises(DeviceError, match="counter 'd': expected a CounterController"):
        Counter("d", "box")  # type: ignore[arg-type]


def test_a_namespace_keeps_its_order_and_gives_by_name(box: Box) -> None:
    counters = box.counters
    a, b = counters
    assert (counters["a"], counters.bb, counters[1], len(counters)) == (a, b, b, 2)
    assert "a" in counters and b in counters and "c" not in counters
    assert list(counters.keys()) == ["a", "bb"] and dict(counters.items())["bb"] is b
    more = counters + [SoftCounter(value=lambda: 1.0, name="soft")]
    assert [counter.name for counter in more] == ["a", "bb", "soft"]
    assert "bb" in dir(counters)
    for wrong in (lambda: counters["c"], lambda: counters.c):
        with pytest.raises((KeyError, AttributeError), match="no counter 'c'; there are: a, bb"):
            wrong()
    assert box.get_item("a") is a
    assert len(counter_namespace()) == 0


def test_reading(box: Box) -> None:
    a, b = box.counters
    assert box.read_all(a, b) == [1.0, 2.0]
    assert b.raw_read == 2.0
    with pytest.raises(NotImplementedError, match="must overload read_all"):
        _ = SamplingCounterController("bare").create_counter(SamplingCounter, "x").raw_read
    with pytest.raises(NotImplementedError, match="must overload get_values"):
        IntegratingCounterController("bare").get_values(0)


def test_conversion(box: Box) -> None:
    a, b = box.counters
    assert a.conversion_function(3) == 3 and not a.is_converted
    assert b.data_dtype == np.int32
    b.conversion_function = lambda raw: raw / 2
    assert b.is_converted and b.data_dtype == np.float64
    b.conversion_function = None
    assert not b.is_converted


def test_modes() -> None:
    assert [mode.name for mode in SamplingMode] == [
        "MEAN", "STATS", "SAMPLES", "SINGLE", "LAST", "INTEGRATE", "INTEGRATE_STATS",
    ]  # fmt: skip
    assert SamplingMode.of("stats") is SamplingMode.of(SamplingMode.STATS) is SamplingMode.STATS
    with pytest.raises(ValueError, match="sampling mode 3.5: expected one of MEAN"):
        SamplingMode.of(3.5)  # type: ignore[arg-type]


def test_there_is_no_hidden_limit_of_the_sampling_frequency() -> None:
    assert Box("box").max_sampling_frequency is None
    assert Box("box", max_sampling_frequency=10).max_sampling_frequency == 10


def test_parameters_of_a_standard_scan() -> None:
    controller = CounterController("ctl")
    scan = {"count_time": 0.1, "npoints": 5, "sleep_time": 1}
    assert controller.get_default_chain_parameters(scan, {}) == {"count_time": 0.1, "npoints": 5}
    assert controller.get_default_chain_parameters(scan, {"count_time": 0.2, "mode": "x"}) == {
        "count_time": 0.2,
        "npoints": 5,
        "mode": "x",
    }


def test_units_conversions_and_names_are_checked() -> None:
    box = Box("box")
    counter = box.create_counter(SamplingCounter, "a")
    counter.unit = "mm"
    assert (counter.unit, counter.scan_metadata(), counter.dataset_metadata()) == ("mm", None, None)
    for change, said in (
        (lambda: setattr(counter, "unit", 5), "counter 'a': expected a text as its unit, such as 'mm', got 5"),
        (lambda: setattr(counter, "conversion_function", 2), "counter 'a': expected a function .*, got 2"),
        (lambda: box.create_counter(SamplingCounter, "b", unit=3), "counter 'b': expected a text as its unit"),
        (lambda: box.create_counter(SamplingCounter, ""), "a counter: expected a name, got ''"),
        (lambda: box.create_counter(SamplingCounter, None), "a counter: expected a name, got None"),
    ):
        with pytest.raises(DeviceError, match=said):
            change()
    assert counter.unit == "mm" and len(box.counters) == 1


def test_names_that_drivers_of_bliss_use(box: Box) -> None:
    inner = Box("inner", box, False)
    counter = inner.create_counter(SamplingCounter, "c")
    assert (counter._counter_controller, inner._master_controller, inner.is_registered) == (inner, box, False)
    assert box.is_registered and counter.is_critical
    box.unregister()
    inner.is_critical = False
    assert not box.is_registered and not counter.is_critical
    assert IntegratingCounterController().name == "integ_cc"


def test_one_that_reads_all_reads_one() -> None:
    class Block(SamplingCounterController):
        def read_all(self, *counters: SamplingCounter) -> list[float]:
            return [float(len(counters))] * len(counters)

    block = Block("block")
    assert block.read(block.create_counter(SamplingCounter, "a")) == 1.0
