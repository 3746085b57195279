"""What is shown of any scan, whoever has made it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bliss_like.live.best_effort import BestEffort
from tests.unit.live.curve_events import events_of_curve
from tests.unit.live.making import Told, feed

X = np.linspace(-3, 3, 31)
PEAK = np.exp(-((X - 0.5) ** 2))


def shown(events: Any, **how: Any) -> tuple[BestEffort, list[str]]:
    lines: list[str] = []
    best = BestEffort(out=lines.append, **how)
    feed(best, events)
    return best, [str(line) for line in lines]


def test_a_scan_with_a_peak() -> None:
    best, lines = shown(events_of_curve(X, PEAK))
    assert lines[0].startswith("Scan 1  ascan robx")
    assert "robx[mm]" in lines[1] and "diode" in lines[1]
    assert lines[-1] == "diode  cen 0.499 mm  fwhm 1.686  peak 0.500  com 0.496   goto_cen() goes there"
    assert [(plot.kind, plot.x, plot.y) for plot in best.plots] == [("curve", "axis:robx", ("diodes:diode",))]
    assert best.stats.cen == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("width", [30, 60, 250])
def test_it_fits_the_terminal(width: int) -> None:
    _, lines = shown(events_of_curve(X, PEAK), width=lambda: width)
    assert all(len(line) <= width for line in lines)


def test_a_scan_without_a_peak_says_nothing_of_one() -> None:
    _, lines = shown(events_of_curve(X, np.ones(31)))
    assert lines[-1].startswith("Scan 1 done: 31 points")


def test_a_scan_in_a_sequence() -> None:
    sequence = Told({"scans": {"kind": "node_ref_channel", "dtype": "U64"}}, number=7, is_scan_sequence=True)
    inner = list(events_of_curve(X, PEAK))
    events = [*sequence.begin(), *inner, *sequence.end()]
    _, lines = shown(events)
    told = [line for line in lines if "cen" in line]
    assert len(told) == 1 and lines.index(told[0]) < len(lines) - 1


@pytest.mark.parametrize(
    "info",
    [
        {"plots": [{"kind": "curve-plot", "items": [None]}], "npoints": "many"},
        {"title": None, "channels": [], "data_dim": None},
        {"display_extra": [], "scan_nb": None, "save": "no"},
        {"start_timestamp": "yesterday", "end_timestamp": None, "filename": None},
        {"start_timestamp": 1e300},
        {"devices": [1], "acquisition_chain": None, "plots": {"kind": "scatter-plot"}},
        {
            "channels": {
                "axis:robx": {"axis_id": "first", "start": "a", "stop": None, "axis_points": -1, "decimals": "x"}
            }
        },
    ],
)
def test_infos_of_anybody(info: dict[str, Any]) -> None:
    best, lines = shown(events_of_curve(X, PEAK, info=info))
    assert len([line for line in lines if line.lstrip()[:1].isdigit()]) == 31
    assert best.plots and best.plots[0].kind == "curve"
    assert any("cen 0.499" in line for line in lines)


def test_a_scan_of_nothing() -> None:
    nothing = Told({}, number=3)
    best, lines = shown([*nothing.begin(), *nothing.end()])
    assert best.plots == [] and lines[-1].startswith("Scan 3 done")
