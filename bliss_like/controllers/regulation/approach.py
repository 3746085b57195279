"""The way of a loop to a setpoint: followed from its start until the loop has settled, failed, or was stopped.

It is followed by a greenlet of its own, so that the time in the deadband counts whether or not somebody waits.
"""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event

from bliss_like.controllers.regulation.readings import with_unit
from bliss_like.errors import DeviceError, RegulationFault

if TYPE_CHECKING:
    from bliss_like.controllers.regulation.loop import Loop

_log = logging.getLogger(__name__)


class Approach:
    """One new setpoint, and what became of it."""

    def __init__(self, loop: Loop, target: float, value: float) -> None:
        """:param target: the setpoint, written already.
        :param value: what the input read before it.
        """
        self.target = target
        self.failure: BaseException | None = None
        self.value = value
        """What the input read last on the way."""
        self.followers = 0
        """How many will raise `failure`; without any, it is logged."""
        self._loop = loop
        self._began = self._last_progress = time.monotonic()
        self._over = Event()
        self._nearest = math.inf
        self._lowest, self._highest = math.inf, -math.inf
        self._inside_since: float | None = None
        self._failed_readings = 0
        self._running = gevent.spawn(self._run)

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def wait(self, timeout: float | None = None) -> None:
        """Return when it is over, also when it was ended.

        :raises RegulationFault: it has failed, or is not over within `timeout` seconds; then it goes on.
        """
        self.followers += 1
        try:
            if not self._over.wait(timeout):
                raise RegulationFault(f"{self._whereabouts()}; waited for {timeout:g} s. The regulation goes on")
        finally:
            self.followers -= 1
        if self.failure is not None:
            raise self.failure

    def end(self) -> None:
        """Follow it no longer."""
        self._running.kill()
        self._over.set()

    def _run(self) -> None:
        try:
            while not self._has_settled():
                gevent.sleep(self._loop.polling_time)
        except (Exception, gevent.Timeout) as failure:  # noqa: BLE001 - raised in those who wait
            self.failure = failure
            if not self.followers:
                _log.error("%s", failure)
        finally:
            self._over.set()

    def _has_settled(self) -> bool:
        """Look once.

        :raises RegulationFault: it will not get there.
        """
        try:
            self._loop.check_regulating()
            is_ramping = self._loop.is_ramping()
            value = self.value = self._loop.measured()
        except RegulationFault:
            raise
        except (DeviceError, gevent.Timeout) as error:
            self._failed_readings += 1
            if self._failed_readings >= self._loop.max_attempts_before_failure:
                raise RegulationFault(f"{self._loop.name} was lost on its way to {self._wanted()}: {error}") from error
            return False
        self._failed_readings = 0
        if not self._loop.waits_for_deadband:
            return not is_ramping
        return self._has_stayed(value, is_ramping)

    def _has_stayed(self, value: float, is_ramping: bool) -> bool:
        now = time.monotonic()
        away = abs(value - self.target)
        if is_ramping or away < self._nearest:
            self._nearest, self._last_progress = away, now
            self._lowest = self._highest = value
        self._lowest, self._highest = min(self._lowest, value), max(self._highest, value)
        if is_ramping or away > self._loop.deadband:
            self._inside_since = None
        elif self._inside_since is None:
            self._inside_since = now
        if self._inside_since is not None and now - self._inside_since >= self._loop.deadband_time:
            return True
        if now - self._last_progress > self._loop.timeout:
            raise RegulationFault(
                f"{self._whereabouts(value)}; in the last {self._loop.timeout:g} s it came no nearer and was between "
                f"{self._lowest:g} and {self._highest:g}. The regulation goes on. If it is only slow, raise `timeout`; "
                "if it is noisy, `deadband`"
            )
        return False

    def _wanted(self) -> str:
        return with_unit(self.target, self._loop.unit)

    def _whereabouts(self, value: float | None = None) -> str:
        loop = self._loop
        if value is None:
            value = loop.input.read()
        elapsed = time.monotonic() - self._began
        wanted = f"its setpoint is {self._wanted()}"
        if loop.waits_for_deadband:
            wanted += f", to be held within {loop.deadband:g} for {loop.deadband_time:g} s"
        return f"{loop.name} has not settled: after {elapsed:.1f} s it is at {with_unit(value, loop.unit)}, {wanted}"
