"""What can be known about the objects of a configuration without making any of them.

The classes are imported, nothing else: a `Survey` is what `bliss-like config check` and its kin ask.
"""

from __future__ import annotations

import ast
import inspect
import os
import pathlib
import textwrap
from collections.abc import Iterator, Set
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, cast, get_args, get_type_hints
from weakref import WeakKeyDictionary

from bliss_like.errors import ConfigError, ObjectNotFound

from .construction import class_of, place_problem
from .loader import INIT, Tree, item_kind, load_tree
from .node import ConfigList, ConfigNode
from .plugins import BY_CLASS, NODE
from .references import Objects, dereference, is_reference
from .suggestion import did_you_mean
from .validation import Path, item_keys, with_inherited


class Survey:
    """The objects of a tree by name, their classes, and stand-ins for them where a model wants to see one.

    :param root: how messages call the configuration.
    """

    def __init__(self, tree: Tree, root: pathlib.Path) -> None:
        self.tree = tree
        self.root = root
        self.entries = tree.entries
        self._classes: dict[tuple[str, ...], type[Any] | None] = {}
        self._sessions = {name for name, entry in self.entries.items() if inherited(entry.node, "class") == "Session"}
        self._unreadable = tree.unreadable_names

    @property
    def names(self) -> list[str]:
        """Names of all objects and items that could be read."""
        return list(self.entries)

    @cached_property
    def objects(self) -> list[str]:
        """Names of all that is no session."""
        return [name for name in self.entries if name not in self._sessions]

    @cached_property
    def devices(self) -> list[str]:
        """Names of what is more than its keys: what wildcards stand for."""
        return [name for name in self.objects if inherited(self.entries[name].node, "plugin") != "default"]

    @cached_property
    def sessions(self) -> list[str]:
        return [name for name in self.entries if name in self._sessions]

    @cached_property
    def groups(self) -> list[str]:
        """Names of all measurement groups."""
        return [name for name in self.objects if inherited(self.entries[name].node, "class") == "MeasurementGroup"]

    def may_exist(self, name: str) -> bool:
        """Tell whether there is such an object, or was one meant by a file that cannot be read."""
        return name in self.entries or name in self._unreadable

    def may_match(self, pattern: str) -> bool:
        """Tell whether a file that cannot be read may have an object whose name fits to shell wildcards."""
        return any(fnmatchcase(name, pattern) for name in self._unreadable)

    def lacks_defaults(self, node: ConfigNode) -> bool:
        """Tell whether keys that an object inherits may be in an `__init__.yml` that cannot be read."""
        inits = (pathlib.Path(file) for file in self.tree.invalid_files if pathlib.Path(file).name == INIT)
        return any(pathlib.Path(node.filename).is_relative_to(init.parent) for init in inits)

    def is_session(self, name: str) -> bool:
        return name in self._sessions

    def class_of(self, name: str) -> type[Any] | None:
        """Return the class of an object, for an item what its container says of it; None when it cannot be told."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        if entry.owner:
            container = self.class_of(entry.owner)
            return _item_class(container, entry.key) if container and entry.key in item_keys(container.Config) else None
        if entry.node.plugin not in BY_CLASS:
            return None
        written = tuple(inherited(entry.node, key) for key in ("class", "package", "module"))
        if written not in self._classes:
            try:
                self._classes[written] = class_of(entry)
            except ConfigError:
                self._classes[written] = None
        return self._classes[written]

    def complete(self, name: str) -> ConfigNode:
        """Return what is written about an object, with the keys that it inherits."""
        node = self.entries[name].node
        cls = self.class_of(name)
        return with_inherited(node, cls.Config) if cls is not None else node

    def get_config(self, name: str) -> ConfigNode | None:
        """Return what is written about an object, None when it is in a file that cannot be read.

        :raises ObjectNotFound: there is none of that name.
        """
        if not self.may_exist(name):
            raise ObjectNotFound(f"no object '{name}' in {self.root}{did_you_mean(name, self.entries)}")
        return self.entries[name].node if name in self.entries else None

    def get(self, name: str) -> Any:
        """Return a stand-in for an object, for a model that is validated.

        :raises ObjectNotFound: there is none of that name.
        :raises ConfigError: it stands in a list whose elements are no items.
        """
        self.get_config(name)
        entry = self.entries.get(name)
        if entry is not None and entry.node.plugin == NODE:
            return entry.node  # as config.get() does
        if entry is not None and entry.owner:
            container = self.class_of(entry.owner)
            problem = place_problem(entry, container) if container is not None else ""
            if problem:
                raise ConfigError(problem)
        return StandIn(name, self.class_of(name), is_exact=entry is not None and not entry.owner)

    def dereference(self, reference: str) -> Any:
        """Return a stand-in for what `$name.attribute` stands for.

        :raises ConfigError: it can be told that it stands for nothing.
        """
        return dereference(reference, cast("Objects", self))

    def resolves(self, reference: str) -> bool:
        """Tell whether `$name.attribute` may stand for something."""
        try:
            self.dereference(reference)
        except ConfigError:
            return False
        return True


def open_survey(path: str | os.PathLike[str] | None = None) -> Survey:
    """Read a tree of YAML files.

    :param path: its directory; by default `$BLISS_LIKE_CONFIG`, else `./config`.
    :raises ConfigError: there is no such directory.
    """
    written = path or os.environ.get("BLISS_LIKE_CONFIG") or "config"
    root = pathlib.Path(written).expanduser().resolve()
    return Survey(look_at(root), root)


def look_at(root: pathlib.Path) -> Tree:
    """Read a tree whose references will not be followed.

    :raises ConfigError: there is no such directory.
    """
    return load_tree(root, cast("Objects", _NoObjects()))


class _NoObjects:
    """Where references of a tree find nothing: it is only looked at."""

    def get(self, name: str) -> Any:
        raise ObjectNotFound(f"object '{name}' is not made: the configuration is only looked at")


class StandIn:
    """Takes the place of an object that is not made: has the attributes that its class is known to have."""

    def __init__(self, name: str, cls: type[Any] | None, is_exact: bool = False) -> None:
        """:param is_exact: it is of this class, and not of one that is derived from it."""
        self._name = name
        self._cls = cls
        self._is_exact = is_exact

    def __repr__(self) -> str:
        return f"${self._name}"

    @property
    def is_an_object(self) -> bool:
        """Whether it stands for an object that is made of a class; what its attributes are, nobody knows."""
        return self._cls is not None

    def may_have(self, attribute: str) -> bool:
        """Tell whether the object may have an attribute."""
        try:
            getattr(self, attribute)
        except ConfigError:
            return False
        return True

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if self._cls is not None and hasattr(self._cls, attribute):  # the source need not be read
            return StandIn(f"{self._name}.{attribute}", None)
        known = None if self._cls is None else known_attributes(self._cls, and_derived=not self._is_exact)
        if known is not None and attribute not in known:
            raise ConfigError(
                f"${self._name}.{attribute}: {self._name} ({self._cls.__name__ if self._cls else ''}) has no attribute "
                f"'{attribute}'{did_you_mean(attribute, known)}"
            )
        return StandIn(f"{self._name}.{attribute}", None)


def inherited(node: ConfigNode, key: str) -> str:
    """Return the text of a key of an object or of an `__init__.yml` around it, as it is written."""
    owner = node.owner_of(key)
    return str(owner.written[key] or "") if owner is not None else ""


def references(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield each `$name.attribute` in what is written, with its path."""
    if isinstance(value, ConfigNode):
        for key, child in value.written.items():
            yield from references(child, (*path, key))
    elif isinstance(value, ConfigList):
        for index, child in enumerate(value.written):
            yield from references(child, (*path, index))
    elif is_reference(value):
        yield path, value


