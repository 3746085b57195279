"""What the tests of regulation are made of: an ideal bath, the smallest driver there can be, and an oven."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bliss_like.controllers.regulation import Controller, Input, Loop, Output
from bliss_like.controllers.simulated.oven import SimulatedOven
from bliss_like.errors import NotConnectedError
from tests.unit.devices.making import make


class Bath(Controller):
    """Has what is asked for at once; `frozen_at` and `gone` say what goes wrong."""

    setpoint = 20.0
    frozen_at: float | Callable[[], float] | None = None
    gone = False

    def read_input(self, tinput: Input) -> float:
        if self.gone:
            raise NotConnectedError(f"{self.name} does not answer: is it on?")
        if callable(self.frozen_at):
            return self.frozen_at()
        return self.setpoint if self.frozen_at is None else self.frozen_at

    def read_output(self, toutput: Output) -> float:
        return 0.0

    def get_setpoint(self, tloop: Loop) -> float:
        return self.setpoint

    def set_setpoint(self, tloop: Loop, sp: float) -> None:
        if self.gone:
            raise NotConnectedError(f"{self.name} does not answer: is it on?")
        self.setpoint = sp


QUICK = {"deadband_time": 0.02, "polling_time": 0.005}


def make_bath(**loop: Any) -> tuple[Bath, Loop]:
    """A bath, and its loop `bath_loop` with these keys; its axis is `bath_temp`."""
    bath = make(
        Bath,
        "bath",
        inputs=[{"name": "bath_sensor", "unit": "degC"}],
        outputs=[{"name": "bath_heater"}],
        ctrl_loops=[{"name": "bath_loop", "input": "$bath_sensor", "output": "$bath_heater", **QUICK, **loop}],
        axes=[
            {"name": "bath_temp", "loop": "$bath_loop", "low_limit": 5, "high_limit": 95, "polling_time": 0.005},
        ],
    )
    return bath, bath.loops[0]


def make_oven(loop: dict[str, Any] | None = None, **keys: Any) -> SimulatedOven:
    """An oven of 40 s, a hundred times faster than that, without noise; with `loop`, it has a loop with these keys."""
    loops = [] if loop is None else [{"name": "oven_loop", "input": "$oven_sensor", "output": "$oven_heater", **loop}]
    heater = {"name": "oven_heater", "unit": "W", "low_limit": 0, "high_limit": 400}
    return make(
        SimulatedOven,
        "oven",
        **{"speed": 100, "heat_capacity": 20, "losses": 0.5, "ambient": 22, **keys},
        inputs=[{"name": "oven_sensor", "unit": "degC"}],
        outputs=[heater],
        ctrl_loops=loops,
    )


class Sawtooth:
    """Goes up and down around a value, a reading at a time."""

    def __init__(self, middle: float, amplitude: float) -> None:
        self._middle, self._amplitude, self._count = middle, amplitude, 0

    def __call__(self) -> float:
        self._count += 1
        return self._middle + self._amplitude * math.sin(self._count / 3)
