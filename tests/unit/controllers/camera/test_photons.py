"""Random numbers of photons against the formula of Poisson."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bliss_like.controllers.simulated.photons import Photons

PIXELS, DRAWS = 100_000, 2


def drawn(mean: float) -> np.ndarray:
    """Return numbers for many pixels of one mean, prepared anew each time as for a spot that moves."""
    random = np.random.default_rng(1)
    found = []
    for _ in range(DRAWS):
        photons = Photons(np.full(PIXELS, mean, np.float32), random)
        found.append(photons.draw(random.standard_normal(photons.nmany, dtype=np.float32)))
    return np.concatenate(found)


def probability(number: int, mean: float) -> float:
    return math.exp(number * math.log(mean) - mean - math.lgamma(number + 1))


@pytest.mark.parametrize("mean", [0.001, 0.02, 0.099, 0.101, 0.3, 1.0, 3.3, 8.0, 17.0, 29.9, 31.0, 60.0, 1000.0])
def test_mean_and_variance(mean: float) -> None:
    numbers = drawn(mean)
    error = math.sqrt(mean / len(numbers))
    assert numbers.mean() == pytest.approx(mean, abs=4.5 * error)
    assert numbers.var() == pytest.approx(mean, abs=4.5 * error * math.sqrt(1 + 2 * mean) + 1 / 12)  # of the rounding
    assert np.array_equal(numbers, np.rint(numbers))


@pytest.mark.parametrize("mean", [0.001, 0.02, 0.099, 0.101, 0.3, 1.0, 3.3, 8.0, 17.0, 29.9])
def test_distribution(mean: float) -> None:
    numbers = drawn(mean)
    found = np.bincount(numbers.astype(int))
    expected = np.array([probability(n, mean) for n in range(len(found))]) * len(numbers)
    often = expected > 20
    terms = (found[often] - expected[often]) ** 2 / expected[often]
    assert terms.sum() < len(terms) + 4 * math.sqrt(2 * len(terms))
    assert found[~often].sum() == pytest.approx(len(numbers) - expected[often].sum(), abs=60)


def test_each_pixel_has_its_own_mean() -> None:
    random = np.random.default_rng(2)
    mean = np.array([[0.0, 0.05], [2.0, 20.0], [31.0, 500.0]], np.float32)
    photons = Photons(mean, random)
    ndraws = 5000
    total = np.zeros(mean.shape)
    for _ in range(ndraws):
        total += photons.draw(random.standard_normal(photons.nmany, dtype=np.float32))
    assert total[0, 0] == 0
    assert (np.abs(total / ndraws - mean) <= 4 * np.sqrt(mean / ndraws)).all()


def test_the_same_seed_gives_the_same_numbers() -> None:
    mean = np.linspace(0, 40, 400, dtype=np.float32).reshape(20, 20)

    def image() -> np.ndarray:
        random = np.random.default_rng(3)
        photons = Photons(mean, random)
        return photons.draw(random.standard_normal(photons.nmany, dtype=np.float32))

    assert np.array_equal(image(), image())
