"""Streams in Redis (or Valkey), with core commands of Redis 6.2 only. The only module that imports redis.

redis-py does connections, URLs and parsing; the commands of the hot path are packed here, which costs a third of what
its pipeline does. Its defaults would re-send a command that timed out (one XADD stored two entries) and end a blocking
read after 5 s: connections made here never retry by themselves, and a long read is asked for in portions.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bliss_like.errors import DataError, StoreUnavailable

from .codec import Fields
from .key_store import foreign
from .redis_keys import RedisKeys
from .resp import joined, pack, pack_append, pack_read, read_entry, read_id, read_streams
from .server import masked, redis_url
from .store import FIRST, Append, Entry, Id

if TYPE_CHECKING:
    from .cluster_store import ClusterStore

_MULTI = b"*1\r\n$5\r\nMULTI\r\n"
_EXEC = b"*1\r\n$4\r\nEXEC\r\n"
_SAME_OR_SMALLER = "equal or smaller than the target stream top item"
_NOT_HERE = (redis.exceptions.AskError, redis.exceptions.TryAgainError, redis.exceptions.ClusterDownError)

_SILENCE = 30.0
"""Seconds after which a server that keeps the connection but does not answer counts as lost; ?socket_timeout= of the URL."""
_LOADING_TIMEOUT = 120.0  # seconds; reading 1 GB of data back takes about 10

_stores: dict[tuple[int, str], RedisStore | ClusterStore] = {}


def connect(url: str | None = None, *, revive: bool = False) -> RedisStore | ClusterStore:
    """Return the store of this process for `url`, by default the server that `data.server` names or starts.

    A cluster is named by `redis+cluster://host:port,host:port`, or `rediss+cluster`.

    :param revive: start the embedded server again whenever it does not run; for whoever must not lose a point.
    :raises StoreUnavailable: no server answers there.
    """
    is_default = url is None
    if url is None:
        url = redis_url()
    store = _stores.get((os.getpid(), url))
    if store is None:
        store = _open(url)
        store.check()
        _stores[os.getpid(), url] = store
    if revive and is_default and isinstance(store, RedisStore):
        store.revive = redis_url
    return store


def _open(url: str) -> RedisStore | ClusterStore:
    if "+cluster://" not in url:
        return RedisStore(url)
    from .cluster_store import ClusterStore

    return ClusterStore(url)


class SlotElsewhere(DataError):
    """A node of a cluster does not serve a key: its slot has moved, or is moving.

    :param address: (host, port) of the node to ask, the host empty if it is the same; None: the keys are in two places.
    :param moved: for good; else for this one command.
    """

    def __init__(self, message: str, address: tuple[str, int] | None, moved: bool) -> None:
        super().__init__(message)
        self.address, self.moved = address, moved


class RedisStore:
    """A `StreamStore` on a Redis server; may be used from several threads and greenlets."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.revive: Callable[[], object] | None = None
        """Called when the server cannot be reached, before that is reported: may bring it back."""
        self._local = threading.local()  # a patched socket must not cross threads
        self.keys = RedisKeys(self)

    def __repr__(self) -> str:
        return f"RedisStore({self.url})"

    @property
    def url(self) -> str:
        """Where the server is, without the password."""
        return masked(self._url)

    @property
    def address(self) -> str:
        """Where another process finds it; with the password."""
        return self._url

    def check(self) -> None:
        """Return when the server answers, which it does not before it has read its data back.

        :raises StoreUnavailable: it does not.
        """
        self.call("PING")

    def server_info(self) -> dict[str, str]:
        """Return what the server says of itself: `used_memory` in bytes, `uptime_in_seconds`, and the rest of INFO."""
        lines = self.call("INFO").decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    # -- streams -------------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Append], *, expire: Mapping[str, float] = {}, again: bool = False) -> None:
        commands = [part for entry in entries for part in pack_append(*entry)]
        commands += [pack("PEXPIRE", key, int(seconds * 1000)) for key, seconds in expire.items()]
        replies = self.transaction(commands, len(entries) + len(expire))
        for entry, reply in zip(entries, replies, strict=False):
            if isinstance(reply, Exception) and not (again and _SAME_OR_SMALLER in str(reply)):
                raise self.translate(reply, entry.key)

    def read(self, after: Mapping[str, Id], *, timeout: float = 0, count: int = 1000) -> dict[str, list[Entry]]:
        end = time.monotonic() + timeout
        while after:
            found = self.read_groups([after], timeout=min(timeout, _SILENCE / 2), count=count)
            timeout = end - time.monotonic()
            if found or timeout <= 0:
                return found
        return {}

    def read_groups(
        self, groups: Sequence[Mapping[str, Id]], *, timeout: float = 0, count: int = 1000
    ) -> dict[str, list[Entry]]:
        """Read several groups of streams in one round trip; the groups of a cluster are its slots."""
        names = [next(iter(group)) for group in groups]
        replies = self._each(names, [pack_read(group, timeout, count) for group in groups])
        return {key: entries for reply in replies for key, entries in read_streams(reply).items()}

    def range(self, key: str, first: Id = FIRST, last: Id | None = None, count: int | None = None) -> list[Entry]:
        end = b"%d-%d" % last if last else b"+"
        limit = ("COUNT", count) if count is not None else ()
        return [read_entry(raw) for raw in self.call("XRANGE", key, b"%d-%d" % first, end, *limit)]

    def last_before(self, key: str, last: Id) -> Entry | None:
        reply = self.call("XREVRANGE", key, b"%d-%d" % last, b"-", "COUNT", 1)
        return read_entry(reply[0]) if reply else None

    def last_entries(self, keys: Sequence[str]) -> list[Entry | None]:
        replies = self._each(keys, [pack("XREVRANGE", key, "+", "-", "COUNT", 1) for key in keys])
        return [read_entry(reply[0]) if reply else None for reply in replies]

    def last_ids(self, keys: Sequence[str]) -> list[Id | None]:
        replies = self._pipeline([pack("XINFO", "STREAM", key) for key in keys])
        ids: list[Id | None] = []
        for key, reply in zip(keys, replies, strict=True):
            if isinstance(reply, Exception):
                if "no such key" not in str(reply):
                    raise self.translate(reply, key)
                ids.append(None)
            else:
                ids.append(read_id(reply[reply.index(b"last-generated-id") + 1]))
        return ids

    def first_ids(self, keys: Sequence[str]) -> list[Id | None]:
        replies = self._each(keys, [pack("XRANGE", key, "-", "+", "COUNT", 1) for key in keys])
        return [read_id(reply[0][0]) if reply else None for reply in replies]

    def exist(self, keys: Sequence[str]) -> list[bool]:
        return [reply == 1 for reply in self._pipeline([pack("EXISTS", key) for key in keys])]

    def trim(self, bounds: Mapping[str, Id]) -> None:
        self._pipeline([pack("XTRIM", key, "MINID", b"%d-%d" % bound) for key, bound in bounds.items()])

    def drop_entries(self, key: str, ids: Sequence[Id]) -> None:
        if ids:
            self.call("XDEL", key, *(b"%d-%d" % each for each in ids))

    # -- keys and hashes ---------------------------------------------------------------------------------------

    def delete(self, keys: Sequence[str]) -> None:
        self._pipeline([pack("UNLINK", key) for key in keys])

    def expire(self, keys: Iterable[str], seconds: float) -> None:
        self._pipeline([pack("PEXPIRE", key, int(seconds * 1000)) for key in keys])

    def get_fields(self, key: str) -> Fields:
        reply = self.call("HGETALL", key)
        return dict(zip(reply[::2], reply[1::2], strict=True))

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        self.call("HSET", key, *(part for item in fields.items() for part in item))

    def drop_fields(self, key: str, names: Sequence[str]) -> None:
        if names:
            self.call("HDEL", key, *names)

    def increment(self, key: str, field: str, by: int = 1) -> int:
        return int(self.call("HINCRBY", key, field, by))

    # -- the line ----------------------------------------------------------------------------------------------

    def call(self, *command: str | bytes | int | float) -> Any:
        """Run one command and return its reply."""
        reply = self._exchange([pack(*command)], 1)[0]
        if isinstance(reply, Exception):
            place = 3 if command[0] == "EVAL" else 1  # of the key: a script and the number of its keys come before it
            raise self.translate(reply, str(command[place]) if len(command) > place else "")
        return reply

    def _pipeline(self, commands: Sequence[bytes]) -> list[Any]:
        return self._exchange(commands, len(commands)) if commands else []

    def _each(self, keys: Sequence[str], commands: Sequence[bytes]) -> list[Any]:
        """Run one command a key; an error reply is raised with its key."""
        replies = self._pipeline(commands)
        for key, reply in zip(keys, replies, strict=True):
            if isinstance(reply, Exception):
                raise self.translate(reply, key)
        return replies

    def transaction(self, parts: Sequence[bytes], ncommands: int) -> list[Any]:
        """Run commands in one step; a reader that waits for several streams wakes once, with all of them."""
        if ncommands == 1:
            return self._exchange(parts, 1)
        replies = self._exchange([_MULTI, *parts, _EXEC], ncommands + 2)
        if isinstance(replies[-1], Exception):  # a command was refused when it was queued: say why, not "EXECABORT"
            first = next(reply for reply in replies if isinstance(reply, Exception))
            raise self.translate(first, "")
        return list(replies[-1])

    def _exchange(self, parts: Sequence[bytes], nreplies: int) -> list[Any]:
        """Send packed commands, in any number of parts, and return their replies; an error reply as an exception.

        A server that reads its data back refuses all commands; it is waited for.
        """
        deadline = time.monotonic() + _LOADING_TIMEOUT
        while True:
            try:
                replies = self._exchange_once(parts, nreplies)
                break
            except StoreUnavailable as error:
                if not isinstance(error.__cause__, redis.BusyLoadingError) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        for reply in replies:
            if isinstance(reply, _NOT_HERE):
                raise self.translate(reply, "")
        return replies

    def _exchange_once(self, parts: Sequence[bytes], nreplies: int) -> list[Any]:
        with self._connection() as connection:
            connection.send_packed_command(joined(parts), check_health=False)
            return [read_reply(connection) for _ in range(nreplies)]

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        connection = self._connect()
        try:
            yield connection
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            connection.disconnect()
            raise self._unavailable(error) from error
        except BaseException:  # killed half-way: what is still on its way must not answer the next command
            connection.disconnect()
            raise
        finally:
            self._give_back(connection)

    def _connect(self) -> Any:
        try:
            try:
                return self._connection_in_turn()
            except redis.ConnectionError:
                if self.revive is None:
                    raise
                self.revive()
                return self._connection_in_turn()
        except redis.RedisError as error:
            raise self._unavailable(error) from error

    def _connection_in_turn(self) -> Any:
        """Return a connection; when very many greenlets of this thread ask at once, after others have had theirs."""
        deadline = time.monotonic() + _SILENCE
        pool, idle = self._pool, self._local.idle
        while True:
            while idle:
                connection = idle.pop()
                if _is_quiet(connection):
                    return connection
                connection.disconnect()
                pool.release(connection)
            try:
                return pool.get_connection()
            except redis.exceptions.MaxConnectionsError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.001)

    def _give_back(self, connection: Any) -> None:
        pool = self._pool
        if connection.is_connected:
            self._local.idle.append(connection)
        else:
            pool.release(connection)

    @property
    def _pool(self) -> Any:
        pool = getattr(self._local, "pool", None)
        if pool is None or self._local.pid != os.getpid():
            pool = self._make_pool(protocol=2)
            self._local.pool, self._local.pid, self._local.idle = pool, os.getpid(), []
        return pool

    def _make_pool(self, protocol: int) -> Any:
        return redis.ConnectionPool.from_url(
            self._url,
            protocol=protocol,
            socket_timeout=_SILENCE,
            socket_connect_timeout=5,
            health_check_interval=0,
            retry=Retry(NoBackoff(), 0),
        )

    def connection_of_its_own(self) -> Any:
        """Return a new connection that speaks RESP3; None: there cannot be one now, or the server does not speak it."""
        connection = self._make_pool(protocol=3).make_connection()
        try:
            connection.connect()
        except (redis.RedisError, OSError):
            return None
        return connection

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"Redis server {self.url}: no answer ({error}). Is it running? `bliss-like server start` starts the embedded "
            f"one; $BLISS_LIKE_REDIS names another"
        )

    def translate(self, error: Exception, key: str) -> Exception:
        """Return what to raise for an error that the server has replied."""
        text = str(error)
        if isinstance(error, redis.exceptions.ClusterDownError) or text.startswith("UNBLOCKED"):
            return StoreUnavailable(
                f"Redis server {self.url}: its cluster is not complete ({text}). A node that has no replica may be down: "
                f"`CLUSTER NODES` tells which"
            )
        if isinstance(error, _NOT_HERE):
            return SlotElsewhere(
                f"Redis server {self.url} is one node of a cluster and has not all of the keys ({text}): name the cluster, "
                f"with a URL that begins with redis+cluster://",
                getattr(error, "node_addr", None),
                isinstance(error, redis.exceptions.MovedError),
            )
        if "WRONGTYPE" in text or isinstance(error, redis.ResponseError) and "wrong kind of value" in text:
            return foreign(key, "a key")
        if isinstance(error, redis.exceptions.OutOfMemoryError) or "OOM" in text:
            return DataError(
                f"Redis server {self.url} is full (its maxmemory): {text}. Shorten the retention or raise maxmemory"
            )
        return DataError(f"Redis server {self.url} refused a command on {key!r}: {text}")


def _is_quiet(connection: Any) -> bool:
    """Whether nothing has come on an idle connection, its end included.

    The pool of redis-py finds that out, too, but takes a third of the time of a round trip for it.
    """
    if isinstance(connection, redis.SSLConnection):  # which cannot be peeked at
        return not connection.can_read()
    sock = connection._sock
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    finally:
        sock.settimeout(timeout)
    return False


def read_reply(connection: Any) -> Any:
    """Return the next reply of a connection; an error of the server is returned, too."""
    try:
        return connection.read_response()
    except redis.ResponseError as error:
        return error
