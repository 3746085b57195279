"""Counters by the names that YAML and people give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.counter import Counter
from bliss_like.errors import ConfigError, ObjectNotFound

if TYPE_CHECKING:
    from bliss_like.config.node import Objects


def counters_named(name: str, objects: Objects) -> list[Counter]:
    """Return what a name stands for: the counter of that name, full name or alias, or all counters of a controller.

    :raises ConfigError: there is no such thing, it cannot be made, or it is no counter and has none.
    """
    controller, _, counter = name.rpartition(":")
    if controller:
        return [_counter_of(_owner(controller, objects), controller, counter)]
    found = objects.get(name)
    counters = [found] if isinstance(found, Counter) else list(getattr(found, "counters", ()))
    if not counters:
        raise ConfigError(f"'{name}' is no counter and has none: {type(found).__name__}")
    return counters


def _owner(controller: str, objects: Objects) -> Any:
    """Return the object that has the counters; of `rack:box` perhaps only the outer one is an object of its own."""
    outer, _, own = controller.rpartition(":")
    if not outer:
        return objects.get(own)
    try:
        return objects.get(own)
    except ObjectNotFound:
        return _owner(outer, objects)


def _counter_of(owner: Any, controller: str, name: str) -> Counter:
    counters: list[Counter] = [owner] if isinstance(owner, Counter) else list(getattr(owner, "counters", ()))
    wanted = f"{controller}:{name}"
    for counter in counters:
        if wanted in (counter.fullname, f"{counter.controller.name}:{counter.name}"):
            return counter
    raise ConfigError(f"no counter '{wanted}'{did_you_mean(wanted, [counter.fullname for counter in counters])}")
