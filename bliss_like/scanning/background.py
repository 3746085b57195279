"""Scans in the background: they make way for every other scan, and come back after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from gevent.event import Event

_log = logging.getLogger(__name__)


class Runner(Protocol):
    """Runs scans in the background, one after the other."""

    name: str

    def make_way(self, reason: str) -> None:
        """Begin to end the scan that runs, if any: after its present point, or now when it is between two."""

    def wait_rest(self) -> bool:
        """Return when no scan runs; False when it does not end."""

    def end(self) -> None:
        """Begin to end, for good."""


class Background:
    """All that runs in the background of one session."""

    def __init__(self) -> None:
        self.runners: dict[str, Runner] = {}
        self.is_free = Event()
        """Set while no other scan runs."""
        self.is_free.set()
        self._nscans = 0

    @contextmanager
    def out_of_the_way(self, reason: str) -> Iterator[None]:
        """The context of a scan of the user: nothing runs in the background. It waits for a point at most.

        :param reason: what the others make way for.
        """
        self._nscans += 1
        self.is_free.clear()
        try:
            for runner in list(self.runners.values()):
                runner.make_way(reason)
            for runner in list(self.runners.values()):
                if not runner.wait_rest():
                    _log.warning("%s: %s in the background does not end; going on beside it", reason, runner.name)
            yield
        finally:
            self._nscans -= 1
            if not self._nscans:
                self.is_free.set()

    def end_all(self) -> None:
        """End all that runs, for good; what does not end in time is left behind."""
        for runner in list(self.runners.values()):
            runner.end()
        for runner in list(self.runners.values()):
            if not runner.wait_rest():
                _log.warning("%s in the background does not end", runner.name)
