"""Counters by the names that YAML and people give them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.counter import Counter
from bliss_like.errors import ConfigError, ObjectNotFound
from bliss_like.scanning.chain_nodes import iter_counters

if TYPE_CHECKING:
    from bliss_like.config.node import Objects


def counters_named(name: str, objects: Objects) -> list[Counter]:
    """Return what a name stands for: the counter of that name, full name or alias, or the default group of a controller.

    After the name of a controller there may be a group of its counters, `mca:spectra`, or a pattern, `mca:*`.

    :raises ConfigError: there is no such thing, it cannot be made, or it is no counter and has none.
    """
    controller, _, counter = name.rpartition(":")
    if controller:
        return _counters_of(_owner(controller, objects), controller, counter)
    found = objects.get(name)
    counters = [found] if isinstance(found, Counter) else _counters_in(found)
    if not counters:
        raise ConfigError(f"'{name}' is no counter and has none: {type(found).__name__}")
    return counters


def _counters_in(found: Any) -> list[Counter]:
    if not hasattr(found, "counters"):
        return []
    return list(iter_counters(found))


def _owner(controller: str, objects: Objects) -> Any:
    """Return the object that has the counters; of `rack:box` perhaps only the outer one is an object of its own."""
    outer, _, own = controller.rpartition(":")
    if not outer:
        return objects.get(own)
    try:
        return objects.get(own)
    except ObjectNotFound:
        return _owner(outer, objects)


def _counters_of(owner: Any, controller: str, name: str) -> list[Counter]:
    """:raises ConfigError: there is none of that name, no such group, and nothing fits that pattern."""
    counters: list[Counter] = [owner] if isinstance(owner, Counter) else list(getattr(owner, "counters", ()))
    wanted = f"{controller}:{name}"
    found = [counter for counter in counters if _fits(wanted, _names(counter))]
    if found:
        return found
    groups: dict[str, Any] = dict(getattr(owner, "counter_groups", {}).items()) if owner is not None else {}
    if name in groups:
        return list(groups[name])
    known = [
        *(counter.fullname for counter in counters),
        *(f"{controller}:{group}" for group in groups if group != "default"),
    ]
    raise ConfigError(f"no counter '{wanted}'{did_you_mean(wanted, known)}")


def _names(counter: Counter) -> tuple[str, str]:
    return counter.fullname, f"{counter.controller.name}:{counter.name}"


def _fits(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)
