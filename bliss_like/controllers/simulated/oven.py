"""A simulated oven with a heater, losses, a noisy thermometer, and a regulator of its own.

heat_capacity * dT/dt = power - losses * (T - ambient): between two changes of the power, the temperature is
T(t) = T_end + (T0 - T_end) * exp(-t * losses / heat_capacity), with T_end = ambient + power / losses.
"""

from __future__ import annotations

import math
import time

import numpy as np
from pydantic import Field

from bliss_like.controllers.regulation.controller import Controller
from bliss_like.controllers.regulation.input import Input
from bliss_like.controllers.regulation.keys import LoopConfig, RegulationConfig
from bliss_like.controllers.regulation.loop import Loop
from bliss_like.controllers.regulation.output import Output
from bliss_like.controllers.regulation.pid import PID

MEMORY = 600.0
"""Simulated seconds that an oven which is regulated, and was not looked at, is followed at most."""


class SimulatedOven(Controller):
    """One heater and one thermometer; every input and output of it is the same one, and it has one loop at most.

    A soft loop may regulate it too, by its input and its output.
    """

    class Config(RegulationConfig):
        ambient: float = Field(default=22.0, description="temperature around it")
        start: float | None = Field(default=None, description="temperature at the start; absent: ambient")
        heat_capacity: float = Field(default=20.0, gt=0, description="J/K")
        losses: float = Field(default=0.5, gt=0, description="W/K")
        noise: float = Field(default=0.0, ge=0, description="of the thermometer, standard deviation")
        seed: int | None = Field(default=None, description="the same seed gives the same noise")
        speed: float = Field(default=1.0, gt=0, description="simulated seconds in a second")
        broken: bool = Field(default=False, description="the thermometer is: it reads nan")
        ctrl_loops: list[LoopConfig] = Field(default_factory=list, max_length=1)

    config: Config

    def __init__(self, name: str, config: Config) -> None:
        self.oven = Oven(config)
        self.broken = config.broken
        super().__init__(name, config)

    @property
    def temperature(self) -> float:
        """Of the oven, now, without noise."""
        return self.oven.advance().temperature

    def read_input(self, tinput: Input) -> float:
        return math.nan if self.broken else self.oven.measure()

    def state_input(self, tinput: Input) -> str:
        return "FAULT" if self.broken else "READY"

    def read_output(self, toutput: Output) -> float:
        return self.oven.advance().power

    def set_output_value(self, toutput: Output, value: float) -> None:
        self.oven.advance().power = value

    def get_setpoint(self, tloop: Loop) -> float:
        return self.oven.setpoint

    def get_working_setpoint(self, tloop: Loop) -> float:
        return self.oven.advance().working_setpoint

    def set_setpoint(self, tloop: Loop, sp: float) -> None:
        self.oven.advance()
        self.oven.setpoint = self.oven.working_setpoint = sp

    def start_regulation(self, tloop: Loop) -> None:
        oven = self.oven.advance()
        if not oven.regulating:
            oven.setpoint = oven.working_setpoint = oven.temperature
            oven.pid.reset()
            oven.power_range = tloop.output.limits
            oven.regulating = True

    def stop_regulation(self, tloop: Loop) -> None:
        self.oven.advance().regulating = False
        self.oven.power = min(max(0.0, self.oven.power_range[0]), self.oven.power_range[1])

    def is_regulating(self, tloop: Loop) -> bool:
        return self.oven.regulating

    def start_ramp(self, tloop: Loop, sp: float) -> None:
        oven = self.oven.advance()
        if abs(oven.temperature - oven.working_setpoint) > tloop.deadband:
            oven.working_setpoint = oven.temperature
        oven.setpoint = sp

    def stop_ramp(self, tloop: Loop) -> None:
        self.oven.advance().setpoint = self.oven.working_setpoint

    def is_ramping(self, tloop: Loop) -> bool:
        return self.oven.advance().working_setpoint != self.oven.setpoint

    def set_ramprate(self, tloop: Loop, rate: float) -> None:
        self.oven.advance().ramprate = rate

    def get_ramprate(self, tloop: Loop) -> float:
        return self.oven.ramprate

    def get_kp(self, tloop: Loop) -> float:
        return self.oven.pid.kp

    def set_kp(self, tloop: Loop, kp: float) -> None:
        self.oven.advance().pid.kp = kp

    def get_ki(self, tloop: Loop) -> float:
        return self.oven.pid.ki

    def set_ki(self, tloop: Loop, ki: float) -> None:
        self.oven.advance().pid.ki = ki

    def get_kd(self, tloop: Loop) -> float:
        return self.oven.pid.kd

    def set_kd(self, tloop: Loop, kd: float) -> None:
        self.oven.advance().pid.kd = kd

    def get_pid_range(self, tloop: Loop) -> tuple[float, float]:
        return self.oven.pid.output_range

    def set_pid_range(self, tloop: Loop, pid_range: tuple[float, float]) -> None:
        self.oven.advance().pid.output_range = pid_range

    def get_sampling_frequency(self, tloop: Loop) -> float:
        return 1 / self.oven.period

    def set_sampling_frequency(self, tloop: Loop, value: float) -> None:
        self.oven.advance().period = 1 / value


class Oven:
    """The oven itself; it is brought up to now whenever somebody looks at it."""

    def __init__(self, config: SimulatedOven.Config) -> None:
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._last = time.monotonic()
        self.temperature = config.ambient if config.start is None else config.start
        self.power = 0.0
        """W"""
        self.power_range = (-math.inf, math.inf)
        self.pid = PID(10.0, 0.5, 0.0, (0.0, 100.0))
        self.period = 0.1
        """Simulated seconds between two regulations."""
        self.regulating = False
        self.ramprate = 0.0
        self.setpoint = self.working_setpoint = self.temperature

    def measure(self) -> float:
        """What the thermometer shows."""
        self.advance()
        return self.temperature + self._config.noise * float(self._random.standard_normal())

    def advance(self) -> Oven:
        """Bring the oven up to now."""
        now = time.monotonic()
        elapsed = (now - self._last) * self._config.speed
        self._last = now
        if not self.regulating:
            self._relax(elapsed)
            return self
        elapsed = min(elapsed, MEMORY)
        while elapsed > 0:
            step = min(self.period, elapsed)
            self._regulate(step)
            self._relax(step)
            elapsed -= step
        return self

    def _relax(self, elapsed: float) -> None:
        config = self._config
        end = config.ambient + self.power / config.losses
        self.temperature = end + (self.temperature - end) * math.exp(-elapsed * config.losses / config.heat_capacity)

    def _regulate(self, elapsed: float) -> None:
        left = self.setpoint - self.working_setpoint
        step = self.ramprate * elapsed
        self.working_setpoint += left if not step or abs(left) <= step else math.copysign(step, left)
        low, high = self.power_range
        power = self.pid.update(self.working_setpoint, self.temperature, elapsed)
        self.power = min(max(power, low), high)
