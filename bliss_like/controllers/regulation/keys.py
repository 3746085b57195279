"""What YAML says of inputs, outputs, loops and the axes of loops."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bliss_like.config.models import ItemConfig, ObjectConfig, StrictModel, Unresolved
from bliss_like.devices.axis import AxisConfig
from bliss_like.devices.counter import SamplingMode


class InputKeys(StrictModel):
    """Of whatever is measured."""

    channel: str | int | None = Field(default=None, description="what the hardware calls it")
    unit: str | None = None
    sampling_mode: str = Field(default=SamplingMode.MEAN.name, description="what its counter makes of several readings")
    max_sampling_frequency: float | None = Field(default=None, gt=0, description="readings a second that it bears")


class OutputKeys(InputKeys):
    """Of whatever acts on what is measured."""

    low_limit: float = Field(default=-math.inf, description="no lower value is written")
    high_limit: float = Field(default=math.inf, description="no higher value is written")
    ramprate: float | None = Field(default=None, ge=0, description="units/s to a new value; 0: at once")
    safe_value: float | None = Field(
        default=None, description="written when a soft loop ends; absent: 0, or the limit that is next to it"
    )

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        if not self.low_limit < self.high_limit:
            raise ValueError(f"low_limit {self.low_limit:g} must be below high_limit {self.high_limit:g}")
        if self.safe_value is not None and not self.low_limit <= self.safe_value <= self.high_limit:
            raise ValueError(
                f"safe_value {self.safe_value:g} must be within the limits {self.low_limit:g} .. {self.high_limit:g}"
            )
        return self


class LoopKeys(StrictModel):
    """Of a loop, whoever regulates."""

    channel: str | int | None = Field(default=None, description="what the hardware calls it")
    P: float | None = Field(default=None, description="absent: what the hardware has; of a soft loop 1")
    I: float | None = Field(  # noqa: E741 - as BLISS calls it
        default=None, ge=0, description="per second; absent: what the hardware has; of a soft loop 0"
    )
    D: float | None = Field(default=None, ge=0, description="seconds; absent: what the hardware has; of a soft loop 0")
    low_limit: float | None = Field(default=None, description="of what the PID gives; it stands for the output's own")
    high_limit: float | None = Field(default=None, description="of what the PID gives; it stands for the output's own")
    frequency: float | None = Field(default=None, gt=0, description="regulations a second")
    ramprate: float | None = Field(default=None, ge=0, description="units/s to a new setpoint; 0: at once")
    deadband: float = Field(default=0.1, gt=0, description="units from the setpoint at which it counts as reached")
    deadband_time: float = Field(default=1.0, ge=0, description="seconds that it has to stay there")
    wait_mode: Literal["ramp", "deadband"] = Field(
        default="deadband", description="ramp: a motion ends with the ramp; deadband: when the input has settled"
    )
    timeout: float = Field(default=600.0, gt=0, description="seconds without coming nearer, nor settling")
    polling_time: float = Field(default=0.1, gt=0, description="seconds between two looks at the input on the way")
    max_attempts_before_failure: int = Field(default=3, ge=1, description="readings in a row that may fail")
    autostart: bool = Field(default=True, description="a new setpoint switches the regulation on")

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if (self.low_limit is None) != (self.high_limit is None):
            raise ValueError("give low_limit and high_limit, or neither")
        if self.low_limit is not None and self.high_limit is not None and not self.low_limit < self.high_limit:
            raise ValueError(f"low_limit {self.low_limit:g} must be below high_limit {self.high_limit:g}")
        return self


class InputConfig(InputKeys, ItemConfig):
    """One input of a controller."""


class OutputConfig(OutputKeys, ItemConfig):
    """One output of a controller."""


class LoopConfig(LoopKeys, ItemConfig):
    """One loop of a controller."""

    input: Annotated[str, Unresolved()] = Field(description="an input of the same controller, such as $sensor")
    output: Annotated[str, Unresolved()] = Field(description="an output of the same controller, such as $heater")


class LoopAxisConfig(AxisConfig):
    """The setpoint of a loop as an axis; its limits are those of the setpoint."""

    tolerance: float | None = Field(default=None, ge=0, description="null: the loop says when it has arrived")
    timeout: float = Field(default=math.inf, gt=0, description="that of the loop is meant to end it")
    polling_time: float = Field(default=0.1, gt=0, description="seconds between two looks at a moving axis")


class NamedLoopAxisConfig(LoopAxisConfig):
    """The axis of one of several loops."""

    loop: Annotated[str, Unresolved()] = Field(description="a loop of the same controller, such as $regulation")


class RegulationConfig(ObjectConfig):
    """What YAML says of a box that regulates; a driver adds its fields, and may narrow the types of the items."""

    inputs: list[InputConfig] = Field(default_factory=list)
    outputs: list[OutputConfig] = Field(default_factory=list)
    ctrl_loops: list[LoopConfig] = Field(default_factory=list)
    axes: list[NamedLoopAxisConfig] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_own(self) -> Self:
        """Loops and axes name what is of this controller."""
        inputs, outputs = [item.name for item in self.inputs], [item.name for item in self.outputs]
        for loop in self.ctrl_loops:
            _check_name(f"loop {loop.name}: input", loop.input, inputs)
            _check_name(f"loop {loop.name}: output", loop.output, outputs)
        loops = [loop.name for loop in self.ctrl_loops]
        for axis in self.axes:
            _check_name(f"axis {axis.name}: loop", axis.loop, loops)
            loops.remove(own_name(axis.loop))
        return self


def own_name(text: str) -> str:
    """Return the name in `$name`."""
    return text.removeprefix("$")


def _check_name(where: str, text: str, known: list[str]) -> None:
    if own_name(text) not in known:
        choice = " or ".join(f"${name}" for name in known) or "one, but this controller has none left"
        raise ValueError(f"{where}: expected {choice}, came {text}")
