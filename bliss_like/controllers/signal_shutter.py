"""A shutter made of signals: what opens it, what closes it, what says how it is, and what the safety system permits."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig, StrictModel
from bliss_like.devices.shutter import BaseShutter, BaseShutterState
from bliss_like.devices.signal import Signal, connect_together, open_signal

Value = bool | int | float | str


class SignalShutter(BaseShutter):
    """Works over every transport; states may come as numbers or as the words of an enumeration."""

    class Permit(StrictModel):
        signal: str = Field(description="address of a permission of the safety system")
        value: Value = Field(default=1, description="what it is when it may be opened")
        words: str = Field(description="what it means when it is not, such as: hutch EH1 is not searched")

    class Config(ObjectConfig):
        open: str = Field(description="address to write to, such as ca://FE:01:open")
        close: str = Field(description="address to write to; may be the same, with another value")
        status: str = Field(description="address of the state")
        open_value: Value = 1
        close_value: Value = 1
        states: dict[str, list[Value]] = Field(
            default={"OPEN": [1], "CLOSED": [0]},
            description="values of the status that mean OPEN, CLOSED, MOVING, FAULT...; any other one: UNKNOWN",
        )
        permits: list[SignalShutter.Permit] = Field(default_factory=list)
        timeout: float = Field(default=10.0, gt=0, description="seconds that it may take to open or to close")

        @model_validator(mode="after")
        def _check(self) -> Self:
            unknown = sorted(set(self.states) - set(BaseShutterState.__members__))
            if unknown:
                raise ValueError(
                    f"states: expected of {', '.join(BaseShutterState.__members__)}, got {', '.join(unknown)}"
                )
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._config = config
        self._states = {value: BaseShutterState[word] for word, values in config.states.items() for value in values}
        self._opener, self._closer = open_signal(config.open), open_signal(config.close)
        self._status = open_signal(config.status)
        self._permits = [(open_signal(permit.signal), permit) for permit in config.permits]

    @property
    def _signals(self) -> list[Signal]:
        return [self._opener, self._closer, self._status, *(signal for signal, _ in self._permits)]

    def __connect__(self, timeout: float) -> None:
        connect_together(self._signals, timeout)

    def _state(self) -> BaseShutterState:
        value: Any = self._status.get()
        choices = self._status.description.choices
        if value not in self._states and isinstance(value, int | np.integer) and 0 <= value < len(choices):
            value = choices[value]
        return self._states.get(value, BaseShutterState.UNKNOWN)

    def _refusal(self) -> str:
        return ", ".join(permit.words for signal, permit in self._permits if signal.get() != permit.value)

    def _open(self) -> None:
        self._opener.put(self._config.open_value, wait=False)

    def _close(self) -> None:
        self._closer.put(self._config.close_value, wait=False)

    def __close__(self) -> None:
        for signal in self._signals:
            signal.close()
