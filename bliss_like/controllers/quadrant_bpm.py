"""A beam-position monitor of four quadrants: their currents give the position of the beam and its intensity.

x = scale * (right - left) / sum, y = scale * (top - bottom) / sum. The background, taken without beam, is subtracted first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import gevent
import numpy as np
from pydantic import Field

from bliss_like.config.models import ObjectConfig
from bliss_like.config.settings import ObjectSettings, property_setting
from bliss_like.devices.calc_counter import Array, CalcCounterController, Calculation, Inputs, read_now
from bliss_like.devices.calc_counter_config import CounterReference
from bliss_like.devices.counter import Counter
from bliss_like.errors import DeviceError

SIDES = ("left", "right", "top", "bottom")


class QuadrantBpm(CalcCounterController):
    """Counters `<name>_x`, `<name>_y`, `<name>_intensity`, calculated from the counters of four currents."""

    class Config(ObjectConfig):
        left: CounterReference = Field(description="counter of a current; seen along the beam")
        right: CounterReference = Field(description="counter of a current; seen along the beam")
        top: CounterReference
        bottom: CounterReference
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
        self.settings = ObjectSettings.of(config)
        super().__init__(name, config)

    def build_counters(self, config: Config) -> None:
        for side in SIDES:
            self.add_input(getattr(config, side), side)
        self.add_output(f"{self.name}_x", "x", unit=config.unit)
        self.add_output(f"{self.name}_y", "y", unit=config.unit)
        self.add_output(f"{self.name}_intensity", "intensity", unit=config.left.unit)

    # -- currents ------------------------------------------------------------------------------------------------------

    def raw_currents(self) -> list[float]:
        """left, right, top, bottom as they are read, those of one controller together."""
        values = read_now(self.input_counters)
        return [float(values[counter]) for counter in self.input_counters]

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
        x, y, intensity = self.read_all(*(self.counters[f"{self.name}_{value}"] for value in ("x", "y", "intensity")))
        return float(x), float(y), float(intensity)

    def calculation(self, counters: Sequence[Counter]) -> Calculation:
        return partial(self.calc_function, background=self.background)

    def calc_function(self, input_dict: Inputs, background: Sequence[float] | None = None) -> Mapping[str, Any]:
        config = self._config
        levels = self.background if background is None else background
        left, right, top, bottom = (input_dict[side] - level for side, level in zip(SIDES, levels, strict=True))
        total = left + right + top + bottom
        if config.arrangement == "square":
            x, y = _ratio(left + bottom, top + right), _ratio(right + bottom, left + top)
        else:
            x, y = _ratio(left, right), _ratio(bottom, top)
        too_little = ~(total > config.too_little)
        x[too_little] = y[too_little] = np.nan
        return {"x": config.scale_x * x, "y": config.scale_y * y, "intensity": total}


def _ratio(low: Array, high: Array) -> Array:
    total = np.asarray(low + high, float)
    ratio: Array = np.divide(high - low, total, out=np.full_like(total, np.nan), where=total != 0)
    return ratio
