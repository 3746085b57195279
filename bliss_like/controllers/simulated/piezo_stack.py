"""How a piezo actuator with a position sensor moves: slew rate, lag of the servo, hysteresis, creep, noise.

Nothing runs: each quantity is a function of the time since the last command. Lengths in um, voltages in V, times in s.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class PiezoStack:
    """One channel of an amplifier, with its actuator and its sensor."""

    clock: Callable[[], float]
    travel: float = 100.0
    volts: float = 100.0
    slew_rate: float = 2000.0
    """um/s of the servo; the amplifier alone is as fast. To change it, `set_slew_rate`."""
    lag: float = 0.004
    """Time constant of the servo."""
    window: float = 0.02
    settling_time: float = 0.02
    """The stack is on its target after so long within the window."""
    hysteresis: float = 0.1
    """Part of the displacement that lags behind the voltage, by `play`."""
    play: float = 8.0
    creep: float = 0.01
    """Part of a step in voltage that is added in each decade of time, from 10 ms on."""
    noise: float = 0.002
    """Standard deviation of a reading."""
    random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret

    def __post_init__(self) -> None:
        self.servo = False
        self.target = 0.0
        """um with servo, V without."""
        self._start = 0.0
        self._lagging = 0.0
        self._crept = 0.0
        self._began = self.clock()

    @property
    def um_per_volt(self) -> float:
        return self.travel / self.volts

    # -- commands

    def move(self, target: float) -> None:
        """Go to a position with servo, or to a voltage without."""
        if self.servo:
            self._start = self.position
        else:
            self._start, self._lagging, self._crept = self.voltage, self._lagging_now(), self._crept + self._creep_now()
        self.target = target
        self._began = self.clock()

    def set_slew_rate(self, slew_rate: float) -> None:
        """Go on from here with another velocity."""
        if self.on_target:
            self._start = self.target
        else:
            self.move(self.target)
        self.slew_rate = slew_rate

    def halt(self) -> None:
        self.move(self.position if self.servo else self.voltage)

    def switch(self, servo: bool) -> None:
        """Switch the servo; the stack stays where it is."""
        if servo == self.servo:
            return
        position = self.position
        self.servo = servo
        self._start = self.target = position if servo else position / self.um_per_volt
        self._lagging, self._crept = self._start, 0.0
        self._began = self.clock()

    # -- what is measured

    @property
    def reading(self) -> float:
        """What the sensor tells of the position."""
        return self.position + self.random.gauss(0, self.noise)

    @property
    def voltage(self) -> float:
        if self.servo:
            return self.position / self.um_per_volt
        return self._ramp(self.slew_rate / self.um_per_volt)

    @property
    def position(self) -> float:
        if not self.servo:
            displaced = (1 - self.hysteresis) * self.voltage + self.hysteresis * self._lagging_now()
            return (displaced + self._crept + self._creep_now()) * self.um_per_volt
        behind = math.copysign(self.slew_rate * self.lag, self.target - self._start)
        ramping = min(self._elapsed, self._travel_time)
        error = behind * (1 - math.exp(-ramping / self.lag))
        return self._ramp(self.slew_rate) - error * math.exp(-(self._elapsed - ramping) / self.lag)

    @property
    def on_target(self) -> bool:
        """With servo only: within the window for the settling time."""
        if not self.servo:
            return False
        error = self.slew_rate * self.lag * (1 - math.exp(-self._travel_time / self.lag))
        within = self.lag * math.log(max(1.0, error / self.window))
        return self._elapsed >= self._travel_time + within + self.settling_time

    # -- the time law

    @property
    def _elapsed(self) -> float:
        return self.clock() - self._began

    @property
    def _travel_time(self) -> float:
        return abs(self.target - self._start) / self.slew_rate

    def _ramp(self, rate: float) -> float:
        way = self.target - self._start
        return self._start + math.copysign(min(abs(way), rate * self._elapsed), way)

    def _lagging_now(self) -> float:
        """Follows the voltage at a distance of `play`, as a cart that is pushed and pulled by a loose rod."""
        return min(max(self._lagging, self.voltage - self.play), self.voltage + self.play)

    def _creep_now(self) -> float:
        return self.creep * (self.target - self._start) * math.log10(1 + self._elapsed / 0.01)
