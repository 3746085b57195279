"""A set of filters that attenuate the beam: each of a material and a thickness, in the beam or out of it.

A filter is on an actuator of its own, or one of several places of a ladder or a wheel. On a change new filters go in before
old ones go out: nothing behind them sees more beam than before or after. (A ladder shows on its way what lies in between.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig, Reference, StrictModel, having
from bliss_like.controllers.multiple_positions import UNKNOWN
from bliss_like.devices import attenuation, numbers
from bliss_like.devices.actuator import ActuatorState
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.metadata import HasMetadataForScan
from bliss_like.errors import DeviceError

ActuatorReference = Annotated[Reference, having("an actuator", "set_in", "set_out")]
LadderReference = Annotated[Reference, having("what has positions with labels", "positions_list", "move")]


class FilterSet(HasMetadataForScan):
    """`att.transmission = 1e-3` takes the nearest that there is; `att.bits`: bit n is on when filter n is in."""

    class Filter(StrictModel):
        material: str = Field(description="one of bliss_like.devices.attenuation.MATERIALS")
        thickness: float = Field(gt=0, description="mm")
        density: float | None = Field(default=None, gt=0, description="g/cm³, where it is not the usual one")
        actuator: ActuatorReference | None = Field(default=None, description="brings it in and out")
        ladder: LadderReference | None = Field(
            default=None, description="MultiplePositions on which it is one of several"
        )
        label: str = Field(default="", description="its place on the ladder")

        @model_validator(mode="after")
        def _check(self) -> Self:
            if self.material not in attenuation.MATERIALS:
                raise ValueError(f"material: expected one of {', '.join(attenuation.MATERIALS)}, got {self.material!r}")
            if (self.actuator is None) == (self.ladder is None) or (self.ladder is None) == bool(self.label):
                raise ValueError("expected an actuator, or a ladder and the label of its place there")
            return self

    class Config(ObjectConfig):
        filters: list[FilterSet.Filter] = Field(min_length=1, max_length=16)
        empty: str = Field(default="empty", description="label of the place of a ladder where nothing is in the beam")
        energy: float | None = Field(default=None, gt=0, description="of the beam, keV; where no axis has it")
        energy_axis: AxisReference | None = Field(default=None, description="whose position is the energy, in keV")

        @model_validator(mode="after")
        def _check(self) -> Self:
            if (self.energy is None) == (self.energy_axis is None):
                raise ValueError("expected the energy of the beam: either `energy` in keV, or `energy_axis`")
            return self

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._config = config
        self._filters: Sequence[Any] = config.filters
        self._energy_axis: Any = config.energy_axis
        self._energy = config.energy or math.nan

    # -- what is in ----------------------------------------------------------------------------------------------------

    @property
    def bits(self) -> int:
        """Which filters are in the beam: bit 0 is the first one's.

        :raises DeviceError: one of them is neither in nor out.
        """
        return sum(1 << number for number in range(len(self._filters)) if self._is_in(number))

    @bits.setter
    def bits(self, bits: int) -> None:
        """:raises DeviceError: there is no such combination, or a filter did not get there."""
        if not hasattr(bits, "__index__") or bits not in self.combinations:
            raise DeviceError(
                f"{self.name} cannot have bits {bits!r}: expected 0 to {(1 << len(self._filters)) - 1}, and one filter of a "
                "ladder at most"
            )
        self._bring([n for n in range(len(self._filters)) if bits >> n & 1], into_beam=True)
        self._bring([n for n in range(len(self._filters)) if not bits >> n & 1], into_beam=False)

    def _is_in(self, number: int) -> bool:
        filter_ = self._filters[number]
        if filter_.ladder is not None:
            place = filter_.ladder.position
            if place not in filter_.ladder.positions_list:
                raise DeviceError(f"{self.name}: {filter_.ladder.name} is between its places, {self._way_out}")
            return bool(place == filter_.label)
        state = filter_.actuator.state
        if state not in (ActuatorState.IN, ActuatorState.OUT):
            raise DeviceError(f"{self.name}: {filter_.actuator.name} is {state}, neither in nor out; {self._way_out}")
        return bool(state is ActuatorState.IN)

    @property
    def _way_out(self) -> str:
        return f"{self.name}.bits = 0 takes all out"

    def _bring(self, numbers: Sequence[int], into_beam: bool) -> None:
        """Bring filters in or out, together, and return when they are there."""
        wanted = ActuatorState.IN if into_beam else ActuatorState.OUT
        actuators = [self._filters[n].actuator for n in numbers if self._filters[n].actuator is not None]
        moving = [actuator for actuator in actuators if actuator.state is not wanted]
        for actuator in moving:
            (actuator.set_in if into_beam else actuator.set_out)(wait=False)
        ladders = {}
        for n in numbers:
            filter_ = self._filters[n]
            if filter_.ladder is not None and into_beam:
                ladders[filter_.ladder] = filter_.label
            elif filter_.ladder is not None and filter_.ladder.position in (filter_.label, UNKNOWN):
                ladders.setdefault(filter_.ladder, self._config.empty)
        for ladder, label in ladders.items():
            ladder.move(label, wait=False)
        for ladder in ladders:
            ladder.wait()
        for actuator in moving:
            actuator.wait(wanted)

    @cached_property
    def combinations(self) -> list[int]:
        """All bits that there can be."""
        ladders: dict[int, int] = {}
        for number, filter_ in enumerate(self._filters):
            if filter_.ladder is not None:
                ladders[id(filter_.ladder)] = ladders.get(id(filter_.ladder), 0) | 1 << number
        every = range(1 << len(self._filters))
        return [bits for bits in every if all((bits & ladder).bit_count() <= 1 for ladder in ladders.values())]

    # -- what it lets through ------------------------------------------------------------------------------------------

    @property
    def energy(self) -> float:
        """Of the beam, in keV."""
        return float(self._energy if self._energy_axis is None else self._energy_axis.position)

    @energy.setter
    def energy(self, energy: float) -> None:
        if self._energy_axis is not None:
            raise DeviceError(f"{self.name} takes the energy from {self._energy_axis.name}: move that")
        energy = numbers.number(self, energy, "energy")
        attenuation.mass_attenuation(self._filters[0].material, energy)  # refuses what is in no table
        self._energy = energy

    def transmission_of(self, bits: int, energy: float | None = None) -> float:
        """What these filters would let through, from 0 to 1."""
        energy = self.energy if energy is None else numbers.number(self, energy, "energy")
        chosen = [filter_ for number, filter_ in enumerate(self._filters) if bits >> number & 1]
        return math.prod(attenuation.transmission(f.material, f.thickness, energy, f.density) for f in chosen)

    @property
    def transmission(self) -> float:
        """What is let through now, from 0 to 1; setting it takes the nearest that there is."""
        return self.transmission_of(self.bits)

    @transmission.setter
    def transmission(self, transmission: float) -> None:
        self.set_transmission(transmission)

    def scan_metadata(self) -> dict[str, Any]:
        """Return what every scan of the session is told; energy in keV, thickness in mm."""
        bits, energy = self.bits, self.energy
        chosen = [filter_ for number, filter_ in enumerate(self._filters) if bits >> number & 1]
        return {
            "bits": bits,
            "transmission": self.transmission_of(bits, energy),
            "energy": energy,
            "filters": [{"material": filter_.material, "thickness": filter_.thickness} for filter_ in chosen],
        }

    @property
    def attenuation(self) -> float:
        """1 / transmission."""
        return 1.0 / self.transmission

    @attenuation.setter
    def attenuation(self, factor: float) -> None:
        self.set_attenuation(factor)

    def set_transmission(self, transmission: float, energy: float | None = None) -> float:
        """Bring in the filters whose transmission comes nearest, by its logarithm; return what it is.

        :param energy: keV, by default that of the beam.
        :raises DeviceError: not above 0 and at most 1; or a filter did not get there.
        """
        if not numbers.is_number(transmission) or not 0.0 < transmission <= 1.0:
            raise DeviceError(f"{self.name}: expected a transmission above 0 and up to 1, got {transmission!r}")
        known = self.transmissions(energy)
        bits = min(known, key=lambda bits: abs(math.log(known[bits] / transmission)))
        self.bits = bits
        return known[bits]

    def set_attenuation(self, factor: float, energy: float | None = None) -> float:
        """As `set_transmission(1 / factor)`; return the factor that it is."""
        if not numbers.is_number(factor) or not factor >= 1.0:
            raise DeviceError(f"{self.name}: expected an attenuation of 1 or more, got {factor!r}")
        return 1.0 / self.set_transmission(1.0 / factor, energy)

    def transmissions(self, energy: float | None = None) -> dict[int, float]:
        """The transmission of all combinations that let anything through at all, by bits."""
        energy = self.energy if energy is None else energy
        known = [1.0]  # of the combinations of the first filters, by their bits
        for number in range(len(self._filters)):
            lets_through = self.transmission_of(1 << number, energy)
            known += [transmission * lets_through for transmission in known]
        return {bits: known[bits] for bits in self.combinations if known[bits] > 1e-30}

    def __info__(self) -> str:
        bits, energy = self.bits, self.energy
        lines = [f"{self.name}: transmission {self.transmission_of(bits, energy):.4g} at {energy:g} keV, bits {bits}"]
        for number, filter_ in enumerate(self._filters):
            lets = self.transmission_of(1 << number, energy)
            mark = "in " if bits >> number & 1 else "out"
            lines.append(f"  {number}  {mark}  {filter_.material} {filter_.thickness:g} mm  {lets:.4g}")
        return "\n".join(lines)
