"""The data of a scan by the names that people use for its channels."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any, Protocol


def means(wanted: str, fullname: str) -> bool:
    """Whether a full name, a short name or a pattern of either means a channel."""
    names = (fullname, fullname.rpartition(":")[2])
    return wanted in names or any(fnmatch.fnmatchcase(name, wanted) for name in names)


class Readable(Protocol):
    def get(self, from_index: int, to_index: int) -> Any: ...


class ScanData(Mapping[str, Any]):
    """The points of every channel by its full name; also by short name, or a pattern that fits one channel.

    Points are read when they are asked for.
    """

    def __init__(self, channels: Mapping[str, Readable]) -> None:
        self._channels = dict(channels)

    def __getitem__(self, key: Any) -> Any:
        return self._channels[self.find(key)].get(0, -1)

    def __iter__(self) -> Iterator[str]:
        return iter(self._channels)

    def __len__(self) -> int:
        return len(self._channels)

    def __repr__(self) -> str:
        return f"ScanData({', '.join(self._channels)})"

    def find(self, key: Any) -> str:
        """Return the full name of the one channel that `key` means; of a counter or an axis, that of its channel.

        :raises KeyError: it means none, or several.
        """
        if not isinstance(key, str):
            key = str(getattr(key, "fullname", "") or f"axis:{getattr(key, 'name', key)}")
        if key in self._channels:
            return str(key)
        found = [name for name in self._channels if name.rpartition(":")[2] == key]
        found = found or [name for name in self._channels if fnmatch.fnmatchcase(name, key)]
        found = found or [name for name in self._channels if means(key, name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise KeyError(f"Ambiguous key {key!r}: it fits {', '.join(found)}")
        raise KeyError(f"no channel {key!r}; there are {', '.join(self._channels) or 'none'}")
