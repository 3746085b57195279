"""The way from any OS thread into the greenlets: control systems call back in threads of their own.

A gevent queue must not be used for it (a put from a foreign thread may wake nobody), and an event wakes only a hub that
has something else to wait for. An `async_` watcher does both, and costs tens of microseconds.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import AsyncResult

_log = logging.getLogger(__name__)


class Crossing:
    """Runs functions in the hub, in the order in which they were posted."""

    def __init__(self) -> None:
        """Made in the thread whose greenlets are to be reached.

        :raises RuntimeError: this is not the main thread.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the first signal of a control system must be opened in the main thread")
        self._posted: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._watcher = gevent.get_hub().loop.async_()
        self._watcher.start(self._drain)

    def post(self, function: Callable[..., Any], *args: Any) -> None:
        """Call `function(*args)` in the hub soon; from any thread. It must not block."""
        self._posted.append((function, args))
        self._watcher.send()

    def _drain(self) -> None:
        while self._posted:
            function, args = self._posted.popleft()
            try:
                function(*args)
            except Exception:  # noqa: BLE001 - one listener's mistake must not silence the others
                _log.exception("%r, called back by a control system, failed", function)


def wait_for(result: AsyncResult[Any], timeout: float | None) -> Any:
    """The value of `result`, or the exception that was put into it.

    :raises TimeoutError: it has neither within `timeout` seconds.
    """
    if not result.wait(timeout) and not result.ready():
        raise TimeoutError
    return result.get()
