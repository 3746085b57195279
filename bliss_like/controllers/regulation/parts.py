"""What inputs, outputs and loops have in common: their box, their counter, their ramp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bliss_like.controllers.regulation.driver import RegulationDriver
from bliss_like.controllers.regulation.ramp import SoftRamp
from bliss_like.controllers.regulation.readings import ReadingCounters, number
from bliss_like.devices.counter import counter_namespace


class Part:
    """A sensor or a heater of a box, which is a counter, too."""

    def __init__(self, controller: RegulationDriver, config: Any) -> None:
        """:param config: an InputConfig or an OutputConfig, or what else has the keys of one."""
        self.config = config
        self.name: str = config.name
        self.controller = controller
        self._counters = ReadingCounters(controller.name, self.__connect__)
        self._counters.add(self.name, self.read, config.unit, config.sampling_mode, config.max_sampling_frequency)

    @property
    def channel(self) -> Any:
        """What the hardware calls it."""
        return self.config.channel

    @property
    def unit(self) -> str | None:
        unit: str | None = self.config.unit
        return unit

    @property
    def counters(self) -> counter_namespace:
        return self._counters.counters

    def read(self) -> float:
        raise NotImplementedError

    def __connect__(self, timeout: float) -> None:
        self.controller.connect_item(self, timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of {self.controller.name}>"


class RampOfBox(NamedTuple):
    """What a driver has for a ramp of its own; NotImplementedError: it has none."""

    get_rate: Callable[[Any], float]
    set_rate: Callable[[Any, float], object]
    is_ramping: Callable[[Any], bool]


class Ramping:
    """Goes to new values at a rate: by the ramp of its box or, where that has none, by one of this process."""

    name: str
    controller: RegulationDriver
    soft_ramp: SoftRamp

    @property
    def _ramp(self) -> RampOfBox:
        raise NotImplementedError

    @property
    def ramprate(self) -> float:
        """Units/s to a new value; 0: at once. It may be changed on the way."""
        self.controller.make_ready(self)
        try:
            return float(self._ramp.get_rate(self))
        except NotImplementedError:
            return self.soft_ramp.rate

    @ramprate.setter
    def ramprate(self, rate: float) -> None:
        rate = number(self.name, "ramprate", rate, lowest=0.0)
        self.controller.make_ready(self)
        self.apply_ramprate(rate)

    def apply_ramprate(self, rate: float) -> None:
        """Set the rate of what is being made ready."""
        try:
            self._ramp.set_rate(self, rate)
        except NotImplementedError:
            self.soft_ramp.rate = rate

    def is_ramping(self) -> bool:
        self.controller.make_ready(self)
        try:
            return bool(self._ramp.is_ramping(self))
        except NotImplementedError:
            return self.soft_ramp.is_ramping()
