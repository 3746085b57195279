"""Append-only streams and a few counters: all that the data layer asks of a database.

Entry ids are pairs of integers that only grow within a stream. Who appends gives the id, so that appending again after a
lost connection stores nothing twice; `None` lets the store take the time, for streams with several writers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from bliss_like.errors import DataError

from .codec import Fields
from .key_store import KeyStore, foreign
from .memory_keys import MemoryKeys

Id = tuple[int, int]
Entry = tuple[Id, Fields]

FIRST: Id = (0, 0)
"""Before every entry."""
LAST_SEQUENCE = 2**63 - 1


class Append(NamedTuple):
    """One entry to be appended."""

    key: str
    id: Id | None
    fields: Fields


class StreamStore(Protocol):
    """Named append-only streams, plus counters, and the small values beside them.

    :raises StoreUnavailable: (from any call) the server cannot be reached.
    :raises ForeignKeyError: (from any call) something that is not ours stands under the key.
    """

    @property
    def keys(self) -> KeyStore:
        """Small values that processes share."""

    def append(self, entries: Sequence[Append], *, expire: Mapping[str, float] = ..., again: bool = False) -> None:
        """Append all entries at once: a reader sees all of them or none, if their keys have one hash tag.

        :param expire: seconds from now after which these keys are dropped.
        :param again: the same entries may have been stored by a call that lost its connection; those are left alone.
        :raises DataError: an id is not greater than the last one of its stream, and not `again`.
        """

    def read(self, after: Mapping[str, Id], *, timeout: float = 0, count: int = 1000) -> dict[str, list[Entry]]:
        """Return up to `count` entries of each stream later than the id given, waiting up to `timeout` s for one."""

    def range(self, key: str, first: Id = FIRST, last: Id | None = None, count: int | None = None) -> list[Entry]:
        """Return the entries with ids from `first` to `last`, both included, the oldest first."""

    def last_before(self, key: str, last: Id) -> Entry | None:
        """Return the latest entry whose id is not greater than `last`."""

    def last_entries(self, keys: Sequence[str]) -> list[Entry | None]:
        """Return the latest entry of each stream; None where there is none."""

    def last_ids(self, keys: Sequence[str]) -> list[Id | None]:
        """Return the id last given out in each stream, also when its entries were trimmed; None where there is none."""

    def first_ids(self, keys: Sequence[str]) -> list[Id | None]:
        """Return the id of the oldest entry that is still in each stream; None where there is none."""

    def exist(self, keys: Sequence[str]) -> list[bool]: ...

    def trim(self, bounds: Mapping[str, Id]) -> None:
        """Drop the entries of each stream with ids smaller than the one given."""

    def drop_entries(self, key: str, ids: Sequence[Id]) -> None: ...

    def delete(self, keys: Sequence[str]) -> None: ...

    def expire(self, keys: Iterable[str], seconds: float) -> None: ...

    def get_fields(self, key: str) -> Fields: ...

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None: ...

    def drop_fields(self, key: str, names: Sequence[str]) -> None: ...

    def increment(self, key: str, field: str, by: int = 1) -> int:
        """Add to a field, starting from 0, and return it; no two callers get the same."""


class MemoryStore:
    """The same in this process, for tests and for displays next to the scan."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Entry]] = {}
        self._last: dict[str, Id] = {}
        self._fields: dict[str, Fields] = {}
        self._expiry: dict[str, float] = {}
        self._changed = threading.Condition()
        self.keys = MemoryKeys()
        """Small values."""

    def append(self, entries: Sequence[Append], *, expire: Mapping[str, float] = {}, again: bool = False) -> None:
        with self._changed:
            self._sweep()
            for key, entry_id, fields in entries:
                last = self._last.get(self._stream_key(key), FIRST)
                new = entry_id or max((int(time.time() * 1000), 0), (last[0], last[1] + 1))
                if new > last:
                    self._streams.setdefault(key, []).append((new, fields))
                    self._last[key] = new
                elif not again:
                    raise DataError(f"stream {key}: id {new} is not greater than the last one, {last}: two writers?")
            self._set_expiry(expire)
            self._changed.notify_all()

    def read(self, after: Mapping[str, Id], *, timeout: float = 0, count: int = 1000) -> dict[str, list[Entry]]:
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                self._sweep()
                found = {key: self._after(key, last, count) for key, last in after.items()}
                found = {key: entries for key, entries in found.items() if entries}
                left = end - time.monotonic()
                if found or left <= 0:
                    return found
                self._changed.wait(left)

    def range(self, key: str, first: Id = FIRST, last: Id | None = None, count: int | None = None) -> list[Entry]:
        with self._changed:
            self._sweep()
            entries = self._streams.get(self._stream_key(key), [])
            return [entry for entry in entries if first <= entry[0] and (last is None or entry[0] <= last)][:count]

    def last_before(self, key: str, last: Id) -> Entry | None:
        entries = self.range(key, FIRST, last)
        return entries[-1] if entries else None

    def last_entries(self, keys: Sequence[str]) -> list[Entry | None]:
        return [entries[-1] if (entries := self.range(key)) else None for key in keys]

    def last_ids(self, keys: Sequence[str]) -> list[Id | None]:
        with self._changed:
            self._sweep()
            return [self._last.get(self._stream_key(key)) for key in keys]

    def first_ids(self, keys: Sequence[str]) -> list[Id | None]:
        with self._changed:
            self._sweep()
            streams = [self._streams.get(self._stream_key(key)) for key in keys]
            return [entries[0][0] if entries else None for entries in streams]

    def exist(self, keys: Sequence[str]) -> list[bool]:
        with self._changed:
            self._sweep()
            return [key in self._streams or key in self._fields for key in keys]

    def trim(self, bounds: Mapping[str, Id]) -> None:
        with self._changed:
            for key, bound in bounds.items():
                if key in self._streams:
                    self._streams[key] = [entry for entry in self._streams[key] if entry[0] >= bound]

    def drop_entries(self, key: str, ids: Sequence[Id]) -> None:
        with self._changed:
            if key in self._streams:
                self._streams[key] = [entry for entry in self._streams[key] if entry[0] not in ids]

    def delete(self, keys: Sequence[str]) -> None:
        with self._changed:
            for key in keys:
                for table in (self._streams, self._last, self._fields, self._expiry):
                    table.pop(key, None)

    def expire(self, keys: Iterable[str], seconds: float) -> None:
        with self._changed:
            self._set_expiry(dict.fromkeys(keys, seconds))

    def get_fields(self, key: str) -> Fields:
        with self._changed:
            if key in self._streams:
                raise foreign(key, "a hash")
            return dict(self._fields.get(key, {}))

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        with self._changed:
            table = self._fields.setdefault(key, {})
            table.update({name.encode(): str(value).encode() for name, value in fields.items()})

    def drop_fields(self, key: str, names: Sequence[str]) -> None:
        with self._changed:
            for name in names:
                self._fields.get(key, {}).pop(name.encode(), None)

    def increment(self, key: str, field: str, by: int = 1) -> int:
        with self._changed:
            value = int(self._fields.get(key, {}).get(field.encode(), b"0")) + by
            self._fields.setdefault(key, {})[field.encode()] = str(value).encode()
            return value

    def _stream_key(self, key: str) -> str:
        if key in self._fields:
            raise foreign(key, "a stream")
        return key

    def _after(self, key: str, last: Id, count: int) -> list[Entry]:
        entries = self._streams.get(self._stream_key(key), [])
        if not entries or entries[-1][0] <= last:
            return []
        return [entry for entry in entries if entry[0] > last][:count]

    def _set_expiry(self, expire: Mapping[str, float]) -> None:
        now = time.monotonic()
        self._expiry.update({key: now + seconds for key, seconds in expire.items() if key in self._streams})

    def _sweep(self) -> None:
        now = time.monotonic()
        for key in [key for key, end in self._expiry.items() if end <= now]:
            for table in (self._streams, self._last, self._expiry):
                table.pop(key, None)
