"""YAML as text: where each key and element stands, and edits that leave all the rest as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .parsing import YamlProblem, compose, resolved


@dataclass(eq=False)
class Part:
    """A piece of YAML: a text, a list, or keys with their values.

    :param start: index of its first character in the text; `end` is the one behind its last.
    :param flow: it stands between brackets or braces.
    """

    start: int
    end: int
    line: int
    flow: bool
    text: str | None = None
    elements: list[Part] | None = None
    keys: dict[str, tuple[Part, Part]] | None = None

    @property
    def is_mapping(self) -> bool:
        return self.keys is not None

    def value(self, key: str) -> Part | None:
        found = (self.keys or {}).get(key)
        return found[1] if found else None

    def word(self, key: str) -> str:
        """Return the text of a key, `""` when there is none."""
        found = self.value(key)
        return found.text or "" if found is not None else ""

    def children(self) -> Iterator[Part]:
        yield from self.elements or ()
        for _, value in (self.keys or {}).values():
            yield value


def read(text: str) -> Part | None:
    """Return the parts of a YAML text, None when it is empty.

    :raises YamlProblem: it cannot be parsed, or has a key twice.
    """
    root = compose(text).root
    return None if root is None else _part(root, text, {})


def _part(node: Any, text: str, known: dict[int, Part]) -> Part:
    node = resolved(node)
    if id(node) in known:  # an alias stands for what has its anchor
        return known[id(node)]
    flow = bool(getattr(node, "flow_style", False))
    part = Part(node.start_mark.index, node.end_mark.index, node.start_mark.line + 1, flow)
    known[id(node)] = part
    if isinstance(node.value, str):
        part.text = node.value
        if node.style in ("|", ">"):  # the parser's end of a text in lines is the beginning of what follows it
            part.end = part.start + len(text[part.start : part.end].rstrip())
        return part
    if node.id == "sequence":
        part.elements = [_part(child, text, known) for child in node.value]
    else:
        part.keys = {}
        for key, value in node.value:
            name, line, column = str(resolved(key).value), key.start_mark.line + 1, key.start_mark.column + 1
            if name in part.keys:
                first = part.keys[name][0].line
                raise YamlProblem(
                    line, column, f"key '{name}' is here twice, first in line {first}: take one of them out"
                )
            part.keys[name] = (_part(key, text, known), _part(value, text, known))
    if not flow:  # the parser's end of a block is the beginning of what follows it
        part.end = max([child.end for child in part.children() if child.end <= part.end], default=part.start)
    return part


@dataclass
class Edits:
    """Changes of one text; `result` makes them."""

    text: str
    _replaced: dict[tuple[int, int], str] = field(default_factory=dict)
    _dropped: dict[int, tuple[Part, dict[int, str]]] = field(default_factory=dict)

    def replace(self, part: Part, text: str) -> None:
        self._replaced[part.start, part.end] = text

    def insert(self, index: int, text: str) -> None:
        self._replaced[index, index] = self._replaced.get((index, index), "") + text

    def first_key(self, mapping: Part, line: str) -> None:
        """Add a key before all others."""
        behind = ", " if mapping.flow else "\n" + " " * self.column(mapping.start)
        self.insert(mapping.start + 1 if mapping.flow else mapping.start, line + behind)

    def last_key(self, mapping: Part, key: str, block: str, flow: str) -> None:
        """Add a key behind all others.

        :param block: its value in lines, indented against the key; `flow` is the same in braces.
        """
        if mapping.flow:
            self.insert(mapping.end - 1, f", {key}: {flow}")
            return
        margin = "\n" + " " * self.column(mapping.start)
        separator = " " if "\n" not in block else ""
        self.insert(self._line_end(mapping.end), margin + f"{key}:{separator}" + block.replace("\n", margin))

    def drop(self, collection: Part, index: int, note: str) -> None:
        """Make a comment of an element of a list, or of a key with its value; `index` counts either."""
        self._dropped.setdefault(id(collection), (collection, {}))[1].setdefault(index, note)

    def drop_key(self, mapping: Part, key: str, note: str) -> None:
        self.drop(mapping, list(mapping.keys or {}).index(key), note)

    def column(self, index: int) -> int:
        return index - (self.text.rfind("\n", 0, index) + 1)

    def result(self) -> str:
        changes = dict(self._replaced)
        for collection, notes in self._dropped.values():
            entries = _entries(collection)
            if collection.flow:
                self._shorten(entries, notes, changes)
            else:
                for index, note in notes.items():
                    self._comment(*entries[index], note, changes, collection.elements is not None)
        pieces, done = [], 0
        for (start, end), new in sorted(changes.items()):
            if start >= done:  # else inside of something that is replaced as a whole
                pieces += [self.text[done:start], new]
                done = end
        return "".join([*pieces, self.text[done:]])

    def _comment(self, start: int, end: int, note: str, changes: dict[tuple[int, int], str], is_element: bool) -> None:
        first = self.text.rindex("-", 0, start) if is_element else start
        column = self.column(first)
        begin = first - column
        stop = self._line_end(max(end, start))
        position = begin
        for number, line in enumerate(self.text[begin:stop].split("\n")):
            mark = f"# {note}: " if number == 0 else "# "
            if line.strip():
                at = position + min(column, len(line) - len(line.lstrip())) if number else first
                changes[at, at] = changes.get((at, at), "") + mark
            position += len(line) + 1

    def _shorten(
        self, entries: list[tuple[int, int]], notes: dict[int, str], changes: dict[tuple[int, int], str]
    ) -> None:
        for index, note in notes.items():
            start, end = entries[index]
            behind = end
            while behind < len(self.text) and self.text[behind] in " ,":
                behind += 1
            if "," in self.text[end:behind]:
                changes[start, behind] = ""
            elif index and index - 1 not in notes and not self.text[entries[index - 1][1] : start].strip(", "):
                changes[entries[index - 1][1], end] = ""
            else:
                changes[start, end] = ""
            line = self._line_end(end)
            written = " ".join(self.text[start:end].split())
            changes[line, line] = changes.get((line, line), "") + f"  # {note}: {written}"

    def _line_end(self, index: int) -> int:
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found


def _entries(collection: Part) -> list[tuple[int, int]]:
    if collection.elements is not None:
        return [(element.start, element.end) for element in collection.elements]
    return [(key.start, max(key.end + 1, value.end)) for key, value in (collection.keys or {}).values()]
