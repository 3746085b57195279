"""Which counter is meant when none is named."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanError, ScanUsageError
from bliss_like.scanning import scan_tools
from bliss_like.scanning.environment import environment
from bliss_like.scanning.plot_choice import (
    chosen_counter,
    get_next_plotted_counters,
    get_plotted_counters,
    meshselect,
    plotinit,
    plotselect,
    plotted,
    set_table_counters,
)
from bliss_like.scans import amesh, ascan, ct, dscan, loopscan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    environment.presets = [plotted]
    yield
    for choose in (plotselect, meshselect, plotinit, set_table_counters):
        choose()


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", low_limit=-100, high_limit=100)


@pytest.fixture
def counters(robx: Axis) -> list[SamplingCounter]:
    def read() -> list[float]:
        return [math.exp(-((robx.position - centre) ** 2)) for centre in (0.0, 1.0)]

    controller = Values("diodes", read)
    return [SamplingCounter(name, controller) for name in ("near", "far")]


def test_the_only_counter(robx: Axis, counters: list[SamplingCounter]) -> None:
    ascan(robx, -3, 3, 60, 0, counters[0])
    assert scan_tools.peak() == pytest.approx(0)
    scan_tools.goto_peak()
    assert robx.position == pytest.approx(0)


def test_several_counters_and_no_choice(robx: Axis, counters: list[SamplingCounter]) -> None:
    ascan(robx, -3, 3, 60, 0, *counters)
    with pytest.raises(
        ScanError, match=r"no counter is selected; name one, as in cen\('.*near'\), or plotselect one of near, far"
    ):
        scan_tools.cen()
    assert robx.position == 3
    assert scan_tools.peak(counters[0]) == pytest.approx(0)


def test_the_chosen_counter(robx: Axis, counters: list[SamplingCounter]) -> None:
    near, far = counters
    ascan(robx, -3, 3, 60, 0, *counters)
    for choice in (far, "far", "*far", far.fullname, [far]):
        plotselect(choice)
        assert scan_tools.peak() == pytest.approx(1)
    plotselect(near, far)
    with pytest.raises(ScanError, match="several counters selected: near, far; name one"):
        scan_tools.goto_peak()
    plotselect("other", near)
    assert scan_tools.peak() == pytest.approx(0)
    plotselect("other")
    with pytest.raises(ScanError, match=r"other, which plotselect chose, is not in scan 1 \(ascan robx"):
        scan_tools.goto_peak()
    assert get_plotted_counters() == ["other"]
    plotselect()
    assert get_plotted_counters() == []


def test_meshes_may_have_their_own(robx: Axis, counters: list[SamplingCounter]) -> None:
    plotselect("near")
    meshselect("far")
    mesh = amesh(robx, -3, 3, 6, make_axis("roby"), 0, 1, 1, 0, *counters)
    line = ascan(robx, -3, 3, 6, 0, *counters)
    assert chosen_counter(mesh) == counters[1].fullname
    assert chosen_counter(line) == counters[0].fullname


def test_scans_tell_what_is_chosen(robx: Axis, counters: list[SamplingCounter]) -> None:
    plotselect(counters[0])
    plotinit("*far")
    assert get_next_plotted_counters() == ["*far"]
    ct(0, *counters)
    first, second = (ascan(robx, 0, 1, 1, 0, *counters) for _ in range(2))
    assert first.node.info["display_extra"] == {"plotselect": ["*far"]}
    assert second.node.info["display_extra"] == {"plotselect": [counters[0].fullname]}


def test_scans_tell_what_tables_show(robx: Axis, counters: list[SamplingCounter]) -> None:
    set_table_counters(counters[0], "*far")
    scan = ascan(robx, 0, 1, 1, 0, *counters)
    assert scan.node.info["display_extra"] == {"table": [counters[0].fullname, "*far"]}
    assert get_plotted_counters() == []


def test_what_cannot_be_plotted() -> None:
    with pytest.raises(ScanUsageError, match="plotselect: argument 2: expected a counter, an axis or a name, got 3"):
        plotselect("diode", 3)
    assert get_plotted_counters() == []


def test_the_last_scan_with_an_axis(robx: Axis, counters: list[SamplingCounter]) -> None:
    near, _ = counters
    with pytest.raises(ScanError, match="none of the last 0 scans has an axis"):
        scan_tools.cen()
    roby = make_axis("roby")
    time = loopscan(3, 0, near)
    assert scan_tools.last_scan() is time
    along_x = dscan(robx, -3, 3, 60, 0, near)
    along_y = ascan(roby, -3, 3, 60, 0, near)
    last = loopscan(3, 0, near)
    ascan(robx, -3, 3, 60, 0, near, run=False)
    assert scan_tools.last_scan() is along_y
    assert scan_tools.last_scan(robx) is scan_tools.last_scan("robx") is along_x
    assert scan_tools.last_scan("elapsed_time") is last
    assert scan_tools.last_scan_motors() == [roby]
    assert scan_tools.peak(axis="robx") == pytest.approx(0)
    assert scan_tools.peak(scan=along_x) == pytest.approx(0)
    with pytest.raises(ScanError, match="none of the last 4 scans has robz"):
        scan_tools.cen(axis="robz")
    with pytest.raises(ScanError, match="scan: expected a scan, as in .*got .*; an axis is named with axis="):
        scan_tools.cen(near, None, robx)  # type: ignore[arg-type]
