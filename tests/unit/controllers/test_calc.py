"""Slits, energy, table and the like: there and back again, and what they say of what they cannot do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bliss_like.controllers.calc.coupled import Coupled
from bliss_like.controllers.calc.energy_wavelength import EnergyWavelength, d_spacing
from bliss_like.controllers.calc.fixed_exit import FixedExit
from bliss_like.controllers.calc.interpolated import Interpolated
from bliss_like.controllers.calc.slits import Slits
from bliss_like.controllers.calc.table import Table
from bliss_like.devices.axis_group import move
from bliss_like.devices.calc_axis import CalcController
from bliss_like.errors import AxisLimitError, DeviceError
from tests.unit.devices.calc import calc, real_axes

LEGS = {"front": [600.0, 0.0], "back1": [-600.0, 350.0], "back2": [-600.0, -350.0]}
TABLE = {"energy": [5.0, 10.0, 6.5, 8.0], "gap": [6.0, 11.0, 7.2, 8.6], "taper": [0.0, 0.1, 0.1, 0.0]}
GAPS = {"vgap": {}, "voffset": {}, "hgap": {}, "hoffset": {}}


def blades(**keys: Any) -> Slits:
    up, down, front, back = real_axes("up", "down", "front", "back")
    return calc(Slits, {"up": up, "down": down, "front": front, "back": back}, GAPS, **keys)


def mono(**keys: Any) -> EnergyWavelength:
    (theta,) = real_axes("theta", initial_position=9.1, unit="deg")
    return calc(
        EnergyWavelength, {"monoang": theta}, {"energy": {}, "wavelength": {}}, **{"crystal": "Si(111)", **keys}
    )


def fixed_exit() -> FixedExit:
    theta, gap = real_axes("theta", "gap", initial_position=9.0)
    return calc(FixedExit, {"theta": theta, "gap": gap}, {"bragg": {"unit": "deg"}, "exit": {"unit": "mm"}})


def table() -> Table:
    front, back1, back2 = real_axes("front", "back1", "back2", unit="mm")
    return calc(Table, {"front": front, "back1": back1, "back2": back2}, {"z": {}, "pitch": {}, "roll": {}}, legs=LEGS)


def coupled() -> Coupled:
    first, second = real_axes("first", "second")
    return calc_of_items(
        Coupled,
        {"name": first, "tags": "real first", "ratio": -2},
        {"name": second, "tags": "real second", "ratio": 0.5, "zero": 3},
        {"name": "both"},
    )


def calc_of_items(calc_class: type[Any], *items: dict[str, Any], **keys: Any) -> Any:
    return calc_class("calc", calc_class.Config.model_validate({"name": "calc", "axes": list(items), **keys}))


def undulator() -> Interpolated:
    gap, taper = real_axes("gap", "taper")
    return calc(Interpolated, {"gap": gap, "taper": taper}, {"energy": {"unit": "keV"}}, table=TABLE)


RANGES = {
    blades: (-10, 10),
    mono: (4, 30),
    fixed_exit: (1, 60),
    table: (-5, 5),
    coupled: (-100, 100),
    undulator: (5, 10),
}
"""Where the first pseudo axis of each may go, in its unit; the others go there too unless they are the same thing."""


@pytest.mark.parametrize("maker", RANGES, ids=lambda maker: maker.__name__)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_there_and_back(maker: Any, data: st.DataObject) -> None:
    made = maker()
    low, high = RANGES[maker]
    lines = {axis: data.draw(st.lists(st.floats(low, high), min_size=3, max_size=3)) for axis in wanted(made)}
    for row in zip(*lines.values(), strict=True):
        targets = dict(zip(lines, row, strict=True))
        move(targets)
        assert {axis: axis.position for axis in targets} == pytest.approx(targets, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("maker", RANGES, ids=lambda maker: maker.__name__)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_arrays_are_loops_of_floats(maker: Any, data: st.DataObject) -> None:
    made = maker()
    low, high = RANGES[maker]
    lines = {axis: np.array(data.draw(st.lists(st.floats(low, high), min_size=4, max_size=4))) for axis in wanted(made)}
    whole = {made._tags[axis]: axis.user2dial(line) for axis, line in lines.items()}
    arrays = made._to_real(made.complete(whole))
    for number in range(4):
        floats = made._to_real(made.complete({tag: float(line[number]) for tag, line in whole.items()}))
        assert {tag: line[number] for tag, line in arrays.items()} == pytest.approx(floats, rel=1e-12, abs=1e-12)
    back = made._from_real(arrays)
    for tag, line in whole.items():
        assert back[tag] == pytest.approx(line, rel=1e-9, abs=1e-9)


def wanted(made: CalcController) -> list[Any]:
    return made.pseudos[:1] if isinstance(made, EnergyWavelength) else made.pseudos


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_offsets_and_signs_of_all_axes(data: st.DataObject) -> None:
    made = blades(no_offset=False)
    for axis in [*made.reals, *made.pseudos]:
        axis.sign = data.draw(st.sampled_from([1, -1]))
        axis.offset = data.draw(st.floats(-10, 10))
    targets = {axis: data.draw(st.floats(-10, 10)) for axis in made.pseudos[:3]}
    left = made.pseudos[3].position
    move(targets)
    assert {axis: axis.position for axis in targets} == pytest.approx(targets, abs=1e-6)
    assert made.pseudos[3].position == pytest.approx(left, abs=1e-6)
    here = {axis: axis.position for axis in made.reals}
    move({axis: axis.dial2user(axis.dial) for axis in made.pseudos})
    assert {axis: axis.position for axis in made.reals} == pytest.approx(here, abs=1e-6)


# -- slits


def test_a_gap_opens_both_blades_and_nothing_else() -> None:
    slits = blades()
    vgap, voffset = slits.axes["vgap"], slits.axes["voffset"]
    targets = slits.real_targets({vgap: 2, voffset: 0.5})
    assert {axis.name: position for axis, position in targets.items()} == {"up": 1.5, "down": 0.5}


def test_the_horizontal_offset_is_positive_to_the_hall() -> None:
    slits = blades()
    targets = slits.real_targets({slits.axes["hgap"]: 5, slits.axes["hoffset"]: 1.5})
    assert {axis.name: position for axis, position in targets.items()} == {"front": 4, "back": 1}


@pytest.mark.parametrize("plus, minus", [("front", "back"), ("hall", "ring")])
def test_one_pair_of_blades(plus: str, minus: str) -> None:
    one, other = real_axes("one", "other")
    slits = calc(Slits, {plus: one, minus: other}, {"hgap": {}, "hoff": {}})
    assert slits.real_targets({slits.axes["hoff"]: 1}) == {one: 1, other: -1}


def test_a_blade_is_missing() -> None:
    up, front = real_axes("up", "front")
    with pytest.raises(ValidationError, match="no axis has the tag down, voffset; there are .up .up., vgap .vgap."):
        calc(Slits, {"up": up}, {"vgap": {}})
    with pytest.raises(
        ValidationError, match="no axis has the tag up, down, vgap, voffset, back, hgap, hoffset; there are"
    ):
        calc(Slits, {"front": front}, {}, slit_type="both")


# -- energy


def test_energy_and_angle() -> None:
    energy = mono().axes["energy"]
    assert energy.position == pytest.approx(12.5, abs=0.001)
    assert energy.controller.axes["wavelength"].position == pytest.approx(12.398419843 / energy.position)


def test_energy_and_wavelength_are_one_thing() -> None:
    made = mono()
    energy, wavelength, theta = made.axes["energy"], made.axes["wavelength"], made.reals[0]
    by_energy = made.real_targets({energy: 10})[theta]
    assert by_energy == pytest.approx(math.degrees(math.asin(12.398419843 / (2 * 3.135602 * 10))), abs=1e-4)
    assert made.real_targets({wavelength: 1.2398419843}) == {theta: pytest.approx(by_energy)}
    assert made.real_targets({wavelength: 1.2398419843320026, energy: 10}) == {theta: pytest.approx(by_energy)}
    with pytest.raises(AxisLimitError, match="energy and wavelength are one thing in two units; move one of them"):
        made.real_targets({energy: 10, wavelength: 1})


def test_units_of_energy_and_angle() -> None:
    (theta,) = real_axes("theta", unit="mrad", initial_position=158.83)
    made = calc(
        EnergyWavelength, {"monoang": theta}, {"energy": {"unit": "eV"}, "wavelength": {"unit": "nm"}}, dspace=3.13556
    )
    assert made.axes["energy"].position == pytest.approx(12500, abs=1)
    assert made.axes["wavelength"].position == pytest.approx(0.09919, abs=1e-5)
    with pytest.raises(DeviceError, match="the unit of energy must be one of keV, eV, got 'J'"):
        calc(EnergyWavelength, {"monoang": theta}, {"energy": {"unit": "J"}}, dspace=3)


@pytest.mark.parametrize("energy", [1.5, 0.0, -3.0])
def test_an_energy_that_no_angle_makes(energy: float) -> None:
    axis = mono().axes["energy"]
    with pytest.raises(AxisLimitError, match=rf"no position of theta brings energy to {energy:g}: calc calculates nan"):
        axis.controller.real_targets({axis: energy})
    with pytest.raises(AxisLimitError, match=rf"no position of theta brings energy to {energy:g}: calc calculates nan"):
        axis.controller.real_targets({axis: np.array([10.0, 8.0, energy])})


def test_another_crystal() -> None:
    made = mono()
    energy, dspace = made.axes["energy"], made.dspace
    before = energy.position
    made.dspace = d_spacing("Si311")
    assert energy.position / before == pytest.approx(dspace / 1.63751, abs=1e-4)
    with pytest.raises(ValueError, match="calc: dspace must be > 0 angstrom, got 0"):
        made.dspace = 0


def test_d_spacings() -> None:
    assert d_spacing("Si(111)") == pytest.approx(3.13560, abs=1e-5)
    assert d_spacing("Ge 220") == pytest.approx(2.00037, abs=1e-4)
    for wrong in ("Si", "Xx(111)", "Si(11)"):
        with pytest.raises(ValueError, match="expected a crystal such as Si"):
            d_spacing(wrong)
    for forbidden in ("Si(200)", "Si(210)"):
        with pytest.raises(ValueError, match="no reflection"):
            d_spacing(forbidden)
    with pytest.raises(ValueError, match="expected one of dspace, in angstrom, and crystal"):
        mono(dspace=3.1)


# -- nested


def test_an_energy_over_a_fixed_exit() -> None:
    first = fixed_exit()
    energy = calc(EnergyWavelength, {"monoang": first.axes["bragg"]}, {"energy": {}}, crystal="Si(111)").axes["energy"]
    theta, gap = first.reals
    before = first.axes["exit"].position
    (bragg,) = energy.controller.real_targets({energy: 8})
    assert bragg is first.axes["bragg"]
    for kev in (8, 12.3, 5):
        energy.move(kev)
        assert energy.position == pytest.approx(kev)
        assert first.axes["exit"].position == pytest.approx(before)
    energy.rmove(-0.5)
    assert energy.position == pytest.approx(4.5)
    assert gap.position == pytest.approx(before / 2 / math.cos(math.radians(theta.position)))


# -- table


def test_a_table_that_tilts() -> None:
    made = table()
    front, back1, back2 = made.reals
    assert made.real_targets({made.axes["z"]: 3}) == {front: 3, back1: 3, back2: 3}
    slope = math.tan(1e-3)
    pitched = made.real_targets({made.axes["pitch"]: 1})
    assert pitched == pytest.approx({front: 600 * slope, back1: -600 * slope, back2: -600 * slope})
    rolled = made.real_targets({made.axes["roll"]: 1})
    assert rolled == pytest.approx({back1: 350 * slope, back2: -350 * slope})


def test_two_jacks_that_push_sideways() -> None:
    front, back = real_axes("tx1", "tx2", unit="mm")
    made = calc(
        Table,
        {"front": front, "back": back},
        {"x": {"unit": "mm"}, "yaw": {"unit": "deg"}},
        legs={"front": [500, 0], "back": [-500, 0]},
    )
    slope = math.tan(math.radians(0.1))
    assert made.real_targets({made.axes["x"]: 1, made.axes["yaw"]: 0.1}) == pytest.approx(
        {front: 1 + 500 * slope, back: 1 - 500 * slope}
    )


def test_legs_in_a_line_have_no_roll() -> None:
    one, two, three = real_axes("one", "two", "three")
    with pytest.raises(
        DeviceError, match=r"legs that stand so \(a at 0, 0, b at 1, 1, c at 2, 2\) cannot set z, pitch, roll"
    ):
        calc(
            Table,
            {"a": one, "b": two, "c": three},
            {"z": {}, "pitch": {}, "roll": {}},
            legs={"a": [0, 0], "b": [1, 1], "c": [2, 2]},
        )
    with pytest.raises(DeviceError, match="z and the legs must be in one unit, got mm, um"):
        calc(
            Table,
            dict(zip("ab", real_axes("four", "five", unit="mm"), strict=True)),
            {"z": {"unit": "um"}, "pitch": {}},
            legs={"a": [0, 0], "b": [1, 0]},
        )


# -- coupled, interpolated


def test_coupled_axes() -> None:
    made = coupled()
    first, second = made.reals
    assert made.real_targets({made.axes["both"]: 4}) == {first: -8, second: 5}


def test_a_table_of_gaps() -> None:
    made = undulator()
    gap, taper = made.reals
    assert made.real_targets({made.axes["energy"]: 7.25}) == pytest.approx({gap: 7.9, taper: 0.05})
    with pytest.raises(
        AxisLimitError, match="energy: 10.5 is not in the table of calc, which goes from 5 to 10. Nothing"
    ):
        made.real_targets({made.axes["energy"]: np.array([6, 10.5, 12])})
    assert math.isnan(made.axes["energy"].position)


def test_tables_that_tell_nothing() -> None:
    gap, _ = real_axes("gap", "taper")
    with pytest.raises(DeviceError, match="the table has a value of gap twice"):
        calc(Interpolated, {"gap": gap}, {"energy": {}}, table={"energy": [1, 2, 3], "gap": [1, 1, 2]})
    with pytest.raises(ValueError, match="expected columns of one length"):
        calc(Interpolated, {"gap": gap}, {"energy": {}}, table={"energy": [1, 2, 3], "gap": [1, 2]})
    with pytest.raises(DeviceError, match="expected one pseudo axis, real ones, and a column of the table for each"):
        calc(Interpolated, {"gap": gap}, {"energy": {}}, table={"enrgy": [1, 2], "gap": [1, 2]})
