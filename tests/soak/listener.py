"""A listener in a process of its own: `python -m tests.soak.listener <url> <number of scans>` says what it made of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from bliss_like.data.node import get_session_node
from bliss_like.data.redis_store import RedisStore
from bliss_like.errors import StoreUnavailable
from tests.soak.random_scans import SESSION, Checker


def listen(url: str, nscans: int, stopped: Callable[[], bool] = lambda: False) -> set[int]:
    """Walk from the beginning until so many scans were seen whole, and return their seeds."""
    store, checker = RedisStore(url), Checker()
    while True:  # the server may be away when the listener comes
        try:
            walk = get_session_node(SESSION, store).walk_events(stop_handler=stopped)
            checker.take(next(walk))
            break
        except StoreUnavailable:
            time.sleep(0.05)
    for event in walk:
        checker.take(event)
        if len(checker.done) == nscans:
            break
    return checker.done


if __name__ == "__main__":
    print(sorted(listen(sys.argv[1], int(sys.argv[2]))), flush=True)
