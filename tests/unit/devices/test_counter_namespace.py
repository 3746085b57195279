"""Several counters by name: sums and differences, none lost where two have the same name."""

from __future__ import annotations

import pytest

from bliss_like.controllers.counter import CounterController, SamplingCounterController, counter_namespace
from bliss_like.devices.counter import Counter, SamplingCounter
from bliss_like.devices.counter_namespace import CounterGroups
from bliss_like.errors import UsageError
from bliss_like.scanning.chain_nodes import iter_counters


def box(name: str, *counters: str) -> CounterController:
    controller = SamplingCounterController(name)
    for counter in counters:
        controller.create_counter(SamplingCounter, counter)
    return controller


def test_a_sum_keeps_two_counters_of_one_name() -> None:
    left, right = box("left", "i0", "diode"), box("right", "diode", "i1")
    both = left.counters + right.counters
    assert [counter.fullname for counter in both] == ["left:i0", "left:diode", "right:diode", "right:i1"]
    assert list(both.keys()) == ["i0", "left:diode", "right:diode", "i1"] and len(both) == 4
    assert both["right:diode"] is right.counters.diode and both.i0 is left.counters["i0"]
    assert "left:diode" in both and "diode" not in both and right.counters.diode in both
    for wrong in (lambda: both["diode"], lambda: both.diode):
        with pytest.raises(
            (KeyError, AttributeError), match="2 counters are called 'diode'; .*: left:diode, right:diode"
        ):
            wrong()
    assert both["left:i0"] is both.i0  # by its full name, too
    assert "left:diode" not in dir(both) and "i0" in dir(both)


def test_controllers_of_one_name() -> None:
    assert len(box("a", "x").counters + box("a", "x").counters + box("a", "x").counters) == 3


def test_each_counter_once() -> None:
    counters = box("a", "x", "y").counters
    assert len(counters + counters) == len(counters + [counters.x]) == len(counters + counters.x) == 2


def test_sums_and_differences() -> None:
    a, b = box("a", "x", "y").counters, box("b", "z").counters
    assert [counter.name for counter in sum([a, b])] == ["x", "y", "z"]
    assert [counter.name for counter in [b.z] + a] == ["z", "x", "y"]
    assert [counter.name for counter in a + b - a.x] == ["y", "z"]
    assert [counter.name for counter in a + b - a] == ["z"]
    assert [counter.name for counter in (a + b)[1:]] == ["y", "z"]
    for wrong in (5, "x", [a.x, "y"]):
        with pytest.raises(UsageError, match="expected counters, or a group of counters, got"):
            _ = a + wrong  # type: ignore[operator]


def test_groups_by_name() -> None:
    counters = box("a", "x", "y").counters
    groups = counter_namespace({"default": counters, "few": counters[:1]})
    assert list(groups.keys()) == ["default", "few"] and groups.few[0] is counters.x  # type: ignore[index]
    assert CounterGroups(few=counters[:1]).few[0] is counters.x
    with pytest.raises(AttributeError, match="no group of counters 'many'; there are: few"):
        _ = CounterGroups(few=counters[:1]).many


def test_what_a_scan_takes_of_something_with_groups() -> None:
    class Grouped(CounterController):
        @property
        def counter_groups(self) -> CounterGroups:
            return CounterGroups(default=self.counters[:1], rest=self.counters[1:])

    grouped = Grouped("g")
    for name in "abc":
        grouped.create_counter(Counter, name)
    assert [counter.name for counter in iter_counters(grouped)] == ["a"]
    assert [counter.name for counter in iter_counters(grouped.counter_groups.rest)] == ["b", "c"]
    assert [counter.name for counter in iter_counters([grouped.counters, grouped])] == ["a", "b", "c", "a"]

    class NoDefault(Grouped):
        @property
        def counter_groups(self) -> CounterGroups:
            return CounterGroups(rest=self.counters[1:])

    nothing_by_default = NoDefault("n")
    nothing_by_default.create_counter(Counter, "a")
    assert [counter.name for counter in iter_counters(nothing_by_default)] == ["a"]

    class Detector:
        """Has controllers, and is none."""

        counters = grouped.counters
        counter_groups = {"default": grouped.counters[2:]}

    assert [counter.name for counter in iter_counters(Detector())] == ["c"]


def test_counters_that_are_made_anew() -> None:
    controller = box("a", "x", "y")
    controller.remove(controller.counters["x"])
    assert [counter.name for counter in controller.counters] == ["y"]
    controller.clear()
    controller.create_counter(SamplingCounter, "y")
    assert len(controller.counters) == 1


def test_what_is_shown() -> None:
    controller = box("box", "diode", "temperature")
    controller.is_critical = False
    controller.counters.diode.unit = "V"
    controller.create_counter(Counter, "image", shape=(2, 3), dtype="uint16")
    assert [line.split() for line in controller.__info__().splitlines()] == [
        "SamplingCounterController box, scans go on without it when it fails".split(),
        ["counter", "mode", "value", "unit"],
        ["-----------", "----", "------------", "----"],
        ["diode", "MEAN", "float64", "V"],
        ["temperature", "MEAN", "float64"],
        ["image", "2", "x", "3", "uint16"],
    ]
    groups = CounterGroups(all=controller.counters, none=counter_namespace())
    assert groups.__info__() == "all: diode, temperature, image\nnone: "
    assert counter_namespace(groups).__info__().splitlines()[2:] == ["all", "none"]
    assert counter_namespace().__info__() == "no counters"
