"""A simulated shutter: it takes time to open and to close, and a simulated safety system may forbid it.

`shutter.forbidden = "hutch EH1 is not searched"` closes it and keeps it closed; empty permits it again.
"""

from __future__ import annotations

import time

from pydantic import Field

from bliss_like.config.models import ObjectConfig
from bliss_like.devices.shutter import BaseShutter, BaseShutterState


class SimulatedShutter(BaseShutter):
    """Closed at first."""

    class Config(ObjectConfig):
        opening_time: float = Field(default=0.005, ge=0, description="seconds")
        closing_time: float = Field(default=0.005, ge=0, description="seconds")
        forbidden: str = Field(default="", description="why it may not be opened at first, in words")
        timeout: float = Field(default=3.0, gt=0, description="seconds that it may take to open or to close")

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config.timeout)
        self._config = config
        self._forbidden = config.forbidden
        self._is_open = False
        self._there_at = 0.0

    @property
    def forbidden(self) -> str:
        return self._forbidden

    @forbidden.setter
    def forbidden(self, words: str) -> None:
        self._forbidden = words
        if words:
            self._close()

    def _state(self) -> BaseShutterState:
        if time.monotonic() < self._there_at:
            return BaseShutterState.MOVING
        if self._is_open:
            return BaseShutterState.OPEN
        return BaseShutterState.INTERLOCK if self._forbidden else BaseShutterState.CLOSED

    def _refusal(self) -> str:
        return self._forbidden

    def _open(self) -> None:
        self._go(not self._forbidden, self._config.opening_time)

    def _close(self) -> None:
        self._go(False, self._config.closing_time)

    def _go(self, is_open: bool, duration: float) -> None:
        if is_open != self._is_open:
            self._is_open, self._there_at = is_open, time.monotonic() + duration
