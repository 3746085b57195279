"""What stands on two or three jacks: its height and its angles.

::

    - name: table
      class: Table
      legs:                         # where each jack stands, from the point whose height is z: along the beam, across it
        front: [600, 0]
        back1: [-600, 350]
        back2: [-600, -350]
      axes:
        - {name: $tz1, tags: real front}
        - {name: $tz2, tags: real back1}
        - {name: $tz3, tags: real back2}
        - {name: table_z, tags: z, unit: mm}
        - {name: table_pitch, tags: pitch, unit: mrad}
        - {name: table_roll, tags: roll, unit: mrad}
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.calc_config import CalcControllerConfig
from bliss_like.devices.calculation import Value
from bliss_like.errors import DeviceError

from .energy_wavelength import ANGLES

_COLUMNS = {"z": 0, "x": 0, "pitch": 1, "yaw": 1, "roll": 2}
"""What a tag is made of: the height itself, its slope along the beam, its slope across it."""

_SINGULAR = 1e-9


class Table(CalcController):
    """A jack stands at z + along tan(pitch) + across tan(roll). Two jacks that push sideways make `x` and `yaw`."""

    class Config(CalcControllerConfig):
        legs: dict[str, tuple[float, float]] = Field(
            description="by tag of the real axis: [along the beam, across it], in the unit of the jacks"
        )
        no_offset: bool = True

        @model_validator(mode="after")
        def _check(self) -> Self:
            if len(self.legs) not in (2, 3):
                raise ValueError(f"legs: expected two or three, came {len(self.legs)}")
            self.require(*self.legs)
            return self

    def __init__(self, name: str, config: Config) -> None:
        """:raises DeviceError: an axis is missing or there is one too many, a unit does not fit, or the legs do not make the pseudo axes."""
        super().__init__(name, config)
        self._legs = list(config.legs)
        self._pseudo_tags = [self._tags[axis] for axis in self.pseudos]
        unknown = [tag for tag in self._pseudo_tags if tag not in _COLUMNS]
        strange = [self._tags[axis] for axis in self.reals if self._tags[axis] not in config.legs]
        if unknown or strange or len(self._pseudo_tags) != len(self._legs):
            raise DeviceError(
                f"{name}: expected a real axis for each of its legs {', '.join(self._legs)}, and as many pseudo axes, with "
                f"tags of {', '.join(_COLUMNS)}; got {', '.join(self._tags.values())}"
            )
        columns = [_COLUMNS[tag] for tag in self._pseudo_tags]
        self._to_legs = np.array([(1.0, *config.legs[leg]) for leg in self._legs])[:, columns]
        scale = np.abs(self._to_legs).max(axis=0)
        if not scale.all() or abs(np.linalg.det(self._to_legs / scale)) < _SINGULAR:
            raise DeviceError(
                f"{name}: legs that stand so ({_told(config.legs)}) cannot set {', '.join(self._pseudo_tags)}"
            )
        self._from_legs = np.linalg.inv(self._to_legs)
        self._units = [self._unit_of(axis) for axis in self.pseudos]

    def _unit_of(self, axis: Any) -> float:
        """Return the radians in one unit of an angle, 0 of what is no angle."""
        if _COLUMNS[self._tags[axis]]:
            unit = axis.unit or "mrad"
            if unit not in ANGLES:
                raise DeviceError(
                    f"{self.name}: the unit of {axis.name} must be one of {', '.join(ANGLES)}, got {unit!r}"
                )
            return ANGLES[unit]
        units = {each.unit for each in [axis, *self.reals] if each.unit is not None}
        if len(units) > 1:
            raise DeviceError(
                f"{self.name}: {axis.name} and the legs must be in one unit, got {', '.join(sorted(units))}"
            )
        return 0.0

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        heights = [real_user_positions[leg] for leg in self._legs]
        slopes = np.tensordot(self._from_legs, np.stack(heights), axes=1)
        return {
            tag: np.arctan(slope) / radians if radians else slope
            for tag, slope, radians in zip(self._pseudo_tags, slopes, self._units, strict=True)
        }

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        slopes = [
            np.tan(pseudo_dial_positions[tag] * radians) if radians else pseudo_dial_positions[tag]
            for tag, radians in zip(self._pseudo_tags, self._units, strict=True)
        ]
        return dict(zip(self._legs, np.tensordot(self._to_legs, np.stack(slopes), axes=1), strict=True))


def _told(legs: dict[str, tuple[float, float]]) -> str:
    return ", ".join(f"{leg} at {along:g}, {across:g}" for leg, (along, across) in legs.items())
