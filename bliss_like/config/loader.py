"""The tree of `*.yml` files: which objects there are and where, without importing any of their classes.

An object is a mapping with a `name`. A mapping with a `name` in a list that is a value of an object (`axes:`,
`counters:`) is an item of that object. What is broken is recorded and left out; the rest is loaded.
"""

from __future__ import annotations

import contextlib
import keyword
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bliss_like.errors import ConfigError

from .node import ConfigList, ConfigNode, Holder, plain_form
from .parsing import Parsed, YamlProblem, parse_file
from .references import Document, Objects, Place, is_reference, relative
from .suggestion import did_you_mean

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_NAMED = re.compile(r"""\bname\s*["']?:\s*["']?([A-Za-z_]\w*)""", re.ASCII)
INIT = "__init__.yml"


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


def item_name(node: ConfigNode, key: str, index: int) -> str:
    """Return the name of an item; where it is, when it has none."""
    element = node.written[key].written[index]
    name = element.name if isinstance(element, ConfigNode) else ""
    return name or f"{node.name}.{key}.{index}"


def item_label(node: ConfigNode, key: str, index: int) -> str:
    return f"{item_kind(key)} '{item_name(node, key, index)}'"


def object_kind(node: ConfigNode) -> str:
    kind = node.get_inherited_raw("class")
    return kind if kind and isinstance(kind, str) and node.plugin != "default" else "object"


