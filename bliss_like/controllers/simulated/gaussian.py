"""A simulated detector in a gaussian beam: it sees how far axes are from the beam, also while they move."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from pydantic import Field

from bliss_like.config.models import ItemConfig
from bliss_like.controllers.simulated.beam import InBeam, transmission
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.devices.counter_controller import CounterControllerConfig
from bliss_like.devices.events import AxisEvent, connect


class GaussianDetector(SamplingCounterController):
    """Reads height * product of exp(-(position - center)² / 2 sigma²) over its axes + background, plus noise."""

    class Counter(ItemConfig):
        axes: list[AxisReference] = Field(min_length=1, description="whose read-back positions are followed")
        last_moved_only: bool = Field(default=False, description="follow only that one of the axes that moved last")
        height: float = 1.0
        center: float = 0.0
        sigma: float = Field(default=1.0, gt=0)
        background: float = 0.0
        noise: float = Field(default=0.0, ge=0, description="standard deviation; 0 for an exact gaussian")
        through: list[InBeam] = Field(default_factory=list, description="shutters and filter sets in the beam")

    class Config(CounterControllerConfig):
        counters: list[GaussianDetector.Counter]
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._random = np.random.default_rng(config.seed)
        self._beams = {self.create_counter(SamplingCounter, item.name): item for item in config.counters}
        self._last_moved: dict[Any, int] = {}
        self._receivers: list[Any] = []  # signals hold theirs weakly
        for axis in {axis for item in config.counters if item.last_moved_only for axis in item.axes}:
            self._receivers.append(partial(self._note_move, axis))
            connect(axis, AxisEvent.MOVE_DONE, self._receivers[-1])

    def _note_move(self, axis: Any, is_done: bool) -> None:
        self._last_moved[axis] = max(self._last_moved.values(), default=0) + 1

    def read(self, counter: SamplingCounter) -> float:
        beam = self._beams[counter]
        axes = beam.axes
        if beam.last_moved_only:
            axes = [max(axes, key=lambda axis: self._last_moved.get(axis, 0))]
        distance_squared = sum((axis.position - beam.center) ** 2 for axis in axes)
        height = beam.height * transmission(beam.through)
        value = height * math.exp(-distance_squared / (2 * beam.sigma**2)) + beam.background
        return value + beam.noise * self._random.standard_normal()
