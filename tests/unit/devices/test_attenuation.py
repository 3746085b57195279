"""Transmission of filters against values of other tables."""

from __future__ import annotations

import math

import pytest

from bliss_like.devices.attenuation import MATERIALS, mass_attenuation, transmission
from bliss_like.errors import DeviceError

CHANTLER = [
    # C. T. Chantler, J. Phys. Chem. Ref. Data 24 (1995) 71, as in the package xraydb: material, keV, cm2/g
    ("Be", 10, 0.6118), ("C", 10, 2.27), ("C", 25, 0.3143), ("Al", 8, 49.11), ("Al", 12, 14.74), ("Al", 20, 3.337),
    ("Si", 10, 32.89), ("Ti", 10, 110.0), ("Fe", 7, 52.73), ("Fe", 8, 303.4), ("Fe", 20, 25.22), ("Ni", 10, 209.5),
    ("Cu", 8, 50.73), ("Cu", 10, 214.1), ("Cu", 20, 33.51), ("Zr", 10, 72.52), ("Mo", 15, 27.41), ("Mo", 25, 45.38),
    ("Ag", 20, 17.86), ("Ag", 40, 16.97),
]  # fmt: skip


@pytest.mark.parametrize(("material", "energy", "expected"), CHANTLER)
def test_it_agrees_with_another_table(material: str, energy: float, expected: float) -> None:
    assert mass_attenuation(material, energy) == pytest.approx(expected, rel=0.07)


@pytest.mark.parametrize(("material", "edge"), [("Fe", 7.112), ("Cu", 8.979), ("Mo", 20.0), ("Ag", 25.514)])
def test_edges_are_where_they_are(material: str, edge: float) -> None:
    assert mass_attenuation(material, edge * 1.001) > 5 * mass_attenuation(material, edge * 0.999)


def test_transmission_is_exponential() -> None:
    once = transmission("Al", 0.1, 12)
    assert once == pytest.approx(math.exp(-mass_attenuation("Al", 12) * 2.7 * 0.01))
    assert transmission("Al", 0.3, 12) == pytest.approx(once**3)
    assert transmission("C", 1, 12, density=3.51) < transmission("C", 1, 12)
    assert transmission("Cu", 0, 12) == 1


@pytest.mark.parametrize("energy", [1.99, 100.1, math.nan])
def test_an_energy_outside_the_table(energy: float) -> None:
    with pytest.raises(DeviceError, match="attenuation of Al is tabulated from 2 to 100 keV"):
        mass_attenuation("Al", energy)


def test_an_unknown_material_and_all_known_ones() -> None:
    with pytest.raises(DeviceError, match="no attenuation is tabulated for 'Unobtainium'; there are: Be, C, Al"):
        transmission("Unobtainium", 1, 10)
    assert all(0 < mass_attenuation(material, 2.0) < 1e4 for material in MATERIALS)
