"""Processes that other threads fork, as that of a `multiprocessing.Pool` does in place of those that Ctrl-C has ended.

Only the loop of the hub sees children end, for all threads, and gevent lets no other thread tell it of one.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from gevent.hub import get_hub
from gevent.os import fork_and_watch, fork_gevent


@contextlib.contextmanager
def forks_in_threads() -> Iterator[None]:
    """Let `os.fork` work in any thread, as long as the context is open; it is entered in that of the hub."""
    before, of_hub, loop = os.fork, threading.get_ident(), get_hub().loop

    def fork() -> int:
        if threading.get_ident() == of_hub:
            return before()
        pid: int = fork_gevent()
        if pid:
            loop.run_callback_threadsafe(lambda: fork_and_watch(fork=lambda: pid))
        return pid

    os.fork = fork
    try:
        yield
    finally:
        os.fork = before
