"""A shutter that is an axis: a blade with a position in which the beam passes, and one in which it does not."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.shutter import BaseShutter, BaseShutterState


class MotorShutter(BaseShutter):
    """Open within `tolerance` of one position, closed within it of the other, and in between neither."""

    class Config(ObjectConfig):
        axis: AxisReference
        open_position: float = Field(description="user units of the axis")
        closed_position: float = Field(description="user units of the axis")
        tolerance: float = Field(default=0.01, gt=0, description="user units of the axis")
        timeout: float = Field(default=30.0, gt=0, description="seconds that it may take to open or to close")

        @model_validator(mode="after")
        def _check(self) -> Self:
            if abs(self.open_position - self.closed_position) <= 2 * self.tolerance:
                raise ValueError(
                    f"open_position {self.open_position:g} and closed_position {self.closed_position:g} cannot be told "
                    f"from each other within a tolerance of {self.tolerance:g}"
                )
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._config = config
        self._axis = config.axis

    def _state(self) -> BaseShutterState:
        state = self._axis.state
        if "MOVING" in state:
            return BaseShutterState.MOVING
        position = self._axis.position
        if abs(position - self._config.closed_position) <= self._config.tolerance:
            return BaseShutterState.CLOSED
        if abs(position - self._config.open_position) <= self._config.tolerance:
            return BaseShutterState.OPEN
        return BaseShutterState.FAULT if "FAULT" in state else BaseShutterState.UNKNOWN

    def _open(self) -> None:
        self._axis.move(self._config.open_position, wait=False)

    def _close(self) -> None:
        if self._axis.is_moving:
            self._axis.stop()
        self._axis.move(self._config.closed_position, wait=False)
