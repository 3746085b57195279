"""Encoders: what measures where an axis is, read as counters are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from bliss_like.config.models import ItemConfig
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.devices.reading import answers, position_of
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.motor_controller import MotorController


class EncoderConfig(ItemConfig):
    """What YAML says of one encoder."""

    unit: str | None = None
    steps_per_unit: float = Field(
        default=1.0, allow_inf_nan=False, description="encoder steps in one dial unit of its axis"
    )
    tolerance: float = Field(default=1e-4, ge=0, description="dial units that axis and encoder may differ after a move")

    @model_validator(mode="after")
    def _check_scale(self) -> Self:
        if self.steps_per_unit == 0:
            raise ValueError("steps_per_unit must not be 0")
        return self


class Encoder(SamplingCounter):
    """One encoder of a motor controller; a counter in dial units of its axis."""

    def __init__(self, name: str, controller: EncoderCounters, config: EncoderConfig) -> None:
        super().__init__(name, controller, unit=config.unit)
        self.config = config
        self._motors = controller.motors
        self._is_ready = False

    @property
    def tolerance(self) -> float:
        return self.config.tolerance

    @property
    def steps_per_unit(self) -> float:
        return self.config.steps_per_unit

    def read(self) -> float:
        """Return where it is, in dial units."""
        return self.raw_read / self.steps_per_unit

    @property
    def raw_read(self) -> float:
        """Where it is, in its own steps."""
        self.make_ready()
        said = answers(self._motors, [self], self._motors.read_encoders(self), "encoders")
        return position_of(self, self._motors, said[0])

    def __info__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        try:
            where = f"{self.read():.10g}{unit}"
        except Exception as error:  # noqa: BLE001 - shown: the rest is known without the hardware
            where = f"!ERR ({error})"
        return (
            f"{super().__info__()}\n  reads     {where}\n  steps     {self.steps_per_unit:g} per unit of its axis, "
            f"tolerance {self.tolerance:g}{unit}"
        )

    def set(self, value: float) -> float:
        """Make the present place `value` (dial units), and return what it reads then."""
        self.make_ready()
        try:
            self._motors.set_encoder(self, float(value) * self.steps_per_unit)
        except NotImplementedError:
            raise DeviceError(f"{self.name}: its controller {self._motors.name} cannot set an encoder") from None
        return self.read()

    def make_ready(self) -> None:
        if not self._is_ready:
            self._motors.make_ready_for(self)
            self._is_ready = True


class EncoderCounters(SamplingCounterController):
    """Reads all encoders of one motor controller at once."""

    def __init__(self, motors: MotorController) -> None:
        super().__init__(motors.name)
        self.motors = motors

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        encoders = [counter for counter in counters if isinstance(counter, Encoder)]
        for encoder in encoders:
            encoder.make_ready()
        steps = self.motors.read_encoders(*encoders)
        return [value / encoder.steps_per_unit for value, encoder in zip(steps, encoders, strict=True)]
