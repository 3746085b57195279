"""What YAML says of counters that are calculated from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self, TypeVar

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from bliss_like.config.models import ItemConfig, ObjectConfig, Reference, StrictModel, having
from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import full_name_of
from bliss_like.errors import ConfigError

M = TypeVar("M", bound=ObjectConfig)

CounterReference = Annotated[Reference, having("a counter", "data_dtype", "conversion_function")]
"""A key that is written `$name` of a counter, or `$name.counters.image` of one that has no name of its own."""


class CalcInputConfig(StrictModel):
    """One counter that is calculated with."""

    counter: CounterReference
    tags: str = Field(default="", description="how the calculation calls it; absent: the name of the counter")

    @property
    def tag(self) -> str:
        """How the calculation calls it; empty where that cannot be told, as nothing was made of the reference."""
        return self.tags or (self.counter.name if isinstance(self.counter, Counter) else "")


class CalcOutputConfig(ItemConfig):
    """One counter that is calculated."""

    tags: str = Field(default="", description="how the calculation calls it; absent: its name")
    dim: int | None = Field(default=None, ge=0, description="of one point: 0 a number, 1 a spectrum, 2 an image")
    shape: list[int] | None = Field(default=None, description="of one point, instead of dim; -1: it may vary")
    dtype: str = Field(default="float64", description="of one point, as numpy calls it")
    unit: str | None = None

    @field_validator("dtype")
    @classmethod
    def _is_dtype(cls, dtype: str) -> str:
        try:
            return np.dtype(dtype).name
        except TypeError:
            raise ValueError(f"expected a dtype of numpy, such as float64 or int32, came {dtype!r}") from None

    @model_validator(mode="after")
    def _check_shape(self) -> Self:
        if self.dim is not None and self.shape is not None and len(self.shape) != self.dim:
            raise ValueError(
                f"shape {self.shape} has {len(self.shape)} dimensions, dim says {self.dim}; give one of them"
            )
        return self

    @property
    def tag(self) -> str:
        return self.tags or self.name


class CalcInputsConfig(ObjectConfig):
    """What is calculated with."""

    inputs: list[CalcInputConfig] = Field(min_length=1)

    @field_validator("inputs")
    @classmethod
    def _inputs_differ(cls, inputs: list[Any]) -> list[Any]:
        _refuse_twice("tags", [each.tag for each in inputs])
        _refuse_twice("counter", [full_name_of(each.counter) for each in inputs if isinstance(each.counter, Counter)])
        return inputs


def all_differ(outputs: list[Any]) -> list[Any]:
    """Return outputs.

    :raises ValueError: two have the same name or tag.
    """
    _refuse_twice("tags", [each.tag for each in outputs])
    _refuse_twice("name", [each.name for each in outputs])
    return outputs


class CalcCounterControllerConfig(CalcInputsConfig):
    """What YAML says of a controller of calculated counters; a class adds its keys."""

    outputs: list[CalcOutputConfig] = Field(min_length=1)

    _outputs_differ = field_validator("outputs")(all_differ)


def _refuse_twice(key: str, values: Sequence[str]) -> None:
    twice = next((value for n, value in enumerate(values) if value in values[:n]), "")
    if twice:
        raise ValueError(f"{key} {twice!r} is there twice")


def validated(model: type[M], name: str, keys: Mapping[str, Any]) -> M:
    """Return the configuration of an object that is made in Python, of no file.

    :raises ConfigError: what is wrong with its keys.
    """
    try:
        return model.model_validate({"name": name, **keys})
    except ValidationError as error:
        told = [
            f"{'.'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_url=False)
        ]
        raise ConfigError(f"{name}: {'; '.join(told)}") from None
