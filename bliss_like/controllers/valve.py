"""A vacuum valve on a box of inputs and outputs: one output opens it, two switches tell where it is.

It opens only when the gauges on its sides are below their limits; that is told in words, and so is an interlock of the
vacuum system. (What must never fail is wired there, and not trusted to this.)
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig, Reference, StrictModel
from bliss_like.devices.shutter import BaseShutter, BaseShutterState


class Valve(BaseShutter):
    """States: OPEN CLOSED MOVING INTERLOCK FAULT."""

    class Gauge(StrictModel):
        counter: Reference = Field(description="reads the pressure")
        below: float = Field(gt=0, description="the valve opens below this, in the unit of the counter")

    class Config(ObjectConfig):
        box: Reference = Field(description="of the plugs: an IoBox, or what has its get, set and insist")
        output: str = Field(description="opens it when on; off, or without power, it closes")
        open_input: str = Field(description="on when it is open")
        closed_input: str = Field(description="on when it is closed")
        permit_input: str | None = Field(default=None, description="on when the vacuum system lets it open")
        gauges: list[Valve.Gauge] = Field(default_factory=list)
        timeout: float = Field(default=5.0, gt=0, description="seconds that it may take to open or to close")

        @model_validator(mode="after")
        def _check(self) -> Self:
            if self.open_input == self.closed_input:
                raise ValueError(f"open_input and closed_input are the same plug, {self.open_input!r}")
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._config = config
        self._box = config.box

    def _state(self) -> BaseShutterState:
        config = self._config
        permit = [config.permit_input] if config.permit_input else []
        is_open, is_closed, *permitted = self._box.get(config.open_input, config.closed_input, *permit)
        if is_open and is_closed:
            return BaseShutterState.FAULT
        if is_open:
            return BaseShutterState.OPEN
        if is_closed:
            return BaseShutterState.CLOSED if all(permitted) else BaseShutterState.INTERLOCK
        return BaseShutterState.MOVING

    def _refusal(self) -> str:
        reasons = []
        if self._config.permit_input and not self._box.get(self._config.permit_input):
            reasons.append(f"the vacuum system does not permit it ({self._config.permit_input} is off)")
        for gauge in self._config.gauges:
            pressure = gauge.counter.raw_read
            if not pressure < gauge.below:  # also when it is NaN: a gauge that is off
                unit = f" {gauge.counter.unit}" if gauge.counter.unit else ""
                reasons.append(
                    f"{gauge.counter.name} reads {pressure:.2g}{unit}, it opens below {gauge.below:.2g}{unit}"
                )
        return ", ".join(reasons)

    def _open(self) -> None:
        self._box.set(self._config.output, 1)

    def _close(self) -> None:
        self._box.insist(self._config.output, 0)
