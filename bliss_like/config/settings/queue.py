"""A setting that is a list of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bliss_like.data.key_store import Command

from .base import BaseSetting

_CHUNK = 1000
"""Values in one command: a server takes some thousands at most in a step that depends on a condition."""


class QueueSetting(BaseSetting):
    """A list of values, to which several processes may add at either end, and from which they take.

    ::

        todo = QueueSetting("samples")
        todo.append("lysozyme")
        sample = todo.pop_front()        # nobody else gets it
    """

    _kind = list

    def get(self, first: int = 0, last: int = -1) -> Any:
        """Return the values from `first` to before `last`, by default all; if both are the same, the one that is there."""
        if first == last:
            return self[first]
        return self._values()[first : None if last == -1 else last]

    def append(self, value: Any) -> None:
        self._run(("RPUSH", self._key, self._dump(value)))

    def prepend(self, value: Any) -> None:
        self._run(("LPUSH", self._key, self._dump(value)))

    def extend(self, values: Iterable[Any]) -> None:
        """Append several values in one step."""
        self._run(*self._pushes(self._dump_all(values)))

    def remove(self, value: Any) -> None:
        """Remove all values that are the same, and of the same type; none is no error."""
        self._run(("LREM", self._key, 0, self._dump(value)))

    def set(self, values: Iterable[Any]) -> None:
        """Replace all values."""
        self._run(("DEL", self._key), *self._pushes(self._dump_all(values)))

    def set_item(self, value: Any, pos: int = 0) -> None:
        """Replace the value at a position.

        :raises IndexError: there is none.
        """
        self[pos] = value

    def pop_front(self) -> Any:
        """Take the first value out and return it; None: there is none."""
        return self._pop("LPOP")

    def pop_back(self) -> Any:
        """Take the last value out and return it; None: there is none."""
        return self._pop("RPOP")

    def update(self, function: Callable[[list[Any]], Iterable[Any]]) -> list[Any]:
        """Replace the values by those of `function(values)` and return them.

        Tried again when somebody changed them meanwhile, so `function` may be called several times.
        """

        def alter(raw: list[bytes] | None) -> Any:
            new = self._dump_all(function(self._values(raw or [])))
            return self._replacement(raw or [], new), self._values(new)

        values: list[Any] = self._change(alter)
        return values

    def compare_and_set(self, old: Sequence[Any], new: Iterable[Any]) -> bool:
        """Replace the values if they are `old` (of the same types, too); return whether they were."""
        expected, replacement = self._dump_all(old), self._dump_all(new)

        def alter(raw: list[bytes] | None) -> Any:
            if (raw or []) != expected:
                return [], False
            return self._replacement(expected, replacement), True

        return bool(self._change(alter))

    def __len__(self) -> int:
        return len(self._read() or ())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values())

    def __contains__(self, value: object) -> bool:
        return self._dump(value) in (self._read() or ())

    def __getitem__(self, index: Any) -> Any:
        values = self._values()
        return values[index] if isinstance(index, slice) else values[self._checked(index, len(values))]

    def __setitem__(self, index: int, value: Any) -> None:
        raw_value = self._dump(value)

        def alter(raw: list[bytes] | None) -> Any:
            new = list(raw or ())
            new[self._checked(index, len(new))] = raw_value
            return self._replacement(raw or [], new), None

        self._change(alter)

    def _checked(self, index: int, size: int) -> int:
        if not -size <= index < size:
            raise IndexError(f"{self._what}: expected a position below {size}, the number of its values; got {index}")
        return index

    def _pop(self, command: str) -> Any:
        self._refuse_in_pipeline()
        raw = self._run((command, self._key))
        return None if raw is None else self._load(raw)

    def _values(self, raw: Sequence[bytes] | None = None) -> list[Any]:
        if raw is None:
            raw = self._read() or ()
        return [self._load(each, f"[{i}]") for i, each in enumerate(raw)]

    def _dump_all(self, values: Iterable[Any]) -> list[bytes]:
        return [self._dump(value, f"[{i}]") for i, value in enumerate(values)]

    def _pushes(self, values: Sequence[bytes]) -> list[Command]:
        return [("RPUSH", self._key, *values[i : i + _CHUNK]) for i in range(0, len(values), _CHUNK)]

    def _replacement(self, old: Sequence[bytes], new: Sequence[bytes]) -> list[Command]:
        return [] if old == new else [("DEL", self._key), *self._pushes(new)]
