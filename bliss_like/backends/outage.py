"""A device that does not answer: since when, and how long it is left alone."""

from __future__ import annotations

import time

from bliss_like.errors import NotConnectedError

REST = 1.0
"""Seconds for which a device that does not answer is left alone: what is asked meanwhile fails at once."""


class Outage:
    """Since when a device does not answer, and until when it is left alone."""

    def __init__(self) -> None:
        self.over()

    def over(self) -> None:
        self._since = 0.0
        self._reason = ""
        self._rest_until = 0.0

    def begin(self, reason: str, now: bool = False) -> None:
        """Count a failure. The first without an answer is followed by another try at once: it may be a stop."""
        if now or self._since:
            self._rest_until = time.monotonic() + REST
        self._since = self._since or time.time()
        self._reason = reason

    def refuse(self, who: str) -> None:
        """:raises NotConnectedError: the last failure is less than REST seconds ago."""
        left = self._rest_until - time.monotonic()
        if left > 0:
            since = time.strftime("%H:%M:%S", time.localtime(self._since))
            raise NotConnectedError(
                f"{who} does not answer since {since} ({self._reason}). Nothing was sent; it is tried again in {left:.1f} s"
            )
