"""A simulated box of outputs and inputs with cylinders on it that compressed air drives: valves, filters, screens.

An output that is switched on brings its cylinder to the one side, off to the other: an input at each end tells. It has the
`get`, `set` and `insist` of `bliss_like.controllers.io_box`.
"""

from __future__ import annotations

import time
from typing import Any

from pydantic import Field

from bliss_like.config.models import ObjectConfig, StrictModel
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import DeviceError


class SimulatedIoBox:
    """Plugs by name; all outputs are off at first."""

    class Cylinder(StrictModel):
        output: str = Field(description="drives it")
        on_input: str = Field(description="on when it is where it goes with the output on")
        off_input: str = Field(description="on when it is where it goes with the output off")
        travel_time: float = Field(default=0.2, ge=0, description="seconds from one end to the other")

    class Config(ObjectConfig):
        cylinders: list[SimulatedIoBox.Cylinder]
        on: list[str] = Field(default_factory=list, description="names of inputs that are on, such as a permit")

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self._outputs = {cylinder.output: False for cylinder in config.cylinders}
        self._there_at = dict.fromkeys(self._outputs, 0.0)
        self._inputs = {c.on_input: (c, True) for c in config.cylinders} | {
            c.off_input: (c, False) for c in config.cylinders
        }
        self.switches = dict.fromkeys(config.on, True)
        """Inputs without a cylinder; what one plays with."""

    def get(self, *names: str) -> Any:
        """Return the bool of one input or output, or a list of those of several."""
        values = [self._read(name) for name in names]
        return values[0] if len(values) == 1 else values

    def set(self, *names_and_values: Any) -> None:
        """Switch outputs: `set("rv1", 1, "lamp", 0)`."""
        for name, value in zip(names_and_values[::2], names_and_values[1::2], strict=True):
            if name not in self._outputs:
                raise self._unknown(name, self._outputs)
            if self._outputs[name] is not bool(value):
                travel_time = next(c.travel_time for c, _ in self._inputs.values() if c.output == name)
                self._outputs[name], self._there_at[name] = bool(value), time.monotonic() + travel_time

    def insist(self, name: str, value: Any) -> None:
        """As `set`: there is no line that could be lost."""
        self.set(name, value)

    def _read(self, name: str) -> bool:
        if name in self._inputs:
            cylinder, side = self._inputs[name]
            return time.monotonic() >= self._there_at[cylinder.output] and self._outputs[cylinder.output] is side
        for known in (self.switches, self._outputs):
            if name in known:
                return known[name]
        raise self._unknown(name, {**self._inputs, **self.switches, **self._outputs})

    def _unknown(self, name: str, known: dict[str, Any]) -> DeviceError:
        hint = did_you_mean(name, known)
        return DeviceError(f"{self.name} has no plug {name!r}{hint}; there are: {', '.join(known) or 'none'}")