def known_attributes(cls: type[object], and_derived: bool = True) -> set[str] | None:
    """Return all attributes that objects of a class, or of what is derived from it, have; None when they may have any."""
    names: set[str] = set()
    for each in [*cls.__mro__[:-1], *(_derived(cls) if and_derived else ())]:
        assigned = _assigned(each)
        if assigned is None:
            return None
        names |= assigned | set(dir(each)) | set(getattr(each, "__annotations__", {}))
    return {name for name in names if not name.startswith("_")}


def _derived(cls: type[object]) -> Iterator[type[object]]:
    for derived in cls.__subclasses__():
        yield derived
        yield from _derived(derived)


_known_of: WeakKeyDictionary[type[object], Set[str] | None] = WeakKeyDictionary()


def _assigned(cls: type[object]) -> Set[str] | None:
    """Return the attributes that the source of a class assigns to `self`; None when it cannot be told."""
    if cls not in _known_of:
        _known_of[cls] = _assigned_in_source(cls)  # which takes long
    return _known_of[cls]


def _assigned_in_source(cls: type[object]) -> Set[str] | None:
    if "__getattr__" in vars(cls) or "__getattribute__" in vars(cls):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return None
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("setattr", "vars"):
            return None
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return None
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return names


def _item_class(container: type[Any], key: str) -> type[Any] | None:
    """Return what the container's `get_item` is annotated to return; of several classes the one that `key` is called by."""
    try:
        found = get_type_hints(container.get_item).get("return")
    except (AttributeError, NameError, TypeError):
        return None
    for each in get_args(found):
        if inspect.isclass(each) and each.__name__.lower() == item_kind(key):
            return each
    return found if inspect.isclass(found) else None
