"""Signals in the memory of this process: for tests, for dry runs, and as the example of a backend.

Signals of one address share one value, as two clients of one process variable do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bliss_like.devices.signal import Description, Listeners, Reading, fitted, tell
from bliss_like.errors import DeviceError


class SoftVariable:
    """A value, and who listens to it."""

    def __init__(self, value: Any = 0.0) -> None:
        self.kind = np.asarray(value)
        self.reading = Reading(value, time.time())
        self.listeners = Listeners()

    def write(self, value: Any) -> None:
        """:raises ValueError: the value has not the dtype and shape of the first one."""
        array = fitted(value, self.kind.dtype)
        if array.shape != self.kind.shape:
            raise ValueError(f"expected shape {self.kind.shape}, got {array.shape}")
        self.reading = Reading(array if array.shape else array.item(), time.time())
        self.listeners.tell(self.reading)


VARIABLES: dict[str, SoftVariable] = {}
"""Address -> variable; put one here to give it another first value than 0.0."""


class SoftBackend:
    """The backend of `soft://` addresses."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._variable = VARIABLES.setdefault(address, SoftVariable())
        self._subscriptions: list[Callable[[], None]] = []

    @property
    def connected(self) -> bool:
        return True

    def connect(self, timeout: float) -> None:
        return

    def describe(self) -> Description:
        return Description(self._variable.kind.dtype, self._variable.kind.shape)

    def get(self, timeout: float) -> Reading:
        return self._variable.reading

    def put(self, value: Any, wait: bool, timeout: float | None) -> None:
        try:
            self._variable.write(value)
        except ValueError as error:
            raise DeviceError(f"{self.address} cannot be set: {error}") from None

    def subscribe(self, callback: Callable[[Reading], None]) -> Callable[[], None]:
        unsubscribe = self._variable.listeners.add(callback)
        self._subscriptions.append(unsubscribe)
        tell(callback, self._variable.reading)
        return unsubscribe

    def close(self) -> None:
        while self._subscriptions:
            self._subscriptions.pop()()
