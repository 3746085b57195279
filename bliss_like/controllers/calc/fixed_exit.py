"""Two parallel crystals whose beam leaves at the same height at each angle: the distance between them follows the angle.

::

    - name: mono_fixed_exit
      class: FixedExit
      axes:
        - {name: $mono_bragg, tags: real theta}
        - {name: $mono_gap, tags: real gap}
        - {name: mono_angle, tags: bragg, unit: deg}        # the energy is calculated from this one
        - {name: mono_exit, tags: exit, unit: mm}
"""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.calc_config import CalcControllerConfig
from bliss_like.devices.calculation import Value
from bliss_like.errors import DeviceError

from .energy_wavelength import ANGLES


class FixedExit(CalcController):
    """The beam leaves 2 gap cos(theta) higher than it came."""

    class Config(CalcControllerConfig):
        no_offset: bool = True

        @model_validator(mode="after")
        def _check_axes(self) -> Self:
            self.require("theta", "gap", "bragg", "exit")
            return self

    def __init__(self, name: str, config: Config) -> None:
        """:raises DeviceError: the angles are not in the same known unit."""
        super().__init__(name, config)
        theta, bragg = self.get_axis_by_tag("theta"), self.get_axis_by_tag("bragg")
        unit = theta.unit or "deg"
        if unit not in ANGLES or (bragg.unit or unit) != unit:
            raise DeviceError(
                f"{name}: {theta.name} and {bragg.name} must be in the same unit, one of {', '.join(ANGLES)}; got "
                f"{theta.unit} and {bragg.unit}"
            )
        self._radians = ANGLES[unit]

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        theta, gap = real_user_positions["theta"], real_user_positions["gap"]
        return {"bragg": theta, "exit": 2 * gap * np.cos(theta * self._radians)}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        bragg, height = pseudo_dial_positions["bragg"], pseudo_dial_positions["exit"]
        return {"theta": bragg, "gap": height / (2 * np.cos(bragg * self._radians))}
