"""Counters made of signals, that never give a value which was published before the counting began.

A detector that publishes at its own pace shows, when an axis has arrived, still the value of the position before. So a
reading begins with asking the source for what it has now, and waits for something with a later time stamp. Both stamps
are of the source's clock: the clock of this machine, which may be wrong, plays no part. What is published may have been
gathered since `integration_time` before its stamp: that long, the reading first lets pass.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import gevent
from gevent.event import Event
from pydantic import Field

from bliss_like.config.models import ItemConfig
from bliss_like.devices.counter import Counter, SamplingCounter, SamplingCounterController, SamplingMode
from bliss_like.devices.counter_controller import CounterControllerConfig
from bliss_like.devices.signal import Reading, Signal, connect_together, open_signal
from bliss_like.errors import DeviceError
from bliss_like.scanning.greenlets import run_all


class SignalCounterConfig(ItemConfig):
    """What YAML says of one counter, and where it is read."""

    signal: str = Field(description="address, such as ca://mini:ph:det")
    unit: str | None = None
    mode: str = SamplingMode.MEAN.name
    fresh: bool = Field(
        default=True, description="wait for a new value; false: take what is there, for what is constant"
    )
    integration_time: float = Field(default=0.0, ge=0, description="seconds before its time stamp that a value covers")
    timeout: float = Field(default=10.0, gt=0, description="seconds to wait for a new value")
    shape: list[int] = Field(default_factory=list, description="of one value; empty for a number")


class SignalCounters(SamplingCounterController):
    """Any number of signals, read together: a reading takes as long as the slowest of them."""

    class Config(CounterControllerConfig):
        counters: list[SignalCounterConfig]

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name)
        self._sources: dict[SamplingCounter, _Source] = {}
        for item in config.counters:
            counter = self.create_counter(
                SamplingCounter, item.name, mode=item.mode, unit=item.unit, shape=tuple(item.shape)
            )
            self._sources[counter] = _Source(item)

    def connect_counter(self, counter: Counter, timeout: float) -> None:
        connect_together([self._sources[cast(SamplingCounter, counter)].signal], timeout)

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        readings: dict[SamplingCounter, Any] = {}

        def read(counter: SamplingCounter) -> None:
            readings[counter] = self._sources[counter].read()

        run_all([partial(read, counter) for counter in counters])
        return [readings[counter] for counter in counters]

    def __close__(self) -> None:
        for source in self._sources.values():
            source.signal.close()


class _Source:
    """One signal, and its latest reading."""

    LOOK_AGAIN = 0.2
    """Seconds after which the source is asked: it publishes no value that is the same as before, but stamps it anew."""

    def __init__(self, config: SignalCounterConfig) -> None:
        self._config = config
        self.signal: Signal = open_signal(config.signal)
        self._latest = Reading(math.nan, -math.inf)
        self._updated = Event()
        self._subscribed = False

    def read(self) -> Any:
        """:raises DeviceError: nothing new came within the timeout."""
        if not self._config.fresh:
            return self._shaped(self.signal.read())
        self._subscribe()
        began = time.monotonic()
        if self._config.integration_time:
            gevent.sleep(self._config.integration_time)
        former = self.signal.read()
        while True:
            self._updated.clear()
            if self._latest.timestamp > former.timestamp:
                return self._shaped(self._latest)
            if not self._updated.wait(self.LOOK_AGAIN):
                self._on_update(self.signal.read())
            if time.monotonic() - began > self._config.timeout and self._latest.timestamp <= former.timestamp:
                raise DeviceError(
                    f"{self.signal.address} published no new value within {self._config.timeout:g} s; its last one is "
                    f"{former.value!r}. If it changes seldom, raise `timeout`, or set `fresh: false` to take what is there"
                )

    def _subscribe(self) -> None:
        if not self._subscribed:
            self.signal.subscribe(self._on_update)
            self._subscribed = True

    def _on_update(self, reading: Reading) -> None:
        self._latest = reading
        self._updated.set()

    def _shaped(self, reading: Reading) -> Any:
        return reading.value.reshape(self._config.shape) if self._config.shape else reading.value
