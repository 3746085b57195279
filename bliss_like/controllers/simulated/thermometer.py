"""A simulated sample environment: its temperature relaxes slowly to a setpoint.

The setpoint makes an axis of its own: `SoftAxis("heater", thermometer, position="setpoint", move="setpoint")`.
"""

from __future__ import annotations

import math
import time

import numpy as np
from pydantic import Field

from bliss_like.config.models import ItemConfig
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.devices.counter_controller import CounterControllerConfig


class SimulatedThermometer(SamplingCounterController):
    """T(t) = setpoint + (T0 - setpoint) * exp(-t / relaxation_time), in kelvin."""

    class Config(CounterControllerConfig):
        counters: list[ItemConfig] = Field(min_length=1, max_length=1)
        start: float = Field(default=295.0, gt=0, description="kelvin")
        setpoint: float = Field(default=300.0, gt=0, description="kelvin")
        relaxation_time: float = Field(default=60.0, gt=0, description="seconds")
        noise: float = Field(default=0.01, ge=0, description="standard deviation in kelvin")
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._since, self._start, self._setpoint = time.monotonic(), config.start, config.setpoint
        self.create_counter(SamplingCounter, config.counters[0].name, unit="K")

    @property
    def temperature(self) -> float:
        """Of the sample, in kelvin, without noise."""
        elapsed = time.monotonic() - self._since
        return self._setpoint + (self._start - self._setpoint) * math.exp(-elapsed / self._config.relaxation_time)

    @property
    def setpoint(self) -> float:
        """In kelvin."""
        return self._setpoint

    @setpoint.setter
    def setpoint(self, kelvin: float) -> None:
        self._start, self._since, self._setpoint = self.temperature, time.monotonic(), float(kelvin)

    def read(self, counter: SamplingCounter) -> float:
        return self.temperature + self._config.noise * self._random.standard_normal()
