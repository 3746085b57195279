"""Several counters by their names."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bliss_like.devices.counter import Counter


class counter_namespace:
    """Counters by name, in their order: `ns["diode"]`, `ns.diode`, `for counter in ns`, `ns + other`."""

    def __init__(self, counters: Iterable[Counter] | Mapping[str, Counter] = ()) -> None:
        values = counters.values() if isinstance(counters, Mapping) else counters
        self._counters = {counter.name: counter for counter in values}

    def __getitem__(self, name: str | int) -> Counter:
        if isinstance(name, int):
            return list(self._counters.values())[name]
        try:
            return self._counters[name]
        except KeyError:
            raise KeyError(f"no counter {name!r}; there are: {', '.join(self._counters) or 'none'}") from None

    def __getattr__(self, name: str) -> Counter:
        try:
            return self.__dict__["_counters"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no counter {name!r}; there are: {', '.join(self._counters) or 'none'}") from None

    def __iter__(self) -> Iterator[Counter]:
        return iter(list(self._counters.values()))

    def __contains__(self, item: object) -> bool:
        return item in self._counters or item in self._counters.values()

    def __len__(self) -> int:
        return len(self._counters)

    def keys(self) -> KeysView[str]:
        return self._counters.keys()

    def values(self) -> ValuesView[Counter]:
        return self._counters.values()

    def items(self) -> ItemsView[str, Counter]:
        return self._counters.items()

    def __add__(self, other: Iterable[Counter]) -> counter_namespace:
        return counter_namespace([*self, *other])

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._counters]

    def __repr__(self) -> str:
        return f"counter_namespace({', '.join(self._counters)})"


class CounterGroups(dict[str, counter_namespace]):
    """Groups of the counters of one controller: `groups["default"]`, `groups.default`."""

    def __getattr__(self, name: str) -> counter_namespace:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no group of counters {name!r}; there are: {', '.join(self)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]
