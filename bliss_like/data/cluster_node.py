"""What a cluster asks of one of its nodes alone: keys that have just arrived there, and reads that wait."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from .redis_store import RedisStore, read_reply
from .resp import pack_read, read_streams
from .store import Entry, Id

_ASKING = b"*1\r\n$6\r\nASKING\r\n"


class AskingStore(RedisStore):
    """A node that is taking over a slot, for keys that have arrived there: one command or one transaction at a time."""

    def connection_of_its_own(self) -> Any:
        return None

    def _exchange(self, parts: Sequence[bytes], nreplies: int) -> list[Any]:
        return super()._exchange([_ASKING, *parts], nreplies + 1)[1:]


class Watch:
    """A read that waits, on a connection of its own: for whoever waits for several servers at once."""

    def __init__(self, store: RedisStore, after: Mapping[str, Id], timeout: float, count: int) -> None:
        self.until = time.monotonic() + timeout
        """When there is an answer at the latest."""
        self.store, self._key = store, next(iter(after))
        with ExitStack() as scope:
            self._connection = scope.enter_context(store._connection())
            self._connection.send_packed_command([pack_read(after, timeout, count)], check_health=False)
            self._scope = scope.pop_all()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with the answer."""
        return int(self._connection._sock.fileno())

    def result(self) -> dict[str, list[Entry]]:
        """Return the answer, once, and give the connection back."""
        with self._scope:
            reply = read_reply(self._connection)
        if isinstance(reply, Exception):
            raise self.store.translate(reply, self._key)
        return read_streams(reply)

    def close(self) -> None:
        """Give up waiting."""
        self._connection.disconnect()
        self._scope.close()
