"""A simulated camera that looks at a beam: a gaussian spot on a dark level, with counting statistics."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController, SamplingMode


class SimulatedCamera(SamplingCounterController):
    """Gives `<name>:image`, shape (height, width); the spot follows axes when they are given."""

    interlock = True

    class Config(ObjectConfig):
        width: int = Field(default=256, gt=0, description="pixels")
        height: int = Field(default=256, gt=0, description="pixels")
        intensity: float = Field(default=200.0, ge=0, description="mean counts in the brightest pixel")
        sigma: float = Field(default=20.0, gt=0, description="of the spot, in pixels")
        dark: float = Field(default=5.0, ge=0, description="mean counts of a pixel without beam")
        axis_x: AxisReference | None = Field(default=None, description="moves the spot to the right")
        axis_y: AxisReference | None = Field(default=None, description="moves the spot down")
        pixels_per_unit: float = Field(default=10.0, description="pixels in one unit of the axes")
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._config = config
        self._random = np.random.default_rng(config.seed)
        shape = (config.height, config.width)
        self.create_counter(
            SamplingCounter, "image", mode=SamplingMode.SINGLE, dtype=np.uint32, shape=shape, unit="counts"
        )

    def read(self, counter: SamplingCounter) -> np.ndarray:
        """Return one image, shape (height, width)."""
        config = self._config
        x = _profile(config.width, config.axis_x.position if config.axis_x else 0.0, config)
        y = _profile(config.height, config.axis_y.position if config.axis_y else 0.0, config)
        mean = config.dark + config.intensity * np.outer(y, x)
        return self._random.poisson(mean).astype(np.uint32)


def _profile(pixels: int, position: float, config: SimulatedCamera.Config) -> np.ndarray:
    """The spot along one side, at most 1; the axis' zero is the middle of the image."""
    offset = np.arange(pixels) - (pixels - 1) / 2 - position * config.pixels_per_unit
    profile: np.ndarray = np.exp(-(offset**2) / (2 * config.sigma**2))
    return profile
