"""The scans of a session that run now, and how all of them are paused together, or ended: Ctrl-Z, the end of the session."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

from bliss_like.data.lifecycle import ScanState
from bliss_like.errors import UserAbort

if TYPE_CHECKING:
    from .scan import Scan

PATIENCE = 30.0
"""Seconds that a scan has to end that nobody waits for."""

_log = logging.getLogger(__name__)


class Pausing:
    """A scan holds before its next point. One that begins while a sequence is paused holds before its first."""

    def __init__(self) -> None:
        self._running: dict[Scan, greenlet] = {}
        self._is_closed = False
        """Whether scans that begin now are held, too: only while one runs that is."""

    @property
    def running(self) -> list[Scan]:
        """Those that could still take a point, the outermost first; none that runs in the background."""
        return [scan for scan in self._running if scan.state < ScanState.STOPPING]

    def runs_in(self, scan: Scan) -> greenlet | None:
        """Return the greenlet that runs a scan; None when it is over."""
        return self._running.get(scan)

    @property
    def is_paused(self) -> bool:
        return any(scan.is_paused for scan in self.running)

    def pause(self) -> list[Scan]:
        """Pause all that run; return them."""
        self._is_closed = bool(self.running)
        for scan in self.running:
            scan.pause()
        return self.running

    def resume(self) -> list[Scan]:
        """Let those go on that are paused; return them."""
        self._is_closed = False
        paused = [scan for scan in self.running if scan.is_paused]
        for scan in paused:
            scan.resume()
        return paused

    def end_all(self, reason: str) -> None:
        """Abort the scans that other greenlets run, the innermost first, and return when they have ended.

        What does not end in time is left behind, and named.
        """
        ending = [scan for scan, by in reversed(self._running.items()) if by is not getcurrent()]
        for scan in ending:
            if scan.state < ScanState.STOPPING:
                _log.warning("%s was running and is aborted, as %s", scan.label, reason)
                scan.end(UserAbort(reason))
        for scan in ending:
            try:
                scan.wait_state(ScanState.DONE, PATIENCE)
            except TimeoutError as error:
                _log.warning("%s", error)

    @contextmanager
    def includes(self, scan: Scan) -> Iterator[None]:
        """The context in which a scan runs."""
        self._running[scan] = getcurrent()
        if self._is_closed:
            scan.pause()
        try:
            yield
        finally:
            del self._running[scan]
            self._is_closed &= bool(self._running)
