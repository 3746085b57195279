"""What was read once is in memory until the server says that it has changed: a read costs no round trip.

Each thread has one connection that does nothing but read, with the server's client tracking on. What it says of changes
comes on that connection, in order with the replies, so that there is no moment in which an answer is older than a message
that has arrived: who reads takes first what is there, without waiting. Nobody listens in the background.

In all doubtful cases the value is asked for on another connection: when another greenlet waits for an answer on this one,
when the server does not know tracking, when the connection is lost. With the connection goes all that was read on it.
"""

from __future__ import annotations

import os
import threading
import time
from _socket import socket as RawSocket  # socket.socket may have been replaced by one that waits
from collections.abc import Callable, Iterable, Sequence
from socket import MSG_DONTWAIT, MSG_PEEK
from typing import Any, NamedTuple

from bliss_like.errors import ForeignKeyError

from .key_store import Value
from .resp import ErrorReply, Messages, Push, pack

_TRUST = 10.0
"""Seconds after which a value is read again all the same: a connection can be dead without anybody knowing."""
_PAUSE = 1.0
"""Seconds until a connection is tried again that could not be had."""
_PORTION = 1 << 16
_MOST = 10_000
"""Values that one thread keeps, and keys whose changes are known; when there are more, it begins anew."""


class Kept(NamedTuple):
    """A value, the last change of it that was made here before, and when it is to be read again."""

    value: Value | None
    change: object
    until: float


class Seen(NamedTuple):
    """In place of a change: somebody has read this value on another connection. What differs from it may be older."""

    value: Value | None


class Changes(dict[str, object]):
    """By key, something new with each change that was made here: what was asked for before is not to be kept."""

    def __init__(self) -> None:
        self._none = object()

    def last(self, key: str) -> object:
        return self.get(key, self._none)


class CachedReads:
    """Values by key, as each thread has read them.

    :param connect: returns a new connection of redis-py that speaks RESP3, None if there cannot be one.
    :param read: the same without a cache.
    :param script: as `EVAL script 1 key` it returns what the key holds in two parts, and the milliseconds it is to live.
    :param value_of: makes the value of a key out of the reply.
    """

    def __init__(
        self,
        connect: Callable[[], Any],
        read: Callable[[str], Value | None],
        script: str,
        value_of: Callable[[str, Any], Value | None],
    ) -> None:
        self._connect, self._read, self._value_of = connect, read, value_of
        self._script = script
        self._local = threading.local()
        self._changes = Changes()

    def read(self, key: str) -> Value | None:
        line = self._line()
        if line is not None:
            try:
                return self._read_on(line, key)
            except _Lost:
                self._local.line = None
        before = self._changes.last(key)
        value = self._read(key)
        now = self._changes.last(key)
        is_the_latest = now is before or (isinstance(now, Seen) and now.value == value)
        self._note(key, Seen(value) if is_the_latest else object())
        return value

    def forget(self, keys: Iterable[str]) -> None:
        """Take note that these were changed here: the server's message of that may still be on its way."""
        for key in keys:
            self._note(key, object())

    def _note(self, key: str, change: object) -> None:
        if len(self._changes) >= _MOST:
            self._changes = Changes()  # all that was read before is asked for again
        self._changes[key] = change

    def fetch(self, keys: Iterable[str]) -> None:
        """Read in one round trip what is not in memory: the next read of each costs none."""
        line = self._line()
        if line is not None:
            try:
                line.take_what_is_there()
                if missing := [
                    key for key in dict.fromkeys(keys) if self._known(line, key) is None or not line.is_quiet
                ]:
                    self._ask(line, missing)
            except _Lost:
                self._local.line = None

    def _read_on(self, line: TrackedLine, key: str) -> Value | None:
        kept = self._kept(line, key)
        return self._ask(line, [key])[0] if kept is None else kept.value

    def _kept(self, line: TrackedLine, key: str) -> Kept | None:
        """Return what is in memory of a key, unless the server has said until now that it has changed."""
        kept = self._known(line, key)
        if kept is None:
            return None
        line.take_what_is_there()
        return kept if line.kept.get(key) is kept and line.is_quiet else None

    def _known(self, line: TrackedLine, key: str) -> Kept | None:
        """The same, without asking what the server has said since the last time."""
        kept = line.kept.get(key)
        return None if kept is None or not self._is_as_new(key, kept) or time.monotonic() >= kept.until else kept

    def _ask(self, line: TrackedLine, keys: Sequence[str]) -> list[Value | None]:
        changes, now = [self._changes.last(key) for key in keys], time.monotonic()
        if len(line.kept) + len(keys) > _MOST:
            line.kept.clear()
        values: list[Value | None] = []
        failures: list[ForeignKeyError] = []

        def keep(reply: Any) -> None:  # at once: what the server says next may be that it has changed
            nth = len(values)
            values.append(None)
            try:
                values[nth] = self._value_of(keys[nth], reply)
            except ForeignKeyError as failure:
                failures.append(failure)
                return
            left = reply[2] / 1000  # the server may tell of it some time after a key has expired
            until = now + (min(left, _TRUST) if left >= 0 else _TRUST)
            line.kept[keys[nth]] = Kept(values[nth], changes[nth], until)

        line.ask([pack("EVAL", self._script, 1, key) for key in keys], keep)
        if failures:
            raise failures[0]
        return values

    def _is_as_new(self, key: str, kept: Kept) -> bool:
        """Whether nothing newer than a value was made or seen here."""
        change = self._changes.last(key)
        return change is kept.change or (isinstance(change, Seen) and change.value == kept.value)

    def _line(self) -> TrackedLine | None:
        """Return the connection of this thread; None: it is in use, or cannot be had."""
        line: TrackedLine | None = getattr(self._local, "line", None)
        if line is not None and line.pid == os.getpid():
            return None if line.is_busy else line
        now = time.monotonic()
        if now < getattr(self._local, "not_before", 0):
            return None
        self._local.not_before = now + _PAUSE  # nor is another greenlet to open one meanwhile
        self._local.line = line = self._open()
        if line is not None:
            self._local.not_before = 0
        return line

    def _open(self) -> TrackedLine | None:
        connection = self._connect()
        if connection is None:
            return None
        try:
            line = TrackedLine(connection)
            line.ask([pack("CLIENT", "TRACKING", "ON")], lambda reply: None)
        except _Lost:
            return None
        return line


