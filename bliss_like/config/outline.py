"""The directories, files and objects of a configuration, in the order of the disk, each with its errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bliss_like.errors import ConfigError

from .loader import INIT, object_kind
from .node import ConfigList, ConfigNode
from .survey import Survey


@dataclass
class Branch:
    """A directory, a file, or an object in it.

    :param kind: the class of an object, `""` for the others.
    :param detail: items of a container, or what an `__init__.yml` says for all.
    :param line: where an object begins.
    """

    name: str
    kind: str = ""
    detail: str = ""
    line: int = 0
    errors: list[ConfigError] = field(default_factory=list)
    children: list[Branch] = field(default_factory=list)


def outline(survey: Survey, errors: list[ConfigError]) -> Branch:
    """Return the tree below the root.

    :param errors: what `check` found.
    """
    top = Branch(survey.root.name)
    directories = {survey.root: top}
    objects: dict[str, list[ConfigNode]] = {}
    for entry in survey.entries.values():
        if not entry.owner:
            objects.setdefault(entry.node.filename, []).append(entry.node)
    for path in sorted(survey.tree.files, key=lambda path: (path.parent, path.name != INIT, path.name)):
        branch = Branch(path.name)
        _directory(path.parent, directories).children.append(branch)
        nodes = sorted(objects.get(str(path), []), key=lambda node: node.place)
        branch.children = [Branch(node.name, object_kind(node), _items(node, survey), node.line) for node in nodes]
        if path.name == INIT:
            branch.detail = _common(path, survey)
        _mark(branch, [error for error in errors if error.place and error.place[0] == str(path)])
    return top


def _directory(path: Path, known: dict[Path, Branch]) -> Branch:
    if path not in known:
        known[path] = Branch(path.name)
        _directory(path.parent, known).children.append(known[path])
    return known[path]


def _mark(file: Branch, errors: list[ConfigError]) -> None:
    """Give each error to the object that begins last before it, what is before all of them to the file."""
    for error in errors:
        line = error.place[1] if error.place else 0
        before = [child for child in file.children if child.line <= line]
        (before[-1] if before else file).errors.append(error)


def _items(node: ConfigNode, survey: Survey) -> str:
    parts = []
    for key, value in node.written.items():
        names = (
            [element.name for element in value.written if isinstance(element, ConfigNode)]
            if isinstance(value, ConfigList)
            else []
        )
        names = [name for name in names if name in survey.entries and survey.entries[name].key == key]
        if names:
            parts.append(f"{key}: {', '.join(names)}")
    return "; ".join(parts)


def _common(path: Path, survey: Survey) -> str:
    for entry in survey.entries.values():
        node = entry.node.parent
        while node is not None:
            if node.filename == str(path):
                return f"for all below: {', '.join(map(str, node.written))}"
            node = node.parent
    return ""
