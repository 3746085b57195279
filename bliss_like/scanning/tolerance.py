"""Devices that a scan can do without: what they do not deliver is NaN, and they are asked again, but never for long."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import gevent
import numpy as np

from .channel import AcquisitionChannel

_log = logging.getLogger(__name__)

FAILURES = (Exception, gevent.Timeout)
"""What a broken driver may raise; gevent's Timeout is no Exception."""

REST = 10.0
"""How many times longer than it took to fail a device is left alone: a dead one costs a tenth of the scan's time at most."""

AT_ONCE = 0.001
"""Seconds of a failure that holds nothing up: the next point asks again."""


class Tolerance:
    """What one scan bears of one device: all of it, for a device that is not critical; else nothing.

    :param who: names the device, and what is read of it.
    """

    def __init__(self, device: Any, who: Callable[[], str]) -> None:
        self.is_critical: bool = getattr(device, "is_critical", True)
        self.is_failing = False
        self._who = who
        self._has_warned = False
        self._not_before = 0.0

    def begin(self) -> None:
        """Begin a scan: it may warn again."""
        self.is_failing = self._has_warned = False
        self._not_before = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether the device is not to be asked now, because it has failed lately."""
        return self.is_failing and perf_counter() < self._not_before

    def attempt(self, call: Callable[[], Any], even_resting: bool = False) -> tuple[bool, Any]:
        """Make a call; return whether it succeeded, and what it returned.

        :param even_resting: make it also when the device has failed lately.
        :raises BaseException: what it raised, if the device is critical.
        """
        if self.is_critical:
            return True, call()
        if self.is_resting and not even_resting:
            return False, None
        began = perf_counter()
        try:
            result = call()
        except FAILURES as error:
            self.note(error, perf_counter() - began)
            return False, None
        if self.is_failing:
            self.is_failing = False
            _log.info("%s answers again", self._who())
        return True, result

    def note(self, error: BaseException, seconds: float) -> None:
        """Bear a failure that has taken so long.

        :raises BaseException: that error, if the device is critical.
        """
        if self.is_critical:
            raise error
        self.is_failing = True
        self._not_before = perf_counter() + REST * seconds if seconds > AT_ONCE else 0.0
        if not self._has_warned:
            self._has_warned = True
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            _log.warning(
                "%s failed: %s; not being critical, it has NaN in this scan as long as it does", self._who(), what
            )


def bearable_dtype(dtype: np.dtype[Any], is_critical: bool) -> np.dtype[Any]:
    """Return the dtype in which a device is published: integers cannot say that there is none, so they become floats."""
    return dtype if is_critical or dtype.kind not in "biu" else np.result_type(dtype, np.float64)


def nothing_for(channel: AcquisitionChannel) -> Any:
    """Return the point of a channel that stands for none: NaN, an empty text; of what is variable in its shape, nothing."""
    if channel.dtype.kind in "US":
        return ""
    missing = 0 if channel.dtype.kind in "biu" else math.nan
    if not channel.shape:
        return channel.dtype.type(missing)
    return np.full([max(0, n) for n in channel.shape], missing, channel.dtype)
