"""Processes that are forked by other threads, as by that of a `multiprocessing.Pool` in place of those that Ctrl-C has ended, and
how it ends them.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from gevent.hub import get_hub
from gevent.os import fork_and_watch, fork_gevent


@contextlib.contextmanager
def forks_in_threads() -> Iterator[None]:
    """Let `os.fork` work in any thread, as long as the context is open; it is entered in that of the hub.

    Only the loop of the hub sees children end, for all threads, and gevent lets no other thread tell it of one.
    """
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


def end_forked(number: int, _frame: FrameType | None) -> None:
    """End a process that a command has forked, as a signal does by itself; but one of `multiprocessing` gives back its locks.

    Of a pool, one waits for work with the lock of the queue: without it the others wait for ever, and so does who ends the pool.
    """
    processes, locks = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "synchronize"))
    if processes is not None and locks is not None and processes.parent_process() is not None:
        for lock in gc.get_objects():
            if issubclass(type(lock), (locks.Lock, locks.RLock)):
                while lock._semlock._is_mine():
                    lock.release()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