@dataclass
class Tree:
    """What was found below a directory.

    :param documents: by file, in the order of reading.
    :param refused: items whose name cannot be used; their containers do without them.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)
    refused: list[ConfigNode] = field(default_factory=list)

    @property
    def files(self) -> list[Path]:
        """The files that were read, or should have been."""
        return [Path(file) for file in self.documents if file.endswith(".yml")]

    @property
    def invalid_files(self) -> dict[str, str]:
        return {file: document.failure for file, document in self.documents.items() if document.failure}

    @property
    def unreadable_names(self) -> dict[str, str]:
        """The names that files, which cannot be parsed, probably give to objects, and the files."""
        names: dict[str, str] = {}
        for file in self.invalid_files:
            with contextlib.suppress(OSError):
                text = Path(file).read_text(encoding="utf-8", errors="replace")
                names |= dict.fromkeys(_NAMED.findall(text), file)
        return names

    def why_missing(self, name: str, known: Iterable[str]) -> str:
        """Return where an object that is not there probably is, or else what it was probably meant to be, of `known`."""
        file = self.unreadable_names.get(name)
        if file is not None:
            return f"; it is probably in {relative(file)}, which cannot be read"
        return did_you_mean(name, known)


def load_tree(
    root: Path, objects: Objects, known: Mapping[str, Document] | None = None, forget_edits: bool = False
) -> Tree:
    """Read all `*.yml` files below `root`.

    :param objects: where the references in the files find their objects, later.
    :param known: what was read before: kept for files that have not changed, and for those that cannot be read now.
    :param forget_edits: read files again in whose nodes something was set that is not saved.
    :raises ConfigError: `root` is no directory.
    """
    if not root.is_dir():
        raise ConfigError(
            f"no configuration directory {root}: give its path, set $BLISS_LIKE_CONFIG, start where ./config is, "
            "or begin one with 'bliss-like config new session'"
        )
    reader = _Reader(objects, known or {}, forget_edits)
    reader.directory(root, None)
    return register(reader.documents)


def register(documents: Mapping[str, Document]) -> Tree:
    """Return the objects that are in the documents, and what is wrong there."""
    registrar = _Registrar(Tree(documents=dict(documents)))
    for document in documents.values():
        registrar.document(document)
    return registrar.tree


def continued(old: Tree, new: Tree) -> Tree:
    """Return the new tree with the nodes of the old one in it, so that who has one goes on with it."""
    for name, entry in new.entries.items():
        known = old.entries.get(name)
        if known is not None and known.node is not entry.node:
            known.node.take_over(entry.node)
            new.entries[name] = replace(entry, node=known.node)
    return new


def tags_of(entry: Entry) -> list[str]:
    """Return the words of `user_tag`; those of a container are not those of its items."""
    node = entry.node
    tags = node.raw_get("user_tag") if entry.owner else node.get_inherited_raw("user_tag")
    if isinstance(tags, str):
        return [tags]
    return [str(tag) for tag in tags.written] if isinstance(tags, ConfigList) else []


def tree_of_directories(root: Path, tree: Tree, objects: Objects) -> ConfigNode:
    """Return a node of all directories and files (without `.yml`), down to what the files say."""
    top = ConfigNode(objects, Place(str(root), 1, 1))
    for file, document in tree.documents.items():
        here = top
        *directories, name = Path(file).relative_to(root).with_suffix("").parts or ("",)
        for directory in directories:
            if directory not in here.written:
                place = Place(os.path.join(here.filename, directory), 1, 1)
                here.add_key(directory, ConfigNode(objects, place, here), place, place)
            here = here.written[directory]
        here.add_key(name, document.root, Place(file, 1, 1), Place(file, 1, 1))
    return top


def read_document(
    file: str, parsed: Parsed | None, digest: str, around: ConfigNode | None, objects: Objects
) -> Document:
    document = Document(file, digest, around)
    if parsed is not None:
        document.root = value_of(parsed, document, (), objects)
    return document


def value_of(parsed: Parsed, holder: Holder, origin: tuple[Any, ...], objects: Objects) -> Any:
    """Return what was parsed as nodes and lists that stand in `holder`."""
    line, column, value = parsed
    if not isinstance(value, dict):
        return value
    file = holder.file if isinstance(holder, Document) else holder.place.file
    place = Place(file, line, column)
    if "seq" in value:
        elements = ConfigList(objects, place, holder, origin)
        for index, element in enumerate(value["seq"]):
            elements.add(value_of(element, elements, (*origin, index), objects), Place(file, element[0], element[1]))
        return elements
    node = ConfigNode(objects, place, holder, origin)
    for key, key_line, key_column, child in value["map"]:
        found = value_of(child, node, (*origin, key), objects)
        node.add_key(key, found, Place(file, key_line, key_column), Place(file, child[0], child[1]))
    return node


class _Reader:
    """Reads the files of a directory and of those below it."""

    def __init__(self, objects: Objects, known: Mapping[str, Document], forget_edits: bool) -> None:
        self.documents: dict[str, Document] = {}
        self._forget_edits = forget_edits
        self._objects = objects
        self._known = known
        self._seen: set[Path] = set()

    def directory(self, path: Path, around: ConfigNode | None) -> None:
        if path.resolve() in self._seen:  # a symbolic link, perhaps to a directory above
            return
        self._seen.add(path.resolve())
        try:
            names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            self._keep_below(path)
            self._fail(str(path), around, 1, 1, f"cannot be read: {error.strerror}")
            return
        if INIT in names:
            document = self._file(path / INIT, around)
            around = document.root if isinstance(document.root, ConfigNode) else around
        for name in names:
            child = path / name
            if child.is_dir():
                self.directory(child, around)
            elif name.endswith(".yml") and name != INIT:
                self._file(child, around)
            elif name.lower().endswith((".yml", ".yaml")) and name != INIT:
                message = "not read: names of configuration files end with .yml; rename it"
                self._fail(str(child), around, 1, 1, message).failure = ""

    def _file(self, path: Path, around: ConfigNode | None) -> Document:
        file = str(path)
        try:
            parsed, digest = parse_file(path)
        except YamlProblem as problem:
            return self._fail(file, around, problem.line, problem.column, str(problem))
        except OSError as error:
            return self._fail(file, around, 1, 1, f"cannot be read: {error.strerror}")
        known = self._known.get(file)
        is_to_forget = known is not None and known.is_edited and self._forget_edits
        if known is None or known.digest != digest or is_to_forget or known.around is not around:
            known = read_document(file, parsed, digest, around, self._objects)
        known.errors, known.failure = [], ""
        self.documents[file] = known
        return known

    def _fail(self, file: str, around: ConfigNode | None, line: int, column: int, message: str) -> Document:
        """Record a file that cannot be read; what it said when it last could be read holds on."""
        document = self._known.get(file) or Document(file, "", around)
        holds_on = "; what it said before holds on, its objects stay as they are" if document.root is not None else ""
        document.errors = [Place(file, line, column).error(f"{message}{holds_on}")]
        document.failure = message
        self.documents[file] = document
        return document

    def _keep_below(self, path: Path) -> None:
        for file, document in self._known.items():
            if path in Path(file).parents:
                self.documents[file] = document


class _Registrar:
    """Finds the objects in documents."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def document(self, document: Document) -> None:
        self.tree.errors += document.errors
        value = document.root
        top = Place(document.file, 1, 1)
        if value is None:
            return
        if Path(document.file).name == INIT:
            self._defaults(value, top)
        elif not isinstance(value, ConfigNode | ConfigList):
            self._error(top, f"expected an object or a list of objects, came {value!r}")
        elif isinstance(value, ConfigList):
            for element, place in zip(value.written, value.places, strict=True):
                if not self._objects_in(element):
                    self._error(place, _nameless(element))
        elif not self._objects_in(value):
            self._error(value.place, _nameless(value))

    def _defaults(self, value: Any, top: Place) -> None:
        if not isinstance(value, ConfigNode):
            came = "a list" if isinstance(value, ConfigList) else repr(value)
            self._error(top, f"expected keys and values for the whole directory, came {came}")
        elif "name" in value:
            self._error(value.key_places["name"], f"'name' in {INIT}: keys here hold for all objects of the directory")

    def _objects_in(self, value: Any) -> bool:
        """Register the objects of a value; tell whether there was one, or something that an error was reported for."""
        if isinstance(value, ConfigList):
            found = [self._objects_in(element) for element in value.written]  # all of them, not only up to the first
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
            if not isinstance(value, ConfigList):
                continue
            for element in value.written:
                named = isinstance(element, ConfigNode) and "name" in element.written and not is_guest(element)
                if named and not self._register(Entry(element, node.name, key)):
                    self.tree.refused.append(element)

    def _register(self, entry: Entry) -> bool:
        node = entry.node
        name = node.written["name"]
        place = node.value_places["name"]
        problem = name_problem(plain_form(name))
        if problem:
            self._error(place, problem)
        elif name in self.tree.entries:
            first = self.tree.entries[name]
            self._error(place, f"name {name!r} is already taken by {first.label} in {first.node.value_places['name']}")
        else:
            self.tree.entries[name] = entry
            return True
        return False

    def _error(self, place: Place, message: str) -> None:
        self.tree.errors.append(place.error(message))


def is_guest(element: object) -> bool:
    """Tell whether an element of a list of items, `{name: $robx, ...}`, is no item but stands for an object of elsewhere."""
    return isinstance(element, ConfigNode) and is_reference(element.written.get("name"))


def name_problem(name: object) -> str:
    """Return why something cannot be the name of an object; empty when it can."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        subject = "name" if name is None else f"name {name!r}"
        came = ", came nothing" if name is None else ""
        return f"{subject}: expected letters, digits and '_', no digit first, such as 'robx'{came}"
    return f"name {name!r} is a word of Python; take another, such as '{name}_'" if keyword.iskeyword(name) else ""


def _nameless(value: Any) -> str:
    if isinstance(value, ConfigNode):
        hint = did_you_mean("name", value, "; '{}' is written instead of it")
        return f"expected a 'name' for this {object_kind(value)}{hint}"
    return f"expected an object (keys and values, among them a 'name'), came {value!r}"
