"""Something that an axis brings into the beam or out of it: a screen, a diode, a filter on a motor."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.actuator import AbstractActuator, ActuatorState
from bliss_like.devices.axis_config import AxisReference


class AxisActuator(AbstractActuator):
    """In or out within `tolerance` of one position or the other."""

    class Config(ObjectConfig):
        axis: AxisReference
        in_position: float = Field(description="user units of the axis")
        out_position: float = Field(description="user units of the axis")
        tolerance: float = Field(default=0.01, gt=0, description="user units of the axis")
        timeout: float = Field(default=60.0, gt=0, description="seconds that it may take on its way")

        @model_validator(mode="after")
        def _check(self) -> Self:
            if abs(self.in_position - self.out_position) <= 2 * self.tolerance:
                raise ValueError(
                    f"in_position {self.in_position:g} and out_position {self.out_position:g} cannot be told from each "
                    f"other within a tolerance of {self.tolerance:g}"
                )
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._config = config
        self._axis = config.axis

    def _set_in(self) -> None:
        self._axis.move(self._config.in_position, wait=False)

    def _set_out(self) -> None:
        self._axis.move(self._config.out_position, wait=False)

    def _state(self) -> ActuatorState:
        state = self._axis.state
        if "MOVING" in state:
            return ActuatorState.MOVING
        position = self._axis.position
        if abs(position - self._config.in_position) <= self._config.tolerance:
            return ActuatorState.IN
        if abs(position - self._config.out_position) <= self._config.tolerance:
            return ActuatorState.OUT
        return ActuatorState.FAULT if "FAULT" in state else ActuatorState.UNKNOWN
