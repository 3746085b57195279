"""Scans of axes that are calculated from others."""

from __future__ import annotations

import numpy as np
import pytest

from bliss_like.controllers.calc.slits import Slits
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import AxisLimitError, ScanUsageError
from bliss_like.scans import a2scan, ascan, dmesh, dscan
from tests.unit.devices.calc import calc, real_axes


@pytest.fixture
def slits() -> Slits:
    up, down = real_axes("up", "down", unit="mm", low_limit=-5, high_limit=5)
    return calc(Slits, {"up": up, "down": down}, {"vgap": {"unit": "mm"}, "voffset": {}})


@pytest.fixture
def diode(slits: Slits) -> SoftCounter:
    return SoftCounter(slits.axes["vgap"], "position", name="seen")


def test_a_scan_of_a_gap(slits: Slits, diode: SoftCounter) -> None:
    vgap, up = slits.axes["vgap"], slits.reals[0]
    scan = ascan(vgap, 0, 4, 4, 0, diode)
    for data in (vgap, diode):
        assert scan.get_data(data) == pytest.approx(np.linspace(0, 4, 5))
    assert scan.node.info["channels"]["axis:vgap"]["unit"] == "mm"
    assert up.position == 2
    dscan(vgap, -1, 1, 2, 0, diode)
    assert (vgap.position, up.position) == (4, 2)


def test_scans_of_two_axes_of_one_slit(slits: Slits, diode: SoftCounter) -> None:
    vgap, voffset, (up, down) = slits.axes["vgap"], slits.axes["voffset"], slits.reals
    scan = a2scan(vgap, 0, 2, voffset, 0, 1, 2, 0, diode)
    assert scan.get_data(vgap).tolist() == [0, 1, 2]
    assert scan.get_data(voffset).tolist() == [0, 0.5, 1]
    scan = dmesh(vgap, -1, 1, 2, voffset, 0, 1, 1, 0, diode)
    assert scan.get_data(vgap).tolist() == [1, 2, 3] * 2
    assert (up.position, down.position) == (2, 0)


def test_a_scan_that_a_real_axis_could_not_follow_does_not_begin(slits: Slits, diode: SoftCounter) -> None:
    vgap, up = slits.axes["vgap"], slits.reals[0]
    with pytest.raises(AxisLimitError, match="^up: 5.5 is above its high limit 5 by 0.5 mm, where vgap would need"):
        ascan(vgap, 0, 11, 2, 0, diode)
    with pytest.raises(ScanUsageError, match="up is moved by vgap already: it cannot be at two places at once"):
        a2scan(vgap, 0, 2, up, 0, 1, 2, 0, diode)
    assert up.position == 0