class _Lost(Exception):
    """The connection is lost, or says something odd."""


class TrackedLine:
    """A connection on which one reads at a time, and what was read on it."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._socket = connection, connection._sock
        self._raw = RawSocket(fileno=os.dup(self._socket.fileno()))
        self._is_encrypted = hasattr(self._socket, "pending")
        self._messages = Messages()
        self.kept: dict[str, Kept] = {}
        self.pid = os.getpid()
        self.is_busy = False

    def __del__(self) -> None:
        self._raw.close()  # the connection closes itself

    @property
    def is_quiet(self) -> bool:
        """Whether no message has arrived in part."""
        return self._messages.is_empty

    def take_what_is_there(self) -> None:
        """Take the messages that have arrived, without waiting and without letting another greenlet run."""
        try:
            while True:
                data = self._decrypted() if self._is_encrypted else self._raw.recv(_PORTION, MSG_DONTWAIT)
                self._take(data)
                for message in self._messages:
                    self._heed(message)
                if len(data) < _PORTION and not self._is_encrypted:
                    return
        except BlockingIOError:
            return
        except (OSError, ValueError) as error:
            raise self._lost() from error

    def ask(self, commands: Sequence[bytes], take: Callable[[Any], None]) -> None:
        """Send commands, and let `take` have each reply; what the server says before and after it is heeded in order."""
        self.is_busy = True
        waiting = len(commands)
        try:
            self._socket.sendall(b"".join(commands))
            while True:
                for message in self._messages:
                    if isinstance(message, ErrorReply):
                        raise ValueError(message)
                    if isinstance(message, Push):
                        self._heed(message)
                        continue
                    take(message)
                    waiting -= 1
                    if not waiting:
                        return
                self._take(self._socket.recv(_PORTION))
        except (OSError, ValueError) as error:
            raise self._lost() from error
        except BaseException:  # killed half-way: the reply must not answer the next command
            self._lost()
            raise
        finally:
            self.is_busy = False

    def _decrypted(self) -> bytes:
        """Return what has arrived.

        :raises BlockingIOError: nothing has.
        """
        if not self._socket.pending():
            self._raw.recv(1, MSG_PEEK | MSG_DONTWAIT)
        timeout = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            return bytes(self._socket.recv(_PORTION))
        except OSError as error:
            if type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError"):  # of the protocol, nothing for us
                raise BlockingIOError from None
            raise
        finally:
            self._socket.settimeout(timeout)

    def _take(self, data: bytes) -> None:
        if not data:
            raise ConnectionError("closed by the server")
        self._messages.feed(data)

    def _heed(self, message: object) -> None:
        if not isinstance(message, Push):
            raise ValueError(f"a reply that nobody asked for: {message!r}")
        if message[0] != b"invalidate":
            return
        if message[1] is None:  # FLUSHALL
            self.kept.clear()
        else:
            for key in message[1]:
                self.kept.pop(key.decode(), None)

    def _lost(self) -> _Lost:
        self.kept.clear()
        self._connection.disconnect()
        return _Lost()
