"""lineup: a scan, then the peak."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanError, ScanUsageError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import ScanState
from bliss_like.scans import lineup
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values


@pytest.fixture
def robx() -> Axis:
    return make_axis("robx", low_limit=-100, high_limit=100)


def counter_of(read: Callable[[], float]) -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [read()]))


def test_goes_to_the_peak(robx: Axis) -> None:
    robx.move(2)
    scan = lineup(robx, -3, 3, 60, 0, diode := counter_of(lambda: math.exp(-((robx.position - 2.5) ** 2))))
    assert robx.position == pytest.approx(2.5)
    assert scan is not None
    assert (scan.state, len(scan.get_data(diode))) == (ScanState.DONE, 61)
    assert scan.scan_info["title"] == "ascan robx -1 5 60 0"


def test_nothing_moves_when_it_is_not_to_run(robx: Axis) -> None:
    scan = lineup(robx, -3, 3, 60, 0, counter_of(lambda: 1.0), run=False)
    assert scan is not None
    assert (scan.state, robx.position) == (ScanState.IDLE, 0)
    scan.run()
    assert robx.position == 0


def test_without_a_peak_the_axis_is_where_it_was(robx: Axis) -> None:
    robx.move(2)
    with pytest.raises(ScanError, match="the peak of diode along robx is not a number, .* nothing moved"):
        lineup(robx, -3, 3, 60, 0, counter_of(lambda: 1.0))
    assert robx.position == 2


def test_after_a_failure_the_axis_is_where_it_was(robx: Axis) -> None:
    def read() -> float:
        if robx.position > 1:
            raise OSError("no answer")
        return robx.position

    with pytest.raises(OSError, match="no answer"):
        lineup(robx, -3, 3, 60, 0, counter_of(read))
    assert robx.position == 0


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((-1, 1, 10, 0), "counter is missing"),
        ((-1, 1, 10, 0, "diode"), "counter: expected counters, or what has some.*got 'diode'"),
        ((-1, 1, 10, 0, []), "counter: expected one counter that gives one number at each point"),
        ((-1, 1, 10, 0, counter_of(lambda: 1.0), 3), "expected 6 arguments, got 7: 3 is too much"),
        ((-1, 1, 0, 0, "diode"), "intervals: expected a whole number, at least 1"),
    ],
)
def test_wrong_calls_answer_with_the_usage(robx: Axis, args: tuple[Any, ...], told: str) -> None:
    with pytest.raises(ScanUsageError, match=rf"(?s)lineup: .*{told}.*usage: lineup\(motor, start, stop"):
        lineup(robx, *args)
    assert not environment.scans
