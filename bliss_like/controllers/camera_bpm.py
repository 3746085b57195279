"""A beam-position monitor that looks at the image of a camera: where the spot is, and how wide.

The darker half of the pixels is taken for the background; what is left of the image is summed up along both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController, SamplingMode


class CameraBpm(SamplingCounterController):
    """Counters `<name>_x`, `_y`, `_fwhm_x`, `_fwhm_y` in units of the image, and `_intensity` in its counts."""

    class Config(ObjectConfig):
        image: Reference = Field(description="counter that reads an image, shape (height, width)")
        pixel_size: float = Field(default=1.0, gt=0, description="units in one pixel")
        unit: str = "px"
        center_x: float = Field(default=0.0, description="pixel, from 0 at the left, where x is 0")
        center_y: float = Field(default=0.0, description="pixel, from 0 at the top, where y is 0")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._config = config
        for value in ("x", "y", "fwhm_x", "fwhm_y"):
            self.create_counter(SamplingCounter, f"{name}_{value}", unit=config.unit, mode=SamplingMode.SINGLE)
        self.create_counter(SamplingCounter, f"{name}_intensity", unit=config.image.unit, mode=SamplingMode.SINGLE)

    def read_all(self, *counters: SamplingCounter) -> Sequence[float]:
        config = self._config
        x, y, fwhm_x, fwhm_y, intensity = spot(config.image.raw_read)
        size = config.pixel_size
        values = {
            "x": (x - config.center_x) * size,
            "y": (y - config.center_y) * size,
            "fwhm_x": fwhm_x * size,
            "fwhm_y": fwhm_y * size,
            "intensity": intensity,
        }
        return [values[counter.name.removeprefix(f"{self.name}_")] for counter in counters]


def spot(image: NDArray[Any]) -> tuple[float, float, float, float, float]:
    """Return x, y, fwhm_x, fwhm_y in pixels, and the intensity above the background; all but this NaN without a spot.

    :param image: shape (height, width).
    """
    signal = np.asarray(image, float) - np.median(image)
    across, down = signal.sum(axis=0), signal.sum(axis=1)
    x, fwhm_x = _center_and_width(across)
    y, fwhm_y = _center_and_width(down)
    return x, y, fwhm_x, fwhm_y, float(signal.sum())


def _center_and_width(profile: NDArray[Any]) -> tuple[float, float]:
    """Centre of mass and full width at half maximum, of what is above half the maximum."""
    half = profile.max() / 2
    if not half > 0:
        return float("nan"), float("nan")
    peak = int(profile.argmax())
    left, right = _crossing(profile, peak, -1, half), _crossing(profile, peak, +1, half)
    pixels = np.arange(int(np.ceil(left)), int(np.floor(right)) + 1)
    return float((pixels * profile[pixels]).sum() / profile[pixels].sum()), right - left


def _crossing(profile: NDArray[Any], start: int, step: int, level: float) -> float:
    """Where the profile falls below a level, between two pixels; its end if it does not."""
    pixel = start
    while 0 <= pixel + step < len(profile):
        here, there = profile[pixel], profile[pixel + step]
        if there < level:
            return float(pixel + step * (here - level) / (here - there))
        pixel += step
    return float(pixel)
