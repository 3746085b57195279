"""That one writer serves a session at a time: its word in the store, which a thread renews while the writer works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict

from bliss_like.data import paths
from bliss_like.data.codec import to_json
from bliss_like.data.key_store import Is, Value, foreign
from bliss_like.data.process import is_gone
from bliss_like.data.saving import BEAT, LIFE, WriterStatus, status_in
from bliss_like.data.store import StreamStore
from bliss_like.data.threads import begin_thread
from bliss_like.errors import DataError, SavingError

_log = logging.getLogger(__name__)


class Claim:
    """Held from `take` to `give_back`, unless it is `lost`.

    :param status: returns what the writer says of itself now; called in a thread of its own.
    """

    def __init__(self, store: StreamStore, status: Callable[[], WriterStatus]) -> None:
        self._store, self._status = store, status
        self._key = paths.writer(status().session)
        self._told: Value | None = None
        self._over = threading.Event()
        self._is_lost = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def lost(self) -> bool:
        """Whether another writer has taken over: this one was silent for too long, or gives way."""
        return self._is_lost.is_set()

    def take(self) -> None:
        """Become the writer of the session, and say so until `give_back`.

        :raises SavingError: another writer lives.
        :raises DataError: the server does not answer, or takes nothing.
        """
        other = self._say_unless_another_lives()
        if other is not None:
            raise SavingError(
                f"the {other} is there already, and a session has one writer at a time; end that one first (Ctrl-C, or "
                f"kill its pid there); if its host is no more, it is free after {LIFE:.0f} s"
            )
        self._thread = begin_thread(self._go_on, "bliss_like writer's status")

    def give_back(self) -> None:
        """Say that there is no writer any more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(LIFE)  # else it may say once more that it lives; it waits for a server that is silent
        if self._thread is None or self.lost:
            return
        try:
            found = self._store.keys.read(self._key)
            if self._is_mine(status_in(found)):
                self._store.keys.run(("DEL", self._key), when=[Is(self._key, found)])
        except DataError as error:
            _log.warning("the end of the writer could not be told: %s", error)

    def _go_on(self) -> None:
        while not self._over.wait(BEAT):
            try:
                if not self._tell() and self._say_unless_another_lives() is not None:
                    self._is_lost.set()
                    return
            except DataError:
                continue  # who waits for the writer waits for the server, too; one that is full may find room

    def _tell(self) -> bool:
        """Say it, if nobody has said anything since this one did; return whether that was so."""
        news = to_json(asdict(self._status()))
        command = ("SET", self._key, news, "PX", int(LIFE * 1000))
        if self._store.keys.run(command, when=[Is(self._key, self._told)]) is None:
            return False
        self._told = news
        return True

    def _say_unless_another_lives(self) -> WriterStatus | None:
        """Say it in the place of whatever is there: nothing, the word of a writer that has died or gives way, or one of this
        writer's own that got there without its answer coming back. Return the writer that lives, if there is one."""
        while True:  # what is found may run out, or be another's, before this one has said it
            self._told = self._store.keys.read(self._key)
            if self._told is not None and not isinstance(self._told, bytes):
                raise foreign(self._key, "the word of a writer")
            other = status_in(self._told)
            if other is not None and not (self._is_mine(other) or self._may_replace(other)):
                return other
            if self._tell():
                return None

    def _may_replace(self, other: WriterStatus) -> bool:
        gives_way = other.gives_way and not self._status().gives_way
        return gives_way or is_gone({"host": other.host, "pid": other.pid})

    def _is_mine(self, found: WriterStatus | None) -> bool:
        me = self._status()
        return found is not None and (found.host, found.pid, found.since) == (me.host, me.pid, me.since)
