"""What the YAML files say, as mappings and lists that know where each key and value stands.

Nodes are read-only and know nothing of classes; `node[key]` gives references (`$name`, `$name.attribute`) as live objects.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from bliss_like.errors import ConfigError

_REFERENCE = re.compile(r"\$([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)", re.ASCII)


class Place(NamedTuple):
    """Where something is written; lines and columns count from 1, the file is absolute."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        try:
            relative = os.path.relpath(self.file)
        except OSError:  # the working directory has been removed
            relative = ".."
        return f"{self.file if relative.startswith('..') else relative}:{self.line}:{self.column}"

    def error(self, message: str) -> ConfigError:
        """Return the error that says what is wrong here."""
        error = ConfigError(f"{self}: {message}")
        error.place = self
        return error


class Objects(Protocol):
    """Where references find their objects."""

    def get(self, name: str) -> Any: ...


class ResolvedText(str):
    """A text that came through a reference, hence is not itself a name that somebody forgot to write `$` before."""


def is_reference(value: object) -> bool:
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def dereference(text: str, objects: Objects) -> Any:
    """Return what `$name` or `$name.attribute.attribute` stands for.

    :raises ConfigError: no such object, it cannot be made, or it has no such attribute.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ConfigError(f"expected a reference such as $robx or $robx.velocity, came {text!r}")
    value = objects.get(match[1])
    walked = match[1]
    for attribute in match[2].split(".")[1:]:
        try:
            value = getattr(value, attribute)
        except AttributeError:
            raise ConfigError(f"{text}: {walked} ({type(value).__name__}) has no attribute {attribute!r}") from None
        walked += "." + attribute
    return ResolvedText(value) if isinstance(value, str) else value


class ConfigList(list[Any]):
    """A list of the configuration; `places` has the place of each element."""

    def __init__(self, values: list[Any], places: list[Place]) -> None:
        super().__init__(values)
        self.places = places


class ConfigNode(Mapping[str, Any]):
    """One mapping of a YAML file.

    :param values: as written: scalars, `ConfigNode`, `ConfigList`; references are text.
    :param parent: the mapping around it, then the `__init__.yml` of its directory, then of the one above.
    """

    def __init__(self, objects: Objects, place: Place, parent: ConfigNode | None = None) -> None:
        self.config = objects
        self.place = place
        self.parent = parent
        self.written: dict[Any, Any] = {}
        self.key_places: dict[Any, Place] = {}
        self.value_places: dict[Any, Place] = {}

    def add_key(self, key: str, value: Any, key_place: Place, value_place: Place) -> None:
        """Add a key while the tree is being loaded."""
        self.written[key] = value
        self.key_places[key] = key_place
        self.value_places[key] = value_place

    @property
    def name(self) -> str:
        return str(self.written.get("name", ""))

    @property
    def filename(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    def __getitem__(self, key: str) -> Any:
        return self._live(self.written[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def __repr__(self) -> str:
        return f"<ConfigNode {self.name or '(no name)'} at {self.place}: {', '.join(self)}>"

    def raw_get(self, key: str, default: Any = None) -> Any:
        """Return the value as it is written, `$name` as text."""
        return self.written.get(key, default)

    def get_inherited(self, key: str, default: Any = None) -> Any:
        """Return the value of the nearest mapping around this one (itself first) that has the key."""
        owner = self.owner_of(key)
        return default if owner is None else owner[key]

    def owner_of(self, key: str) -> ConfigNode | None:
        """Return the nearest mapping around this one (itself first) that has the key."""
        node: ConfigNode | None = self
        while node is not None and key not in node.written:
            node = node.parent
        return node

    def to_dict(self, resolve_references: bool = True) -> dict[str, Any]:
        """Return plain dicts and lists."""
        objects = self.config if resolve_references else None
        return {key: _plain(value, objects) for key, value in self.written.items()}

    def place_of(self, path: tuple[int | str, ...]) -> Place:
        """Return the place of the element at `path`: of the key for mappings, of the element for lists.

        What is not there has the place of the nearest thing around it.
        """
        place: Place = self.place
        here: Any = self
        for step in path:
            if isinstance(here, ConfigNode) and step in here.written:
                place, here = here.key_places[step], here.written[step]
            elif isinstance(here, ConfigList) and isinstance(step, int) and step < len(here):
                place, here = here.places[step], here[step]
        return place

    def without(self, key: str, indexes: set[int]) -> ConfigNode:
        """Return a copy in which the list `key` lacks the elements at `indexes`."""
        copy = ConfigNode(self.config, self.place, self.parent)
        copy.written = dict(self.written)
        copy.key_places, copy.value_places = self.key_places, self.value_places
        elements: ConfigList = self.written[key]
        kept = [i for i in range(len(elements)) if i not in indexes]
        copy.written[key] = ConfigList([elements[i] for i in kept], [elements.places[i] for i in kept])
        return copy

    def _live(self, value: Any) -> Any:
        if isinstance(value, ConfigNode):
            return value
        if isinstance(value, ConfigList):
            return [self._live(element) for element in value]
        return dereference(value, self.config) if is_reference(value) else value


def _plain(value: Any, objects: Objects | None) -> Any:
    if isinstance(value, ConfigNode):
        return value.to_dict(resolve_references=objects is not None)
    if isinstance(value, ConfigList):
        return [_plain(element, objects) for element in value]
    return dereference(value, objects) if objects is not None and is_reference(value) else value
