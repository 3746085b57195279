"""Small shared values on a Redis (or Valkey) server: each call is one round trip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .cached_reads import CachedReads
from .key_store import Command, Is, Value, foreign, key_of
from .resp import pack

if TYPE_CHECKING:
    from .redis_store import RedisStore

_WHOLE = """
local function whole(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'string' then return kind, {redis.call('GET', key)} end
  if kind == 'hash' then return kind, redis.call('HGETALL', key) end
  if kind == 'list' then return kind, redis.call('LRANGE', key, 0, -1) end
  if kind == 'zset' then return 'list', redis.call('ZRANGE', key, 0, -1) end
  return kind, {}
end
"""

_READ = _WHOLE + "local kind, found = whole(KEYS[1]) return {kind, found, redis.call('PTTL', KEYS[1])}"
"""Returns the kind of a key, all that it holds, and the milliseconds until it expires, -1 if never."""

_RUN = (
    _WHOLE
    + """
local next = 1
local function take(count)
  local words = {}
  for i = 1, count do words[i] = ARGV[next + i - 1] end
  next = next + count
  return words
end
local function holds(kind, key, expected)
  if kind == 'field' then return redis.pcall('HGET', key, expected[1]) == (expected[2] or false) end
  local there, found = whole(key)
  if there ~= kind or #found ~= #expected then return false end
  if kind == 'hash' then
    local fields = {}
    for i = 1, #found, 2 do fields[found[i]] = found[i + 1] end
    for i = 1, #expected, 2 do if fields[expected[i]] ~= expected[i + 1] then return false end end
    return true
  end
  for i = 1, #found do if found[i] ~= expected[i] then return false end end
  return true
end
for _ = 1, take(1)[1] do
  local kind, key, count = unpack(take(3))
  if not holds(kind, key, take(count)) then return false end
end
local replies = {}
for i = 1, take(1)[1] do replies[i] = redis.pcall(unpack(take(take(1)[1]))) end
return replies
"""
)
"""Conditions, then commands, each with the number of its words before it. A failed command is an error among the replies,
as it is in a transaction."""


class RedisKeys:
    """A `KeyStore` on a server."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._cache = CachedReads(store.connection_of_its_own, self._read, _READ, _value_of)

    def run(self, *commands: Command, when: Sequence[Is] = ()) -> list[Any] | None:
        try:
            return self._run(commands, when)
        finally:
            self.forget([key_of(command) for command in commands] + [each.key for each in when])

    def _run(self, commands: Sequence[Command], when: Sequence[Is]) -> list[Any] | None:
        if not commands and not when:
            return []
        # Of several keys a transaction may find some on one node of a cluster and some on another; a script never does.
        if when or len({key_of(command) for command in commands}) > 1:
            replies = self._store.call("EVAL", _RUN, *_script_words(commands, when))
            if replies is None:
                return None
        else:
            replies = self._store.transaction([pack(*command) for command in commands], len(commands))
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, Exception):
                raise self._store.translate(reply, key_of(command))
        return list(replies)

    def read(self, key: str) -> Value | None:
        return self._cache.read(key)

    def fetch(self, keys: Iterable[str]) -> None:
        self._cache.fetch(keys)

    def forget(self, keys: Sequence[str]) -> None:
        """Read these from the server the next time."""
        self._cache.forget(keys)

    def _read(self, key: str) -> Value | None:
        return _value_of(key, self._store.call("EVAL", _READ, 1, key))

    def slot(self, key: str) -> int:
        return 0

    def names(self, prefix: str) -> list[str]:
        pattern = re.sub(r"([\\*?\[\]])", r"\\\1", prefix) + "*"
        found: set[str] = set()
        cursor = b"0"
        while True:
            cursor, some = self._store.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found.update(name.decode() for name in some)
            if cursor == b"0":
                return sorted(found)


def _value_of(key: str, reply: Any) -> Value | None:
    """Return what the script `_READ` has found.

    :raises ForeignKeyError: a stream, a set, or whatever else is no small value.
    """
    kind, found, _ = reply
    match kind:
        case b"none":
            return None
        case b"string":
            return bytes(found[0])
        case b"hash":
            return dict(zip(found[::2], found[1::2], strict=True))
        case b"list":
            return list(found)
    raise foreign(key, "a string, hash, list or sorted set")


def _script_words(commands: Sequence[Command], when: Sequence[Is]) -> list[str | bytes | int | float]:
    keys = dict.fromkeys([*(each.key for each in when), *(key_of(command) for command in commands)])
    words: list[str | bytes | int | float] = [len(keys), *keys, len(when)]
    for condition in when:
        kind, expected = _expectation(condition)
        words += [kind, condition.key, len(expected), *expected]
    words.append(len(commands))
    for command in commands:
        words += [len(command), *command]
    return words


def _expectation(condition: Is) -> tuple[str, Sequence[str | bytes]]:
    value = condition.value
    if condition.field is not None:
        return "field", [condition.field] if value is None else [condition.field, value]  # type: ignore[list-item]
    if isinstance(value, bytes):
        return "string", [value]
    if not value:
        return "none", []
    if isinstance(value, dict):
        return "hash", [part for item in value.items() for part in item]
    return "list", value
