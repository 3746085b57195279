"""What runs beside everything else: threads, in plain processes and in those of gevent alike, or what the caller has."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def begin_thread(call: Callable[[], object], name: str) -> threading.Thread:
    """Make a call in a thread of its own that does not outlive the process, and return the thread."""
    thread = threading.Thread(target=_run, args=(call,), name=name, daemon=True)
    thread.start()
    return thread


def _run(call: Callable[[], object]) -> None:
    try:
        call()
    finally:
        # A thread that waits in a patched process gets a hub, whose descriptors nobody else would close.
        gevent = sys.modules.get("gevent._hub_local")
        hub = gevent.get_hub_if_exists() if gevent is not None else None
        if hub is not None:
            hub.destroy(destroy_loop=True)


@dataclass(frozen=True)
class Tasks:
    """How something runs beside who has begun it: in a thread, or in a greenlet where the caller has those."""

    spawn: Callable[[Callable[[], None]], object]
    event: Callable[[], Any]
    sleep: Callable[[float], None]


THREADS = Tasks(lambda call: begin_thread(call, "bliss_like publisher"), threading.Event, time.sleep)
