"""Counters that are calculated from others, in scans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gevent
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.devices.calc_counter import CalcCounter, CalcCounterController
from bliss_like.devices.counter import (
    Counter,
    CounterController,
    IntegratingCounter,
    IntegratingCounterController,
    SamplingCounter,
    SamplingMode,
)
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import CalculationError, ChainError, DeviceError
from bliss_like.scanning.acquisition import AcquisitionSlave, TriggerType
from bliss_like.scanning.acquisition.calc import CalcChannelAcquisitionSlave, CalcCounterAcquisitionSlave, CalcHook
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChannel
from bliss_like.scanning.chain_nodes import ChainBuilder
from bliss_like.scanning.default_chain import DefaultAcquisitionChain
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Log, Reader, Values, chain_of, memory_environment, raising, timer_scan

Calc = Callable[[dict[str, Any]], Mapping[str, Any]]


class Calculated(CalcCounterController):
    """Calculates what a function says."""

    def __init__(self, name: str, inputs: dict[str, Counter], function: Calc, *outputs: str, **keys: Any) -> None:
        super().__init__(
            name,
            {
                "inputs": [{"counter": counter, "tags": tag} for tag, counter in inputs.items()],
                "outputs": [{"name": output, **keys} for output in outputs or (f"{name}_out",)],
            },
        )
        self.function = function
        self.lengths: list[int] = []

    def calc_function(self, input_dict: dict[str, Any]) -> Mapping[str, Any]:
        self.lengths.append(len(next(iter(input_dict.values()))))
        return self.function(input_dict)


def counting(name: str = "n", first: float = 0.0, step: float = 1.0) -> SoftCounter:
    """A counter that gives first, first + step, ..."""
    values = (first + step * n for n in range(100000))
    return SoftCounter(value=lambda: next(values), name=name, mode=SamplingMode.SINGLE)


def scan_of(*counters: Any, npoints: int = 3, settings: Any = None) -> Scan:
    chain = DefaultAcquisitionChain().get({"count_time": 0.0, "npoints": npoints}, counters, settings=settings)
    return Scan(chain, "loopscan")


def data_of(scan: Scan) -> dict[str, list[Any]]:
    return {
        name.rpartition(":")[2]: values.tolist()
        for name, values in scan.get_data().items()
        if not name.startswith("timer")
    }


# -- what is counted -------------------------------------------------------------------------------------------------------


def test_a_calculated_counter_brings_its_inputs() -> None:
    a, b = counting("a"), counting("b", 10)
    ratio = Calculated("ratio", {"x": a, "y": b}, lambda d: {"q": d["x"] / d["y"], "s": d["x"] + d["y"]}, "q", "s")
    scan = scan_of(ratio.counters["s"])
    scan.run()
    assert data_of(scan) == {"a": [0, 1, 2], "b": [10, 11, 12], "s": [10, 12, 14]}
    assert ratio.lengths == [1, 1, 1]


def test_inputs_that_are_counted_anyway_are_counted_once() -> None:
    box = Values("box", lambda: [1.0, 2.0, 3.0])
    a, b, _ = (SamplingCounter(name, box, mode="SINGLE") for name in "abc")
    total = Calculated("total", {"x": a, "y": b}, lambda d: {"total_out": d["x"] + d["y"]})
    scan = scan_of(total, box)
    scan.run()
    assert data_of(scan) == {"a": [1] * 3, "b": [2] * 3, "c": [3] * 3, "total_out": [3] * 3}
    assert box.nreadings == 3


def test_inputs_may_be_calculated() -> None:
    a = counting("a")
    double = Calculated("double", {"a": a}, lambda d: {"twice": 2 * d["a"], "thrice": 3 * d["a"]}, "twice", "thrice")
    plus = Calculated("plus", {"a": a, "t": double.counters["twice"]}, lambda d: {"plus_out": d["a"] + d["t"]})
    last = Calculated("last", {"p": plus.counters["plus_out"]}, lambda d: {"last_out": -d["p"]})
    scan = scan_of(last, plus)
    scan.run()
    assert data_of(scan) == {"a": [0, 1, 2], "twice": [0, 2, 4], "plus_out": [0, 3, 6], "last_out": [0, -3, -6]}


def test_counters_that_need_each_other_are_refused() -> None:
    a = counting("a")
    first = Calculated("first", {"a": a}, lambda d: {})
    second = Calculated("second", {"x": first.counters[0]}, lambda d: {})
    first.add_input(second.counters[0], "y")
    with pytest.raises(DeviceError, match="need each other: second_out <- first_out <- second_out; take one out"):
        scan_of(second)
    with pytest.raises(DeviceError, match="need each other"):
        _ = first.counters[0].raw_read  # type: ignore[attr-defined]


def test_statistics_of_an_input() -> None:
    a = SoftCounter(value=lambda: 2.0, name="a", mode=SamplingMode.STATS)
    half = Calculated("half", {"a": a}, lambda d: {"half_out": d["a"] / 2})
    scan = scan_of(half)
    scan.run()
    found = data_of(scan)
    assert found["half_out"] == [1, 1, 1] and found["a_N"] == [1, 1, 1]


def test_inputs_of_the_same_name() -> None:
    one, two = (
        SamplingCounter("image", Values(name, lambda v=value: [v]), mode="SINGLE")
        for name, value in [("l", 1.0), ("r", 4.0)]
    )  # type: ignore[misc]
    both = Calculated("both", {"left": one, "right": two}, lambda d: {"both_out": d["right"] - d["left"]})
    scan = scan_of(both)
    scan.run()
    assert scan.get_data("both_out").tolist() == [3, 3, 3]
    assert both.get_input_counter_from_tag("right") is two and both.get_output_counter_from_tag("none") is None


# -- dimensions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda d: {"out_out": d["image"].sum(axis=(1, 2))}, None, [15] * 3),
        (lambda d: {"out_out": d["image"].sum(axis=1)}, [3], [[3, 5, 7]] * 3),
        (lambda d: {"out_out": d["image"][:, :, :2]}, [-1, 2], [[[0, 1], [3, 4]]] * 3),
        (lambda d: {"out_out": d["image"].sum()}, None, [15] * 3),  # of one point its axis may be missing
    ],
)
def test_any_dimension(function: Calc, shape: list[int] | None, expected: Any) -> None:
    image = SoftCounter(value=lambda: np.arange(6).reshape(2, 3), name="image", mode="SINGLE", dtype=int, shape=(2, 3))
    scan = scan_of(Calculated("out", {"image": image}, function, shape=shape))
    scan.run()
    assert scan.get_data("out_out").tolist() == expected


def test_what_is_calculated_in_place_changes_nothing_else() -> None:
    box = Values("box", lambda: [np.ones(3)])
    spectrum = SamplingCounter("spectrum", box, mode="SINGLE", shape=(3,))

    def spoil(inputs: dict[str, Any]) -> Mapping[str, Any]:
        inputs["s"] *= 10
        return {"ten": inputs["s"]}

    spoiled = Calculated("a", {"s": spectrum}, spoil, "ten", shape=[3])
    plain = Calculated("b", {"s": spectrum}, lambda d: {"one": d["s"]}, "one", shape=[3])
    scan = scan_of(spoiled, plain)
    scan.run()
    assert data_of(scan) == {"spectrum": [[1] * 3] * 3, "ten": [[10] * 3] * 3, "one": [[1] * 3] * 3}


def test_nan_propagates() -> None:
    dead, alive = SoftCounter(value=lambda: np.nan, name="dead"), counting("alive")
    scan = scan_of(Calculated("sum", {"a": dead, "b": alive}, lambda d: {"sum_out": d["a"] + d["b"]}))
    scan.run()
    assert np.isnan(scan.get_data("sum_out")).all()


def test_conversion_and_dtype() -> None:
    out = Calculated("out", {"a": counting("a")}, lambda d: {"out_out": d["a"].astype(int)}, dtype="int32", unit="mA")
    assert (out.counters[0].data_dtype, out.counters[0].unit) == (np.dtype("int32"), "mA")
    out.counters[0].conversion_function = lambda value: value + 0.5
    scan = scan_of(out)
    scan.run()
    assert scan.get_data("out_out").tolist() == [0.5, 1.5, 2.5]


# -- what the function does wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda d: {"other": d["a"]},
            "calc controller 'out': expected 'out_out', which is counter out_out, .* it returned other",
        ),
        (lambda d: {}, "it returned nothing"),
        (lambda d: d["a"], "expected a dict of out_out from calc_function, it returned array"),
        (lambda d: None, "expected a dict of out_out from calc_function, it returned None"),
        (lambda d: {"out_out": [1, 2]}, "expected 1 point of 'out_out'.* it returned shape \\(2,\\); the first axis"),
        (lambda d: {"out_out": [[1], [2, 3]]}, "it returned no regular array"),
        (lambda d: {"out_out": d["b"]}, "calc_function failed, given a of shape \\(1,\\): KeyError: 'b'"),
    ],
)
def test_errors_end_the_scan(function: Calc, message: str) -> None:
    scan = scan_of(Calculated("out", {"a": counting("a")}, function))
    with pytest.raises(CalculationError, match=message):
        scan.run()
    assert scan.state.name == "KILLED"


class Alive(IntegratingCounterController):
    """Delivers at once, and is not needed."""

    is_critical = False

    def get_values(self, from_index: int, *counters: Counter) -> Any:
        return [[float(from_index)] for _ in counters]


def test_a_device_that_is_not_critical_bears_no_calculation() -> None:
    counter = IntegratingCounter("c", Alive("alive"))
    calc = Calculated("out", {"c": counter}, lambda d: {"other": d["c"]})
    with pytest.raises(CalculationError, match="expected 'out_out'"):
        scan_of(calc).run()


def test_a_dead_device_that_is_not_critical_gives_nan() -> None:
    box = Values("box", raising(OSError("dead")))  # type: ignore[arg-type]
    box.is_critical = False
    dead, alive = SamplingCounter("dead", box, mode="SINGLE"), counting("alive")
    scan = scan_of(Calculated("sum", {"a": dead, "b": alive}, lambda d: {"sum_out": d["a"] + d["b"]}))
    scan.run()
    assert np.isnan(scan.get_data("sum_out")).tolist() == [True] * 3 and scan.get_data("alive").tolist() == [0, 1, 2]


def test_a_block_that_was_reduced_to_one_value() -> None:
    reader = _Blocks("spectra", [[1.0, 2.0, 3.0]])
    scan = reader.scan_with(Calculated("out", {"a": reader.counter}, lambda d: {"out_out": d["a"].sum()}))
    with pytest.raises(CalculationError, match="expected 3 points of 'out_out'.* it returned shape \\(\\)"):
        scan.run()


def test_wrong_configurations() -> None:
    a = counting("a")
    for keys, message in [
        ({"inputs": [], "outputs": [{"name": "o"}]}, "calc: inputs"),
        ({"inputs": [{"counter": a}], "outputs": []}, "calc: outputs"),
        (
            {"inputs": [{"counter": a}, {"counter": a, "tags": "b"}], "outputs": [{"name": "o"}]},
            "'a:a' is there twice|counter '.*a' is there twice",
        ),
        ({"inputs": [{"counter": "a"}], "outputs": [{"name": "o"}]}, "expected a reference to an object"),
        ({"inputs": [{"counter": 3}], "outputs": [{"name": "o"}]}, "expected a reference to a counter, came 3"),
        ({"inputs": [{"counter": a}], "outputs": [{"name": "o", "dim": 1, "shape": [2, 2]}]}, "dim says 1"),
        ({"inputs": [{"counter": a}], "outputs": [{"name": "o", "dtype": "flot"}]}, "expected a dtype of numpy"),
        (
            {"inputs": [{"counter": a}], "outputs": [{"name": "o", "tags": "t"}, {"name": "p", "tags": "t"}]},
            "tags 't' is there twice",
        ),
    ]:
        with pytest.raises(Exception, match=message):
            CalcCounterController("calc", keys)


# -- points that do not come together --------------------------------------------------------------------------------------


class _Blocks(AcquisitionSlave):
    """Emits blocks of one counter, whenever it is told to."""

    def __init__(self, name: str, blocks: list[Any], shape: tuple[int, ...] = ()) -> None:
        self.counter = Counter("c", CounterController(name), shape=shape)
        super().__init__(self.counter, name=name, npoints=1, trigger_type=TriggerType.HARDWARE)
        self.blocks = list(blocks)

    def emit(self) -> None:
        self.channels[0].emit(np.asarray(self.blocks.pop(0)))

    def reading(self) -> None:
        while self.blocks:
            self.emit()
            gevent.sleep(0.001)

    def scan_with(self, controller: CalcCounterController, *others: AcquisitionSlave) -> Scan:
        calculating = CalcCounterAcquisitionSlave(controller, [self, *others], {})
        for counter in controller.counters:
            calculating.add_counter(counter)
        return timer_scan(self, *others, calculating, npoints=1)  # type: ignore[arg-type]


class _Orders(AcquisitionSlave):
    """Makes others emit in a given order."""

    def __init__(self, order: list[_Blocks]) -> None:
        super().__init__(name="orders")
        self.order = order

    def trigger(self) -> None:
        for one in self.order:
            one.emit()


class _Told(_Blocks):
    reading = AcquisitionSlave.reading


@st.composite
def interleavings(draw: st.DrawFn) -> tuple[list[list[int]], list[int]]:
    """For each of some inputs, lengths of blocks that sum up to the same; and the order in which they are emitted."""
    npoints = draw(st.integers(1, 12))
    lengths = []
    for _ in range(draw(st.integers(1, 4))):
        cuts = sorted(draw(st.sets(st.integers(1, npoints - 1)))) if npoints > 1 else []
        lengths.append([b - a for a, b in zip([0, *cuts], [*cuts, npoints], strict=True)])
    order = draw(st.permutations([n for n, blocks in enumerate(lengths) for _ in blocks]))
    return lengths, order


@given(interleavings(), st.sampled_from([(), (2,), (2, 3)]))
def test_whatever_the_order_of_blocks(interleaving: tuple[list[list[int]], list[int]], shape: tuple[int, ...]) -> None:
    lengths, order = interleaving
    values = [np.random.default_rng(n).normal(size=(sum(blocks), *shape)) for n, blocks in enumerate(lengths)]
    sources = [
        _Told(f"s{n}", np.split(points, np.cumsum(blocks)[:-1]), shape)
        for n, (points, blocks) in enumerate(zip(values, lengths, strict=True))
    ]
    calc = Calculated(
        "calc",
        {source.name: source.counter for source in sources},
        lambda d: {"calc_out": sum((n + 1) * block for n, block in enumerate(d.values()))},
        shape=list(shape),
    )
    with memory_environment():
        scan = sources[0].scan_with(calc, *sources[1:])
        scan.acq_chain.add(scan.acq_chain.top_masters[0], _Orders([sources[n] for n in order]))
        scan.run()
        expected = sum((n + 1) * points for n, points in enumerate(values))
        np.testing.assert_array_equal(scan.get_data("calc_out"), expected)
    assert sum(calc.lengths) == sum(lengths[0])


def test_points_of_varying_length() -> None:
    one = _Told("one", [np.ones((2, 3)), np.ones((1, 5))], (-1,))
    two = _Told("two", [[1.0, 2.0, 3.0]])
    calc = Calculated("calc", {"a": one.counter, "b": two.counter}, lambda d: {"calc_out": d["a"].sum(axis=1) * d["b"]})
    scan = one.scan_with(calc, two)
    scan.acq_chain.add(scan.acq_chain.top_masters[0], _Orders([one, one, two]))
    scan.run()
    assert scan.get_data("calc_out").tolist() == [3, 6, 15]
    assert calc.lengths == [2, 1]


def test_late_blocks_of_a_reader_and_single_points() -> None:
    reader = _Blocks("late", [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]])
    single = _Told("single", [[10.0]] * 6)
    calc = Calculated("calc", {"a": reader.counter, "b": single.counter}, lambda d: {"calc_out": d["a"] + d["b"]})
    scan = reader.scan_with(calc, single)
    scan.acq_chain.add(scan.acq_chain.top_masters[0], _Orders([single] * 6))
    scan.run()
    assert scan.get_data("calc_out").tolist() == [11, 12, 13, 14, 15, 16]


def test_a_calculation_that_waits_is_not_overtaken() -> None:
    one, two = _Blocks("one", [[1.0], [2.0], [3.0]]), _Blocks("two", [[1.0], [2.0], [3.0]])

    def slowly(inputs: dict[str, Any]) -> Mapping[str, Any]:
        gevent.sleep(0.01 / inputs["a"][0])
        return {"calc_out": inputs["a"] * inputs["b"]}

    scan = one.scan_with(Calculated("calc", {"a": one.counter, "b": two.counter}, slowly), two)
    scan.run()
    assert scan.get_data("calc_out").tolist() == [1, 4, 9]


def test_blocks_are_calculated_as_blocks() -> None:
    reader = _Blocks("blocks", [np.arange(100.0), np.arange(50.0)])
    calc = Calculated("calc", {"a": reader.counter}, lambda d: {"calc_out": d["a"]})
    reader.scan_with(calc).run()
    assert calc.lengths == [100, 50]


def test_an_acquisition_can_be_scanned_again() -> None:
    a = counting("a")
    calc = Calculated("calc", {"a": a}, lambda d: {"calc_out": d["a"]})
    chain = DefaultAcquisitionChain().get({"count_time": 0.0, "npoints": 2}, [calc])
    for expected in ([0, 1], [2, 3]):
        scan = Scan(chain, "loopscan")
        scan.run()
        assert scan.get_data("calc_out").tolist() == expected


# -- the chain -------------------------------------------------------------------------------------------------------------


def test_the_nodes_of_a_builder() -> None:
    a = counting("a")
    double = Calculated("double", {"a": a}, lambda d: {})
    last = Calculated("last", {"d": double.counters[0]}, lambda d: {})
    builder = ChainBuilder([last])
    assert [node.controller.name for node in builder.nodes] == ["a", "double", "last"]
    (node,) = builder.get_nodes_by_controller_name("last")
    assert builder.get_nodes_by_controller_type(CalcCounterController) == builder.nodes[1:]
    with pytest.raises(
        ChainError, match="calc controller 'last': its inputs double_out are of 'double', which has no acq"
    ):
        node.create_acquisition_object()
    for each in builder.get_nodes_not_ready():
        each.create_acquisition_object()
    assert builder.get_nodes_by_acquisition_type(CalcCounterAcquisitionSlave) == builder.nodes[1:]
    assert builder.get_nodes_not_ready() == []


def test_the_tree_of_a_builder(capsys: pytest.CaptureFixture[str]) -> None:
    outer = CounterController("outer")
    inner = SamplingCounter("b", Values("inner", lambda: [1.0]))
    inner.controller.master_controller = outer
    builder = ChainBuilder([Calculated("calc", {"b": inner}, lambda d: {})])
    builder.print_tree()
    assert capsys.readouterr().out.splitlines() == [
        "outer: not yet made (no counters)",
        "  inner: not yet made (b)",
        "calc: not yet made (calc_out) <- inner",
    ]
    assert [node.controller.name for node in builder.get_all_nodes()] == ["inner", "outer", "calc"]


def test_parameters_are_set_once_unless_forced(caplog: pytest.LogCaptureFixture) -> None:
    (node,) = ChainBuilder([counting("a")]).nodes
    node.set_parameters(acq_params={"npoints": 3})
    node.set_parameters(acq_params={"npoints": 4})
    assert node.acquisition_parameters == {"npoints": 3} and "force=True" in caplog.text
    node.set_parameters(acq_params={"npoints": 4}, force=True)
    assert node.acquisition_parameters == {"npoints": 4}


class _Gate(CounterController):
    """Triggers others."""

    def get_acquisition_object(self, acq_params: Any, ctrl_params: Any, parent_acq_params: Any) -> Any:
        return SoftwareTimerMaster(0.0, name=self.name, npoints=1)


def test_a_calculation_stands_below_the_master_of_its_inputs() -> None:
    gate, a, b, c = _Gate("gate"), counting("a"), counting("b"), counting("c")
    inner = Calculated("inner", {"a": a, "b": b}, lambda d: {"inner_out": d["a"] + d["b"]})
    outer = Calculated("outer", {"i": inner.counters[0], "c": c}, lambda d: {"outer_out": d["i"] + d["c"]})
    settings = [{"device": counter, "master": gate} for counter in (a, b)]
    scan = scan_of(outer, settings=settings)
    names = {node.name: node.parent.name for node in scan.acq_chain.nodes_list if node.parent is not None}
    assert names == {"gate": "timer", "a": "gate", "b": "gate", "inner": "gate", "c": "timer", "outer": "timer"}
    scan.run()
    assert scan.get_data("outer_out").tolist() == [0, 3, 6]


def test_a_calculation_has_the_rate_of_its_inputs() -> None:
    slow, other, fast = counting("slow"), counting("other"), counting("fast")
    calc = Calculated("calc", {"s": slow, "o": other}, lambda d: {"calc_out": d["s"] + d["o"]})
    settings = [{"device": counter, "every": 0.01} for counter in (slow, other)]
    scan = scan_of(calc, fast, npoints=1000, settings=settings)
    scan.run()
    found = data_of(scan)
    assert len(found["fast"]) == 1000 > len(found["slow"])
    assert found["calc_out"] == [2 * n for n in range(len(found["calc_out"]))] and found["calc_out"]
    assert min(len(found["slow"]), len(found["other"])) == len(found["calc_out"])


def test_inputs_of_different_rates_are_refused() -> None:
    slow, fast = counting("slow"), counting("fast")
    calc = Calculated("calc", {"s": slow, "f": fast}, lambda d: {"calc_out": d["s"] + d["f"]})
    with pytest.raises(ChainError, match="calc is calculated from slow, fast, which are counted at different rates"):
        scan_of(calc, settings=[{"device": slow, "every": 0.01}])
    with pytest.raises(ChainError, match="calc is calculated when its inputs come, say `every` of those"):
        scan_of(calc, settings=[{"device": calc, "every": 0.01}])


def test_a_stopped_scan_has_all_that_can_be_calculated() -> None:
    a = counting("a")
    slow = SoftCounter(value=lambda: gevent.sleep(0.01) or 1.0, name="slow", mode="SINGLE")
    scan = scan_of(Calculated("calc", {"a": a, "s": slow}, lambda d: {"calc_out": d["a"] * d["s"]}), npoints=1000)
    task = gevent.spawn(scan.run)
    with gevent.Timeout(5):
        while scan.channels[-1].length < 2:
            gevent.sleep(0.001)
        scan.stop()
        task.get()
    found = data_of(scan)
    assert len(found["calc_out"]) == min(len(found["a"]), len(found["slow"])) >= 2


# -- at the prompt ---------------------------------------------------------------------------------------------------------


def test_reading_at_the_prompt_reads_each_controller_once() -> None:
    box = Values("box", lambda: [1.0, 2.0])
    a, b = (SamplingCounter(name, box) for name in "ab")
    a.conversion_function = lambda value: 10 * value
    inner = Calculated("inner", {"a": a}, lambda d: {"inner_out": d["a"] + 1})
    outer = Calculated("outer", {"i": inner.counters[0], "b": b}, lambda d: {"outer_out": d["i"] * d["b"]}, unit="mm")
    counter = outer.counters[0]
    assert isinstance(counter, CalcCounter)
    assert (counter.raw_read, box.nreadings) == (22.0, 1)
    assert "calculated from inner:inner_out, box:b" in counter.__info__()
    assert [line.split()[:3] for line in outer.__info__().splitlines()[3:5]] == [
        ["input", "i", "inner:inner_out"],
        ["input", "b", "box:b"],
    ]


def test_what_cannot_be_read_at_the_prompt() -> None:
    calc = Calculated("calc", {"a": _Blocks("ct2", []).counter}, lambda d: {})
    with pytest.raises(DeviceError, match="c: its device counts by itself, .* count it: ct\\(0.1, c\\)"):
        _ = calc.counters[0].raw_read  # type: ignore[attr-defined]


# -- calculations on channels ----------------------------------------------------------------------------------------------


def test_a_function_on_channels() -> None:
    reader = Reader("r", Log(), npoints=7)
    twice = CalcChannelAcquisitionSlave("twice", [reader], lambda sender, data: {"d": 2 * data["value"]}, ["d"])
    scan = timer_scan(reader, twice, npoints=1)
    scan.run()
    assert scan.get_data("d").tolist() == [0, 2, 4, 6, 8, 10, 12]


def test_a_hook_on_channels() -> None:
    class Pairs(CalcHook):
        """Emits the sum of every two points."""

        def __init__(self) -> None:
            self.log: list[str] = []
            self.left: list[float] = []

        def prepare(self) -> None:
            self.log.append("prepare")

        def start(self) -> None:
            self.log.append("start")

        def compute(self, sender: AcquisitionChannel, data_dict: dict[str, Any]) -> Mapping[str, Any] | None:
            self.left += data_dict[sender.short_name].tolist()
            pairs, self.left = self.left[: len(self.left) // 2 * 2], self.left[len(self.left) // 2 * 2 :]
            return {"sums:s": np.array(pairs).reshape(-1, 2).sum(axis=1)} if pairs else None

        def stop(self) -> None:
            self.log.append("stop")

    hook, reader = Pairs(), Reader("r", Log(), npoints=7)
    slave = CalcChannelAcquisitionSlave("pairs", [reader], hook, [AcquisitionChannel("sums:s", float, ())], True, True)
    scan = timer_scan(reader, slave, npoints=1)
    scan.run()
    assert scan.get_data("s").tolist() == [1, 5, 9]
    assert hook.log == ["prepare", "start", "stop"]


def test_what_a_function_on_channels_does_wrong() -> None:
    reader = Reader("r", Log(), npoints=2)
    slave = CalcChannelAcquisitionSlave("wrong", [reader], lambda sender, data: {"e": 1.0}, ["d"])
    with pytest.raises(CalculationError, match="calculation 'wrong': no channel 'e'; there are: d"):
        timer_scan(reader, slave, npoints=1).run()
    with pytest.raises(ChainError, match="expected channels, or names of channels, to emit on, got 3"):
        CalcChannelAcquisitionSlave("wrong", [reader], lambda sender, data: {}, [3])  # type: ignore[list-item]
    failing = CalcChannelAcquisitionSlave(
        "f", [Reader("q", Log(), npoints=1)], lambda s, d: raising(OSError("no"))(), ["d"]
    )  # type: ignore[arg-type,return-value]
    with pytest.raises(OSError, match="no"):
        Scan(chain_of(SoftwareTimerMaster(0, npoints=1), failing._sources[0], failing), "loopscan").run()  # type: ignore[arg-type]
