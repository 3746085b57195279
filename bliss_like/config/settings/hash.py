"""Settings that are dicts: each entry is changed by itself, whoever changes the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from bliss_like.data.key_store import Command, KeyStore

from .base import BaseSetting, Conversion
from .values import decode, encode, same

_CHUNK = 1000
_MISSING = object()

Entries = dict[str, bytes]
"""The values as they are stored, by key, in order."""


class HashSetting(BaseSetting, MutableMapping[str, Any]):
    """A dict with keys that are str.

    ::

        limits = HashSetting("robx:limits", default_values={"low": -10, "high": 10})
        limits["low"] = -5
        limits.update_item("low", lambda low: low - 1)      # in one step, whoever else changes it
        limits.update(low=-7, high=7)

    :param default_values: what is there while nothing is stored under these keys.
    """

    _kind = dict

    def __init__(
        self,
        name: str,
        connection: KeyStore | None = None,
        read_type_conversion: Conversion | None = None,
        write_type_conversion: Conversion | None = None,
        default_values: Mapping[str, Any] = {},
    ) -> None:
        super().__init__(name, connection, read_type_conversion, write_type_conversion)
        what = f"default of {self._what}"
        self._defaults = {self._field(key): encode(value, f"{what}[{key!r}]") for key, value in default_values.items()}

    # -- reading -----------------------------------------------------------------------------------------------

    def get_all(self) -> dict[str, Any]:
        """Return all of it."""
        return self._loaded(self._entries(self._read()))

    copy = get_all

    def raw_get(self, *keys: str) -> list[bytes | None]:
        """Return the values as they are stored; None: there is none, or it is the default."""
        entries = self._entries(self._read())
        return [entries.get(key) for key in keys]

    def raw(self) -> Any:
        """Return all that is stored, as bytes; the same object as long as nobody has changed anything; None: nothing."""
        return self._read()

    def loaded(self, raw: Any) -> dict[str, Any]:
        """Return the values of what `raw` has returned, with the defaults."""
        return self._loaded(self._entries(raw))

    def fromkeys(self, *keys: str) -> list[Any]:
        """Return the values of these keys; None where there is none."""
        values = self.get_all()
        return [values.get(key) for key in keys]

    def has_key(self, key: str) -> bool:
        return key in self

    def __getitem__(self, key: str) -> Any:
        value = self._item(self._entries(self._read()), key)
        if value is _MISSING:
            raise KeyError(self._no_such(key))
        return value

    def __iter__(self) -> Iterator[str]:
        return iter({**self._defaults, **self._entries(self._read())})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, key: object) -> bool:
        return key in self._defaults or key in self._entries(self._read())

    # A view of a dict would ask again for each entry, and might see an entry that is gone.
    def values(self) -> Any:
        return self.get_all().values()

    def items(self) -> Any:
        return self.get_all().items()

    # -- changing ----------------------------------------------------------------------------------------------

    def set(self, values: Mapping[str, Any]) -> None:
        """Replace all of it."""
        self._replace(self._dump_all(values))

    def update(self, values: Any = (), /, **more: Any) -> None:
        """Change several entries in one step: a mapping or pairs, as for a dict; or a function of all of it.

        The function takes a dict and returns the one to replace it; it is called again when somebody changed something
        meanwhile.
        """
        if callable(values):
            self._alter(lambda entries: self._dump_all(values(self._loaded(entries))))
        elif changed := self._dump_all(dict(values, **more)):
            self._put(changed)

    def update_item(self, key: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        """Replace the value of a key by `function(value)` and return the new one.

        Tried again when somebody changed it meanwhile, so `function` may be called several times.

        :param default: what the function gets if there is no value.
        """
        done: list[Any] = []

        def alter(entries: Entries) -> Entries:
            value = self._item(entries, key)
            new = self._dump_all({key: function(default if value is _MISSING else value)})
            done[:] = [self._load(new[key])]
            return {**entries, **new}

        self._alter(alter)
        return done[0]

    def change(self, values: Mapping[str, Any], remove: Sequence[str] = ()) -> None:
        """Set some entries and remove others, in one step."""
        removal = [("HDEL", self._key, *map(self._field, remove))] if remove else []
        self._run(*self._hsets(self._dump_all(values)), *removal)

    def compare_and_set(self, key: str, old: Any, new: Any) -> bool:
        """Store `new` under a key if its value is `old` (of the same type, too; None also if there is none)."""
        done = [False]

        def alter(entries: Entries) -> Entries:
            value = self._item(entries, key)
            done[0] = same(None if value is _MISSING else value, old, self._what)
            return {**entries, **self._dump_all({key: new})} if done[0] else entries

        self._alter(alter)
        return done[0]

    def setdefault(self, key: str, default: Any = None) -> Any:
        return self.update_item(key, lambda value: value, default)

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        """Remove a value and return it; a default of the setting stays.

        :raises KeyError: there is none, and no `default` was given.
        """
        found: list[Any] = []

        def alter(entries: Entries) -> Entries:
            found[:] = [self._item(entries, key)]
            return {other: raw for other, raw in entries.items() if other != key}

        self._alter(alter)
        if found[0] is not _MISSING:
            return found[0]
        if default is _MISSING:
            raise KeyError(self._no_such(key))
        return default

    def popitem(self) -> tuple[str, Any]:
        """Remove the last entry that is stored and return it."""
        found: list[tuple[str, Any]] = []

        def alter(entries: Entries) -> Entries:
            found[:] = [(key, self._load(raw)) for key, raw in list(entries.items())[-1:]]
            return dict(list(entries.items())[:-1])

        self._alter(alter)
        if not found:
            raise KeyError(f"{self._what}: nothing is stored in it")
        return found[0]

    def remove(self, *keys: str) -> None:
        """Remove the values of these keys; none is no error. Defaults come back."""
        if keys:
            self._run(("HDEL", self._key, *map(self._field, keys)))

    def clear(self) -> None:
        """Remove all values. Defaults come back."""
        BaseSetting.clear(self)

    def __setitem__(self, key: str, value: Any) -> None:
        self._put(self._dump_all({key: value}))

    def __delitem__(self, key: str) -> None:
        self._refuse_in_pipeline()
        if not self._run(("HDEL", self._key, self._field(key))) and key not in self._defaults:
            raise KeyError(self._no_such(key))

    # -- what is stored ----------------------------------------------------------------------------------------

    def _put(self, changed: Entries) -> None:
        self._run(*self._hsets(changed))

    def _replace(self, entries: Entries) -> None:
        self._run(("DEL", self._key), *self._hsets(self._stored(entries, None)))

    def _alter(self, function: Callable[[Entries], Entries]) -> None:
        """Replace the entries by those that `function` returns; what it leaves alone is not sent."""

        def alter(raw: dict[bytes, bytes] | None) -> tuple[Sequence[Command], None]:
            before = {key.decode(): value for key, value in (raw or {}).items()}
            after = self._stored(function(self._entries(raw)), raw)
            gone = [key for key in before if key not in after]
            removal = [("HDEL", self._key, *gone[i : i + _CHUNK]) for i in range(0, len(gone), _CHUNK)]
            return [*removal, *self._hsets({k: v for k, v in after.items() if before.get(k) != v})], None

        self._change(alter)

    def _entries(self, raw: dict[bytes, bytes] | None) -> Entries:
        return {key.decode(): value for key, value in (raw or {}).items()}

    def _stored(self, entries: Entries, raw: dict[bytes, bytes] | None) -> Entries:
        """Return what to store for these entries, where `raw` is stored now."""
        return entries

    def _hsets(self, stored: Entries) -> list[Command]:
        words = [part for item in stored.items() for part in item]
        return [("HSET", self._key, *words[i : i + _CHUNK]) for i in range(0, len(words), _CHUNK)]

    def _dump_all(self, values: Mapping[str, Any]) -> Entries:
        return {self._field(key): self._dump(value, f"[{key!r}]") for key, value in values.items()}

    def _loaded(self, entries: Entries) -> dict[str, Any]:
        return {key: self._item(entries, key) for key in {**self._defaults, **entries}}

    def _item(self, entries: Entries, key: str) -> Any:
        if key in entries:
            return self._load(entries[key], f"[{key!r}]")
        return decode(self._defaults[key], self._what) if key in self._defaults else _MISSING

    def _field(self, key: object) -> str:
        if not isinstance(key, str):
            raise TypeError(f"{self._what}: expected a str as key, got {key!r}")
        return key

    def _no_such(self, key: str) -> str:
        known = ", ".join(map(repr, self)) or "none"
        return f"{self._what} has no {key!r}; its keys: {known}"


class OrderedHashSetting(HashSetting):
    """A dict that keeps the order in which its keys were first stored."""

    def _put(self, changed: Entries) -> None:
        self._alter(lambda entries: {**entries, **changed})

    def _entries(self, raw: dict[bytes, bytes] | None) -> Entries:
        numbered = sorted((*_split(value), key) for key, value in (raw or {}).items())
        return {key.decode(): value for _, value, key in numbered}

    def _stored(self, entries: Entries, raw: dict[bytes, bytes] | None) -> Entries:
        """Put a number before each value; a new one only where it is needed."""
        numbers = {key.decode(): _split(value)[0] for key, value in (raw or {}).items()}
        last = -1
        stored = {}
        for key, value in entries.items():
            last = max(numbers.get(key, 0), last + 1)
            stored[key] = b"%d %b" % (last, value)
        return stored


def _split(value: bytes) -> tuple[int, bytes]:
    number, _, rest = value.partition(b" ")
    return (int(number), rest) if number.isdigit() else (0, value)
