"""What scans expect to take, from what is known of their axes, and in how many decimals these are shown."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like.data.events import PreparedScan
from bliss_like.devices.counter import SamplingCounter
from bliss_like.scanning.scan import Scan
from bliss_like.scans import a2scan, amesh, ascan, ct, lookupscan, loopscan, timescan
from bliss_like.scans.estimation import expected
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, published


@pytest.fixture
def diode() -> SamplingCounter:
    return Values("card", lambda: [1.0]).create_counter(SamplingCounter, "diode")


def estimation(scan: Scan | None) -> Any:
    assert scan is not None
    return scan.scan_info.get("estimation")


def test_counts_and_waits(diode: SamplingCounter) -> None:
    scan = loopscan(10, 0.5, diode, sleep_time=0.1, run=False)
    assert estimation(scan) == {"total_time": 5.9, "motion_time": 0.0, "count_time": 5.0}
    assert estimation(ct(2.0, diode, run=False))["total_time"] == 2.0


def test_without_an_end_nothing_is_expected(diode: SamplingCounter) -> None:
    assert estimation(timescan(0.5, diode, run=False)) is None


def test_moves_take_as_long_as_the_axis_needs(diode: SamplingCounter) -> None:
    robx = make_axis(velocity=1.0, acceleration=2.0)
    robx.move(2.0)
    # 2 mm back to the start, then 10 steps of 1 mm, with ramps of 0.5 s
    scan = ascan(robx, 0, 10, 10, 0.1, diode, stab_time=0.2, run=False)
    assert estimation(scan) == {"total_time": 2.5 + 15.0 + 1.1 + 2.2, "motion_time": 17.5, "count_time": 1.1}


def test_short_moves_never_reach_the_velocity() -> None:
    robx = make_axis(velocity=100.0, acceleration=1.0)
    robx.move(1.0)
    robx.move(0.0)
    assert expected(2, 0.0, {robx: [1.0, 2.0]})["motion_time"] == pytest.approx(2 * 2.0)


def test_the_slowest_axis_counts(diode: SamplingCounter) -> None:
    robx, roby = make_axis("robx", velocity=1.0), make_axis("roby", velocity=0.1)
    scan = a2scan(robx, 0, 1, roby, 0, 1, 1, 0.0, diode, run=False)
    assert estimation(scan)["motion_time"] == pytest.approx(10.0, rel=0.1)


def test_a_mesh_goes_back_at_the_end_of_each_line(diode: SamplingCounter) -> None:
    robx, roby = make_axis("robx", velocity=1.0, acceleration=1e6), make_axis("roby", velocity=1e6)
    there = estimation(amesh(robx, 0, 10, 1, roby, 0, 1, 1, 0.0, diode, run=False))["motion_time"]
    both = estimation(amesh(robx, 0, 10, 1, roby, 0, 1, 1, 0.0, diode, backnforth=True, run=False))["motion_time"]
    assert (there, both) == (pytest.approx(30.0, rel=0.01), pytest.approx(20.0, rel=0.01))


def test_an_axis_of_unknown_speed_takes_no_time(diode: SamplingCounter) -> None:
    scan = lookupscan([(make_axis(), [0.0, 5.0])], 0.5, diode, run=False)
    assert estimation(scan) == {"total_time": 1.0, "motion_time": 0.0, "count_time": 1.0}


@pytest.mark.parametrize(("tolerance", "decimals"), [(1e-4, 4), (1e-6, 6), (None, 4), (0.5, 4)])
def test_axes_say_how_many_decimals_make_sense(diode: SamplingCounter, tolerance: float | None, decimals: int) -> None:
    scan = ascan(make_axis(tolerance=tolerance), 0, 1, 1, 0, diode)
    assert scan is not None
    (prepared,) = [event for event in published(scan) if isinstance(event, PreparedScan)]
    assert prepared.info["channels"]["axis:robx"]["decimals"] == decimals
    assert "decimals" not in prepared.info["channels"]["card:diode"]
