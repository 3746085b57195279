"""What the YAML files say, as mappings and lists that know where each key and value stands.

Nodes know nothing of classes. `node[key]` gives references (`$name`, `$name.attribute`) as live objects; what is
assigned stays in memory until `node.save()`.
"""

from __future__ import annotations

import hashlib
import json
import os
import pprint
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from enum import Enum
from typing import Any, cast

from bliss_like.errors import ConfigError

from .references import Document, dereference, is_reference
from .references import Objects as Objects
from .references import Place as Place

Path = tuple[Any, ...]
"""Keys and indexes from the top of a file."""


class _Held:
    """What mappings and lists have in common: they stand somewhere, in a file.

    :param holder: the mapping, list or file around it; None: it stands nowhere (yet).
    :param origin: where it is in the file on disk; None: it is not there (yet).
    """

    def __init__(self, objects: Objects, place: Place, holder: Holder | None, origin: Path | None) -> None:
        self.config = objects
        self.place = place
        self.holder = holder
        self.origin = origin

    @property
    def document(self) -> Document | None:
        here: Any = self
        while isinstance(here, _Held):
            here = here.holder
        return here if isinstance(here, Document) else None

    @property
    def parent(self) -> ConfigNode | None:
        """The mapping around this, then the `__init__.yml` of its directory, then the one of the directory above."""
        here = self.holder
        while isinstance(here, ConfigList):
            here = here.holder
        return here.around if isinstance(here, Document) else here

    def _edited(self) -> None:
        document = self.document
        if document is not None:
            document.is_edited = True

    def _live(self, value: Any) -> Any:
        return dereference(value, self.config) if is_reference(value) else value

    def _stored(self, value: Any) -> Any:
        """Return what is kept of a value that somebody assigns."""
        return attach(written_form(value, self.config), self.config, self.place, cast("Holder", self))


