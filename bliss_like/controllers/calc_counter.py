"""Calculated counters in the style of BLISS: with whatever keys in YAML, looked into as into a dict.

A class that was written for BLISS runs with its imports changed. A new one had better declare its keys in a `Config` of its
own, derived from `devices.calc_counter_config.CalcCounterControllerConfig`: then a misspelt key is an error with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from bliss_like.config.models import ObjectConfig
from bliss_like.devices import calc_counter
from bliss_like.devices.calc_counter_config import CalcCounterControllerConfig, CalcInputConfig, CalcOutputConfig
from bliss_like.errors import ConfigError

_TAKES_ANY_KEY = ConfigDict(extra="allow", arbitrary_types_allowed=True, populate_by_name=True)


class _LikeADict(BaseModel):
    """A configuration that takes keys which nobody has declared, and can be read as a dict."""

    def _written(self) -> dict[str, Any]:
        fields = {name: info.alias or name for name, info in type(self).model_fields.items()}
        return {fields.get(key, key): value for key, value in BaseModel.__iter__(self) if key in self.model_fields_set}

    def get(self, key: str, default: Any = None) -> Any:
        return self._written().get(key, default)

    def __getitem__(self, key: str) -> Any:
        return self._written()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._written()

    def keys(self) -> Iterator[str]:
        return iter(self._written())


class _InputConfig(_LikeADict, CalcInputConfig):
    model_config = _TAKES_ANY_KEY


class _OutputConfig(_LikeADict, CalcOutputConfig):
    model_config = _TAKES_ANY_KEY


class AnyKeysConfig(_LikeADict, CalcCounterControllerConfig):
    """What YAML says of a controller of calculated counters, and whatever else it says."""

    model_config = _TAKES_ANY_KEY

    inputs: list[_InputConfig] = Field(default_factory=list)  # type: ignore[assignment]
    outputs: list[_OutputConfig] = Field(default_factory=list)  # type: ignore[assignment]


class CalcCounterController(calc_counter.CalcCounterController):
    """A controller of calculated counters; see `devices.calc_counter.CalcCounterController` for what a class overloads."""

    Config: ClassVar[type[ObjectConfig]] = AnyKeysConfig

    def __init__(self, name: str, config: Any, register_counters: bool = True) -> None:
        super().__init__(name, config, register_counters)
        missing = [key for key, found in (("inputs", self.input_counters), ("outputs", self.counters)) if not found]
        if missing:
            keys = ", ".join(self._config.keys())
            raise ConfigError(
                f"{name}: expected inputs and outputs, it has no {' nor '.join(missing)}; its keys are {keys}"
            )
