"""Acquisition of integrating counters: the device accumulates, its values are fetched when they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gevent
import numpy as np

from bliss_like.devices.counter import Counter, IntegratingCounterController
from bliss_like.errors import ChainError, DeviceError

from ..acquisition import AcquisitionSlave, TriggerType


class IntegratingCounterAcquisitionSlave(AcquisitionSlave):
    """Fetches the values of one controller from the device while its master triggers, or as they come by cable.

    :param poll_period: seconds between two looks for new values.
    """

    def __init__(
        self,
        *counters: Counter,
        count_time: float | None = None,
        npoints: int = 1,
        poll_period: float = 0.01,
        ctrl_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.count_time = count_time
        self.poll_period = poll_period
        self._from_index = 0
        self._triggered = 0
        self._is_stopped = False
        once = {"prepare_once": True, "start_once": npoints > 0}
        super().__init__(*counters, npoints=npoints, ctrl_params=ctrl_params, **{**once, **kwargs})

    def init(self, devices: tuple[Any, ...]) -> tuple[Any, tuple[Counter, ...]]:
        if len(devices) == 1 and isinstance(devices[0], IntegratingCounterController):
            return devices[0], ()
        return super().init(devices)

    def prepare_device(self) -> None:
        """Called once, when the acquisition is prepared."""

    def start_device(self) -> None:
        """Called when the acquisition starts."""

    def stop_device(self) -> None:
        """Called when the acquisition stops."""

    def prepare(self) -> None:
        self._from_index = self._triggered = 0
        self._is_stopped = False
        self.prepare_device()

    def start(self) -> None:
        self.start_device()

    def stop(self) -> None:
        self._is_stopped = True
        self.stop_device()

    def trigger(self) -> None:
        self._triggered += 1

    def wait_ready(self) -> None:
        """Return when all that was triggered has been fetched."""
        while self.trigger_type is TriggerType.SOFTWARE and self._from_index < self._triggered and not self._is_stopped:
            gevent.sleep(self.poll_period)

    def reading(self) -> None:
        while not self._is_stopped and not 0 < self.npoints <= self._from_index:
            if not self._fetch():
                gevent.sleep(self.poll_period)
        if not 0 < self.npoints <= self._from_index:  # what came since the last look; a free-running device never ends
            self._fetch()

    def _fetch(self) -> int:
        """Emit what is there; return how many points that were.

        :raises DeviceError: there are not equally many values of all counters.
        """
        columns: Sequence[Any] = self.device.get_values(self._from_index, *self._counters) if self._counters else ()
        lengths = {len(column) for column in columns}
        if len(columns) != len(self._counters) or len(lengths) > 1:
            raise DeviceError(
                f"controller {self.device.name!r}: expected values of {len(self._counters)} counters, equally many of each, "
                f"from get_values, got {[len(column) for column in columns]}"
            )
        npoints = lengths.pop() if lengths else 0
        if self.npoints > 0 and self._from_index + npoints > self.npoints:
            raise ChainError(
                f"controller {self.device.name!r}: expected {self.npoints} points, got {self._from_index + npoints}"
            )
        if npoints:
            self._from_index += npoints
            for (counter, channels), column in zip(self._counters.items(), columns, strict=True):
                values = np.asarray(column)
                if counter.is_converted:
                    values = np.asarray([counter.conversion_function(value) for value in values])
                channels[0].emit(values)
        return npoints
