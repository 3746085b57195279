"""The tree of `*.yml` files: which objects there are and where, without importing any of their classes.

An object is a mapping with a `name`. A mapping with a `name` in a list that is a value of an object (`axes:`,
`counters:`) is an item of that object. What is broken is recorded and left out; the rest is loaded.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bliss_like.errors import ConfigError

from .node import ConfigList, ConfigNode, Objects, Place
from .parsing import Parsed, YamlProblem, parse_file
from .suggestion import did_you_mean

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_INIT = "__init__.yml"


@dataclass(frozen=True)
class Entry:
    """A named thing of the configuration.

    :param owner: name of the container that it is an item of, `""` for an object of its own.
    :param key: the container's key in whose list it stands.
    """

    node: ConfigNode
    owner: str = ""
    key: str = ""

    @property
    def label(self) -> str:
        """How errors call it: `axis 'robx'`, `Diode 'diode'`."""
        return f"{item_kind(self.key) if self.owner else object_kind(self.node)} '{self.node.name}'"


def item_kind(key: str) -> str:
    """Return the singular of a list's key: `axes` -> `axis`."""
    return "axis" if key == "axes" else key.removesuffix("s")


def object_kind(node: ConfigNode) -> str:
    owner = node.owner_of("class")
    return str(owner.raw_get("class")) if owner is not None else "object"


@dataclass
class Tree:
    """What was found below a directory."""

    entries: dict[str, Entry] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)
    invalid_files: dict[str, str] = field(default_factory=dict)


def load_tree(root: Path, objects: Objects) -> Tree:
    """Read all `*.yml` files below `root`.

    :param objects: where the references in the files find their objects, later.
    :raises ConfigError: `root` is no directory.
    """
    if not root.is_dir():
        raise ConfigError(
            f"no configuration directory {root}: give its path, set $BLISS_LIKE_CONFIG, or start where ./config is"
        )
    loader = _Loader(objects)
    loader.directory(root, None)
    return loader.tree


class _Loader:
    def __init__(self, objects: Objects) -> None:
        self.tree = Tree()
        self._objects = objects
        self._seen: set[Path] = set()

    def directory(self, path: Path, parent: ConfigNode | None) -> None:
        if path.resolve() in self._seen:  # a symbolic link, perhaps to a directory above
            return
        self._seen.add(path.resolve())
        try:
            names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            self._error(Place(str(path), 1, 1), f"cannot be read: {error.strerror}")
            return
        if _INIT in names:
            parent = self._defaults(path / _INIT, parent)
        for name in names:
            child = path / name
            if child.is_dir():
                self.directory(child, parent)
            elif name.endswith(".yml") and name != _INIT:
                self._file(child, parent)
            elif name.endswith(".yaml"):
                self._error(Place(str(child), 1, 1), "not read: names of configuration files end with .yml; rename it")

    def _defaults(self, path: Path, parent: ConfigNode | None) -> ConfigNode | None:
        value = self._parsed(path, parent)
        if value is None:
            return parent
        if not isinstance(value, ConfigNode):
            self._error(Place(str(path), 1, 1), "expected keys and values for the whole directory, came a list")
            return parent
        if "name" in value:
            self._error(value.key_places["name"], f"'name' in {_INIT}: keys here hold for all objects of the directory")
            del value.written["name"]
        return value

    def _file(self, path: Path, parent: ConfigNode | None) -> None:
        value = self._parsed(path, parent)
        if value is None:
            return
        if not isinstance(value, ConfigNode | ConfigList):
            self._error(Place(str(path), 1, 1), f"expected an object or a list of objects, came {value!r}")
            return
        tops = zip(value, value.places, strict=True) if isinstance(value, ConfigList) else [(value, value.place)]
        for top, place in tops:
            if not self._objects_in(top):
                self._error(place, _nameless(top))

    def _objects_in(self, value: Any) -> bool:
        """Register the objects of a value; tell whether there was one, or something that an error was reported for."""
        if isinstance(value, ConfigList):
            found = [self._objects_in(element) for element in value]  # all of them, not only up to the first
            return any(found)
        if not isinstance(value, ConfigNode):
            return False
        if "name" in value.written:
            self._object(value)
            return True
        if "class" in value.written:
            self._error(value.place, _nameless(value))
            return True
        found = [self._objects_in(child) for child in value.written.values()]
        return any(found)

    def _object(self, node: ConfigNode) -> None:
        if not self._register(Entry(node)):
            return
        for key, value in node.written.items():
            if isinstance(value, ConfigList):
                self._items(node, key, value)

    def _items(self, owner: ConfigNode, key: str, elements: ConfigList) -> None:
        """Register the items in a list; those that cannot be are taken out: the container works without them."""
        refused = set()
        for index, element in enumerate(elements):
            named = isinstance(element, ConfigNode) and "name" in element.written
            if named and not self._register(Entry(element, owner.name, key)):
                refused.add(index)
        for index in sorted(refused, reverse=True):
            del elements[index], elements.places[index]

    def _register(self, entry: Entry) -> bool:
        node = entry.node
        name = node.written["name"]
        place = node.value_places["name"]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self._error(place, f"name {name!r}: expected letters, digits and '_', no digit first, such as 'robx'")
        elif keyword.iskeyword(name):
            self._error(place, f"name {name!r} is a word of Python; take another, such as '{name}_'")
        elif name in self.tree.entries:
            first = self.tree.entries[name]
            self._error(place, f"name {name!r} is already taken by {first.label} in {first.node.value_places['name']}")
        else:
            self.tree.entries[name] = entry
            return True
        return False

    def _parsed(self, path: Path, parent: ConfigNode | None) -> Any:
        file = str(path)
        try:
            parsed = parse_file(path).parsed
        except YamlProblem as problem:
            self._error(Place(file, problem.line, problem.column), str(problem), whole_file=True)
        except OSError as error:
            self._error(Place(file, 1, 1), f"cannot be read: {error.strerror}", whole_file=True)
        else:
            return None if parsed is None else self._value(parsed, file, parent)
        return None

    def _value(self, parsed: Parsed, file: str, parent: ConfigNode | None) -> Any:
        line, column, value = parsed
        if not isinstance(value, dict):
            return value
        place = Place(file, line, column)
        if "seq" in value:
            elements = value["seq"]
            places = [Place(file, element[0], element[1]) for element in elements]
            return ConfigList([self._value(element, file, parent) for element in elements], places)
        node = ConfigNode(self._objects, place, parent)
        for key, key_line, key_column, child in value["map"]:
            child_place = Place(file, child[0], child[1])
            node.add_key(key, self._value(child, file, node), Place(file, key_line, key_column), child_place)
        return node

    def _error(self, place: Place, message: str, whole_file: bool = False) -> None:
        self.tree.errors.append(ConfigError(f"{place}: {message}"))
        if whole_file:
            self.tree.invalid_files[place.file] = message


def _nameless(value: Any) -> str:
    if isinstance(value, ConfigNode):
        hint = did_you_mean("name", value, "; '{}' is written instead of it")
        return f"expected a 'name' for this {object_kind(value)}{hint}"
    return f"expected an object (keys and values, among them a 'name'), came {value!r}"
