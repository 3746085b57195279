"""Calculated counters in the style of BLISS: with whatever keys in YAML, looked into as into a dict.

A class that was written for BLISS runs with its imports changed. A new one had better declare its keys in a `Config` of its
own, derived from `devices.calc_counter_config.CalcCounterControllerConfig`: then a misspelt key is an error with file and line.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from bliss_like.config.any_keys import TAKES_ANY_KEY, LikeADict
from bliss_like.config.models import ObjectConfig
from bliss_like.devices import calc_counter
from bliss_like.devices.calc_counter_config import CalcCounterControllerConfig, CalcInputConfig, CalcOutputConfig
from bliss_like.errors import ConfigError


class _InputConfig(LikeADict, CalcInputConfig):
    model_config = TAKES_ANY_KEY


class _OutputConfig(LikeADict, CalcOutputConfig):
    model_config = TAKES_ANY_KEY


class AnyKeysConfig(LikeADict, CalcCounterControllerConfig):
    """What YAML says of a controller of calculated counters, and whatever else it says."""

    model_config = TAKES_ANY_KEY

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
