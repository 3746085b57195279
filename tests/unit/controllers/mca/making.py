"""Simulated analysers whose time is what the test says."""

from __future__ import annotations

from typing import Any

from bliss_like.controllers.simulated.mca import SimulatedMCA
from tests.unit.devices.making import make


class Clock:
    """`clock.now += 0.5`: half a second has passed."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


IRON = {"symbol": "Fe", "rate": 1e5}


def make_mca(name: str = "mca", **keys: Any) -> SimulatedMCA:
    """One that sees iron, without background and without dead time unless it is told."""
    return make(SimulatedMCA, name, **{"seed": 1, "background": 0, "dead_time": 0, "emitters": [IRON], **keys})


def with_clock(name: str = "mca", **keys: Any) -> tuple[SimulatedMCA, Clock]:
    mca, clock = make_mca(name, **keys), Clock()
    mca.clock = clock
    return mca, clock
