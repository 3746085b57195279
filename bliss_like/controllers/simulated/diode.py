"""Simulated photodiodes: constant, or with normally distributed noise; all of them are read in one go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from bliss_like.config.models import ItemConfig
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController, SamplingMode
from bliss_like.devices.counter_controller import CounterControllerConfig


class SimulatedDiodes(SamplingCounterController):
    """Any number of diodes of one box."""

    class Counter(ItemConfig):
        value: float = 1.0
        noise: float = Field(default=0.0, ge=0, description="standard deviation; 0 for a constant")
        mode: str = SamplingMode.MEAN.name
        unit: str | None = None

    class Config(CounterControllerConfig):
        counters: list[SimulatedDiodes.Counter]
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._random = np.random.default_rng(config.seed)
        self._values: dict[SamplingCounter, tuple[float, float]] = {}
        self._selections: dict[tuple[SamplingCounter, ...], tuple[np.ndarray, np.ndarray]] = {}
        for item in config.counters:
            counter = self.create_counter(SamplingCounter, item.name, mode=item.mode, unit=item.unit)
            self._values[counter] = (item.value, item.noise)

    def read_all(self, *counters: SamplingCounter) -> Sequence[float]:
        selection = self._selections.get(counters)
        if selection is None:
            values, noises = np.array([self._values[counter] for counter in counters]).T
            selection = self._selections[counters] = values, noises
        values, noises = selection  # not `normal(values, noises)`: checking its arguments takes it ten times as long
        readings: list[float] = (values + noises * self._random.standard_normal(len(values))).tolist()
        return readings
