"""A simulated detector in a gaussian beam: it sees how far axes are from the beam, also while they move."""

from __future__ import annotations

import math

import numpy as np
from pydantic import Field

from bliss_like.config.models import ItemConfig, ObjectConfig, Reference
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController


class GaussianDetector(SamplingCounterController):
    """Reads height * product of exp(-(position - center)² / 2 sigma²) over its axes + background, plus noise."""

    class Counter(ItemConfig):
        axes: list[Reference] = Field(min_length=1, description="whose read-back positions are followed")
        height: float = 1.0
        center: float = 0.0
        sigma: float = Field(default=1.0, gt=0)
        background: float = 0.0
        noise: float = Field(default=0.0, ge=0, description="standard deviation; 0 for an exact gaussian")

    class Config(ObjectConfig):
        counters: list[GaussianDetector.Counter]
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._random = np.random.default_rng(config.seed)
        self._beams = {self.create_counter(SamplingCounter, item.name): item for item in config.counters}

    def read(self, counter: SamplingCounter) -> float:
        beam = self._beams[counter]
        distance_squared = sum((axis.position - beam.center) ** 2 for axis in beam.axes)
        value = beam.height * math.exp(-distance_squared / (2 * beam.sigma**2)) + beam.background
        return value + beam.noise * self._random.standard_normal()
