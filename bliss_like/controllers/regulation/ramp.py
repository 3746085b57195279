"""A ramp made by this process, for what has none of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

_log = logging.getLogger(__name__)


class SoftRamp:
    """Writes a value that goes to its target at a constant rate; the rate and the target may change on the way."""

    def __init__(
        self,
        get_value: Callable[[], float],
        set_value: Callable[[float], object],
        name: str = "ramp",
        rate: float = 0.0,
        poll_time: float = 0.1,
    ) -> None:
        """:param get_value: returns where a ramp begins, when none is under way.
        :param set_value: writes one value; what it raises ends the ramp, and is kept in `failure`.
        :param rate: units/s; 0: the target is written at once.
        :param poll_time: seconds between two writes.
        """
        self.name = name
        self.rate = rate
        self.poll_time = poll_time
        self.failure: BaseException | None = None
        self._get_value = get_value
        self._set_value = set_value
        self._target = 0.0
        self._value: float | None = None
        self._running: gevent.Greenlet[[float], None] | None = None

    def is_ramping(self) -> bool:
        return bool(self._running)

    @property
    def value(self) -> float | None:
        """What was written last; None before the first ramp."""
        return self._value

    def start(self, target: float) -> None:
        """Go to a value, from where the ramp is now if one is under way; return at once.

        :raises Exception: what reading or writing the first value raised; no ramp is under way then.
        """
        self._target = float(target)
        self.failure = None
        if self.is_ramping():
            return
        if self.rate <= 0:
            self._write(self._target)
            return
        value = float(self._get_value())
        if self.is_ramping():  # begun while this one has asked
            return
        self._value = value
        self._running = gevent.spawn(self._run, time.monotonic())

    def stop(self) -> None:
        """End the ramp; the value that was written last stays."""
        running, self._running = self._running, None
        if running is not None and running is not gevent.getcurrent():
            running.kill()

    def _run(self, began: float) -> None:
        last = began
        try:
            while self._value != self._target:
                gevent.sleep(self.poll_time)
                now = time.monotonic()
                self._write(self._next(now - last))
                last = now
        except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - asked for by who follows the ramp
            self.failure = error
            _log.error("%s ended at %s on its way to %g: %s", self.name, self._value, self._target, error)

    def _next(self, elapsed: float) -> float:
        value = self._target if self._value is None else self._value
        left = self._target - value
        step = self.rate * elapsed
        if abs(left) <= step or self.rate <= 0:
            return self._target
        return value + step if left > 0 else value - step

    def _write(self, value: float) -> None:
        self._set_value(value)
        self._value = value
