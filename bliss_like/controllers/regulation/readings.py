"""The counters of inputs, outputs and loops, and the check of what they read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from bliss_like.devices.counter import Counter, SamplingCounter, SamplingCounterController
from bliss_like.devices.numbers import as_float, brief
from bliss_like.errors import DeviceError

Read = Callable[[], float]


class ReadingCounters(SamplingCounterController):
    """Counters that each call a function."""

    def __init__(self, name: str, connect: Callable[[float], object] | None = None) -> None:
        """:param connect: called with a timeout before the first use."""
        super().__init__(name)
        self._connect = connect
        self._reads: dict[Counter, Read] = {}

    def add(self, name: str, read: Read, unit: str | None, mode: str = "MEAN", limit: float | None = None) -> Counter:
        """:param limit: readings a second that the source bears; the slowest source limits all."""
        counter = self.create_counter(SamplingCounter, name, unit=unit, mode=mode)
        self._reads[counter] = read
        if limit is not None:
            self.max_sampling_frequency = min(limit, self.max_sampling_frequency or limit)
        return counter

    def connect_counter(self, counter: Counter, timeout: float) -> None:
        if self._connect is not None:
            self._connect(timeout)

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        return [self._reads[counter]() for counter in counters]


def number(name: str, what: str, value: Any, lowest: float = -math.inf) -> float:
    """Return a value that somebody gave as a float.

    :param lowest: what it has to be at least.
    :raises ValueError: it is no finite number, or too small.
    """
    try:
        found = as_float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name}: {what} must be a number, got {brief(value)}") from None
    if not math.isfinite(found) or found < lowest:
        bound = f"at least {lowest:g}" if math.isfinite(lowest) else "finite"
        raise ValueError(f"{name}: {what} must be {bound}, got {value!r}")
    return found


def measured(tinput: Any, user: str) -> float:
    """Return what an input reads, for one that needs a true number.

    :raises DeviceError: the input does not answer, or gives none.
    """
    value = float(tinput.read())
    if not math.isfinite(value):
        raise DeviceError(
            f"{user}: its input {tinput.name} reads {value}, state {tinput.state()}; "
            "is the sensor connected, and within its range?"
        )
    return value


def with_unit(value: float, unit: str | None) -> str:
    return f"{value:g} {unit}" if unit else f"{value:g}"
