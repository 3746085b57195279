"""Fits of curves while they are measured, of past scans, and of any x and y."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bliss_like.errors import DataError, UsageError
from bliss_like.live import fitting
from bliss_like.live.fits import LiveFit, fit
from bliss_like.live.shapes import SHAPES
from bliss_like.scans import ascan, loopscan
from tests.unit.devices.making import make_axis
from tests.unit.live.curve_events import events_of_curve
from tests.unit.scanning.making import memory_environment
from tests.unit.scanning.test_curves import beam

NOISE = np.random.default_rng(1)
X = np.linspace(-5, 5, 101)
PEAK = {"center": 0.3, "height": 100.0, "background": 5.0}
MADE = {
    "gaussian": {**PEAK, "fwhm": 1.65},
    "lorentzian": {**PEAK, "fwhm": 1.65},
    "voigt": {**PEAK, "fwhm_g": 1.2, "fwhm_l": 0.8},
    "pseudo_voigt": {**PEAK, "fwhm": 1.65, "fraction": 0.4},
    "edge": {"center": -1.2, "fwhm": 1.4, "height": -50.0, "background": 60.0},
    "linear": {"slope": 3.0, "intercept": -2.0},
    "parabola": {"a": 1.0, "b": 3.0, "c": -2.0},
    "cubic": {"a": 0.2, "b": 1.0, "c": 3.0, "d": -2.0},
}


@pytest.fixture(autouse=True)
def _memory() -> Iterator[None]:
    with memory_environment():
        yield


@pytest.mark.parametrize("name", SHAPES)
def test_what_a_curve_was_made_with_is_found(name: str) -> None:
    y = SHAPES[name](X, **MADE[name])
    found = fit(X, y + NOISE.normal(0, 0.01 * np.ptp(y), len(X)), name)
    assert found.success and found.r2 > 0.99
    for parameter, value in MADE[name].items():
        stderr = found[parameter].stderr
        assert stderr is not None
        assert abs(found[parameter].value - value) < 5 * stderr
    assert found.redchi2 == pytest.approx(found.chi2 / (len(X) - len(MADE[name])))


def test_a_dip_on_a_slope() -> None:
    y = SHAPES["gaussian"](X, center=0.5, fwhm=2, height=-10, background=30, slope=1.5)
    found = fit(X, y, background="linear")
    assert {name: round(one.value, 4) for name, one in found.params.items()} == {
        "center": 0.5,
        "fwhm": 2,
        "height": -10,
        "background": 30,
        "slope": 1.5,
    }


def test_a_report_has_digits_that_make_sense() -> None:
    y = SHAPES["gaussian"](X, **MADE["gaussian"]) + np.random.default_rng(3).normal(0, 1, len(X))
    head, *lines = fit(X, y).report().splitlines()
    assert head == "gaussian, 101 points"
    assert [line.split()[0] for line in lines] == ["center", "fwhm", "height", "background", "R2"]
    assert len({line.index(line.split()[1]) for line in lines}) == 1
    assert lines[0].split()[1].startswith(("0.29", "0.30")) and lines[0].endswith(")")


def test_counts_are_weighted_by_their_statistics() -> None:
    """Of many curves the errors that are told are those that the results have, and chi2 is as large as it ought to be."""
    curve = SHAPES["gaussian"](X, center=0.3, height=200.0, background=20.0, fwhm=1.65)
    found = [fit(X, np.random.default_rng(seed).poisson(curve), weights="counting") for seed in range(40)]
    assert all(found) and np.mean([one.redchi2 for one in found]) == pytest.approx(1, abs=0.1)
    for name, value in {"center": 0.3, "fwhm": 1.65}.items():
        pulls = [(one[name].value - value) / one[name].stderr for one in found]
        assert 0.7 < np.std(pulls) < 1.4
    assert found[0].report().splitlines()[-1].split() == ["redchi2", f"{found[0].redchi2:.4g}"]


def test_what_counts_nothing_is_not_looked_at_and_weights_are_one_over_sigma() -> None:
    y = SHAPES["gaussian"](X, **MADE["gaussian"])
    weights = np.full(len(X), 0.5)
    y[50], weights[50] = 1e6, 0.0
    found = fit(X, y, weights=weights)
    assert found["center"].value == pytest.approx(0.3) and found.npoints == len(X) - 1
    noisy = y + np.random.default_rng(2).normal(0, 2, len(X))
    errors = [fit(X, noisy, weights=weights * factor)["center"].stderr or 0 for factor in (1, 10)]
    assert errors[0] == pytest.approx(10 * errors[1], rel=1e-3)


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("poisson", "weights: expected None, 'counting', or an array of 1 / standard deviation, got 'poisson'"),
        (object(), "weights: expected None, 'counting', or an array"),
        ([1.0, 2.0], r"weights: expected one for each of 101 points, got shape \(2,\)"),
    ],
)
def test_wrong_weights(weights: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        fit(X, X, weights=weights)


def test_of_noise_it_is_said_that_there_is_nothing() -> None:
    found = fit(X, np.random.default_rng(5).normal(0, 1, len(X)))
    assert "nothing stands out of the noise" in found.report() or not found.success
    flat = fit(X, np.ones(len(X)))
    assert (flat.success, flat.message, flat.curve()[0].size) == (False, "all 101 values are the same", 0)


def test_too_few_points_are_no_error() -> None:
    found = fit([1, 2, 3], [0, 5, 1])
    assert found.report() == "gaussian: 3 points, it takes more than 4" and not found
    assert fit([], []).message == "0 points, it takes more than 4"
    nan = fit([1, 2, 3, 4, 5, 6], [np.nan] * 6)
    assert nan.npoints == 0
    with pytest.raises(KeyError, match="no parameter 'center'; there are none: 3 points"):
        found["center"]


def test_a_sum_of_models_begins_where_each_part_guesses() -> None:
    from lmfit.models import ConstantModel, LorentzianModel

    x = np.linspace(-500, 500, 101)
    found = fit(x, 40 + 1000 / (1 + ((x - 120) / 50) ** 2), LorentzianModel() + ConstantModel())
    assert found, found.message
    assert [round(float(found[name]), 3) for name in ("center", "sigma", "c")] == [120, 50, 40]


def test_functions_and_models_of_ones_own() -> None:
    import lmfit

    def wave(angle: Any, amplitude: float, offset: float = 0.5) -> Any:
        return amplitude * np.sin(angle) + offset

    found = fit(X, 3 * np.sin(X) + 1, wave)
    assert found.model == "wave" and found["amplitude"].value == pytest.approx(3)
    assert found.curve([0.0])[1].tolist() == pytest.approx([1])
    model = lmfit.models.GaussianModel()
    found = fit(X, SHAPES["gaussian"](X, 0.3, 1.65, 10), model, guess={"center": 1, "sigma": 1})
    assert found["fwhm"].value == pytest.approx(1.65, rel=1e-3)


def test_a_function_that_fails_is_told() -> None:
    def broken(x: Any, a: float) -> Any:
        raise RuntimeError(f"no {a:g}")

    assert fit(X, X, broken).report() == "broken: RuntimeError: no 1"


def test_a_slow_function_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def slow(x: Any, a: float) -> Any:
        now[0] += 0.5
        return np.sin(a * x)

    assert fit(X, X**2, slow).message == "it has not converged within 2 s or 2000 calls"
    assert now[0] < 10


def test_many_points_are_averaged() -> None:
    x = np.linspace(-5, 5, 50_001)
    found = fit(x, SHAPES["gaussian"](x, **MADE["gaussian"]))
    assert found.npoints <= fitting.MOST_POINTS
    assert found["fwhm"].value == pytest.approx(1.65, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "gausian"}, "model: expected one of gaussian, lorentzian, .*, got 'gausian'"),
        ({"model": 3}, "model: expected a name, a function f.x, .... or a model of lmfit, got 3"),
        ({"model": lambda x: x}, "it takes no parameter"),
        ({"background": "cubic"}, "background: expected one of none, constant, linear, got 'cubic'"),
        ({"guess": {"centre": 1}}, "guess: gaussian has no parameter 'centre'; there are: center, fwhm"),
        ({"y": [1, 2]}, "expected as many x as y"),
    ],
)
def test_wrong_calls(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fit(X, **{"y": X, **arguments})


def test_without_lmfit_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmfit", None)
    with pytest.raises(DataError, match=r"pip install 'bliss_like\[fit\]'"):
        LiveFit()


def test_a_scan_is_fitted_while_it_runs() -> None:
    y = SHAPES["gaussian"](X, **MADE["gaussian"])
    told: list[str] = []
    live = LiveFit(out=told.append)
    assert live.result.message == "no scan has begun yet"
    seen = []
    for event in events_of_curve(X, y, block=1):
        live.accept(event)
        seen.append(live.result)
    assert any(not one.success and "it takes more than 4" in one.message for one in seen)
    assert len({id(one) for one in seen}) < 70, "not at each event"
    assert live.result.npoints == 101 and live.result["center"].value == pytest.approx(0.3)
    assert told == [str(live)]
    assert told[0].startswith("gaussian of diode along robx, scan 1, 101 points\n  center      0.3")


def test_how_often_is_chosen() -> None:
    live = LiveFit("linear", update_every=40)
    lengths = []
    for event in events_of_curve(X, X, block=1):
        live.accept(event)
        lengths.append(live.result.npoints)
    assert sorted(set(lengths)) == [0, 40, 80, 101]


def test_scans_that_are_over() -> None:
    robx = make_axis("robx", unit="mm", low_limit=-100, high_limit=100)
    diode = beam(robx)
    live = LiveFit(y=diode, x=robx)
    scan: Any = ascan(robx, -3, 3, 60, 0, diode, run=False)
    scan.subscribe(live)
    scan.run()
    for past in (scan, scan.node):
        found = fit(past, diode)
        assert str(found["center"]).endswith(" mm") and found["fwhm"].value == pytest.approx(0.7 * 2.3548, rel=1e-3)
        assert found.report() == live.result.report()
    with pytest.raises(DataError, match="scan 1: 'diod' with one number each point; there are: robx, .*, diode"):
        fit(scan, "diod")
    with pytest.raises(UsageError, match="expected a scan or its node"):
        fit(type("Other", (), {"get_data": None})(), "diode")
    timed: Any = loopscan(6, 0, diode)
    assert fit(timed, model="linear").title == "diode along elapsed_time, scan 2"
