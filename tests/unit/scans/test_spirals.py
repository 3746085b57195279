"""Spirals: where their points lie, and scans along them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.scanning.scan import ScanState
from bliss_like.scans import aspiral, aspiral_fermat, aspiral_square, dspiral, dspiral_fermat, dspiral_square
from bliss_like.scans.spiral import fermat_positions, spiral_positions, square_positions
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values

steps = st.floats(0.01, 10)
turns = st.floats(0.1, 40)
"""Ranges, in steps."""

CURVES = pytest.mark.parametrize("positions", [spiral_positions, fermat_positions])


@CURVES
@given(steps, steps, turns, turns)
def test_points_of_curves(positions, step1, step2, turns1, turns2) -> None:
    range1, range2 = turns1 * step1, turns2 * step2
    first, second = positions(range1, range2, step1, step2)
    assert (first[0], second[0]) == (0, 0)
    assert np.abs(first).max() <= range1 / 2 * (1 + 1e-6) and np.abs(second).max() <= range2 / 2 * (1 + 1e-6)
    across, up = first / step1, second / step2
    apart = np.hypot(across[:, None] - across, up[:, None] - up)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.5  # no duplicates, nothing taken twice
    again = positions(range1, range2, step1, step2)
    assert all(np.array_equal(one, other) for one, other in zip((first, second), again, strict=True))


@CURVES
@given(steps, st.floats(6, 40), st.floats(6, 40))
def test_curves_leave_no_holes(positions, step, turns1, turns2) -> None:
    """Every place of the rectangle has a point nearby, and there is one point for each step x step."""
    first, second = (line / step for line in positions(turns1 * step, turns2 * step, step, step))
    assert len(first) == pytest.approx(turns1 * turns2, rel=0.3)
    for place in np.random.default_rng(1).uniform(-0.5, 0.5, (50, 2)) * (turns1, turns2):
        assert np.hypot(first - place[0], second - place[1]).min() < 1.5


def test_neighbours_on_a_spiral_are_a_step_apart() -> None:
    first, second = spiral_positions(20, 20, 0.5, 0.5)
    inside = np.hypot(first, second) < 9
    along = np.hypot(np.diff(first[inside]), np.diff(second[inside]))
    assert along[3:] == pytest.approx(0.5, rel=0.06)


@given(st.integers(1, 30), st.integers(1, 30))
def test_points_of_a_square_spiral_are_those_of_the_grid(intervals1, intervals2) -> None:
    first, second = square_positions(3, 5, intervals1, intervals2)
    grid = {(x, y) for x in np.linspace(-1.5, 1.5, intervals1 + 1) for y in np.linspace(-2.5, 2.5, intervals2 + 1)}
    points = list(zip(first.tolist(), second.tolist(), strict=True))
    assert len(points) == len(grid) and set(points) == grid
    turns = np.maximum(np.abs(first - first[0]) / 3 * intervals1, np.abs(second - second[0]) / 5 * intervals2)
    assert (np.diff(turns.round()) >= 0).all()  # from the middle outwards
    if intervals1 == intervals2:
        steps_apart = np.abs(np.diff(first)) / 3 * intervals1 + np.abs(np.diff(second)) / 5 * intervals2
        assert steps_apart == pytest.approx(1)


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", unit="mm", low_limit=-100, high_limit=100)


@pytest.fixture
def roby() -> Axis:
    return make_axis("roby", low_limit=-100, high_limit=100)


@pytest.fixture
def diode() -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [1.0]))


def test_scans_of_spirals(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    commands = [
        (lambda: aspiral(robx, 1, 2, roby, 5, 4, 0.5, 0, diode), "aspiral robx 1 2 roby 5 4 0.5 0"),
        (lambda: aspiral(robx, 1, 2, roby, 5, 4, 0.5, 0, diode, step2=1), "aspiral robx 1 2 roby 5 4 0.5 1 0"),
        (lambda: aspiral_fermat(robx, 1, 2, roby, 5, 4, 0.5, 0, diode), "aspiral_fermat robx 1 2 roby 5 4 0.5 0"),
        (lambda: aspiral_square(robx, 1, 2, 4, roby, 5, 4, 8, 0, diode), "aspiral_square robx 1 2 roby 5 4 4 8 0"),
    ]
    for command, title in commands:
        scan = command()
        assert scan is not None
        info = scan.node.info
        assert (info["title"], info["type"], info["data_dim"]) == (title, title.split()[0], 2)
        assert (info["start"], info["stop"]) == ([0, 3], [2, 7])
        assert info["npoints"] == len(scan.get_data(diode))
        for axis, positions in scan.positions.items():
            assert scan.get_data(axis) == pytest.approx(positions, abs=1e-9)
        plot = info["plots"][0]
        assert (plot["kind"], plot["x"], plot["y"]) == ("scatter-plot", "axis:robx", "axis:roby")
        channel = info["channels"]["axis:roby"]
        assert (channel["min"], channel["max"], channel["axis_id"], channel["points"]) == (3, 7, 1, info["npoints"])
        assert channel["group"] == info["channels"]["diodes:diode"]["group"] == "scatter"


def test_relative_spirals_come_home(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    robx.move(1)
    roby.move(5)
    for command, title in (
        (lambda: dspiral(robx, 2, roby, 4, 0.5, 0, diode), "aspiral robx 1 2 roby 5 4 0.5 0"),
        (lambda: dspiral_fermat(robx, 2, roby, 4, 0.5, 0, diode), "aspiral_fermat robx 1 2 roby 5 4 0.5 0"),
        (lambda: dspiral_square(robx, 2, 4, roby, 4, 8, 0, diode), "aspiral_square robx 1 2 roby 5 4 4 8 0"),
    ):
        scan = command()
        assert scan is not None
        assert scan.scan_info["title"] == title and scan.scan_info["type"] == "d" + title.split()[0][1:]
        assert scan.get_data(robx)[0] == 1 and scan.get_data(robx)[-1] != 1
        assert (robx.position, roby.position) == (1, 5)


def test_a_preview_moves_nothing(robx: Axis, roby: Axis, diode: SamplingCounter) -> None:
    scan = aspiral(robx, 1, 2, roby, 5, 4, 0.5, 0, diode, run=False)
    assert scan is not None and scan.state is ScanState.IDLE
    assert list(scan.positions) == [robx, roby]
    assert scan.positions[robx][0] == 1 and scan.positions[roby][0] == 5
    assert len(scan.positions[robx]) == scan.scan_info["npoints"]
    assert (robx.position, roby.position) == (0, 0)
