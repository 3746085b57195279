"""Statistics of curves while they are measured, and what is said of them in the end."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import DataError, UsageError
from bliss_like.live.digits import placed, uncertain
from bliss_like.live.ending import ending
from bliss_like.live.stats import LiveStats
from bliss_like.scanning.environment import environment
from bliss_like.scanning.plot_choice import plotselect, plotted
from bliss_like.scans import a2scan, amesh, ascan, loopscan
from tests.unit.devices.making import make_axis
from tests.unit.live.curve_events import Numbers, events_of_curve
from tests.unit.scanning.making import Values, memory_environment
from tests.unit.scanning.test_curves import beam, counter_of

NOISE = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def _memory() -> Iterator[None]:
    with memory_environment():
        environment.presets = [plotted]
        yield
        plotselect()


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", unit="mm", low_limit=-100, high_limit=100)


@pytest.fixture
def roby() -> Axis:
    return make_axis("roby", unit="mm", low_limit=-100, high_limit=100)


def noise() -> SamplingCounter:
    return counter_of(lambda: float(NOISE.normal()), "noise")


def measured(scan: Any, stats: LiveStats) -> LiveStats:
    scan.subscribe(stats)
    scan.run()
    return stats


def test_the_answers_are_those_of_the_scan(robx: Axis) -> None:
    diode = beam(robx)
    scan: Any = ascan(robx, -3, 3, 60, 0, diode, run=False)
    stats = measured(scan, LiveStats(diode))
    assert stats.peak == scan.peak(diode)
    assert stats.trough == scan.trough(diode)
    assert stats.cen == scan.cen(diode)
    assert stats.com == scan.com(diode)
    assert stats.fwhm == scan.fwhm(diode)
    assert stats.edge.position is math.nan
    assert (stats.npoints, stats.kind) == (61, "peak")
    assert stats.crossings == pytest.approx([stats.cen - stats.fwhm / 2, stats.cen + stats.fwhm / 2])
    values = scan.get_data(diode)
    assert (stats.min, stats.max, stats.sum) == (values.min(), values.max(), pytest.approx(values.sum()))
    assert (stats.mean, stats.std) == (pytest.approx(values.mean()), pytest.approx(values.std(ddof=1)))


@pytest.mark.parametrize("backnforth", [False, True])
def test_a_mesh_along_each_of_its_axes(robx: Axis, roby: Axis, backnforth: bool) -> None:
    diode = counter_of(lambda: 100 * math.exp(-((robx.position - 0.5) ** 2 + (roby.position + 1) ** 2) / 2))
    scan: Any = amesh(robx, -4, 4, 16, roby, -4, 4, 8, 0, diode, backnforth=backnforth, run=False)
    stats = measured(scan, LiveStats())
    by_axis = {axis.name: stats["diode", axis] for axis in (robx, roby)}
    assert {name: one.peak for name, one in by_axis.items()} == {"robx": 0.5, "roby": -1}
    assert {axis: by_axis[axis.name].cen for axis in (robx, roby)} == scan.cen(diode)
    assert {axis: by_axis[axis.name].com for axis in (robx, roby)} == scan.com(diode)
    assert ending(stats) == ["diode  peak robx 0.500 mm  roby -1.00 mm   goto_peak() goes there"]


def test_several_axes_of_which_one_stands(robx: Axis, roby: Axis) -> None:
    roby.move(4)
    diode = beam(robx)
    scan: Any = a2scan(robx, -3, 3, roby, 4, 4, 60, 0, diode, run=False)
    stats = measured(scan, LiveStats())
    assert {axis: stats["diode", axis].cen for axis in (robx, roby)} == scan.cen(diode)
    assert ending(stats)[0].startswith("diode  cen robx 0.299 mm  roby 4 mm")


def test_a_scan_without_an_axis_has_values_only(robx: Axis) -> None:
    diode = beam(robx)
    stats = measured(loopscan(5, 0, diode, run=False), LiveStats())
    assert math.isnan(stats.cen) and math.isnan(stats.peak) and stats.crossings == [] and stats.kind == ""
    assert stats.mean == stats.max == pytest.approx(beam_at(0))
    assert ending(stats) == []
    assert str(stats).startswith("diode  mean 96.2")


def beam_at(position: float) -> float:
    return 5 + 100 * math.exp(-(((position - 0.3) / 0.7) ** 2) / 2)


def test_time_stands_for_an_axis_when_that_is_asked_for(robx: Axis) -> None:
    scan: Any = loopscan(9, 0, beam(robx), run=False)
    assert len(measured(scan, LiveStats(x="elapsed_time"))["diode"].x) == 9


def test_the_counter_is_the_chosen_one_else_all(robx: Axis) -> None:
    diode, other = beam(robx), counter_of(lambda: beam_at(robx.position - 1), "other")
    stats = measured(ascan(robx, -3, 3, 60, 0, diode, other, run=False), LiveStats())
    assert [one.name for one in stats] == ["diode", "other"]
    assert len(ending(stats, columns=100)) == 2
    assert ending(stats, columns=100)[1].endswith('goto_cen("other") goes there')
    plotselect("other")
    stats = measured(ascan(robx, -3, 3, 60, 0, diode, other, run=False), LiveStats())
    assert [one.name for one in stats] == ["other"]
    (line,) = ending(stats)
    assert line.startswith("other  cen 1.300 mm  fwhm 1.649  peak 1.300") and line.endswith("   goto_cen() goes there")


def test_a_second_line_has_what_does_not_fit(robx: Axis) -> None:
    stats = measured(ascan(robx, -3, 3, 60, 0, beam(robx), run=False), LiveStats())
    first, second = ending(stats, columns=60)
    assert (
        first.startswith("diode  cen 0.299 mm  fwhm 1.646  peak 0.300  com")
        and second == "       goto_cen() goes there"
    )


def test_narrow_terminals_break_between_the_numbers(robx: Axis) -> None:
    stats = measured(ascan(robx, -3, 3, 60, 0, beam(robx), run=False), LiveStats())
    assert ending(stats, columns=40) == [
        "diode  cen 0.299 mm  fwhm 1.646",
        "       peak 0.300  com 0.296",
        "       goto_cen() goes there",
    ]


@pytest.mark.parametrize("points", [2, 3, 5, 11, 16])
def test_of_the_noise_of_few_points_hardly_anything_is_said(points: int) -> None:
    noise = np.random.default_rng(3)
    said = 0
    for _ in range(60):
        stats = LiveStats()
        for event in events_of_curve(np.linspace(0, 1, points), 100 + noise.normal(size=points)):
            stats.accept(event)
        said += bool(ending(stats))
    assert said <= 6


@pytest.mark.parametrize(("points", "fwhm"), [(9, 1.5), (9, 3.0), (11, 2.35), (11, 6.0), (15, 4.0)])
def test_peaks_of_few_points_are_said(points: int, fwhm: float) -> None:
    x, noise = np.arange(points) - points // 2, np.random.default_rng(5)
    stats = LiveStats()
    curve = np.exp(-4 * math.log(2) * (x / fwhm) ** 2)
    for event in events_of_curve(x.astype(float), 100 * curve + noise.normal(size=points)):
        stats.accept(event)
    assert "cen" in ending(stats)[0]


def test_edges_and_dips(robx: Axis) -> None:
    edge = counter_of(lambda: math.erf(robx.position - 0.5), "edge")
    stats = measured(ascan(robx, -3, 3, 60, 0, edge, run=False), LiveStats())
    assert stats.kind == "edge" and stats.edge.position == stats.cen
    assert ending(stats)[0].startswith("edge  edge 0.500 mm  width 1.66")
    dip = counter_of(lambda: 200 - beam_at(robx.position), "dip")
    stats = measured(ascan(robx, -3, 3, 60, 0, dip, run=False), LiveStats())
    assert stats.kind == "dip"
    assert "trough 0.300" in ending(stats)[0]


def test_of_noise_nothing_is_said(robx: Axis) -> None:
    stats = measured(ascan(robx, -3, 3, 60, 0, noise(), run=False), LiveStats())
    assert ending(stats) == [] and math.isnan(stats.cen)
    assert str(stats) == "nothing stands out of the noise"


def test_statistics_of_a_counter_are_no_counters(robx: Axis) -> None:
    diode = SamplingCounter("diode", Values("diodes", lambda: [beam_at(robx.position)]), mode="STATS")
    stats = measured(ascan(robx, -3, 3, 60, 0, diode, run=False), LiveStats())
    assert [one.name for one in stats] == ["diode"]
    assert stats["diode_N"].min > 0


def test_they_are_of_the_points_that_have_come() -> None:
    stats = LiveStats()
    x = np.linspace(0, 10, 2001)
    events = list(events_of_curve(x, np.exp(-((x - 6) ** 2)), block=1))
    lengths = []
    for event in events:
        stats.accept(event)
        if stats.scan is not None and stats.counters:
            lengths.append((stats.scan.length, stats["diode"].npoints))
    assert all(known == length for length, known in lengths if length <= 1000)
    assert all(length - known <= length // 20 for length, known in lengths)
    assert len({known for _, known in lengths if known > 1000}) < 20, "not each time of a long scan"
    assert lengths[-1] == (2001, 2001), "all of one that is over"
    assert stats.cen == pytest.approx(6, abs=1e-4)


def test_what_is_not_there_is_named() -> None:
    stats = LiveStats()
    assert stats.cen is None
    with pytest.raises(DataError, match="no scan has begun"):
        stats["diode"]
    for event in events_of_curve([0, 1], [0, 1]):
        stats.accept(event)
    with pytest.raises(DataError, match=r"scan 1 has no 'diod' with one number each point; there are: robx, diode"):
        stats["diod"]
    with pytest.raises(UsageError, match="expected a counter, an axis, or the name"):
        stats[3]
    with pytest.raises(AttributeError, match="'LiveStats' object has no attribute 'centre'"):
        _ = stats.centre


def test_infos_that_are_not_as_expected() -> None:
    odd = {"plots": [None, {"items": 3}], "channels": {"axis:robx": 3}, "display_extra": {"plotselect": "diode"}}
    stats = LiveStats()
    x = np.linspace(-3, 3, 31)
    for event in events_of_curve(x, np.exp(-(x**2)), info={**odd, "data_dim": "two"}):
        stats.accept(event)
    assert stats.cen == pytest.approx(0)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.6971, 0.0021, "0.697(2)"),
        (0.29981, 0.00123, "0.2998(12)"),
        (12345.0, 234.0, "12300(200)"),
        (12345.0, 1.4, "12345.0(14)"),
        (1.5e-9, 2e-11, "1.50(2)e-09"),
        (-3.0, 0.96, "-3.0(10)"),
        (3.0, 20.0, "0(20)"),
        (5.0123, 1.4e17, "5.012 +- 1e+17"),
        (2.0e9, 1.4e10, "0.2(14)e+10"),
        (3.14159265, None, "3.14159"),
        (3.0, math.nan, "3"),
        (math.nan, 1.0, "nan"),
    ],
)
def test_digits_of_a_value_with_its_error(value: float, error: float | None, text: str) -> None:
    assert uncertain(value, error) == text


@pytest.mark.parametrize(
    ("position", "step", "text"),
    [
        (2.51234, 0.2, "2.512"),
        (2.51234, 1, "2.51"),
        (-1e-7, 0.1, "0.000"),
        (123456.7, 1000, "123457"),
        (1 / 3, 0, "0.333333"),
    ],
)
def test_digits_of_a_position(position: float, step: float, text: str) -> None:
    assert placed(position, step) == text


@pytest.mark.parametrize("places", [np.linspace(0, 1, 12), np.linspace(-1e300, 1e300, 12), np.linspace(0, 1e-310, 12)])
@pytest.mark.parametrize(
    "values",
    [
        [1e300, -1e300, 3e299] * 4,
        [1.7e308, -1.7e308] * 6,
        [0.0] * 11 + [-1e200],
        [math.nan, math.inf, 1] * 4,
        [5e-324] * 12,
    ],
)
def test_values_that_are_none_do_not_trouble_the_terminal(places: Numbers, values: Numbers) -> None:
    stats = LiveStats()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for event in events_of_curve(places, values):
            stats.accept(event)
        assert all(isinstance(line, str) for line in ending(stats))
        (one,) = stats
        assert {type(number) for number in (one.mean, one.std, one.sum, one.com, one.cen)} == {float}
