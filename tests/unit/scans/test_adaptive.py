"""Scans whose steps follow a counter."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import IntegratingCounter, IntegratingCounterController, SamplingCounter
from bliss_like.errors import AxisLimitError, ChainError, ScanUsageError
from bliss_like.scanning.acquisition.adaptive import AdaptiveSteps, AdaptiveStepTriggerMaster
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scans import adaptive_ascan, adaptive_dscan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", low_limit=-100, high_limit=100)


def counter_of(read: Callable[[], float]) -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [read()]))


def beam(robx: Axis, centre: float = 1.0, sigma: float = 0.5) -> SamplingCounter:
    return counter_of(lambda: 100 * math.exp(-(((robx.position - centre) / sigma) ** 2) / 2))


def scanned(scan: Scan | None, counter: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    assert scan is not None
    return scan.get_data("axis:robx"), scan.get_data(counter)


@pytest.mark.parametrize(("start", "stop"), [(-5, 5), (5, -5)])
def test_points_are_dense_where_the_counter_changes(robx: Axis, start: float, stop: float) -> None:
    diode = beam(robx)
    x, y = scanned(adaptive_ascan(robx, start, stop, 0.02, 0.5, 5, 0, diode), diode)
    assert (x[0], x[-1]) == (start, stop)
    on_the_peak = np.abs(x - 1) < 1
    assert on_the_peak.sum() > (~on_the_peak).sum()
    assert len(x) < 120
    order = np.argsort(x)
    assert np.abs(np.diff(y[order])).max() < 12
    assert np.diff(x[order]).max() <= 0.5 + 1e-9


def test_without_backstep_it_only_goes_on(robx: Axis) -> None:
    diode = beam(robx)
    x, _ = scanned(adaptive_ascan(robx, -5, 5, 0.02, 0.5, 5, 0, diode, backstep=False), diode)
    assert (np.diff(x) > 0).all()


def test_a_flat_counter_is_crossed_in_long_steps(robx: Axis) -> None:
    diode = counter_of(lambda: 3.0)
    x, _ = scanned(adaptive_ascan(robx, 0, 10, 0.1, 1, 5, 0, diode), diode)
    assert len(x) < 20
    assert x[-1] == 10


def test_a_counter_that_gives_no_number_is_crossed_too(robx: Axis) -> None:
    diode = counter_of(lambda: math.nan)
    x, _ = scanned(adaptive_ascan(robx, 0, 10, 0.1, 1, 5, 0, diode), diode)
    assert x[-1] == 10


def test_what_a_scan_says_of_itself(robx: Axis) -> None:
    diode = beam(robx)
    scan = adaptive_ascan(robx, -5, 5, 0.02, 0.5, 5, 0, diode)
    assert scan is not None
    info = scan.node.info
    assert (info["title"], info["type"]) == ("adaptive_ascan robx -5 5 0.02 0.5 5 0 diode", "adaptive_ascan")
    assert info["npoints"] == len(scan.get_data(diode))
    assert info["plots"][0]["x"] == "axis:robx"
    assert scan.cen(diode) == pytest.approx(1, abs=0.02)


def test_relative(robx: Axis) -> None:
    robx.move(2)
    diode = beam(robx)
    scan = adaptive_dscan(robx, -3, 1, 0.02, 0.5, 5, 0, diode)
    x, _ = scanned(scan, diode)
    assert (x[0], x[-1], robx.position) == (-1, 3, 2)
    assert scan is not None
    assert scan.name == "adaptive_dscan"


def test_the_number_of_points_has_an_end(robx: Axis, caplog: pytest.LogCaptureFixture) -> None:
    calls = iter(range(10_000))
    diode = counter_of(lambda: 100.0 * (next(calls) % 2))
    with caplog.at_level(logging.WARNING):
        scan = adaptive_ascan(robx, 0, 10, 0.001, 1, 0.1, 0, diode, max_points=50)
    x, _ = scanned(scan, diode)
    assert len(x) == 50
    assert "ended after max_points=50" in caplog.text
    assert scan is not None
    assert "before 10" in scan.comments[0]["message"]


def test_backsteps_come_to_an_end() -> None:
    """A value that jumps at random never keeps the steps from getting to the end."""
    random = np.random.default_rng(1)
    for _ in range(20):
        steps, position, n = AdaptiveSteps(0.1, 1, 1), 0.0, 0
        while position < 10:
            position = steps.after(position, float(random.normal() * 100), 1.0)
            n += 1
            assert n < 100 * 15
            assert 0.1 <= steps.step <= 1


def test_what_bluesky_does(robx: Axis) -> None:
    """The first steps are half way between the two; then the steps follow the slope, a fifth of the way each time."""
    steps = AdaptiveSteps(0.1, 0.5, 2, backstep=False)
    assert steps.after(0, 0, 1) == pytest.approx(0.3)
    assert steps.after(0.3, 2, 1) == pytest.approx(0.6)
    assert steps.after(0.6, 3, 1) == pytest.approx(0.6 + 0.2 * 0.5 + 0.8 * 0.3)
    back = AdaptiveSteps(0.1, 0.5, 2, backstep=True)
    back.after(0, 0, 1)
    assert back.after(0.3, 4, 1) == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"min_step": 0}, "min_step: expected a number > 0, in the unit of the axis, got 0"),
        ({"max_step": -1}, "max_step: expected a number > 0, in the unit of the axis, got -1"),
        ({"min_step": 2}, "min_step: expected no more than max_step, 1, got 2"),
        ({"target_delta": math.nan}, "target_delta: expected a number > 0, in the unit of the counter, got nan"),
        ({"target_delta": 0}, "target_delta: expected a number > 0, in the unit of the counter, got 0"),
        ({"stop": 0}, "stop: expected another position than start, 0, got 0"),
        ({"threshold": 1.5}, "threshold: expected a number > 0, at most 1, got 1.5"),
        ({"backstep": 1}, "backstep: expected True or False, got 1"),
        ({"max_points": 0}, "max_points: expected a whole number, at least 1.*, got 0"),
        ({"counter": "diode"}, "counter: expected counters, or what has some.*got 'diode'"),
        ({"counter": ()}, "counter: expected one counter"),
        ({"motor": 5}, "motor: expected an axis, got 5"),
    ],
)
def test_wrong_calls_answer_with_the_usage(robx: Axis, change: dict[str, Any], told: str) -> None:
    good = {"motor": robx, "start": 0, "stop": 10, "min_step": 0.1, "max_step": 1, "target_delta": 5, "count_time": 0}
    for command in (adaptive_ascan, adaptive_dscan):
        with pytest.raises(
            ScanUsageError, match=rf"(?s){command.__name__}: .*{told}.*usage: {command.__name__}\(motor"
        ):
            command(**{**good, "counter": beam(robx), **change})
    assert not environment.scans


def test_limits_are_looked_at_first(robx: Axis) -> None:
    with pytest.raises(AxisLimitError):
        adaptive_ascan(robx, 0, 1000, 0.1, 1, 5, 0, beam(robx))
    assert robx.position == 0


def test_a_master_that_follows_nothing(robx: Axis) -> None:
    chain = AcquisitionChain()
    chain.add(AdaptiveStepTriggerMaster(robx, 0, 1, AdaptiveSteps(0.1, 1, 1)))
    with pytest.raises(ChainError, match="has no channel to follow"):
        Scan(chain, "adaptive").run()


def test_a_counter_that_is_read_late(robx: Axis) -> None:
    """The next step waits for the value of this point, which a reading beside the scan brings."""

    class Late(IntegratingCounterController):
        def get_values(self, from_index: int, *counters: Any) -> list[list[float]]:
            gevent.sleep(0.002)
            return [[100 * math.exp(-((robx.position - 1) ** 2) * 2)] for _ in counters]

    late = IntegratingCounter("late", Late("scaler"))
    x, y = scanned(adaptive_ascan(robx, -5, 5, 0.05, 1, 10, 0, late), late)
    assert len(x) == len(y)
    np.testing.assert_allclose(y, 100 * np.exp(-((x - 1) ** 2) * 2))
    order = np.argsort(x)
    assert np.abs(np.diff(y[order])).max() < 25
