"""Objects that are not made by a class: `plugin:` names a module that makes them, as in BLISS."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from bliss_like.errors import ConfigError

from .construction import creation_failed, imported_in
from .loader import Entry
from .making import FAILURES
from .suggestion import did_you_mean

ENTRY_POINTS = "bliss_like.plugins"
"""Group in which an installed package declares `name = package.module`."""

BY_CLASS = frozenset({"", "bliss", "generic", "emotion", "regulation", "diffractometer", "session"})
"""BLISS' names for making an object by its class."""

NODE = "default"
"""The object is its `ConfigNode`: no class, just keys for scripts to read."""


class Plugin:
    """A module with `create_objects_from_config_node(config, node)` -> `{name: object}` and, if it likes, a dictionary
    of what `create_object_from_cache(config, name, cached)` makes other objects of.
    """

    def __init__(self, entry: Entry, name: str) -> None:
        """:raises ConfigError: there is no such module, or it cannot be imported."""
        self.name = name
        try:
            self._module = _module(entry, name)
        except ConfigError:
            raise
        except FAILURES as error:  # whatever the module raises while it is imported
            raise creation_failed(entry, error, imported_in(error)) from error

    def create(self, config: Any, entry: Entry) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the objects that were made, and what others can be made of."""
        created = self._module.create_objects_from_config_node(config, entry.node)
        objects: dict[str, Any] = {}
        cached: dict[str, Any] = {}
        for part in created if isinstance(created, Iterator) else [created]:
            made, other = part if isinstance(part, tuple) else (part, {})
            objects.update(made)
            cached.update(other)
        return objects, cached

    def create_from_cache(self, config: Any, name: str, cached: Any) -> Any:
        return self._module.create_object_from_cache(config, name, cached)


def _module(entry: Entry, name: str) -> Any:
    owner = entry.node.owner_of("plugin") or entry.node
    place = owner.value_places["plugin"]
    points = list(entry_points(group=ENTRY_POINTS, name=name))
    module: Any
    if points:
        module = points[0].load()
    else:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name and not name.startswith(f"{error.name}."):
                raise
            known = [*(BY_CLASS - {""}), NODE, *(point.name for point in entry_points(group=ENTRY_POINTS))]
            way_out = did_you_mean(name, known) or (
                "; leave the key out to make the object by its class, or give a module that has "
                "create_objects_from_config_node(config, node)"
            )
            raise place.error(f"{entry.label}: no plugin '{name}'{way_out}") from None
    if not hasattr(module, "create_objects_from_config_node"):
        raise place.error(f"{entry.label}: plugin '{name}' has no create_objects_from_config_node(config, node)")
    return module
