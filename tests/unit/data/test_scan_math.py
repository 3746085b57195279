"""Where peaks, edges and centres are: on clean curves by definition, on noisy ones on average, on measured ones as published."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bliss_like.data.scan_math import Cen, cen, com, edge, fwhm, highest, peak, trough

Array = np.ndarray[Any, Any]

CURVES = Path(__file__).parents[2] / "curves"
FWHM = 2 * math.sqrt(2 * math.log(2))
"""Of a normal distribution, in sigma."""

_erf = np.vectorize(math.erf)


def gauss(x: Array, centre: float = 0.37, sigma: float = 0.8) -> Array:
    result: Array = np.exp(-(((x - centre) / sigma) ** 2) / 2)
    return result


def step(x: Array, centre: float = 0.37, sigma: float = 0.5) -> Array:
    result: Array = (1 + _erf((x - centre) / sigma / math.sqrt(2))) / 2
    return result


def measured(name: str) -> tuple[Array, Array]:
    x, y = np.loadtxt(CURVES / f"{name}.csv", delimiter=",", skiprows=1).T
    return x, y


X = np.linspace(-5, 5, 51)


# -- without noise: as defined ---------------------------------------------------------------------------------------


def test_a_peak() -> None:
    y = gauss(X)
    assert peak(X, y) == pytest.approx(0.4)
    assert cen(X, y) == (pytest.approx(0.37, abs=0.01), pytest.approx(0.8 * FWHM, abs=0.01))
    assert fwhm(X, y) == cen(X, y).fwhm
    assert com(X, y) == pytest.approx(0.37, abs=1e-4)
    assert math.isnan(edge(X, y).position)


def test_a_dip_has_a_trough_and_a_centre() -> None:
    y = 3 - gauss(X)
    assert trough(X, y) == pytest.approx(0.4)
    assert cen(X, y) == (pytest.approx(0.37, abs=0.01), pytest.approx(0.8 * FWHM, abs=0.01))
    assert com(X, y) == pytest.approx(0.37, abs=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_edge(sign: int) -> None:
    y = 2 + sign * step(X)
    assert cen(X, y) == (pytest.approx(0.37, abs=0.01), pytest.approx(0.5 * FWHM, abs=0.03))
    assert edge(X, y) == cen(X, y)


def test_an_edge_with_an_overshoot_is_an_edge() -> None:
    y = step(X, 0, 0.3) + 0.4 * gauss(X, 0.9, 0.3)
    assert cen(X, y).position == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("slope", [-0.2, -0.05, 0.05, 0.1, 0.2])
def test_a_sloping_baseline_shifts_nothing(slope: float) -> None:
    y = gauss(X) + slope * X
    assert cen(X, y) == (pytest.approx(0.37, abs=0.02), pytest.approx(0.8 * FWHM, abs=0.02))
    assert com(X, y) == pytest.approx(0.37, abs=0.02)


def test_a_plateau_has_its_peak_in_the_middle() -> None:
    assert peak(X, np.minimum(gauss(X, 0.4, 2), 0.5)) == pytest.approx(0.4)
    assert peak([0, 1, 2, 3, 4], [0, 1, 1, 1, 0]) == 2
    assert trough([0, 1, 2, 3, 4], [0, -1, -1, -1, 0]) == 2


@pytest.mark.parametrize("centre", [4.5, 4, -4, -4.5])
def test_a_peak_of_which_one_flank_is_out_of_the_range(centre: float) -> None:
    found = cen(X, gauss(X, centre, 1))
    assert found == (pytest.approx(centre, abs=0.1), pytest.approx(FWHM, abs=0.25))


def test_two_peaks_that_reach_half_height() -> None:
    y = gauss(X, -2, 0.5) + 0.8 * gauss(X, 2, 0.5)
    assert peak(X, y) == -2
    assert cen(X, y).position == pytest.approx(-0.05, abs=0.1)


@pytest.mark.parametrize("function", [peak, trough, com, fwhm, lambda x, y: cen(x, y).position])
def test_a_curve_in_which_nothing_is_has_no_position(function: Callable[[Any, Any], float]) -> None:
    for x, y in [([], []), ([1], [2]), ([1, 2, 3], [4, 4, 4]), ([1, 2, 3], [math.nan] * 3), ([1, 1, 1], [1, 2, 3])]:
        assert math.isnan(function(x, y))
    assert math.isnan(function(X, np.full(51, 1e9)))


def test_points_that_are_no_numbers_are_left_out() -> None:
    y = gauss(X)
    y[[3, 26]], x = (math.nan, math.inf), X.copy()
    x[40] = math.nan
    assert cen(x, y).position == pytest.approx(0.37, abs=0.05)
    assert peak([1, 2, 3, 4], [0, 1, 5, math.nan]) == 3


def test_few_points() -> None:
    assert cen([1, 2, 3], [0, 1, 0]) == Cen(2, 1)
    assert peak([1, 2], [1, 2]) == 2
    assert cen([1, 2], [1, 2]).position == 1.5
    assert com([1, 2, 3], [0, 1, 0]) == 2


def test_points_twice_count_once() -> None:
    y = gauss(X)
    there_and_back = np.concatenate([X, X[30:35], X[30:35]]), np.concatenate([y, y[30:35], y[30:35]])
    assert cen(*there_and_back) == cen(X, y)
    assert com(*there_and_back) == pytest.approx(com(X, y))


def test_dense_points_do_not_draw_the_centre_of_mass() -> None:
    x = np.concatenate([np.linspace(-5, 0, 200, endpoint=False), np.linspace(0, 5, 30)])
    assert com(x, gauss(x)) == pytest.approx(0.37, abs=0.02)


def test_centre_of_mass_above_zero() -> None:
    assert com([0, 1, 2], [1, 1, 2], visual=False) == 1.25
    assert math.isnan(com([0, 1], [0, 0], visual=False))


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected as many positions as values.*3.*4"):
        cen(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="one dimension"):
        peak(np.zeros((2, 2)), np.zeros((2, 2)))


def test_highest_point_of_a_map() -> None:
    assert highest([0, 1, math.nan, 3, 2]) == 3
    assert highest([1, 1]) is None
    assert highest([]) is None


# -- the same curve otherwise --------------------------------------------------------------------------------------------

SHAPES = [gauss, step, lambda x: -gauss(x), lambda x: gauss(x) + 0.1 * x, lambda x: 1 / (1 + (x - 0.37) ** 2)]
FUNCTIONS: list[Callable[[Any, Any], float]] = [
    peak,
    com,
    lambda x, y: cen(x, y).position,
    lambda x, y: -trough(-x, -y),
]


@settings(max_examples=40, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    noise=st.sampled_from([0.0, 0.02, 0.1]),
    offset=st.floats(-1e3, 1e3),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-1e3, 1e3),
    stretch=st.floats(1e-3, 1e3),
    seed=st.integers(0, 100),
)
def test_positions_go_with_the_curve(
    shape: Callable[[Array], Array], noise: float, offset: float, scale: float, shift: float, stretch: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    y = shape(X) + noise * random.normal(size=51)
    order = random.permutation(51)
    for function in FUNCTIONS[:3]:
        expected = function(X, y)
        margin = stretch * 1e-4
        assert function(shift + stretch * X[order], scale * (offset + y[order])) == pytest.approx(
            shift + stretch * expected, abs=margin, nan_ok=True
        )
    assert cen(stretch * X, y).fwhm == pytest.approx(stretch * cen(X, y).fwhm, rel=1e-6, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(shape=st.sampled_from(SHAPES), noise=st.sampled_from([0.0, 0.02, 0.1]), seed=st.integers(0, 100))
def test_positions_are_mirrored_with_the_curve(shape: Callable[[Array], Array], noise: float, seed: int) -> None:
    y = shape(X) + noise * np.random.default_rng(seed).normal(size=51)
    assert com(-X, y) == pytest.approx(-com(X, y), nan_ok=True)
    assert cen(-X, y) == (pytest.approx(-cen(X, y).position, nan_ok=True), pytest.approx(cen(X, y).fwhm, nan_ok=True))
    assert cen(X, -y).position == pytest.approx(cen(X, y).position, nan_ok=True)
    assert peak(-X, y) == pytest.approx(-peak(X, y), nan_ok=True)


# -- with noise ------------------------------------------------------------------------------------------------------------


def ensemble(function: Callable[[Any, Any], float], y: Array, noise: float, x: Array = X, n: int = 100) -> Array:
    """Return what a function says of a curve with noise, 100 times."""
    noisy = (y + noise * np.random.default_rng(seed).normal(size=len(y)) for seed in range(n))
    return np.array([function(x, each) for each in noisy])


def position(x: Array, y: Array) -> float:
    return cen(x, y).position


@pytest.mark.parametrize(
    ("y", "noise", "spread"),
    [
        (gauss(X), 0.03, 0.03),
        (gauss(X), 0.1, 0.07),
        (gauss(X), 0.2, 0.15),
        (3 - gauss(X), 0.1, 0.07),
        (step(X), 0.03, 0.04),
        (step(X), 0.1, 0.1),
        (gauss(X) + 0.1 * X, 0.03, 0.04),
    ],
)
def test_the_centre_of_a_noisy_curve(y: Array, noise: float, spread: float) -> None:
    found = ensemble(position, y, noise)
    assert np.mean(np.isnan(found)) <= 0.03
    assert np.nanmedian(found) == pytest.approx(0.37, abs=0.03)
    assert np.nanmedian(np.abs(found - 0.37)) < spread
    assert np.nanquantile(np.abs(found - 0.37), 0.9) < 3 * spread


@pytest.mark.parametrize("noise", [0.03, 0.1, 0.2])
def test_peak_and_centre_of_mass_of_a_noisy_curve(noise: float) -> None:
    for function in (peak, com):
        found = ensemble(function, gauss(X), noise)
        assert np.nanmedian(np.abs(found - 0.37)) < 0.05 + noise
        assert np.nanmedian(found) == pytest.approx(0.37, abs=0.05)


def test_counts() -> None:
    random = np.random.default_rng(5)
    peaks, edges = [], []
    for _ in range(100):
        peaks.append(position(X, random.poisson(100 * gauss(X) + 5)))
        edges.append(position(X, random.poisson(100 * step(X) + 5)))
    for found in (np.array(peaks), np.array(edges)):
        assert np.nanmedian(np.abs(found - 0.37)) < 0.06
        assert np.nanquantile(np.abs(found - 0.37), 0.8) < 0.2


def test_noise_alone_has_no_peak() -> None:
    for function in (position, peak, com):
        assert np.mean(np.isnan(ensemble(function, np.zeros(51), 1))) > 0.85


def test_a_long_noisy_curve_is_quick_and_exact() -> None:
    x = np.linspace(-5, 5, 100_000)
    y = gauss(x) + 0.3 * np.random.default_rng(1).normal(size=len(x))
    assert cen(x, y).position == pytest.approx(0.37, abs=0.02)
    assert peak(x, y) == pytest.approx(0.37, abs=0.2)


# -- measured ------------------------------------------------------------------------------------------------------------


def test_transmittance() -> None:
    x, y = measured("transmittance")
    assert cen(x, y) == (pytest.approx(451.541, abs=0.15), pytest.approx(4.08883 * FWHM, abs=0.35))
    assert peak(x, y) == 451.5
    assert com(x, y) == pytest.approx(451.541, abs=0.3)


def test_resonance_of_which_the_baseline_was_not_measured() -> None:
    x, y = measured("resonance")
    assert peak(x, y) == pytest.approx(3.7798, abs=0.005)
    assert cen(x, y).position == pytest.approx(3.7798, abs=0.01)


def test_titanium() -> None:
    x, y = measured("titanium")
    assert peak(x, y) == 895
    assert cen(x, y) == (pytest.approx(898, abs=2), pytest.approx(44, abs=5))


@pytest.mark.parametrize(
    ("name", "middle", "within"), [("pasture", 40.3, 1.5), ("onions", 6.48, 0.25), ("mobility", -1.07, 0.05)]
)
def test_measured_edges(name: str, middle: float, within: float) -> None:
    x, y = measured(name)
    assert edge(x, y).position == pytest.approx(middle, abs=within)
    assert cen(x, y).position == pytest.approx(middle, abs=within)


@pytest.mark.parametrize("name", ["transmittance", "titanium", "mobility"])
def test_measured_curves_with_more_noise(name: str) -> None:
    x, y = measured(name)
    expected = cen(x, y)
    found = ensemble(position, y, 0.05 * np.ptp(y), x, 60)
    assert np.nanmedian(np.abs(found - expected.position)) < 0.1 * expected.fwhm
