"""What YAML says of one axis."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from bliss_like.config.models import ItemConfig, LazyReference, Reference, StrictModel, having

AxisReference = Annotated[Reference, having("an axis", "position", "move")]
"""A key that is written `$name` of an axis."""

HookReference = Annotated[Reference, having("a motion hook", "pre_move", "post_move")]


class ClosedLoopConfig(StrictModel):
    """What YAML says of the closed loop of an axis; a driver adds the parameters that it requires."""

    state: Literal["on", "off", "manual"] | None = Field(default=None, description="absent: as the hardware has it")

    @field_validator("state", mode="before")
    @classmethod
    def _as_a_word(cls, state: Any) -> Any:
        if isinstance(state, bool):
            return "on" if state else "off"
        return state.lower() if isinstance(state, str) else state


class AxisConfig(ItemConfig):
    """What YAML says of one axis; a driver adds its keys."""

    class_: Literal["", "Axis", "ModuloAxis", "NoSettingsAxis"] = Field("", alias="class")
    unit: str | None = None
    steps_per_unit: float = Field(
        default=1.0, allow_inf_nan=False, description="controller units in one dial unit; negative turns the way"
    )
    sign: Literal[1, -1] = 1
    velocity: float | None = Field(default=None, gt=0, description="units/s; absent: what the hardware has")
    acceleration: float | None = Field(default=None, gt=0, description="units/s²; absent: what the hardware has")
    acctime: float | None = Field(default=None, gt=0, description="seconds to full velocity, instead of acceleration")
    jog_velocity: float | None = Field(default=None, gt=0, description="units/s; absent: the velocity")
    velocity_low_limit: float = Field(default=0.0, ge=0, description="units/s; no slower velocity can be set")
    velocity_high_limit: float = Field(default=math.inf, gt=0, description="units/s; no faster velocity can be set")
    low_limit: float = Field(default=-math.inf, description="dial units")
    high_limit: float = Field(default=math.inf, description="dial units")
    backlash: float = Field(
        default=0.0, allow_inf_nan=False, description="units; every motion ends in the direction of its sign"
    )
    tolerance: float | None = Field(default=1e-4, ge=0, description="units from the target; null: trust the controller")
    timeout: float = Field(default=10.0, gt=0, description="seconds an axis may come no nearer to its target")
    polling_time: float = Field(default=0.02, gt=0, description="seconds between two looks at a moving axis")
    check_discrepancy: bool = Field(default=True, description="refuse to move when somebody else has moved it")
    modulo: float | None = Field(default=None, gt=0, description="units of one turn: positions are those within it")
    encoder: Annotated[LazyReference, having("an encoder", "read", "tolerance")] | None = Field(
        default=None, description="what measures where the axis is"
    )
    check_encoder: bool | None = Field(default=None, description="at the end of a motion; absent: if there is one")
    read_position: Literal["controller", "encoder"] = Field("controller", description="where the position comes from")
    closed_loop: dict[str, Any] | None = Field(default=None, description="state: 'on' or 'off', and its parameters")
    motion_hooks: list[HookReference] = Field(default_factory=list, description="what is done before and after motions")
    autopower: bool = Field(default=False, description="switch the power on before a motion, and off after it")
    tags: str | list[str] = Field(default_factory=list, description="what the axis is to a calculation")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.low_limit < self.high_limit:
            raise ValueError(f"low_limit {self.low_limit:g} must be below high_limit {self.high_limit:g}")
        if self.steps_per_unit == 0:
            raise ValueError("steps_per_unit must not be 0")
        if not self.velocity_low_limit < self.velocity_high_limit:
            raise ValueError(
                f"velocity_low_limit {self.velocity_low_limit:g} must be below velocity_high_limit "
                f"{self.velocity_high_limit:g}"
            )
        velocity = self.velocity
        if velocity is not None and not self.velocity_low_limit <= velocity <= self.velocity_high_limit:
            raise ValueError(
                f"velocity {velocity:g} must be between {self.velocity_low_limit:g} and {self.velocity_high_limit:g}"
            )
        if self.acceleration is not None and self.acctime is not None:
            raise ValueError("give acceleration or acctime, not both")
        if self.class_ == "ModuloAxis" and self.modulo is None:
            raise ValueError("a ModuloAxis needs modulo, the units of one turn")
        if self.read_position == "encoder" and self.encoder is None:
            raise ValueError("read_position: encoder needs an encoder: $...")
        return self

    def get(self, key: str, converter: Any = None, default: Any = None) -> Any:
        """Return the value of a key, `default` if it is absent; for drivers in the style of BLISS."""
        value = getattr(self, key, None)
        if value is None:
            return default
        return value if converter is None else converter(value)
