"""A simulated multichannel analyser: fluorescence lines on a decaying background, with counting statistics."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from bliss_like.config.models import ItemConfig, ObjectConfig, StrictModel
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController, SamplingMode


class SimulatedSpectrum(SamplingCounterController):
    """One spectrum of `channels` points; every reading is a new one, in counts."""

    interlock = True

    class Line(StrictModel):
        center: float = Field(description="channel")
        counts: float = Field(gt=0, description="mean number of counts in the line")
        sigma: float = Field(default=10.0, gt=0, description="channels")

    class Config(ObjectConfig):
        counters: list[ItemConfig] = Field(min_length=1, max_length=1)
        channels: int = Field(default=1024, gt=0)
        lines: list[SimulatedSpectrum.Line] = Field(default_factory=list)
        background: float = Field(default=5.0, ge=0, description="mean counts in the first channel")
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._random = np.random.default_rng(config.seed)
        self.mean = _mean_spectrum(config)
        self.create_counter(
            SamplingCounter,
            config.counters[0].name,
            mode=SamplingMode.SINGLE,
            dtype=np.uint32,
            shape=(config.channels,),
            unit="counts",
        )

    def read(self, counter: SamplingCounter) -> np.ndarray:
        """Return one spectrum, shape (channels,)."""
        return self._random.poisson(self.mean).astype(np.uint32)


def _mean_spectrum(config: SimulatedSpectrum.Config) -> np.ndarray:
    channel = np.arange(config.channels)
    mean = config.background * np.exp(-3.0 * channel / config.channels)
    for line in config.lines:
        height = line.counts / (line.sigma * np.sqrt(2 * np.pi))
        mean += height * np.exp(-((channel - line.center) ** 2) / (2 * line.sigma**2))
    return mean
