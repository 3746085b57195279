"""Objects that are not made by a class: `plugin:` names a module that makes them, as in BLISS."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from importlib.metadata import entry_points
from typing import Any, NamedTuple

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
        self._module = _module(entry, name)

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


class _Cached(NamedTuple):
    plugin: Plugin
    what: Any
    maker: str


class Plugins:
    """The plugins of a configuration, and what they can make more objects of."""

    def __init__(self) -> None:
        self._cached: dict[str, _Cached] = {}

    def create(self, config: Any, entry: Entry) -> dict[str, Any]:
        """Return the objects that a plugin makes when it is asked for one; none, if it was asked before.

        :raises ConfigError: there is no such plugin.
        """
        name = entry.node.name
        if name in self._cached:
            return {}
        plugin = Plugin(entry, entry.node.plugin)
        objects, cached = plugin.create(config, entry)
        self._cached.update({other: _Cached(plugin, what, name) for other, what in cached.items()})
        return objects

    def from_cache(self, config: Any, entry: Entry) -> tuple[Any, str]:
        """Return an object that a plugin was asked for together with another one, and the name of that.

        :raises ConfigError: the plugin knows nothing of it.
        """
        name = entry.node.name
        if name not in self._cached:
            raise entry.node.place.error(f"{entry.label}: plugin '{entry.node.plugin}' made no object of that name")
        cached = self._cached[name]
        made = cached.plugin.create_from_cache(config, name, cached.what)
        self._cached.pop(name, None)
        return made, cached.maker

    def forget(self, makers: Collection[str]) -> None:
        """Forget what was told together with objects that are closed."""
        self._cached = {name: cached for name, cached in self._cached.items() if cached.maker not in makers}


def _module(entry: Entry, name: str) -> Any:
    place = (entry.node.owner_of("plugin") or entry.node).value_places["plugin"]
    points = list(entry_points(group=ENTRY_POINTS, name=name))
    try:
        module: Any = points[0].load() if points else importlib.import_module(name)
    except FAILURES as error:  # whatever the module raises while it is imported
        if not isinstance(error, ModuleNotFoundError) or not f"{name}.".startswith(f"{error.name}."):
            raise creation_failed(entry, error, imported_in(error)) from error
        known = [*(BY_CLASS - {""}), NODE, *(point.name for point in entry_points(group=ENTRY_POINTS))]
        way_out = did_you_mean(name, known) or (
            "; leave the key out to make the object by its class, or give a module that has "
            "create_objects_from_config_node(config, node)"
        )
        raise place.error(f"{entry.label}: no plugin '{name}'{way_out}") from None
    if not hasattr(module, "create_objects_from_config_node"):
        raise place.error(f"{entry.label}: plugin '{name}' has no create_objects_from_config_node(config, node)")
    return module
