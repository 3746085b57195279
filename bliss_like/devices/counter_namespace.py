"""Several counters by their names: none is lost where two have the same."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np

from bliss_like.config.any_keys import AnyObjectConfig
from bliss_like.config.models import ObjectConfig
from bliss_like.config.table import table
from bliss_like.errors import UsageError

if TYPE_CHECKING:
    from bliss_like.devices.counter import Counter


class counter_namespace:
    """Counters by name, in their order: `ns["diode"]`, `ns.diode`, `ns[0]`, `for counter in ns`, `ns + other`, `ns - other`.

    Of several counters of one name each is known by its full name only: `ns["box:diode"]`.

    :param counters: counters; or a mapping, whose keys are then the names: also groups of counters have them.
    """

    def __init__(self, counters: Iterable[Counter] | Mapping[str, Any] = ()) -> None:
        self._counters: dict[str, Any] = dict(counters) if isinstance(counters, Mapping) else _by_name(counters)

    @overload
    def __getitem__(self, name: str | int) -> Counter: ...

    @overload
    def __getitem__(self, name: slice) -> counter_namespace: ...

    def __getitem__(self, name: str | int | slice) -> Counter | counter_namespace:
        if isinstance(name, slice):
            return counter_namespace(list(self)[name])
        if isinstance(name, int):
            return list(self)[name]
        found = self._find(name)
        if found is None:
            raise KeyError(self._nothing(name))
        return found

    def __getattr__(self, name: str) -> Counter:
        found = self._find(name) if "_counters" in self.__dict__ else None
        if found is None:
            raise AttributeError(self._nothing(name))
        return found

    def _find(self, name: str) -> Counter | None:
        found = self._counters.get(name)
        if found is None:
            return next((counter for counter in self if getattr(counter, "fullname", None) == name), None)
        return found  # type: ignore[no-any-return]

    def _nothing(self, name: str) -> str:
        same = [key for key in self.__dict__.get("_counters", ()) if key.rpartition(":")[2] == name]
        if same:
            return f"{len(same)} counters are called {name!r}; take one by its full name: {', '.join(same)}"
        return f"no counter {name!r}; there are: {', '.join(self.__dict__.get('_counters', ())) or 'none'}"

    def __iter__(self) -> Iterator[Counter]:
        return iter(list(self._counters.values()))

    def __contains__(self, item: object) -> bool:
        if isinstance(item, str):
            return self._find(item) is not None
        return any(counter is item for counter in self)

    def __len__(self) -> int:
        return len(self._counters)

    def keys(self) -> KeysView[str]:
        return self._counters.keys()

    def values(self) -> ValuesView[Counter]:
        return self._counters.values()

    def items(self) -> ItemsView[str, Counter]:
        return self._counters.items()

    def __add__(self, other: Iterable[Counter]) -> counter_namespace:
        return counter_namespace([*self, *_several(other)])

    def __radd__(self, other: Iterable[Counter] | int) -> counter_namespace:
        return counter_namespace([*([] if other == 0 else _several(other)), *self])  # sum() begins with 0

    def __sub__(self, other: Iterable[Counter]) -> counter_namespace:
        unwanted = {id(counter) for counter in _several(other)}
        return counter_namespace(counter for counter in self if id(counter) not in unwanted)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._counters if name.isidentifier())]

    def __info__(self) -> str:
        rows = [
            (name, getattr(getattr(each, "mode", ""), "name", ""), _size(each), getattr(each, "unit", None) or "")
            for name, each in self._counters.items()
        ]
        return table(("counter", "mode", "value", "unit"), rows) if rows else "no counters"

    def __repr__(self) -> str:
        return f"counter_namespace({', '.join(self._counters)})"


def _size(counter: Any) -> str:
    """Return what a value of a counter is: `float64`, `1024 uint32`."""
    if not hasattr(counter, "dtype"):  # a group of counters
        return ""
    return " ".join([" x ".join(map(str, counter.shape)), str(np.dtype(counter.dtype))]).strip()


def _by_name(counters: Iterable[Counter]) -> dict[str, Counter]:
    """Return each counter once, by its name; by its full name where another one has that name, too."""
    several = list({id(counter): counter for counter in counters}.values())
    of_that_name = Tally(counter.name for counter in several)
    found: dict[str, Counter] = {}
    for counter in several:
        key = counter.name if of_that_name[counter.name] == 1 else counter.fullname
        while key in found:  # controllers of one name
            key += "_"
        found[key] = counter
    return found


def _several(counters: Any) -> list[Counter]:
    """:raises UsageError: these are no counters."""
    if hasattr(counters, "fullname") and hasattr(counters, "controller"):
        return [counters]
    if isinstance(counters, Mapping):
        counters = counters.values()
    try:
        several = list(counters)
    except TypeError:
        several = [None]
    if not all(hasattr(counter, "fullname") for counter in several):
        raise UsageError(f"expected counters, or a group of counters, got {counters!r}")
    return several


class CounterContainer:
    """A device that has counters without being a controller of them; scans, measurement groups and `lscnt` take it.

    Anything with `counters` will do; devices written for BLISS derive from this.
    """

    Config: ClassVar[type[ObjectConfig]] = AnyObjectConfig
    """Its keys in YAML; a class that does not declare them, as those written for BLISS, looks into any."""

    @property
    def counters(self) -> counter_namespace:
        raise NotImplementedError(f"{type(self).__name__} must overload the property `counters`")


class CounterGroups(dict[str, counter_namespace]):
    """Groups of the counters of one controller: `groups["default"]`, `groups.default`."""

    def __getattr__(self, name: str) -> counter_namespace:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no group of counters {name!r}; there are: {', '.join(self)}") from None

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self]

    def __info__(self) -> str:
        return "\n".join(f"{name}: {', '.join(counters.keys())}" for name, counters in self.items())
