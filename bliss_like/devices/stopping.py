"""What it takes to stop a move at any time: a call that can be interrupted, and stops that are waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.event import Event


class Interruptible:
    """A call that another greenlet may interrupt: it, and nothing that comes after it."""

    def __init__(self) -> None:
        self._greenlet: Any = None

    def make(self, call: Callable[[], object]) -> None:
        """Make a call in a greenlet of its own; return when it is done.

        :raises BaseException: what it raised, or was interrupted by.
        """
        failures: list[BaseException] = []

        def run() -> None:
            self._greenlet = greenlet
            try:
                call()
            except BaseException as failure:  # noqa: BLE001 - raised below
                failures.append(failure)
            finally:
                self._greenlet = None

        greenlet = gevent.spawn(run)
        try:
            greenlet.join()
        finally:
            greenlet.kill()
        if failures:
            raise failures[0]

    def interrupt(self, error: type[BaseException]) -> bool:
        """Throw an error into the call, once; return whether there was one to throw it into."""
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is None:
            return False
        greenlet.kill(error, block=False)
        return True


class StopsUnderWay:
    """Stops on their way to controllers: one that comes late would stop the next motion."""

    def __init__(self) -> None:
        self._count = 0
        self._arrived = Event()

    @contextmanager
    def one(self) -> Iterator[None]:
        """One is on its way while the context is open."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            self._arrived.set()

    def wait(self, timeout: float) -> None:
        """Return when all have arrived, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._count and time.monotonic() < deadline:
            self._arrived.clear()
            self._arrived.wait(timeout)
