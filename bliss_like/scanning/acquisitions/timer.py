"""The timer: the master that gives count times to all others."""

from __future__ import annotations

from collections.abc import Iterator
from time import time
from typing import Any

import gevent

from ..acquisition import AcquisitionMaster
from ..channel import AcquisitionChannel


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
        began = time()
        if self._is_first:
            self._is_first, self._origin = False, began
        self.trigger_slaves()
        self._emit_elapsed(began - self._origin)
        self._emit_epoch(began)
        self.wait_slaves()
        left = began + self.count_time - time()
        if left > 0:
            gevent.sleep(left)
