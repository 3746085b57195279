"""Steps of an axis that follow what a counter says: small where it changes, large where it does not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bliss_like.errors import ChainError

from ..channel import AcquisitionChannel
from .step import VariableStepTriggerMaster


@dataclass
class AdaptiveSteps:
    """Which way to go on from a point; the semantics are those of bluesky's `adaptive_scan`.

    :param min_step, max_step: distances, > 0.
    :param target_delta: wanted change of the value from point to point, > 0.
    :param backstep: whether to go back and try again when a step turns out to have been too large,
    :param threshold: that is when the right one would have been shorter than this part of it, 0 .. 1.
    """

    min_step: float
    max_step: float
    target_delta: float
    backstep: bool = True
    threshold: float = 0.8

    def __post_init__(self) -> None:
        self.step = (self.min_step + self.max_step) / 2
        self._last: float | None = None

    def after(self, position: float, value: float, direction: float) -> float:
        """Return where to go after a point; a value that is no number changes nothing.

        :param direction: 1 or -1.
        """
        if self._last is None or not math.isfinite(value):
            self._last = value if math.isfinite(value) else self._last
            return position + direction * self.step
        slope = abs(value - self._last) / self.step
        fitting = self.target_delta / slope if slope else 1.1 * self.step
        fitting = min(max(fitting, self.min_step), self.max_step)
        if self.backstep and fitting < self.threshold * self.step:
            start, self.step = position - direction * self.step, fitting
            return start + direction * fitting
        self._last = value
        self.step = 0.2 * fitting + 0.8 * self.step
        return position + direction * self.step


class AdaptiveStepTriggerMaster(VariableStepTriggerMaster):
    """Moves an axis from `start` to `stop`, both included, in steps that follow the last value of a channel.

    :param max_points: the scan ends well after so many points, wherever it is; `is_cut_short` tells.
    """

    def __init__(
        self, axis: Any, start: float, stop: float, steps: AdaptiveSteps, max_points: int = 1000, **keys: Any
    ) -> None:
        super().__init__(axis, [start, stop], **keys)
        self.start_position, self.stop_position = float(start), float(stop)
        self.steps, self.max_points = steps, max_points
        self.nsteps, self.is_cut_short = 0, False
        self._value = math.nan
        self._is_followed = False

    def follow(self, channel: AcquisitionChannel) -> None:
        """Take the steps from the values of this channel; its points are to be there when all slaves are ready."""
        channel.connect(self._take)
        self._is_followed = True

    def _take(self, _: AcquisitionChannel, block: np.ndarray[Any, Any]) -> None:
        self._value = float(block[-1])

    def __iter__(self) -> Iterator[AdaptiveStepTriggerMaster]:
        if not self._is_followed:
            raise ChainError(f"master {self.name!r} has no channel to follow: call follow(channel) before the scan")
        axis = self.axes[0]
        direction = 1.0 if self.stop_position >= self.start_position else -1.0
        position = self.start_position
        while True:
            self._targets, self._value = {axis: position}, math.nan
            yield self
            self.nsteps += 1
            if position == self.stop_position:
                return
            if self.nsteps >= self.max_points:
                self.is_cut_short = True
                return
            position = self.steps.after(position, self._value, direction)
            if (self.stop_position - position) * direction < 1e-9 * self.steps.min_step:
                position = self.stop_position
