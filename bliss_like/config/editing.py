"""Edit a YAML text: the value at one path becomes another one, everything else stays what it is, to the byte.

The text is never written anew. The parser tells where each value stands, the difference between what is written and
what is wanted becomes a few replacements, and the result is parsed and compared with what was asked before anybody
sees it: what cannot be done without touching more (an anchor that other lines repeat) is refused.
"""

from __future__ import annotations

from bisect import bisect_left
from types import SimpleNamespace
from typing import Any, NamedTuple

from .emitting import block_lines, fits_one_line, in_one_line, scalar
from .parsing import Alias, Parsed, Reader, YamlProblem, compose, is_merge, parse, plain

Path = tuple[Any, ...]


class EditRefused(Exception):
    """The text cannot be edited as asked without changing the meaning of more than that.

    :param path: to what would change too; None: the result would be no YAML.
    """

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class Edited(NamedTuple):
    """A new text, and what it and the old one say."""

    text: str
    before: Parsed | None
    after: Parsed | None


def edit(text: str, path: Path, value: Any) -> Edited:
    """Return the text in which the value at `path` is `value`; comments, order, quotes and anchors stay.

    :param path: keys and indexes from the top of the text.
    :param value: dicts, lists, None, bool, int, float, str.
    :raises YamlProblem: the text is no YAML.
    :raises EditRefused: the result would not mean exactly this; nothing is wrong with the text.
    """
    editor = _Editor(text)
    wanted = _with(plain(editor.before), path, value)
    edited = editor.run(wanted)
    try:
        after = parse(edited) if edited != text else editor.before
    except YamlProblem as problem:
        raise EditRefused(f"it would break the file: {problem}") from None
    difference = _difference(plain(after), wanted)
    if difference is not None:
        raise EditRefused(f"it would also change {'.'.join(map(str, difference)) or 'the rest'}", difference)
    return Edited(edited, editor.before, after)


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are written alike: 1, 1.0 and true are not the same."""
    return _difference(one, other) is None


def _with(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    copy = data.copy()
    copy[path[0]] = _with(data[path[0]], path[1:], value)
    return copy


def _difference(one: Any, other: Any) -> Path | None:
    """Return the path to the first difference, None if there is none."""
    if type(one) is not type(other):
        return ()
    if isinstance(one, dict):
        for key in dict.fromkeys([*one, *other]):
            if key not in one or key not in other:
                return (key,)
            if (inner := _difference(one[key], other[key])) is not None:
                return (key, *inner)
        return None
    if isinstance(one, list):
        for index, (left, right) in enumerate(zip(one, other, strict=False)):
            if (inner := _difference(left, right)) is not None:
                return (index, *inner)
        return None if len(one) == len(other) else (min(len(one), len(other)),)
    return None if repr(one) == repr(other) else ()


class _Editor:
    """Collects replacements `(start, end, text)` and makes them all at once."""

    def __init__(self, text: str) -> None:
        self._eol = "\r\n" if "\r\n" in text else "\n"
        self._lacks_end = bool(text) and not text.endswith("\n")
        self._text = text + self._eol if self._lacks_end else text
        self._root, constructor, self._dashes, self._colons = compose(self._text)
        self._reader = Reader(constructor)
        self._replacements: list[tuple[int, int, str]] = []
        self.before = None if self._root is None else self._reader.read(self._root)
        self._place_empty_values(self._root)

    def run(self, wanted: Any) -> str:
        if self._root is None:
            self._replace(len(self._text), len(self._text), self._lines(block_lines(wanted), 0))
        else:
            self._value(self._root, wanted)
        text = self._text
        in_order = sorted(self._replacements, key=lambda replacement: replacement[:2])
        for start, end, new in in_order[::-1]:  # of two at one place, the first stays first
            text = text[:start] + new + text[end:]
        return text.removesuffix(self._eol) if self._lacks_end else text

    # -- what differs ----------------------------------------------------------------------------------------------------

    def _value(self, node: Any, new: Any) -> bool:
        """Edit inside of a node; False: it has to be replaced as a whole, which is up to what holds it."""
        old = self._plain(node)
        if same(old, new):
            return True
        if isinstance(old, dict) and isinstance(new, dict) and old and new and not isinstance(node, Alias):
            done = self._mapping(node, new)
        elif isinstance(old, list) and isinstance(new, list) and old and new and not isinstance(node, Alias):
            done = self._sequence(node, new)
        else:
            done = False
        if not done and node is self._root:
            self._in_place(node, new, node.flow_style is True if node.id != "scalar" else False)
            return True
        return done

    def _mapping(self, node: Any, new: dict[Any, Any]) -> bool:
        own = {self._reader.key(key): (key, value) for key, value in node.value if not is_merge(key)}
        merges = [(key, value) for key, value in node.value if is_merge(key)]
        merged = self._plain(node)
        survivors = [pair for key, pair in own.items() if key in new] + merges
        if not survivors or (node.flow_style and self._bracket(node) is None):
            return False
        for key, pair in own.items():
            if key in new and not self._value(pair[1], new[key]):
                self._replace_in_mapping(node, *pair, new[key])
        added = {
            key: value for key, value in new.items() if key not in own and not same(merged.get(key, _MISSING), value)
        }
        self._delete(node.value, [own[key] for key in own if key not in new], node)
        if added:
            last = max(survivors, key=lambda pair: pair[0].start_mark.index)
            self._add_keys(node, last, added)
        return True

    def _sequence(self, node: Any, new: list[Any]) -> bool:
        deleted: list[Any] = []
        for _, i1, i2, j1, j2 in _matching([self._plain(child) for child in node.value], new):
            for child, value in zip(node.value[i1:i2], new[j1:j2], strict=False):
                if not self._value(child, value):
                    self._in_place(child, value, bool(node.flow_style))
            common = min(i2 - i1, j2 - j1)
            deleted += node.value[i1 + common : i2]
            if j1 + common < j2:
                self._add_elements(node, i1 + common, new[j1 + common : j2])
        self._delete([(child,) for child in node.value], [(child,) for child in deleted], node)
        return True

    # -- replacing -------------------------------------------------------------------------------------------------------

    def _replace_in_mapping(self, holder: Any, key: Any, node: Any, new: Any) -> None:
        colon, content, end = self._colon(key), self._content(node), self._end(node)
        was_block = not isinstance(node, Alias) and node.id != "scalar" and not node.flow_style
        if holder.flow_style or not was_block and fits_one_line(new):
            prefix = " " if content == end else ""
            if self._text[colon - 1] != ":":
                prefix = ": "  # {a}: a key without a colon
            self._replace(content, end, prefix + self._inline(node, new))
            return
        if was_block:
            line_behind = self._line_end(colon)
            self._replace(max(line_behind, self._line_start(content)), self._after(node), "")
        else:
            line_behind = self._line_end(end)
            self._replace(colon if content == node.start_mark.index else content, end, "")
        if fits_one_line(new):
            anchor = getattr(node, "anchor", None)
            place = self._text.index("&" + anchor, colon) + len(anchor) + 1 if anchor else colon
            self._replace(place, place, " " + in_one_line(new))
        else:
            self._replace(line_behind, line_behind, self._lines(block_lines(new), key.start_mark.column + 2))

    def _in_place(self, node: Any, new: Any, in_flow: bool) -> None:
        """Replace an element of a list, or the whole text."""
        start, end = self._content(node), self._end(node)
        prefix = "" if start < end or node is self._root else " "
        if in_flow or fits_one_line(new) or getattr(node, "anchor", None):
            self._replace(start, end, prefix + self._inline(node, new))
            return
        column = start - self._line_start(start) + len(prefix)
        lines = block_lines(new)
        self._replace(start, end, prefix + (self._eol + " " * column).join(lines))

    def _inline(self, node: Any, new: Any) -> str:
        if isinstance(new, str) and not isinstance(node, Alias) and node.id == "scalar" and node.style in ("'", '"'):
            return scalar(new, node.style)
        return in_one_line(new)

    # -- adding ------------------------------------------------------------------------------------------------------------

    def _add_keys(self, node: Any, behind: tuple[Any, Any], added: dict[Any, Any]) -> None:
        last_key, last = behind
        if node.flow_style:
            place = max(self._end(last), self._end(last_key))
            self._replace(place, place, ", " + in_one_line(added)[1:-1])
            return
        place = self._after(last)
        self._replace(place, place, self._lines(block_lines(added), node.value[0][0].start_mark.column))

    def _add_elements(self, node: Any, index: int, added: list[Any]) -> None:
        if node.flow_style:
            text = in_one_line(added)[1:-1]
            if index:
                place = self._end(node.value[index - 1])
                self._replace(place, place, ", " + text)
            else:
                place = node.value[0].start_mark.index
                self._replace(place, place, text + ", ")
            return
        dash = self._dash(node.value[0])
        column = dash - self._line_start(dash)
        text = self._lines(block_lines(added), column)
        if not index:
            self._replace(dash, dash, text.removeprefix(" " * column) + " " * column)
            return
        previous = node.value[index - 1]
        gap = self._eol if index > 1 and self._follows_blank_line(previous) else ""
        self._replace(self._after(previous), self._after(previous), gap + text)

    def _follows_blank_line(self, element: Any) -> bool:
        """Tell whether an element is set off from the one before by a blank line, and one would do no harm behind it."""
        before = self._text[: self._line_start(self._dash(element))]
        return before.endswith(("\n\n", "\n\r\n")) and self._text[self._end(element) - 1] != "\n"

    # -- deleting ----------------------------------------------------------------------------------------------------------

    def _delete(self, members: list[Any], deleted: list[Any], node: Any) -> None:
        """Delete pairs of a mapping or (single) elements of a list; at least one member stays."""
        gone = [any(member[0] is other[0] for other in deleted) for member in members]
        for index, member in enumerate(members):
            if not gone[index]:
                continue
            start = self._begin(member[0], node)
            if node.flow_style:
                self._delete_in_flow(members, gone, index)
            elif self._text[self._line_start(start) : start].strip(" "):
                self._delete_after_dash(members, gone, index, node)
            else:
                self._replace(self._line_start(start), self._after(member[-1]), "")

    def _delete_after_dash(self, members: list[Any], gone: list[bool], index: int, node: Any) -> None:
        """Delete a member with something before it in its line (`- name: a`); the next one moves up if it can."""
        start, after = self._begin(members[index][0], node), self._after(members[index][-1])
        follows = index + 1
        while follows < len(members) and gone[follows]:
            follows += 1
        next_start = self._begin(members[follows][0], node)
        between = self._text[after:next_start]
        if follows == index + 1 and not between.strip():
            self._replace(start, next_start, "")
        else:
            first = len(self._text[:start].rstrip(" "))
            self._replace(first, len(self._text[:after].rstrip("\r\n")), "")

    def _delete_in_flow(self, members: list[Any], gone: list[bool], index: int) -> None:
        start = members[index][0].start_mark.index
        if not all(gone[index:]):
            self._replace(start, members[index + 1][0].start_mark.index, "")
            return
        previous = self._end(members[index - 1][-1])
        end = self._end(members[index][-1])
        first = start if "#" in self._text[previous:start] else previous  # a comment stays, and the comma before it
        self._replace(first, end, "")

    # -- where things are ----------------------------------------------------------------------------------------------------

    def _plain(self, node: Any) -> Any:
        return plain(self._reader.read(node))

    def _replace(self, start: int, end: int, text: str) -> None:
        if start < end or text:
            self._replacements.append((start, end, text))

    def _lines(self, lines: list[str], column: int) -> str:
        return "".join(" " * column + line + self._eol for line in lines)

    def _content(self, node: Any) -> int:
        """Return where a value begins, behind its anchor; of a block, where its first member does."""
        start: int = node.start_mark.index
        if isinstance(node, Alias) or not node.anchor:
            return start
        if node.id != "scalar" and not node.flow_style:
            return self._begin(_first_of(node), node)
        behind = self._text.index("&" + node.anchor, start) + len(node.anchor) + 1
        while behind < self._end(node) and self._text[behind] in " \t\r\n":
            behind += 1
        return behind

    def _begin(self, first: Any, node: Any) -> int:
        """Return where a member of a collection begins: its dash or its key."""
        if node.id == "sequence" and not node.flow_style:
            return self._dash(first)
        start: int = first.start_mark.index
        return start

    def _end(self, node: Any) -> int:
        """Return where the text of a value ends, without the comments and blank lines behind it."""
        start, end = node.start_mark.index, node.end_mark.index
        if isinstance(node, Alias):
            return int(end)
        if node.id == "scalar":
            if node.style in ("|", ">") and "+" in self._text[start:end].partition("\n")[0]:
                return int(end)
            return int(start + len(self._text[start:end].rstrip(" \t\r\n")))
        if node.flow_style:
            return int(end)
        last = node.value[-1]
        return max(self._end(last[1]), self._end(last[0])) if node.id == "mapping" else self._end(last)

    def _after(self, node: Any) -> int:
        """Return where the line behind a value begins."""
        end = self._end(node)
        return end if end and self._text[end - 1] == "\n" and node.start_mark.index < end else self._line_end(end)

    def _line_start(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        """Return where the next line begins."""
        return self._text.index("\n", index) + 1

    def _dash(self, element: Any) -> int:
        return self._dashes[max(bisect_left(self._dashes, element.start_mark.index), 1) - 1]

    def _colon(self, key: Any) -> int:
        """Return the place behind the colon between a key and its value; without one, behind the key."""
        end: int = key.end_mark.index
        position = bisect_left(self._colons, end)
        if position < len(self._colons) and not self._text[end : self._colons[position]].strip(" "):
            return self._colons[position] + 1
        return end

    def _place_empty_values(self, node: Any) -> None:
        """Say of values that are not written that they stand behind their colon or dash; ruamel may put them later."""
        if isinstance(node, Alias) or node is None or node.id == "scalar":
            return
        for member in node.value:
            key, value = member if node.id == "mapping" else (None, member)
            if value.start_mark.index == value.end_mark.index:
                place = self._colon(key) if key is not None else self._dash(value) + 1
                value.start_mark = value.end_mark = SimpleNamespace(
                    index=place, line=value.start_mark.line, column=value.start_mark.column
                )
            self._place_empty_values(value)

    def _bracket(self, node: Any) -> int | None:
        """Return where the `{` of a flow mapping is; None for the implicit one in `[a: 1]`."""
        start = self._content(node)
        return start if self._text[start] == "{" else None


_MISSING = object()


def _matching(old: list[Any], new: list[Any]) -> list[tuple[str, int, int, int, int]]:
    """Return difflib's opcodes for lists; an element is the same one after an edit if its name is."""
    from difflib import SequenceMatcher

    before, after = ([_name_of(element) for element in elements] for elements in (old, new))
    if any(len(set(filter(None, names))) < len(list(filter(None, names))) for names in (before, after)):
        before, after = [""] * len(old), [""] * len(new)
    if before == after:
        return [("replace", 0, len(old), 0, len(new))]
    before = [name or repr(element) for name, element in zip(before, old, strict=True)]
    after = [name or repr(element) for name, element in zip(after, new, strict=True)]
    return list(SequenceMatcher(None, before, after, autojunk=False).get_opcodes())


def _name_of(element: Any) -> str:
    name = element.get("name") if isinstance(element, dict) else None
    return f"name: {name}" if isinstance(name, str) else ""


def _first_of(node: Any) -> Any:
    first = node.value[0]
    return first[0] if node.id == "mapping" else first
