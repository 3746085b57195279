"""A beam-position monitor of four quadrants: their currents give the position of the beam and its intensity.

x = scale * (right - left) / sum, y = scale * (top - bottom) / sum. The background, taken without beam, is subtracted first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any, Literal

import gevent
from pydantic import Field

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.config.settings import ObjectSettings, property_setting
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.errors import DeviceError

SIDES = ("left", "right", "top", "bottom")


class QuadrantBpm(SamplingCounterController):
    """Counters `<name>_x`, `<name>_y`, `<name>_intensity` of the counters of four currents."""

    class Config(ObjectConfig):
        left: Reference = Field(description="counter of a current; seen along the beam")
        right: Reference = Field(description="counter of a current; seen along the beam")
        top: Reference
        bottom: Reference
        arrangement: Literal["cross", "square"] = Field(
            default="cross",
            description="cross: a plate on each side; square: plates in the corners, left is the upper left one, top the "
            "upper right, right the lower right, bottom the lower left",
        )
        scale_x: float = Field(default=1.0, description="units of x for all current on one side")
        scale_y: float = Field(default=1.0, description="units of y for all current on one side")
        unit: str = "mm"
        too_little: float = Field(
            default=0.0, ge=0, description="sum of the currents under which there is no position: NaN"
        )

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._config = config
        self._currents = [getattr(config, side) for side in SIDES]
        self.create_counter(SamplingCounter, f"{name}_x", unit=config.unit)
        self.create_counter(SamplingCounter, f"{name}_y", unit=config.unit)
        self.create_counter(SamplingCounter, f"{name}_intensity", unit=self._currents[0].unit)
        self.settings = ObjectSettings.of(config)

    # -- currents ------------------------------------------------------------------------------------------------------

    def raw_currents(self) -> list[float]:
        """left, right, top, bottom as they are read, those of one controller together."""
        values: dict[Any, float] = {}
        for controller in dict.fromkeys(counter.controller for counter in self._currents):
            counters = [counter for counter in self._currents if counter.controller is controller]
            readings = controller.read_all(*counters)
            values |= {c: c.conversion_function(v) for c, v in zip(counters, readings, strict=True)}
        return [float(values[counter]) for counter in self._currents]

    def bg(self, seconds: float = 1.0) -> list[float]:
        """Take the mean currents of some seconds as the background; to be called without beam. Return it.

        :raises DeviceError: some current is no number; the background stays as it was.
        """
        readings, end = [self.raw_currents()], time.monotonic() + seconds
        while time.monotonic() < end:
            gevent.sleep(0.01)
            readings.append(self.raw_currents())
        self.background = [math.fsum(column) / len(readings) for column in zip(*readings, strict=True)]
        return list(self.background)

    @property_setting(default=[0.0] * 4)
    def background(self, currents: Sequence[float]) -> list[float]:
        """left, right, top, bottom: what is subtracted; it survives a restart."""
        if len(currents) != len(SIDES) or not all(map(math.isfinite, currents)):
            raise DeviceError(
                f"{self.name}: expected numbers as the background of {', '.join(SIDES)}, got {currents!r}"
            )
        return [float(current) for current in currents]

    def clear_bg(self) -> None:
        self.background = [0.0] * len(SIDES)

    # -- what comes of them --------------------------------------------------------------------------------------------

    def position(self) -> tuple[float, float, float]:
        """x, y in the unit of the monitor, and the intensity: the sum of the currents. Without beam x and y are NaN."""
        left, right, top, bottom = (i - b for i, b in zip(self.raw_currents(), self.background, strict=True))
        total = left + right + top + bottom
        if not total > self._config.too_little:
            return math.nan, math.nan, total
        if self._config.arrangement == "square":
            x, y = _ratio(left + bottom, top + right), _ratio(right + bottom, left + top)
            return self._config.scale_x * x, self._config.scale_y * y, total
        return self._config.scale_x * _ratio(left, right), self._config.scale_y * _ratio(bottom, top), total

    def read_all(self, *counters: SamplingCounter) -> Sequence[float]:
        values = dict(zip(("x", "y", "intensity"), self.position(), strict=True))
        return [values[counter.name.removeprefix(f"{self.name}_")] for counter in counters]


def _ratio(low: float, high: float) -> float:
    return (high - low) / (high + low) if high + low else math.nan
