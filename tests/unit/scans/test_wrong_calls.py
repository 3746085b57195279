"""Every call that a tired person gets wrong: the usage, the argument, what was expected; nothing moved, nothing published."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from bliss_like import scans
from bliss_like.controllers.calc.slits import Slits
from bliss_like.data import paths
from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.naming import set_alias
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import AxisDisabled, AxisFault, AxisLimitError, NotConnectedError, ScanUsageError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.subscriptions import Subscription
from tests.unit.devices.calc import Double, calc, real_axes
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values

STANDARD = ("count", "lookup", "mesh", "spiral", "step")
"""Modules of scans that take what `Bench.good` knows."""

MOTORS = [f"rob{letter}" for letter in "xyzuv"]


@dataclass
class Bench:
    """Axes and a counter, and what of them has been touched."""

    axes: list[Axis] = field(
        default_factory=lambda: [make_axis(name, low_limit=-100, high_limit=100) for name in MOTORS]
    )
    diode: SamplingCounter = field(default_factory=lambda: SamplingCounter("diode", Values("diodes", lambda: [1.0])))

    def good(self, name: str) -> dict[str, Any]:
        """Return the arguments of a call that is right."""
        x, y = self.axes[:2]
        given: dict[str, Any] = {}
        for argument in inspect.signature(getattr(scans, name)).parameters.values():
            if argument.kind is not argument.POSITIONAL_OR_KEYWORD:
                break
            kind = argument.name.rstrip("12345")
            given[argument.name] = {
                "motor": self.axes[int(argument.name[-1]) - 1 if argument.name[-1].isdigit() else 0],
                "start": 0, "stop": 1.5, "center": 0.5, "range": 2, "step": 1, "intervals": 3, "npoints": 2,
                "positions": [1, 2, 3], "count_time": 0, "motor_pos_tuple_list": [(x, [1, 2]), (y, [3, 4])],
                "motor_tuple_list": [(x, 0, 1, 2), (y, 0, 1, 2)] if "mesh" in name else [(x, 0, 1), (y, 0, 1)],
            }[kind]  # fmt: skip
        return given

    def call(self, name: str, given: dict[str, Any], /, *counters: Any, **keywords: Any) -> Scan:
        if name == "timescan" and "npoints" not in keywords:
            keywords["npoints"] = 2  # else it would never end, if it should begin
        scan = getattr(scans, name)(*given.values(), *(counters or (self.diode,)), **keywords)
        assert isinstance(scan, Scan)
        return scan

    @property
    def is_untouched(self) -> bool:
        """Nothing has moved, no scan was numbered, nothing was published."""
        tree: Any = environment.tree
        return (
            [axis.position for axis in self.axes] == [0] * len(self.axes)
            and not environment.scans
            and tree.store.get_fields(paths.node(environment.container())) == {}
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    environment.names = lambda: {"diode": bench.diode, **{axis.name: axis for axis in bench.axes}}
    yield bench
    set_alias("axis:robx", None)


def refused(bench: Bench, name: str, call: Callable[[], object], argument: str) -> str:
    """Return what is said to a wrong call, after having looked at the rest."""
    with pytest.raises(ScanUsageError) as raised:
        call()
    text = str(raised.value)
    assert text.startswith(f"{name}: ") and f"\nusage: {name}(" in text
    sentence, _, usage = text.removeprefix(f"{name}: ").partition("\nusage: ")
    assert argument in sentence and argument in usage
    assert len(sentence) < 300 and "\n" not in sentence and "object at 0x" not in sentence
    assert bench.is_untouched
    return sentence


EVERY = [name for name in scans.__all__ if getattr(scans, name).__module__.rpartition(".")[2] in STANDARD]
NO_NUMBERS: list[Any] = [
    None, "1", "one", True, np.True_, math.nan, math.inf, -math.inf, 1j, ..., [], [1, 2], {}, object(), 10**400,
    np.array([1, 2]), float, math.sin, make_axis("odd"),
]  # fmt: skip
"""What is no number, however it is meant."""


@pytest.mark.parametrize("name", EVERY)
def test_the_right_call_runs(bench: Bench, name: str) -> None:
    scan = bench.call(name, bench.good(name))
    assert scan.get_data(bench.diode).tolist() == [1.0] * scan.scan_info["npoints"]


def test_a_scan_would_be_noticed(bench: Bench) -> None:
    assert bench.is_untouched
    scans.loopscan(1, 0, bench.diode, save=False)
    assert not bench.is_untouched


@pytest.mark.parametrize("name", EVERY)
def test_no_number(bench: Bench, name: str) -> None:
    """Nor anything else that could stand there."""
    good = bench.good(name)
    for argument in good:
        for value in NO_NUMBERS:
            if not may_stand(name, argument, value):
                with pytest.raises(
                    ScanUsageError, match=f"^{name}: .*{argument}.*: expected .*, got .*\nusage: {name}"
                ):
                    bench.call(name, {**good, argument: value})
        for value in NOT_POSITIVE if argument in COUNTS else ():
            said = refused(
                bench,
                name,
                lambda argument=argument, value=value: bench.call(name, {**good, argument: value}),
                argument,
            )  # type: ignore[misc]
            assert f"{argument}: expected a whole number, at least 1" in said
    assert bench.is_untouched


def may_stand(name: str, argument: str, value: Any) -> bool:
    return (
        (isinstance(value, Axis) and "motor" in argument)
        or (isinstance(value, list | np.ndarray) and len(value) > 0 and argument == "positions")
        or (isinstance(value, list) and name in ("ct", "sct"))  # of counters, if only it had some
    )


NOT_POSITIVE = [0, -1, 0.5, 10.0]
COUNTS = ["intervals", "intervals1", "intervals2", "intervals3", "npoints"]


@pytest.mark.parametrize("name", EVERY)
def test_times(bench: Bench, name: str) -> None:
    good = bench.good(name)
    assert "at least 0" in refused(bench, name, lambda: bench.call(name, {**good, "count_time": -0.1}), "count_time")
    for keyword in {"sleep_time", "stab_time"} & set(inspect.signature(getattr(scans, name)).parameters):
        for value in (-1, "1", math.nan, True):
            said = refused(
                bench, name, lambda key=keyword, value=value: bench.call(name, good, **{key: value}), keyword
            )  # type: ignore[misc]
            assert "seconds, at least 0, got" in said


@pytest.mark.parametrize("name", EVERY)
def test_counters(bench: Bench, name: str) -> None:
    good = bench.good(name)
    wrong = {
        5: "is 5 too much?",
        bench.axes[0]: "the positions of axes that are scanned are recorded without being asked for",
        SamplingCounter: "the class SamplingCounter; give an object of it, SamplingCounter(...)",
        math.sin: "got the function sin; SoftCounter(value=...) makes a counter of a function",
        "diode": "without quotes, diode",
        "diod": "did you mean diode, without quotes?",
        None: "got None",
        ...: "the dots stand for something that you have to fill in",
    }
    for value, advice in wrong.items():
        if not (name in ("ct", "sct") and value == "diode"):
            assert advice in refused(bench, name, lambda value=value: bench.call(name, good, value), "counters")  # type: ignore[misc]
    with pytest.raises(ScanUsageError, match=f"{name}: No counters for scan"):
        bench.call(name, good, [])
    assert bench.is_untouched


@pytest.mark.parametrize("name", EVERY)
def test_keywords(bench: Bench, name: str) -> None:
    good = bench.good(name)
    keywords = {
        "name": ["my scan", "", "a:b", 5], "title": [5], "save": ["no", None, 1], "run": [0, "no"], "return_scan": [1],
        "save_images": ["no"], "scan_info": ["gold", {"a": {1, 2}, (1, 2): 3}], "backnforth": [1, "yes"],
        "scan_type": [5], "restore_motor_positions": ["yes"], "scan_params": [[1]], "step2": [0, -1, "1"],
    }  # fmt: skip
    there = inspect.signature(getattr(scans, name)).parameters
    for keyword, values in keywords.items():
        for value in values if keyword in there else ():
            if value is None and there[keyword].default is None:
                continue
            refused(bench, name, lambda key=keyword, value=value: bench.call(name, good, **{key: value}), keyword)  # type: ignore[misc]


@pytest.mark.parametrize("name", EVERY)
def test_misspelt_keywords(bench: Bench, name: str) -> None:
    good = bench.good(name)
    for right in [
        one for one in inspect.signature(getattr(scans, name)).parameters.values() if one.kind is one.KEYWORD_ONLY
    ]:
        slip = right.name.replace("_", "") if "_" in right.name else right.name[:-1] + "x" + right.name[-1]
        with pytest.raises(ScanUsageError, match=f"{slip}=: there is no such argument, did you mean '{right.name}'"):
            bench.call(name, good, **{slip: None})
    assert bench.is_untouched


@pytest.mark.parametrize("name", [name for name in EVERY if name not in ("ct", "sct")])
def test_something_forgotten(bench: Bench, name: str) -> None:
    good = bench.good(name)
    for index, argument in enumerate(good):
        others = {key: value for key, value in good.items() if key != argument}
        with pytest.raises(ScanUsageError, match=f"^{name}: .* missing"):
            bench.call(name, others)
        for wanting in (
            lambda others=others: getattr(scans, name)(**others),
            lambda index=index: getattr(scans, name)(*list(good.values())[:index]),
        ):  # type: ignore[misc]
            with pytest.raises(ScanUsageError, match=f"^{name}: {argument} is missing: "):
                wanting()
    assert bench.is_untouched


@pytest.mark.parametrize(
    ("name", "call", "said"),
    [
        ("ascan", lambda x, y, c: scans.ascan(0, x, 1, 10, 0.1, c), "motor: expected an axis, got 0: did you swap motor and start?"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 0.1, 20, c), "intervals: expected a whole number, at least 1, got 0.1: did you swap intervals and count_time?"),
        ("ascan", lambda x, y, c: scans.ascan(c, 0, 1, 10, 0.1, x), "motor: expected an axis, got the counter diodes:diode: did you swap motor and counters?"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10, c, 0.1), "count_time: expected seconds, at least 0, got the counter diodes:diode: did you swap count_time and counters?"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10, c), "count_time: expected seconds, at least 0, got the counter diodes:diode: is count_time missing, or a number before it?"),
        ("ascan", lambda x, y, c: scans.ascan(0, 1, 10, 0.1, c), "motor: expected an axis, got 0: is motor missing?"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 10, 0.1, c), "intervals: expected a whole number, at least 1, got 0.1: is intervals missing, or a number before it?"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10, 0.1, 5, c), "counters: .* got 5: is 5 too much?"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10), "count_time is missing: seconds, at least 0"),
        ("ascan", lambda x, y, c: scans.ascan(), "motor is missing: an axis"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10.0, 0.1, c), "intervals: .* got 10.0: without the point, 10?"),
        ("ascan", lambda x, y, c: scans.ascan("robx", 0, 1, 10, 0.1, c), "motor: expected an axis, got 'robx': without quotes, robx, if"),
        ("ascan", lambda x, y, c: scans.ascan("robxx", 0, 1, 10, 0.1, c), "motor: .* got 'robxx': did you mean robx, without quotes?"),
        ("ascan", lambda x, y, c: scans.ascan(x, "0.5", 1, 10, 0.1, c), "start: .* got '0.5': without quotes, 0.5?"),
        ("ascan", lambda x, y, c: scans.ascan(Axis, 0, 1, 10, 0.1, c), "motor: expected an axis, got the class Axis; give an object of it, Axis"),
        ("ascan", lambda x, y, c: scans.ascan(x.move, 0, 1, 10, 0.1, c), "motor: expected an axis, got the function move; call it"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10, 0.1, c, count_time=1), "count_time: given twice, 0.1 and count_time=1"),
        ("ascan", lambda x, y, c: scans.ascan(x, 0, 1, 10_000_000, 0.1, c), "10000001 points: expected at most 10000000"),
        ("a2scan", lambda x, y, c: scans.a2scan(x, y, 0, 1, 2, 3, 10, 0.1, c), "start1: expected a number, .* got the axis roby"),
        ("a2scan", lambda x, y, c: scans.a2scan(x, 0, 1, 10, y, 0, 1, 10, 0.1, c), "motor2: expected an axis, got 10: is 10 too much?"),
        ("amesh", lambda x, y, c: scans.amesh(x, 0, 1, y, 0, 1, 10, 0.1, c), "intervals1: .* got the axis roby: is intervals1 missing, or a number before it?"),
        ("amesh", lambda x, y, c: scans.amesh(x, 0, 1, 9999, y, 0, 1, 9999, 0.1, c), "100000000 points: expected at most 10000000"),
        ("anscan", lambda x, y, c: scans.anscan(x, 0, 1, 10, 0.1, c), r"motor_tuple_list: expected \[\(motor, start, stop\), ...\], got the axis robx"),
        ("anscan", lambda x, y, c: scans.anscan([], 10, 0.1, c), "motor_tuple_list: expected .* of at least one axis, got \\[\\]"),
        ("anscan", lambda x, y, c: scans.anscan([(x, 0)], 10, 0.1, c), r"motor_tuple_list\[0\]: expected \(motor, start, stop\)"),
        ("anscan", lambda x, y, c: scans.anscan([(x, 0, 1), (y, "a", 1)], 10, 0.1, c), r"motor_tuple_list\[1\] start: expected a number"),
        ("dnscan", lambda x, y, c: scans.dnscan((x, 0, 1), 10, 0.1, c), r"motor_tuple_list\[0\]"),
        ("anmesh", lambda x, y, c: scans.anmesh([(x, 0, 1, 10)], 0.1, c), "motor_tuple_list: expected .* of at least 2 axes"),
        ("anmesh", lambda x, y, c: scans.anmesh([(x, 0, 1, 10), (y, 0, 1, 0)], 0.1, c), r"motor_tuple_list\[1\] intervals: expected a whole number"),
        ("lookupscan", lambda x, y, c: scans.lookupscan([(x, [1, 2]), (y, [1])], 0.1, c), "equally many .*'robx': 2, 'roby': 1"),
        ("lookupscan", lambda x, y, c: scans.lookupscan([(x, [])], 0.1, c), r"motor_pos_tuple_list\[0\] positions: expected a list of numbers, at least one, got \[\]"),
        ("lookupscan", lambda x, y, c: scans.lookupscan(x, [1, 2], 0.1, c), r"motor_pos_tuple_list: expected \[\(motor, positions\), ...\], got the axis robx"),
        ("pointscan", lambda x, y, c: scans.pointscan(x, [1, math.nan], 0.1, c), "positions: expected a list of numbers"),
        ("pointscan", lambda x, y, c: scans.pointscan(x, [[1]], 0.1, c), "positions: expected a list of numbers"),
        ("pointscan", lambda x, y, c: scans.pointscan(x, [True, 1], 0.1, c), "positions: expected a list of numbers"),
        ("loopscan", lambda x, y, c: scans.loopscan(0.1, 10, c), "npoints: expected a whole number, .*: did you swap npoints and count_time?"),
        ("loopscan", lambda x, y, c: scans.loopscan(0, 0.1, c), r"npoints: expected a whole number, at least 1 \(timescan counts without end\), got 0"),
        ("timescan", lambda x, y, c: scans.timescan(c), "count_time: .* got the counter diodes:diode: is count_time missing?"),
        ("timescan", lambda x, y, c: scans.timescan(1, c, npoints=-1), "npoints: expected a whole number, 0 for no end, got -1"),
        ("ct", lambda x, y, c: scans.ct(c, 0.1), "counters: .* got 0.1: did you swap count_time and counters?"),
        ("ct", lambda x, y, c: scans.ct(x), "count_time: expected seconds, at least 0, or a counter, got the axis robx"),
        ("aspiral", lambda x, y, c: scans.aspiral(x, 0, 1, y, 0, 1, 1e-6, 0.1, c), "points: expected at most 10000000; is .* a step wrong?"),
        ("aspiral", lambda x, y, c: scans.aspiral(x, 0, 1, y, 0, -1, 0.1, 0.1, c), "range2: expected a number > 0, in the unit of the axis, got -1"),
        ("dspiral_square", lambda x, y, c: scans.dspiral_square(x, 1, 9999, y, 1, 9999, 0.1, c), "100000000 points"),
    ],
)  # fmt: skip
def test_what_was_probably_meant(bench: Bench, name: str, call: Callable[[Any, Any, Any], object], said: str) -> None:
    with pytest.raises(ScanUsageError, match=f"^{name}: (.*{said})".replace("?", "[?]")) as raised:
        call(*bench.axes[:2], bench.diode)
    assert len(str(raised.value)) < 800
    assert f"\nusage: {name}(" in str(raised.value)
    assert isinstance(raised.value, TypeError) and isinstance(raised.value, ValueError)
    assert bench.is_untouched


# -- axes ------------------------------------------------------------------------------------------------------------------

SEVERAL = [name for name in EVERY if {"motor2", "motor_tuple_list", "motor_pos_tuple_list"} & set(inspect.signature(getattr(scans, name)).parameters)]  # fmt: skip
MOVING = [name for name in EVERY if name not in ("ct", "sct", "timescan", "loopscan")]


def with_second(name: str, good: dict[str, Any], first: Any, second: Any) -> dict[str, Any]:
    """Return arguments with these axes."""
    changed = {**good, "motor1": first, "motor2": second} if "motor1" in good else dict(good)
    for key in ("motor_tuple_list", "motor_pos_tuple_list"):
        if key in good:
            changed[key] = [(axis, *rest) for axis, (_, *rest) in zip((first, second), good[key], strict=True)]
    return changed


@pytest.mark.parametrize("name", SEVERAL)
def test_the_same_axis_twice(bench: Bench, name: str) -> None:
    x = bench.axes[0]
    set_alias("axis:robx", "sample_x")
    said = refused(bench, name, lambda: bench.call(name, with_second(name, bench.good(name), x, x)), "")
    assert said == "Duplicated axis sample_x (robx): it cannot be at two places at once"


@pytest.mark.parametrize("name", SEVERAL)
def test_a_pseudo_axis_and_what_it_moves(bench: Bench, name: str) -> None:
    up, down = real_axes("up", "down")
    first = calc(Slits, {"up": up, "down": down}, {"vgap": {}, "voffset": {}}).axes["vgap"]
    other = calc(Double, {"x": down}, {"twice": {"name": "hgap"}}).axes["hgap"]
    for pair in ((first, up), (up, first)):
        said = refused(bench, name, lambda pair=pair: bench.call(name, with_second(name, bench.good(name), *pair)), "")  # type: ignore[misc]
        assert said == "up is moved by vgap already: it cannot be at two places at once; scan one of them"
    said = refused(bench, name, lambda: bench.call(name, with_second(name, bench.good(name), first, other)), "")
    assert said == "down is moved by hgap and by vgap: it cannot be at two places at once; scan one of them"
    assert up.position == down.position == 0


def first_axis(name: str, good: dict[str, Any], axis: Axis) -> dict[str, Any]:
    if "motor" in good:
        return {**good, "motor": axis}
    return with_second(name, good, axis, good.get("motor2") or good.get("motor_tuple_list", good.get("motor_pos_tuple_list"))[1][0])  # fmt: skip


@pytest.mark.parametrize("name", MOVING)
def test_limits_of_all_points_and_axes(bench: Bench, name: str) -> None:
    narrow = make_axis("narrow", low_limit=-0.1, high_limit=0.1)
    up, down = real_axes("up", "down", low_limit=-0.1, high_limit=0.1)
    gap = calc(Slits, {"up": up, "down": down}, {"vgap": {}, "voffset": {}}).axes["vgap"]
    with pytest.raises(AxisLimitError, match=r"^narrow: .* its limits are -0.1 .. 0.1. Nothing was moved"):
        bench.call(name, first_axis(name, bench.good(name), narrow))
    with pytest.raises(AxisLimitError, match=r"^(up|down): .*, where vgap would need it; its limits are -0.1 .. 0.1"):
        bench.call(name, first_axis(name, bench.good(name), gap))
    assert bench.is_untouched


@pytest.mark.parametrize("name", MOVING)
def test_axes_that_cannot_be_used(bench: Bench, name: str) -> None:
    x, good = bench.axes[0], bench.good(name)
    x.disable("its cable is cut")
    with pytest.raises(AxisDisabled, match="robx is disabled .its cable is cut."):
        bench.call(name, good)
    x.enable()
    silent = SoftAxis("silent", Silent(), move=lambda position: None, export_to_session=False)
    with pytest.raises(OSError, match="no answer"):
        bench.call(name, first_axis(name, good, silent))
    assert bench.is_untouched


class Silent:
    @property
    def position(self) -> float:
        raise OSError("no answer")


def test_an_axis_that_moves(bench: Bench) -> None:
    axis = make_axis("slow", velocity=1, acceleration=1000)
    axis.move(5, wait=False)
    with pytest.raises(AxisFault, match="slow is moving; wait for the end of its motion, or stop it"):
        scans.ascan(axis, 0, 1, 2, 0, bench.diode)
    axis.stop()
    assert bench.is_untouched


@pytest.mark.parametrize("name", EVERY)
def test_a_counter_whose_source_does_not_answer(bench: Bench, name: str) -> None:
    class Dead(Values):
        def connect_counter(self, counter: Any, timeout: float) -> None:
            raise NotConnectedError("ca://dead: no answer")

    dead = SamplingCounter("dead", Dead("deads", lambda: [1.0]))
    with pytest.raises(NotConnectedError, match="ca://dead: no answer"):
        bench.call(name, bench.good(name), bench.diode, dead)
    assert bench.is_untouched


# -- what is right -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda x, c: scans.ascan(x, np.float32(0), np.array(1), np.int64(2), np.float64(0), c),
        lambda x, c: scans.ascan(x, Fraction(0), Fraction(1), np.uint8(2), 0, [c]),
        lambda x, c: scans.ascan(motor=x, start=0, stop=1, intervals=2, count_time=0.0, scan_info={"a": np.float64(1)}),
        lambda x, c: scans.ascan(x, 0, 1, 2, 0, (one for one in [c])),
        lambda x, c: scans.pointscan(x, range(3), 0, c),
        lambda x, c: scans.pointscan(x, (one / 2 for one in range(3)), 0, c, sleep_time=None, title=None),
        lambda x, c: scans.lookupscan(iter([(x, np.linspace(0, 1, 3))]), np.float32(0), c),
    ],
)
def test_numbers_and_lists_of_any_kind(bench: Bench, call: Callable[[Any, Any], Scan]) -> None:
    environment.active_measurement_group = lambda: [bench.diode]
    scan = call(bench.axes[0], bench.diode)
    assert len(scan.get_data(bench.diode)) == 3
    assert isinstance(scan.scan_info["count_time"], float)
    assert all(type(value) is float for value in [*scan.scan_info["start"], *scan.scan_info["stop"]])


def test_a_count_time_of_days_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    scans.loopscan(2, 100_000, bench.diode, run=False)
    assert "loopscan: count_time of 100000 s is more than a day; times are seconds" in caplog.text


def test_ct_says_that_it_saves_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    scan = scans.ct(0, bench.diode, save=True, sleep_time=1)
    assert scan is not None and not scan.save
    assert "ct saves nothing, save=True notwithstanding; sct counts and saves" in caplog.text


def test_an_error_in_a_scan_that_a_counter_calls_keeps_its_usage(bench: Bench) -> None:
    class Calling(Values):
        def connect_counter(self, counter: Any, timeout: float) -> None:
            scans.ct("1")

    calling = SamplingCounter("calling", Calling("callings", lambda: [1.0]))
    with pytest.raises(ScanUsageError) as raised:
        scans.loopscan(1, 0, calling)
    assert str(raised.value).startswith("ct: ") and str(raised.value).count("usage: ") == 1


# -- callbacks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_callbacks_follow_any_scan(bench: Bench, name: str) -> None:
    ended: list[str] = []
    both: list[Any] = [
        {"end_scan": lambda event: ended.append(event.path)},
        Subscription(lambda event: None, lossless=True),
    ]
    scan = bench.call(name, bench.good(name), subs=both)
    assert ended == [scan.path] and scan.subscriptions[1] is both[1]
    assert bench.call(name, bench.good(name), subs=both[0], run=False).subscriptions[0].callback is both[0]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("given", [3, [print, 3], {"stop": print}])
def test_no_callbacks(bench: Bench, name: str, given: Any) -> None:
    told = refused(bench, name, lambda: bench.call(name, bench.good(name), subs=given), "subs")
    assert "expected a function f(event)" in told or "no event 'stop'" in told
