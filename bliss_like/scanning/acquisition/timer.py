"""The timers: masters that give count times to all others."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor
from time import monotonic, time
from typing import Any

import gevent

from bliss_like.errors import ChainError

from ..channel import AcquisitionChannel
from . import AcquisitionMaster, AcquisitionSlave


class SoftwareTimerMaster(AcquisitionMaster):
    """Triggers its slaves and lets the count time pass. Channels: `timer:elapsed_time`, `timer:epoch`.

    :param count_time: seconds of one point, at least.
    :param sleep_time: seconds to wait between two points.
    :param npoints: 0 for no end.
    """

    def __init__(self, count_time: float, sleep_time: float | None = None, name: str = "timer", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.count_time = count_time
        self.sleep_time = sleep_time
        elapsed_time = AcquisitionChannel(f"{name}:elapsed_time", float, (), unit="s")
        epoch = AcquisitionChannel(f"{name}:epoch", float, (), unit="s")
        self.channels.extend([elapsed_time, epoch])
        self._emit_elapsed, self._emit_epoch = elapsed_time.emit, epoch.emit
        self._is_first = True
        self._origin = 0.0

    def arm(self) -> None:
        super().arm()
        self._is_first = True

    def __iter__(self) -> Iterator[SoftwareTimerMaster]:
        if self.npoints > 0:
            for _ in range(self.npoints):
                yield self
        while self.npoints <= 0:
            yield self

    def start(self) -> None:
        if self.parent is None:
            self.trigger()

    def trigger(self) -> None:
        if self.sleep_time and not self._is_first:
            gevent.sleep(self.sleep_time)
        began, epoch = monotonic(), time()  # the clock of the day may be set while we count
        if self._is_first:
            self._is_first, self._origin = False, began
        self.trigger_slaves()
        self._emit_elapsed(began - self._origin)
        self._emit_epoch(epoch)
        self.wait_slaves()
        left = began + self.count_time - monotonic()
        if left > 0:
            gevent.sleep(left)


class PeriodicTimerMaster(SoftwareTimerMaster):
    """Triggers its slaves every so many seconds for as long as the rest of the scan goes on.

    A point that takes longer than the period lets the next one come late, and what was missed is not made up for. A point that
    is not done when the scan ends is dropped, so that all of one rate are equally long.

    :param every: seconds from one point to the next, counted from the first one.
    """

    def __init__(self, every: float, name: str | None = None, **kwargs: Any) -> None:
        if not every > 0:
            raise ChainError(f"a timer: every: expected seconds, more than 0, got {every!r}")
        super().__init__(0.0, name=name or f"timer_{every:g}s", npoints=0, **kwargs)
        self.every = every
        self.terminator = False
        self._held: list[AcquisitionChannel] = []
        self._late: list[AcquisitionSlave] = []
        self._began, self._ntick = 0.0, 0

    def arm(self) -> None:
        super().arm()
        slaves = [slave for slave in self.slaves if isinstance(slave, AcquisitionSlave) and slave.has_own("trigger")]
        self._late = [slave for slave in slaves if slave.has_emitted_when_ready]
        held = [self, *(slave for slave in slaves if not slave.has_reading), *self._late]
        self._held = [channel for node in held for channel in node.channels]
        for channel in self._held:
            channel.hold()

    def trigger(self) -> None:
        if self._is_first:
            self._began, self._ntick = monotonic(), 0
        else:
            passed = monotonic() - self._began
            self._ntick = max(self._ntick + 1, floor(passed / self.every))
            gevent.sleep(max(0.0, self._ntick * self.every - passed))
        super().trigger()
        for slave in self._late:
            slave.acq_settle()
        for channel in self._held:
            channel.keep()
