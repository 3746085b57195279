"""`plot` at the prompt: which scan, which counters, and what it says when there is nothing to be seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gevent.event import Event

from bliss_like.data.events import NewData, WireEvent
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.motor_controller import MotorController
from bliss_like.errors import NodeNotFound, ScanError, UsageError
from bliss_like.live import LiveFit, feed, fit
from bliss_like.live.look import ASCII, Look
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scans import amesh, ascan, ct, loopscan
from bliss_like.standard import plot, plotselect
from bliss_like.standard.look import offer_look
from bliss_like.standard.plot import plot_text
from tests.unit.scanning.making import Values

from .conftest import Known

X = np.linspace(-3, 3, 25)
Motors = Callable[..., MotorController]


@pytest.fixture(autouse=True)
def nothing_chosen() -> Iterator[None]:
    yield
    plotselect()
    offer_look(None)


@pytest.fixture
def diode(known: Known, motors: Motors) -> SamplingCounter:
    motors(robx={"unit": "mm"}, roby={})
    robx = known["robx"]
    return SamplingCounter("diode", Values("diodes", lambda: [100 * math.exp(-((robx.position - 0.25) ** 2) * 2)]))


@pytest.fixture
def other(known: Known, diode: SamplingCounter) -> SamplingCounter:
    robx = known["robx"]
    return SamplingCounter("other", Values("others", lambda: [robx.position]))


@pytest.fixture
def scan(known: Known, diode: SamplingCounter, other: SamplingCounter) -> Scan:
    made = ascan(known["robx"], -3, 3, 24, 0, diode, other)
    assert isinstance(made, Scan)
    return made


def test_the_last_scan(scan: Scan, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "16")
    plot("diode")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    assert max(map(len, lines)) == 59
    assert lines[0].split() == ["•", "diode", "scan", "1:", "ascan", "robx", "-3", "3", "24", "0"]
    assert "peak 0.250" in lines[-1] and "robx [mm]" in lines[-1]


def test_all_counters_have_a_panel(scan: Scan) -> None:
    heads = [line.strip() for line in plot_text(width=60, height=16).splitlines() if "• " in line]
    assert [head.split()[1] for head in heads] == ["diode", "other"]


def test_what_does_not_fit_is_named(scan: Scan) -> None:
    last = plot_text(width=70, height=8).splitlines()[-1]
    assert last == "plot('other') and plotselect(...) show others: other"
    assert len(plot_text(width=30, height=8).splitlines()[-1]) == 30


def test_counters_are_those_chosen_now_not_those_of_the_scan(scan: Scan) -> None:
    plotselect("other")
    assert "diode" not in plot_text(width=60, height=10)
    plotselect("not there")
    assert "diode" in plot_text(width=60, height=10)


@pytest.mark.parametrize("given", ["diode", "diodes:diode", "di*", ["other", "diode"]])
def test_counters_by_name(scan: Scan, given: object) -> None:
    assert "• diode" in plot_text(given, width=60, height=16)


def test_a_counter_and_an_axis_as_they_are(scan: Scan, known: Known, diode: SamplingCounter) -> None:
    assert "robx [mm]" in plot_text(diode, known["robx"], width=60, height=10)
    assert "• robx [mm]" in plot_text(known["robx"], "elapsed_time", width=60, height=10)
    assert "• diode" in plot_text(diode.controller, width=60, height=10)


def test_past_scans(scan: Scan, known: Known, diode: SamplingCounter) -> None:
    loopscan(3, 0, diode)
    assert "loopscan" in plot_text(width=60, height=8)
    for text in (plot_text(scan, width=60), plot_text(scan=scan.node, width=60), plot_text(1, width=60)):
        assert "scan 1: ascan" in text
    with pytest.raises(NodeNotFound, match="no scan '99'"):
        plot_text(99)


@pytest.mark.parametrize(
    "wanted",
    [
        True,
        "gaussian",
        fit(X, 100 * np.exp(-((X - 0.25) ** 2) * 2)),
        LiveFit(),
        lambda x, a, b, c: a * np.exp(-((x - b) ** 2) / c),
    ],
)
def test_a_fit_through_the_points(known: Known, scan: Scan, wanted: Any) -> None:
    if isinstance(wanted, LiveFit):
        feed(scan, wanted)
    lines = plot_text("diode", fit=wanted, width=80, height=14).splitlines()
    model = "<lambda>" if callable(wanted) and not isinstance(wanted, LiveFit) else "gaussian"
    assert f"- {model}" in lines[0] and "diode" in lines[0]
    report = next(n for n, line in enumerate(lines) if line.startswith(model))
    assert report <= 14 and len(lines) > report + 3
    assert not any("×" in line for line in lines[1:14])


def test_fits_of_what_is_no_curve(known: Known, diode: SamplingCounter, other: SamplingCounter) -> None:
    amesh(known["robx"], 0, 1, 4, known["roby"], 0, 1, 3, 0, diode, other)
    with pytest.raises(ScanError, match="a fit is of a curve, and this is a scatter plot"):
        plot(fit=True)
    assert "gaussian of diode along robx" in plot_text(diode, "robx", fit="gaussian")
    with pytest.raises(UsageError, match="model: expected one of gaussian, .* got 'gausian'"):
        plot(diode, "robx", fit="gausian")


def test_a_mesh(known: Known, diode: SamplingCounter, other: SamplingCounter) -> None:
    amesh(known["robx"], 0, 1, 4, known["roby"], 0, 1, 3, 0, diode, other)
    text = plot_text(width=60, height=12)
    assert "robx [mm], up roby" in text
    assert text.splitlines()[-1].endswith("show others: other")
    assert "robx" in plot_text(diode, "robx", width=60, height=10).splitlines()[-1]


def test_of_a_single_point_there_is_nothing_to_see(diode: SamplingCounter) -> None:
    ct(0, diode)
    with pytest.raises(ScanError, match=r"ct 0.* has nothing to plot"):
        plot_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"counter": "diod"}, "scan 1 .* has no 'diod' that can be drawn, did you mean 'diode'"),
        ({"counter": "xyz"}, "there are: .*diode, other"),
        ({"counter": 3.5}, "counter: expected a counter, an axis or a name, got 3.5"),
        ({"axis": "nothing"}, "has no 'nothing'"),
        ({"scan": 3.5}, "scan: expected a scan"),
        ({"height": 2}, "height: expected a whole number, at least 3, got 2"),
        ({"height": "big"}, "height: expected a whole number"),
    ],
)
def test_errors(scan: Scan, given: dict[str, object], message: str) -> None:
    with pytest.raises((ScanError, UsageError), match=message):
        plot(**given)  # type: ignore[arg-type]


def test_without_any_scan(known: Known) -> None:
    with pytest.raises(ScanError, match="there is no scan yet"):
        plot()


def test_a_scan_that_runs(known: Known, diode: SamplingCounter) -> None:
    robx, seen, has_seen = known["robx"], list[str](), Event()

    def level() -> list[float]:
        if robx.position == 0.75:
            assert has_seen.wait(60)
        return [robx.position]

    def look_at(event: WireEvent) -> None:
        if isinstance(event, NewData) and event.path.endswith(":level") and event.first_index + len(event.values) == 3:
            seen.append(plot_text(width=60, height=10))
            has_seen.set()

    environment.subscriptions.subscribe(look_at, lossless=True)
    ascan(robx, 0, 1, 4, 0, SamplingCounter("level", Values("levels", level)))
    assert seen[0].splitlines()[0].endswith("scan 1: ascan robx 0 1 4 0 (3/5)")


def test_it_looks_as_the_shell_wants_it(scan: Scan, capsys: pytest.CaptureFixture[str]) -> None:
    offer_look(lambda stream: Look(ASCII))
    plot()
    assert capsys.readouterr().out.isascii()
    assert environment.scans
