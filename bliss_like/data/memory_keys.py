"""Small shared values in this process, for tests and for sessions without a server.

Interprets the commands of Redis that settings, locks and shared values use, with their meaning and replies there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from bliss_like.errors import DataError, ForeignKeyError

from .key_store import Command, Is, Value, foreign, key_of

Words = tuple[bytes, ...]
T = TypeVar("T", bytes, dict[bytes, bytes], list[bytes], "Scores")


class Scores(dict[bytes, float]):
    """A sorted set: the score of each member."""

    def members(self) -> list[bytes]:
        """Return the members by score, those of equal score by name."""
        return sorted(self, key=lambda member: (self[member], member))


class MemoryKeys:
    """A `KeyStore` in the memory of this process."""

    def __init__(self) -> None:
        self._values: dict[str, bytes | dict[bytes, bytes] | list[bytes] | Scores] = {}
        self._ends: dict[str, float] = {}
        self._lock = threading.RLock()

    def run(self, *commands: Command, when: Sequence[Is] = ()) -> list[Any] | None:
        replies: list[Any] = []
        refusal: ForeignKeyError | None = None
        with self._lock:
            self._sweep()
            if not all(map(self._holds, when)):
                return None
            for command in commands:
                name, key, words = str(command[0]), key_of(command), command[2:]
                try:
                    replies.append(self._command(name)(key, *map(_bytes, words)))
                except ForeignKeyError as error:
                    refusal = refusal or error
                if self._values.get(key) in ({}, []):
                    self._do_del(key)
        if refusal:
            raise refusal
        return replies

    def read(self, key: str) -> Value | None:
        with self._lock:
            self._sweep()
            value = self._values.get(key)
            if value is None or isinstance(value, bytes):
                return value
            return value.members() if isinstance(value, Scores) else value.copy()

    def fetch(self, keys: Iterable[str]) -> None:
        """Nothing costs a round trip."""

    def slot(self, key: str) -> int:
        return 0

    def names(self, prefix: str) -> list[str]:
        with self._lock:
            self._sweep()
            return sorted(key for key in self._values if key.startswith(prefix))

    def _command(self, name: str) -> Callable[..., Any]:
        command = getattr(self, f"_do_{name.lower()}", None)
        if command is None:
            known = " ".join(sorted(each[4:].upper() for each in dir(self) if each.startswith("_do_")))
            raise DataError(f"command {name!r}: a store in memory knows only {known}")
        return command  # type: ignore[no-any-return]

    def _holds(self, condition: Is) -> bool:
        key, expected, field = condition
        if field is None:
            return self.read(key) == (expected if isinstance(expected, bytes) else expected or None)
        table = self._values.get(key, {})
        return isinstance(table, dict) and table.get(_bytes(field)) == expected

    def _at(self, key: str, kind: type[T]) -> T:
        """Return the value under a key, an empty one if there is none yet."""
        value = self._values.setdefault(key, kind())
        if type(value) is not kind:
            raise foreign(key, "another kind of value")
        return value

    def _sweep(self) -> None:
        now = time.monotonic()
        for key in [key for key, end in self._ends.items() if end <= now]:
            self._do_del(key)

    # -- keys --------------------------------------------------------------------------------------------------

    def _do_del(self, key: str) -> int:
        self._ends.pop(key, None)
        return 0 if self._values.pop(key, None) is None else 1

    _do_unlink = _do_del

    def _do_exists(self, key: str) -> int:
        return int(key in self._values)

    def _do_pexpire(self, key: str, milliseconds: bytes) -> int:
        if key not in self._values:
            return 0
        self._ends[key] = time.monotonic() + int(milliseconds) / 1000
        self._sweep()
        return 1

    def _do_pttl(self, key: str) -> int:
        if key not in self._values:
            return -2
        return round((self._ends[key] - time.monotonic()) * 1000) if key in self._ends else -1

    def _do_persist(self, key: str) -> int:
        return 0 if self._ends.pop(key, None) is None else 1

    # -- strings -----------------------------------------------------------------------------------------------

    def _do_get(self, key: str) -> bytes | None:
        return self._at(key, bytes) if key in self._values else None

    def _do_set(self, key: str, value: bytes, *options: bytes) -> bytes | None:
        words = [option.upper() for option in options]
        if (b"NX" in words and key in self._values) or (b"XX" in words and key not in self._values):
            return None
        self._values[key] = value
        if b"KEEPTTL" not in words:
            self._ends.pop(key, None)
        if b"PX" in words:
            self._do_pexpire(key, options[words.index(b"PX") + 1])
        return b"OK"

    def _do_incr(self, key: str) -> int:
        return self._do_incrby(key, b"1")

    def _do_incrby(self, key: str, by: bytes) -> int:
        value = _integer(self._at(key, bytes), key) + int(by)
        self._values[key] = b"%d" % value
        return value

    # -- hashes ------------------------------------------------------------------------------------------------

    def _do_hget(self, key: str, field: bytes) -> bytes | None:
        return self._at(key, dict).get(field)

    def _do_hgetall(self, key: str) -> list[bytes]:
        return [part for item in self._at(key, dict).items() for part in item]

    def _do_hkeys(self, key: str) -> list[bytes]:
        return list(self._at(key, dict))

    def _do_hlen(self, key: str) -> int:
        return len(self._at(key, dict))

    def _do_hexists(self, key: str, field: bytes) -> int:
        return int(field in self._at(key, dict))

    def _do_hset(self, key: str, *words: bytes) -> int:
        table = self._at(key, dict)
        before = len(table)
        table.update(zip(words[::2], words[1::2], strict=True))
        return len(table) - before

    def _do_hsetnx(self, key: str, field: bytes, value: bytes) -> int:
        return 0 if field in self._at(key, dict) else self._do_hset(key, field, value)

    def _do_hdel(self, key: str, *fields: bytes) -> int:
        table = self._at(key, dict)
        return sum(table.pop(field, None) is not None for field in fields)

    def _do_hincrby(self, key: str, field: bytes, by: bytes) -> int:
        table = self._at(key, dict)
        value = _integer(table.get(field, b""), key) + int(by)
        table[field] = b"%d" % value
        return value

    # -- lists -------------------------------------------------------------------------------------------------

    def _do_rpush(self, key: str, *values: bytes) -> int:
        queue = self._at(key, list)
        queue.extend(values)
        return len(queue)

    def _do_lpush(self, key: str, *values: bytes) -> int:
        queue = self._at(key, list)
        queue[:0] = values[::-1]
        return len(queue)

    def _do_rpop(self, key: str) -> bytes | None:
        queue = self._at(key, list)
        return queue.pop() if queue else None

    def _do_lpop(self, key: str) -> bytes | None:
        queue = self._at(key, list)
        return queue.pop(0) if queue else None

    def _do_llen(self, key: str) -> int:
        return len(self._at(key, list))

    def _do_lrange(self, key: str, first: bytes, last: bytes) -> list[bytes]:
        return _slice(self._at(key, list), first, last)

    def _do_lrem(self, key: str, count: bytes, value: bytes) -> int:
        """Remove the first `count` equal ones, from the end if it is negative, or all if it is 0."""
        queue = self._at(key, list)
        found = [i for i, each in enumerate(queue) if each == value]
        limit = int(count)
        chosen = found[:limit] if limit > 0 else found[limit:]
        for i in reversed(chosen):
            del queue[i]
        return len(chosen)

    # -- sorted sets -------------------------------------------------------------------------------------------

    def _do_zadd(self, key: str, *words: bytes) -> int:
        scores = self._at(key, Scores)
        before = len(scores)
        only_new = words[0].upper() == b"NX"
        for score, member in zip(words[only_new::2], words[only_new + 1 :: 2], strict=True):
            if not (only_new and member in scores):
                scores[member] = float(score)
        return len(scores) - before

    def _do_zrem(self, key: str, *members: bytes) -> int:
        scores = self._at(key, Scores)
        return sum(scores.pop(member, None) is not None for member in members)

    def _do_zrange(self, key: str, first: bytes, last: bytes) -> list[bytes]:
        return _slice(self._at(key, Scores).members(), first, last)

    def _do_zcard(self, key: str) -> int:
        return len(self._at(key, Scores))

    def _do_zscore(self, key: str, member: bytes) -> bytes | None:
        score = self._at(key, Scores).get(member)
        return None if score is None else b"%.17g" % score


def _slice(values: list[bytes], first: bytes, last: bytes) -> list[bytes]:
    """Return what is from `first` to `last`, both included; negative numbers count from the end."""
    size = len(values)
    start, end = (int(each) + size if int(each) < 0 else int(each) for each in (first, last))
    return values[max(start, 0) : max(end + 1, 0)]


def _integer(raw: bytes, key: str) -> int:
    try:
        return int(raw or b"0")
    except ValueError:
        raise DataError(f"key {key!r}: expected an integer to add to, found {raw!r}") from None


def _bytes(word: object) -> bytes:
    return word if isinstance(word, bytes) else str(word).encode()