class ConfigList(_Held, MutableSequence[Any]):
    """A list of the configuration; references in it are live objects, in `written` they are text."""

    def __init__(
        self, objects: Objects, place: Place, holder: Holder | None = None, origin: Path | None = None
    ) -> None:
        super().__init__(objects, place, holder, origin)
        self.written: list[Any] = []
        self.places: list[Place] = []

    def add(self, value: Any, place: Place) -> None:
        """Add an element while the tree is being loaded."""
        self.written.append(value)
        self.places.append(place)

    def __getitem__(self, index: Any) -> Any:
        found = self.written[index]
        return [self._live(element) for element in found] if isinstance(index, slice) else self._live(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            new = [self._stored(element) for element in value]
            self.places[index] = [self.place] * len(new)
            self.written[index] = new
        else:
            self.written[index] = self._stored(value)
        self._edited()

    def __delitem__(self, index: Any) -> None:
        del self.written[index], self.places[index]
        self._edited()

    def insert(self, index: int, value: Any) -> None:
        self.written.insert(index, self._stored(value))
        self.places.insert(index, self.place)
        self._edited()

    def __len__(self) -> int:
        return len(self.written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | ConfigList) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return repr(plain_form(self))


class ConfigNode(_Held, MutableMapping[str, Any]):
    """One mapping of a YAML file."""

    def __init__(
        self, objects: Objects, place: Place, holder: Holder | None = None, origin: Path | None = None
    ) -> None:
        super().__init__(objects, place, holder, origin)
        self.written: dict[Any, Any] = {}
        """As written: scalars, `ConfigNode`, `ConfigList`; references are text."""
        self.key_places: dict[Any, Place] = {}
        self.value_places: dict[Any, Place] = {}

    def add_key(self, key: str, value: Any, key_place: Place, value_place: Place) -> None:
        """Add a key while the tree is being loaded."""
        self.written[key] = value
        self.key_places[key] = key_place
        self.value_places[key] = value_place

    # -- what it is --------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return str(self.written.get("name", ""))

    @property
    def plugin(self) -> str:
        return str(self.get_inherited("plugin", "") or "")

    @property
    def filename(self) -> str:
        return self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    @property
    def path(self) -> Path:
        """Keys and indexes that lead here from the top of the file."""
        here, steps = self, []
        while isinstance(here.holder, _Held):
            holder: Any = here.holder
            members = holder.written.items() if isinstance(holder, ConfigNode) else enumerate(holder.written)
            steps += [key for key, value in members if value is here]
            here = holder
        return tuple(reversed(steps))

    @property
    def root(self) -> ConfigNode:
        """The whole configuration: directories, files, what is in them."""
        return self.config.root

    @property
    def children(self) -> list[ConfigNode]:
        """The mappings directly in this one, or in a list of it."""
        return [node for value in self.written.values() for node in _mappings(value)]

    def __repr__(self) -> str:
        return f"<ConfigNode {self.name or '(no name)'} at {self.place}: {', '.join(map(str, self))}>"

    # -- reading -----------------------------------------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return self._live(self.written[key])

    def __contains__(self, key: object) -> bool:
        return key in self.written

    def __iter__(self) -> Iterator[str]:
        return iter(self.written)

    def __len__(self) -> int:
        return len(self.written)

    def __eq__(self, other: object) -> bool:
        """Nodes are the same or not; a node equals a dict that says what it says."""
        return self is other or (isinstance(other, dict) and self.to_dict(resolve_references=False) == other)

    __hash__ = object.__hash__

    def raw_get(self, key: str, default: Any = None) -> Any:
        """Return the value as it is written, `$name` as text."""
        return self.written.get(key, default)

    def raw_items(self) -> Iterable[tuple[str, Any]]:
        return self.written.items()

    def get_inherited(self, key: str, default: Any = None) -> Any:
        """Return the value of the nearest mapping around this one (itself first) that has the key."""
        return self.get_inherited_value_and_node(key, default)[0]

    def get_inherited_raw(self, key: str, default: Any = None) -> Any:
        """Return it as it is written."""
        owner = self.owner_of(key)
        return default if owner is None else owner.written[key]

    def get_inherited_value_and_node(self, key: str, default: Any = None) -> tuple[Any, ConfigNode | None]:
        owner = self.owner_of(key)
        return (default, None) if owner is None else (owner[key], owner)

    def owner_of(self, key: str) -> ConfigNode | None:
        """Return the nearest mapping around this one (itself first) that has the key."""
        return next((node for node in self.outwards() if key in node.written), None)

    def get_top_key_node(self, key: str) -> ConfigNode:
        """Return the outermost mapping of the file around this one (or itself) that has the key; itself if none has."""
        document = self.document
        inside = [node for node in self.outwards() if node.document is document and key in node.written]
        return inside[-1] if inside else self

    def outwards(self) -> Iterator[ConfigNode]:
        """Yield this mapping and those around it, whose keys it inherits."""
        node: ConfigNode | None = self
        while node is not None:
            yield node
            node = node.parent

    def to_dict(self, resolve_references: bool = True) -> dict[str, Any]:
        """Return plain dicts and lists."""
        found: dict[str, Any] = plain_form(self, self.config if resolve_references else None)
        return found

    def md5hash(self) -> str:
        """Return a digest of what is written; it changes when that does."""
        text = json.dumps(self.to_dict(resolve_references=False), sort_keys=True, default=str)
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def pprint(self, indent: int = 1, depth: int | None = None) -> None:
        """Write what it says to the terminal."""
        text = pprint.pformat(self.to_dict(resolve_references=False), indent=indent, depth=depth, sort_dicts=False)
        sys.stdout.write(text + "\n")

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
                place, here = here.places[step], here.written[step]
        return place

    # -- changing ----------------------------------------------------------------------------------------------------------

    def __setitem__(self, key: str, value: Any) -> None:
        """Set a key; an object of the configuration is kept as a reference to it.

        :raises ValueError: the object is not in the configuration.
        """
        self.written[key] = self._stored(value)
        self.key_places.setdefault(key, self.place)
        self.value_places.setdefault(key, self.place)
        self._edited()

    def __delitem__(self, key: str) -> None:
        del self.written[key]
        self.key_places.pop(key, None)
        self.value_places.pop(key, None)
        self._edited()

    def clone(self) -> ConfigNode:
        """Return a copy that stands nowhere: what is done to it has no effect on this one."""
        copy = ConfigNode(self.config, self.place)
        copy.update(self.to_dict(resolve_references=False))
        return copy

    def take_over(self, other: ConfigNode) -> None:
        """Become what another node is, in its place: who has this one goes on with it after the file was read again."""
        holder = other.holder
        if isinstance(holder, Document):
            holder.root = self
        elif isinstance(holder, ConfigNode):
            holder.written = {key: self if value is other else value for key, value in holder.written.items()}
        elif isinstance(holder, ConfigList):
            holder.written = [self if value is other else value for value in holder.written]
        self.place, self.holder, self.origin = other.place, holder, other.origin
        self.written, self.key_places, self.value_places = other.written, other.key_places, other.value_places
        for child in self.written.values():
            if isinstance(child, _Held):
                child.holder = self

    def save(self) -> None:
        """Write what was changed in this mapping to its file; all other lines stay as they are.

        :raises ConfigError: the file was changed meanwhile, or what it would say is wrong; nothing is written.
        """
        self.config.save(self)

    def reload(self) -> None:
        """Forget what was changed in this mapping and not saved.

        :raises ConfigError: the file was changed meanwhile.
        """
        self.config.restore(self)


Holder = ConfigNode | ConfigList | Document


def attach(value: Any, objects: Objects, place: Place, holder: Holder) -> Any:
    """Return plain data as nodes and lists that stand in `holder`."""
    if isinstance(value, dict):
        node = ConfigNode(objects, place, holder)
        for key, child in value.items():
            node.add_key(key, attach(child, objects, place, node), place, place)
        return node
    if isinstance(value, list):
        elements = ConfigList(objects, place, holder)
        for child in value:
            elements.add(attach(child, objects, place, elements), place)
        return elements
    return value


def written_form(value: Any, objects: Objects) -> Any:
    """Return a value of Python as what is written of it: plain data, objects as references.

    :raises ValueError: an object that is not in the configuration, or a number that YAML has no form for.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return written_form(value.value, objects)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, ConfigNode) and not _is_object(value):
        return value.to_dict(resolve_references=False)
    if isinstance(value, ConfigList):
        return plain_form(value)
    if isinstance(value, Mapping) and not isinstance(value, ConfigNode):
        return {_written_key(key): written_form(child, objects) for key, child in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [written_form(child, objects) for child in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):  # numpy's scalars and arrays
        return written_form(value.tolist(), objects)
    return "$" + objects.name_of(value)


def _written_key(key: Any) -> Any:
    if key is None or isinstance(key, str | int | float):
        return key
    raise ValueError(f"expected text or a number as a key, came {key!r}")


def plain_form(value: Any, objects: Objects | None = None) -> Any:
    """Return dicts and lists; with `objects`, references are made live."""
    if isinstance(value, ConfigNode):
        return {key: plain_form(child, objects) for key, child in value.written.items()}
    if isinstance(value, ConfigList):
        return [plain_form(child, objects) for child in value.written]
    return dereference(value, objects) if objects is not None and is_reference(value) else value


def _is_object(node: ConfigNode) -> bool:
    """Tell whether a node is that of an object, hence something to refer to."""
    try:
        return bool(node.name) and node.config.get_config(node.name) is node
    except ConfigError:
        return False


def _mappings(value: Any) -> Iterator[ConfigNode]:
    if isinstance(value, ConfigNode):
        yield value
    elif isinstance(value, ConfigList):
        for element in value.written:
            yield from _mappings(element)
