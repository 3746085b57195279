"""The energy that a crystal monochromator lets through, from its Bragg angle.

::

    - name: mono_energy
      class: EnergyWavelength
      crystal: Si(111)              # or dspace: 3.13556, in angstrom
      axes:
        - {name: $mono_bragg, tags: real monoang}
        - {name: energy, tags: energy, unit: keV}
        - {name: wavelength, tags: wavelength, unit: angstrom}
"""

from __future__ import annotations

import math
import re
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.calc_config import CalcControllerConfig
from bliss_like.devices.calculation import Value
from bliss_like.errors import AxisLimitError, DeviceError

KEV_ANGSTROM = 12.398419843320026
"""The energy of a photon times its wavelength: h c / e, exact by definition of the units."""

LATTICES = {"Si": 5.431020, "Ge": 5.657906, "C": 3.567}
"""Lattice parameters in angstrom, at room temperature, of crystals of the diamond structure."""

ANGLES = {"deg": math.radians(1), "rad": 1.0, "mrad": 1e-3, "urad": 1e-6}
ENERGIES = {"keV": 1.0, "eV": 1e-3}
WAVELENGTHS = {"angstrom": 1.0, "Å": 1.0, "A": 1.0, "nm": 10.0, "pm": 0.01}
"""What units are of radians, keV and angstrom; the first one is that of an axis without unit."""

_CRYSTAL = re.compile(r"([A-Z][a-z]?)\s*\(?\s*(\d)\s*(\d)\s*(\d)\s*\)?")


def d_spacing(crystal: str) -> float:
    """Return the distance of the lattice planes of a crystal, such as `Si(111)`, in angstrom.

    :raises ValueError: it is unknown, or does not reflect.
    """
    match = _CRYSTAL.fullmatch(crystal.strip())
    if match is None or match[1] not in LATTICES:
        raise ValueError(f"expected a crystal such as Si(111), of {', '.join(LATTICES)}; came {crystal!r}")
    h, k, l = (int(index) for index in match.groups()[1:])  # noqa: E741 - their names in crystallography
    odd = {index % 2 for index in (h, k, l)}
    if len(odd) > 1 or (odd == {0} and (h + k + l) % 4) or not (h or k or l):
        raise ValueError(
            f"{crystal}: no reflection; h, k, l are all odd, or all even with a sum that is a multiple of 4"
        )
    return LATTICES[match[1]] / math.sqrt(h * h + k * k + l * l)


class EnergyWavelength(CalcController):
    """Energy and wavelength are one thing in two units: a move of one is a move of the other."""

    class Config(CalcControllerConfig):
        dspace: float | None = Field(default=None, gt=0, description="angstrom")
        crystal: str | None = Field(default=None, description="instead of dspace, such as Si(111)")
        no_offset: bool = True

        @model_validator(mode="after")
        def _check(self) -> Self:
            if (self.dspace is None) == (self.crystal is None):
                raise ValueError("expected one of dspace, in angstrom, and crystal, such as Si(111)")
            if self.crystal is not None:
                d_spacing(self.crystal)
            self.require("monoang")
            return self

    def __init__(self, name: str, config: Config) -> None:
        """:raises DeviceError: a pseudo axis is missing, or an axis has an unknown unit."""
        super().__init__(name, config)
        self._dspace = config.dspace if config.dspace is not None else d_spacing(str(config.crystal))
        self._per_angle = self._unit("monoang", ANGLES)
        self._tables = {tag: units for tag, units in self._known() if tag in self._tagged}
        if not self._tables or len(self._tables) < len(self.pseudos):
            tags = ", ".join(self._tags[axis] for axis in self.pseudos) or "none"
            raise DeviceError(
                f"{name}: expected pseudo axes with the tags energy and wavelength, or one of them; got {tags}"
            )
        self._per = {tag: self._unit(tag, units) for tag, units in self._tables.items()}

    @staticmethod
    def _known() -> list[tuple[str, dict[str, float]]]:
        return [("energy", ENERGIES), ("wavelength", WAVELENGTHS)]

    def _unit(self, tag: str, units: dict[str, float]) -> float:
        axis = self.get_axis_by_tag(tag)
        unit = axis.unit or next(iter(units))
        if unit not in units:
            raise DeviceError(f"{self.name}: the unit of {axis.name} must be one of {', '.join(units)}, got {unit!r}")
        return units[unit]

    @property
    def dspace(self) -> float:
        """Distance of the lattice planes in angstrom; setting it moves nothing, the energy is another one then."""
        return self._dspace

    @dspace.setter
    def dspace(self, dspace: float) -> None:
        if not (math.isfinite(dspace) and dspace > 0):
            raise ValueError(f"{self.name}: dspace must be > 0 angstrom, got {dspace!r}")
        for axis in self.pseudos:
            axis.refuse_if_moving()
        self._dspace = float(dspace)
        self.events.recalculate()

    def complete(self, named: dict[str, Value]) -> dict[str, Value]:
        wavelengths = [self._wavelength(tag, value) for tag, value in named.items()]
        if len(wavelengths) == 2 and not np.allclose(wavelengths[0], wavelengths[1], rtol=1e-9):
            axes = " and ".join(self.get_axis_by_tag(tag).name for tag in named)
            raise AxisLimitError(f"{axes} are one thing in two units; move one of them, the other one follows")
        return {tag: self._in_units(tag, wavelengths[0]) for tag in self._per} | named

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        wavelength = 2 * self._dspace * np.sin(real_user_positions["monoang"] * self._per_angle)
        return {tag: self._in_units(tag, wavelength) for tag in self._per}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        tag = next(iter(self._per))
        sine = self._wavelength(tag, pseudo_dial_positions[tag]) / (2 * self._dspace)
        return {"monoang": np.arcsin(np.where(sine > 0, sine, math.nan)) / self._per_angle}

    def _wavelength(self, tag: str, value: Value) -> Any:
        """Return angstrom."""
        value = np.asarray(value) * self._per[tag]
        return value if tag == "wavelength" else _converted(value)

    def _in_units(self, tag: str, wavelength: Value) -> Any:
        return (wavelength if tag == "wavelength" else _converted(wavelength)) / self._per[tag]


def _converted(value: Any) -> Any:
    """Return the wavelength in angstrom of an energy in keV, or the other way round; infinite of 0."""
    with np.errstate(divide="ignore"):
        return np.divide(KEV_ANGSTROM, value)
