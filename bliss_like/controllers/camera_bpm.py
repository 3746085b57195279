"""A beam-position monitor that looks at the image of a camera: where the spot is, and how wide.

The darker half of the pixels is taken for the background; what is left of the image is summed up along both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.calc_counter import CalcCounterController, Inputs
from bliss_like.devices.calc_counter_config import CounterReference

LENGTHS = ("x", "y", "fwhm_x", "fwhm_y")


class CameraBpm(CalcCounterController):
    """Counters `<name>_x`, `_y`, `_fwhm_x`, `_fwhm_y` in units of the image, and `_intensity` in its counts.

    They are calculated from the images of the scan: the camera takes no more of them for it.
    """

    class Config(ObjectConfig):
        image: CounterReference = Field(description="counter that reads an image, shape (height, width)")
        pixel_size: float = Field(default=1.0, gt=0, description="units in one pixel")
        unit: str = "px"
        center_x: float = Field(default=0.0, description="pixel, from 0 at the left, where x is 0")
        center_y: float = Field(default=0.0, description="pixel, from 0 at the top, where y is 0")

    def build_counters(self, config: Config) -> None:
        self.add_input(config.image, "image")
        for value in LENGTHS:
            self.add_output(f"{self.name}_{value}", value, unit=config.unit)
        self.add_output(f"{self.name}_intensity", "intensity", unit=config.image.unit)

    def calc_function(self, input_dict: Inputs) -> Mapping[str, Any]:
        config = self._config
        x, y, fwhm_x, fwhm_y, intensity = np.array([spot(image) for image in input_dict["image"]]).T
        lengths = (x - config.center_x, y - config.center_y, fwhm_x, fwhm_y)
        found = {value: length * config.pixel_size for value, length in zip(LENGTHS, lengths, strict=True)}
        return {**found, "intensity": intensity}


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
