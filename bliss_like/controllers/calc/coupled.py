"""Axes that move together, each by its own ratio.

::

    - name: mirrors
      class: Coupled
      axes:
        - {name: $hrm1_z, tags: real first}                     # the first one tells where the pseudo axis is
        - {name: $hrm2_z, tags: real second, ratio: 2, zero: 0.5}
        - {name: hrm_z, tags: both, unit: mm}
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bliss_like.devices.calc_axis import CalcController
from bliss_like.devices.calc_config import CalcAxisConfig, CalcControllerConfig
from bliss_like.devices.calculation import Value
from bliss_like.errors import DeviceError


class CoupledAxisConfig(CalcAxisConfig):
    """What YAML says of a coupled axis."""

    ratio: float = Field(default=1.0, description="units of this real axis in one of the pseudo axis")
    zero: float = Field(default=0.0, description="where this real axis is when the pseudo axis is at 0")

    @model_validator(mode="after")
    def _check_ratio(self) -> Self:
        if self.ratio == 0:
            raise ValueError("ratio must not be 0: the axis would not move")
        if self.role == "pseudo" and self.model_fields_set & {"ratio", "zero"}:
            raise ValueError("ratio and zero are those of a real axis")
        return self


class Coupled(CalcController):
    """One pseudo axis, and real axes that stand at ratio * position + zero."""

    class Config(CalcControllerConfig):
        axes: list[CoupledAxisConfig]  # type: ignore[assignment]

    def __init__(self, name: str, config: Config) -> None:
        """:raises DeviceError: not one pseudo axis and a real one at least."""
        super().__init__(name, config)
        if len(self.pseudos) != 1 or not self.reals:
            raise DeviceError(f"{name}: expected one pseudo axis and real ones, got {', '.join(self._tags.values())}")
        self._tag = self._tags[self.pseudos[0]]
        self._lines = {item.tag: (item.ratio, item.zero) for item in config.axes if item.role == "real"}

    def calc_from_real(self, real_user_positions: dict[str, Value]) -> dict[str, Value]:
        first, (ratio, zero) = next(iter(self._lines.items()))
        return {self._tag: (real_user_positions[first] - zero) / ratio}

    def calc_to_real(self, pseudo_dial_positions: dict[str, Value]) -> dict[str, Value]:
        position = pseudo_dial_positions[self._tag]
        return {tag: ratio * position + zero for tag, (ratio, zero) in self._lines.items()}
