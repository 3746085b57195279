"""Where the session's data go: the one place where an acquisition is wired to its store."""

from __future__ import annotations

import threading

import gevent
from gevent.event import Event

from bliss_like.data.redis_store import RedisStore, connect
from bliss_like.data.server import redis_url
from bliss_like.data.threads import Tasks
from bliss_like.data.tree import Tree

GREENLETS = Tasks(gevent.spawn, Event, gevent.sleep)
"""Publishers run beside the scan in greenlets of its thread."""


def open_tree(url: str | None = None) -> Tree:
    """Return the tree of nodes in Redis.

    :param url: of the server; by default the one that is configured, else the embedded one, which is started if needed.
    :raises StoreUnavailable: no server answers; the message says how to start one.
    """
    store = connect(url, revive=True)
    if isinstance(store, RedisStore) and store.revive is not None:
        store.revive = _revive
    return Tree(store, tasks=GREENLETS)


def _revive() -> None:
    """Start the embedded server again, unless in a thread: a patched process can start others in its main thread only."""
    if threading.current_thread() is threading.main_thread():
        redis_url()
