"""How tests wait: for a condition, with a timeout, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

# That of the machine, also in tests that have a clock of their own: threads may be waited for.
monotonic = time.monotonic


def wait_until(condition: Callable[[], object], timeout: float = 30.0, interval: float = 0.005) -> None:
    """Return as soon as `condition()` is true.

    :raises TimeoutError: it is not true within `timeout` seconds.
    """
    deadline = monotonic() + timeout
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(f"not true within {timeout} s: {condition}")
        time.sleep(interval)


def wait_until_cooperative(condition: Callable[[], object], timeout: float = 30.0, interval: float = 0.002) -> None:
    """The same, in which greenlets run also when the process is not patched."""
    deadline = monotonic() + timeout
    while not condition():
        if monotonic() > deadline:
            raise TimeoutError(f"not true within {timeout} s: {condition}")
        gevent.sleep(interval)
