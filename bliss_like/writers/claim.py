"""That one writer serves a session at a time: its word in the store, which a thread renews while the writer works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict

from bliss_like.data import paths
from bliss_like.data.codec import to_json
from bliss_like.data.key_store import Is
from bliss_like.data.process import is_gone
from bliss_like.data.saving import BEAT, LIFE, WriterStatus, writer_status
from bliss_like.data.store import StreamStore
from bliss_like.data.threads import begin_thread
from bliss_like.errors import SavingError, StoreUnavailable

_log = logging.getLogger(__name__)


class Claim:
    """Held from `take` to `give_back`, unless it is `lost`.

    :param status: returns what the writer says of itself now; called in a thread of its own.
    """

    def __init__(self, store: StreamStore, status: Callable[[], WriterStatus]) -> None:
        self._store, self._status = store, status
        self._key = paths.writer(status().session)
        self._told: bytes | None = None
        self._over = threading.Event()
        self._is_lost = threading.Event()

    @property
    def lost(self) -> bool:
        """Whether another writer has taken over: this one was silent for too long."""
        return self._is_lost.is_set()

    def take(self) -> None:
        """Become the writer of the session, and say so until `give_back`.

        :raises SavingError: another writer lives.
        :raises StoreUnavailable: the server does not answer.
        """
        other = writer_status(self._store, self._status().session)
        found = self._store.keys.read(self._key)
        if other is not None and is_gone({"host": other.host, "pid": other.pid}) and isinstance(found, bytes):
            self._told = found  # its word outlives it by a moment
        if not self._tell():
            other = writer_status(self._store, self._status().session)
            name = other or "another one"
            raise SavingError(
                f"the {name} is there already, and a session has one writer at a time; end that one first (Ctrl-C, or "
                f"kill its pid there); if its host is no more, it is free after {LIFE:.0f} s"
            )
        begin_thread(self._go_on, "bliss_like writer's status")

    def give_back(self) -> None:
        """Say that there is no writer any more."""
        self._over.set()
        if self._told is not None and not self.lost:
            try:
                self._store.keys.run(("DEL", self._key), when=[Is(self._key, self._told)])
            except StoreUnavailable as error:
                _log.warning("the end of the writer could not be told: %s", error)

    def _go_on(self) -> None:
        while not self._over.wait(BEAT):
            try:
                if not self._tell() and not self._renew():
                    self._is_lost.set()
                    return
            except StoreUnavailable:
                continue  # who waits for the writer waits for the server, too

    def _tell(self) -> bool:
        """Say it, if nobody else has; return whether that was so."""
        news = to_json(asdict(self._status()))
        command = ("SET", self._key, news, "PX", int(LIFE * 1000))
        if self._store.keys.run(command, when=[Is(self._key, self._told)]) is None:
            return False
        self._told = news
        return True

    def _renew(self) -> bool:
        """Say it again after an outage: the last word may have expired, or got there without its answer coming back."""
        me, found = self._status(), writer_status(self._store, self._status().session)
        if found is not None and (found.host, found.pid, found.since) != (me.host, me.pid, me.since):
            return False
        value = self._store.keys.read(self._key)
        self._told = value if isinstance(value, bytes) else None
        return self._tell()
