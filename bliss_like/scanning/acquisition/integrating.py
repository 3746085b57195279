"""Acquisition of integrating counters: the device accumulates, its values are fetched when they are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from gevent.event import Event

from bliss_like.devices.counter import IntegratingCounterController
from bliss_like.errors import ChainError, DeviceError

from ..channel import Array
from ..greenlets import breathe
from . import TriggerType
from .counting import BaseCounterAcquisitionSlave, CountTime

SOONEST, GROWTH = 0.0005, 1.3
"""Seconds to the first look for new values after a trigger or a delivery, and how much longer each further look waits."""

PATIENCE = 10.0
"""Seconds that a device may be late, by default."""


class IntegratingCounterAcquisitionSlave(BaseCounterAcquisitionSlave):
    """Fetches the values of one controller from the device while its master triggers, or as they come by cable.

    :param count_time: seconds of one point; by default those of the master that triggers it.
    :param poll_period: seconds between two looks for new values, at most; the first looks are sooner.
    :param timeout: seconds without a new value that are borne while one is due. By default, what the device was told to
        integrate and 10 s more; triggers that come by cable may take any time.
    """

    kind_of_controller = IntegratingCounterController

    def __init__(
        self,
        *counters: Any,
        count_time: CountTime = None,
        npoints: int = 1,
        poll_period: float = 0.01,
        timeout: float | None = None,
        ctrl_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.poll_period = poll_period
        self.timeout = timeout
        self._has_count_time = count_time is not None
        self._from_index = 0
        self._triggered = 0
        self._is_stopped = self._is_armed = False
        self._due_since = 0.0
        self._called = Event()
        self._arrived = Event()
        once = {"prepare_once": True, "start_once": npoints > 0}
        keys = {**once, **kwargs}
        super().__init__(*counters, count_time=count_time, npoints=npoints, ctrl_params=ctrl_params, **keys)

    @staticmethod
    def get_param_validation_schema() -> Mapping[str, Any] | None:
        common = BaseCounterAcquisitionSlave.get_param_validation_schema() or {}
        own = {
            "poll_period": {"type": "numeric", "min": SOONEST},
            "timeout": {"type": "numeric", "min": 0, "nullable": True},
            "trigger_type": {"allowed": list(TriggerType)},
        }
        return {"acq_params": {"type": "dict", "schema": {**common["acq_params"]["schema"], **own}}}

    @property
    def count_time(self) -> float:
        if not self._has_count_time:
            return float(getattr(self.parent, "count_time", None) or 0.0)
        self._npoint = min(self._triggered, len(self._count_times) - 1) if isinstance(self._count_times, list) else 0
        return super().count_time

    # -- verbs ---------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self._from_index = self._triggered = 0
        self._is_stopped = False
        self._is_armed, _ = self.tolerance.attempt(self.prepare_device)

    def start(self) -> None:
        self._due_since = monotonic()
        started, _ = self.tolerance.attempt(self.start_device)
        self._is_armed = self._is_armed and started

    def stop(self) -> None:
        try:
            self.tolerance.attempt(self.stop_device, even_resting=True)
        finally:  # only now: what the device delivers until it stands is fetched, too
            self._is_stopped = True
            self._called.set()
            self._arrived.set()

    def trigger(self) -> None:
        self._triggered += 1
        self._due_since = monotonic()
        self._called.set()

    def wait_ready(self) -> None:
        """Return when all that was triggered has been fetched."""
        while self.trigger_type is TriggerType.SOFTWARE and self._from_index < self._triggered and not self._is_stopped:
            self._arrived.clear()
            self._arrived.wait()

    @property
    def has_emitted_when_ready(self) -> bool:
        return self.trigger_type is TriggerType.SOFTWARE

    def reading(self) -> None:
        pause = SOONEST
        while not self._is_stopped and not self._is_complete:
            self._called.clear()
            if self._fetch_if_there():
                pause = SOONEST
                breathe()  # a device that always has something new must not keep the others from running
                continue
            self._check_time()
            if self._called.wait(min(pause, self.poll_period)):
                pause = SOONEST
            pause *= GROWTH
        if not self._is_complete:  # what came since the last look; a free-running device never ends
            _, points = self.tolerance.attempt(self._new_points)
            self._publish(points or [])

    # -- values --------------------------------------------------------------------------------------------------------

    @property
    def _is_complete(self) -> bool:
        return 0 < self.npoints <= self._from_index

    def _fetch_if_there(self) -> int:
        """Emit what is there, or what stands for it when a device that is not critical fails; return how many points."""
        delivers, points = self.tolerance.attempt(self._new_points) if self._is_armed else (False, None)
        if delivers:
            return self._publish(points or [])
        if self.trigger_type is TriggerType.HARDWARE:
            return 0
        npoints = max(0, self._triggered - self._from_index)
        self._give_up(npoints)
        return npoints

    def _give_up(self, npoints: int) -> None:
        self._emit_nothing(npoints)
        self._count(npoints)

    def _count(self, npoints: int) -> None:
        if npoints:
            self._from_index += npoints
            self._due_since = monotonic()
            self._arrived.set()

    def _new_points(self) -> list[Array]:
        """Return what is there, a block of points for each counter; nothing of it is emitted yet.

        :raises DeviceError: there are not equally many values of all counters.
        """
        counters = tuple(self._counters)
        columns: Sequence[Any] = self.device.get_values(self._from_index, *counters) if counters else ()
        return self._as_published(columns) if self._npoints_in(columns) else []

    def _publish(self, points: list[Array]) -> int:
        """Emit blocks of points; return how many points that were. What fails now is none of the device's failures.

        :raises ChainError: there are more than were asked for; those that were are emitted.
        """
        npoints = len(points[0]) if points else 0
        left = self.npoints - self._from_index if self.npoints > 0 else npoints
        if npoints:
            self._emit_all(block[:left] for block in points)
            self._count(min(npoints, left))
        if npoints > left:
            self.tolerance.note(
                ChainError(
                    f"controller {self.device.name!r}: expected {self.npoints} points, got "
                    f"{self._from_index + npoints - left}"
                ),
                0.0,
            )
        return npoints

    def _npoints_in(self, columns: Sequence[Any]) -> int:
        """:raises DeviceError: there are not equally many values of all counters, or none of some."""
        names = ", ".join(counter.name for counter in self._counters)
        expected = f"controller {self.device.name!r}: expected from get_values a list of values for each of {names}"
        try:
            lengths = [len(column) for column in columns]
        except TypeError:
            raise DeviceError(f"{expected}, got {columns!r}") from None
        if len(lengths) != len(self._counters) or len(set(lengths)) > 1:
            raise DeviceError(f"{expected}, equally many of each, got {lengths}")
        return lengths[0] if lengths else 0

    @property
    def _points_due(self) -> int:
        """How many points should be there: some with each trigger, of those by cable nothing is known."""
        if self.trigger_type is TriggerType.HARDWARE:
            return self.npoints or self._from_index + 1
        return min(self._triggered * self._points_per_trigger, self.npoints or self._triggered)

    @property
    def _points_per_trigger(self) -> int:
        triggers: int = getattr(self.parent, "npoints", 0)
        return max(1, self.npoints // triggers) if triggers > 0 else 1

    def _check_time(self) -> None:
        """End the wait for a device that does not deliver; where it is not critical, by filling up what is due.

        :raises DeviceError: it is critical.
        """
        missing = self._points_due - self._from_index
        is_by_cable = self.trigger_type is TriggerType.HARDWARE
        if missing <= 0 or (is_by_cable and self.timeout is None and not self.tolerance.is_failing):
            return
        limit = PATIENCE + self.count_time * self._points_per_trigger if self.timeout is None else self.timeout
        waited = monotonic() - self._due_since
        if waited <= limit:
            return
        of = f" of {self.npoints}" if self.npoints else ""
        error = DeviceError(
            f"controller {self.device.name!r}: point {self._from_index + 1}{of} did not come within {waited:.1f} s "
            f"(count time {self.count_time:g} s); is it armed, and triggered? If it takes longer: acquisition_settings "
            "timeout=<seconds>"
        )
        self.tolerance.note(error, waited)
        self._give_up(missing)
