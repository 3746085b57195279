"""Editing YAML text: what is asked and nothing else, to the byte."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from bliss_like.config import editing
from bliss_like.config.editing import EditRefused, same
from bliss_like.config.parsing import YamlProblem, parse, plain

MOTORS = """\
# The motors of the optics hutch
- name: motors      # a box
  class: IcePAP

  host:   "iceid00"     # never change
  axes:
      # the first one
      - name: robx
        velocity: 1.50   # mm/s
        limits: [ -10,   10 ]

      - {name: roby, velocity: 2}   # flow
  # the end
- &diode
  name:  'diode'
  gain: 1e3

- <<: *diode
  name: second
"""


def edit(text: str, path: tuple[Any, ...], value: Any) -> str:
    return editing.edit(text, path, value).text


def edited(text: str, path: tuple[Any, ...], value: Any) -> list[str]:
    """Return the lines that an edit changed, as `-old` and `+new`."""
    import difflib

    result = edit(text, path, value)
    assert parse(text) != parse(result) or text == result
    lines = difflib.ndiff(text.splitlines(keepends=True), result.splitlines(keepends=True))
    return [line[0] + line[2:].rstrip("\n") for line in lines if line[0] in "+-"]


def test_a_number_in_a_block() -> None:
    assert edited(MOTORS, (0, "axes", 0, "velocity"), 2.5) == [
        "-        velocity: 1.50   # mm/s",
        "+        velocity: 2.5   # mm/s",
    ]


def test_what_is_equal_is_not_touched() -> None:
    assert edit(MOTORS, (0, "axes", 0, "velocity"), 1.5) == MOTORS
    assert edit(MOTORS, (), plain(parse(MOTORS))) == MOTORS


def test_a_text_keeps_its_quotes() -> None:
    assert edited(MOTORS, (0, "host"), "iceid01")[1] == '+  host:   "iceid01"     # never change'
    assert edited(MOTORS, (0, "host"), 'a"b')[1] == '+  host:   "a\\"b"     # never change'


def test_flow_style_stays_flow_style() -> None:
    assert edited(MOTORS, (0, "axes", 1, "velocity"), 7)[1] == "+      - {name: roby, velocity: 7}   # flow"
    new = {"name": "roby", "velocity": 2, "unit": "mm"}
    assert edited(MOTORS, (0, "axes", 1), new)[1] == "+      - {name: roby, velocity: 2, unit: mm}   # flow"
    assert edited(MOTORS, (0, "axes", 1), {"name": "roby"})[1] == "+      - {name: roby}   # flow"
    assert edited(MOTORS, (0, "axes", 0, "limits"), [-10, 12])[1] == "+        limits: [ -10,   12 ]"
    assert edited(MOTORS, (0, "axes", 0, "limits"), [-10])[1] == "+        limits: [ -10 ]"


def test_a_new_key_comes_behind_the_last_one() -> None:
    axis = {"name": "robx", "velocity": 1.5, "limits": [-10, 10], "backlash": 0.1, "tags": {"a": {"b": [1, 2]}}}
    assert edited(MOTORS, (0, "axes", 0), axis) == [
        "+        backlash: 0.1",
        "+        tags:",
        "+          a:",
        "+            b: [1, 2]",
    ]


def test_a_deleted_key_takes_its_line_along() -> None:
    motors = plain(parse(MOTORS))[0]
    assert edited(MOTORS, (0,), {key: value for key, value in motors.items() if key != "host"}) == [
        '-  host:   "iceid00"     # never change'
    ]
    assert edited(MOTORS, (0,), {key: value for key, value in motors.items() if key != "name"}) == [
        "-- name: motors      # a box",
        "-  class: IcePAP",
        "+- class: IcePAP",
    ]


def test_a_new_element_of_a_list() -> None:
    axes = plain(parse(MOTORS))[0]["axes"]
    assert edited(MOTORS, (0, "axes"), [*axes, {"name": "robz", "velocity": 3}]) == [
        "+",
        "+      - name: robz",
        "+        velocity: 3",
    ]
    assert edited(MOTORS, (0, "axes"), axes[1:]) == [
        "-      - name: robx",
        "-        velocity: 1.50   # mm/s",
        "-        limits: [ -10,   10 ]",
    ]


def test_merged_keys_can_be_overridden() -> None:
    assert edited(MOTORS, (2, "gain"), 5.0) == ["+  gain: 5.0"]
    assert edited(MOTORS, (2, "name"), "third") == ["-  name: second", "+  name: third"]


def test_what_others_repeat_is_refused() -> None:
    with pytest.raises(EditRefused, match=r"it would also change 2\.gain"):
        edit(MOTORS, (1, "gain"), 5.0)
    with pytest.raises(EditRefused, match=r"it would also change 2\.gain"):
        edit(MOTORS, (2,), {"name": "second"})
    with pytest.raises(EditRefused, match="it would break the file: found undefined alias 'v'"):
        edit("a: &v [1]\nb: *v\n", (), {"b": [1]})


def test_an_alias_becomes_a_value() -> None:
    assert edit("a: &v 1\nb: *v  # same\n", ("b",), 2) == "a: &v 1\nb: 2  # same\n"
    assert edit("a: &v {x: 1}\nb: *v\n", ("b",), {"x": 2}) == "a: &v {x: 1}\nb: {x: 2}\n"


def test_from_block_to_line_and_back() -> None:
    block = "a:  # comment\n  # inside\n  x: 1\n  y: 2 # y\n# end\nb: 1\n"
    assert edit(block, ("a",), 5) == "a: 5  # comment\n  # inside\n# end\nb: 1\n"
    assert edit("a: 5  # comment\nb: 1\n", ("a",), [{"x": [1, [2]]}]) == (
        "a:  # comment\n  - x:\n      - 1\n      - [2]\nb: 1\n"
    )
    assert edit("a:\n- 1\nb: 2\n", ("a",), {"x": {"y": 1}}) == "a:\n  x: {y: 1}\nb: 2\n"


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("", [{"name": "a", "class": "Lamp"}], "- name: a\n  class: Lamp\n"),
        ("# only a comment\n", [{"name": "a"}], "# only a comment\n- name: a\n"),
        ("a: 1", {"a": 1, "b": "x"}, "a: 1\nb: x"),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 3, "c": None}, "a: 1\r\nb: 3\r\nc: null\r\n"),
        ("a:\nb: 2\n", {"a": 1, "b": 2}, "a: 1\nb: 2\n"),
        ("a:   # nothing\n", {"a": "x y"}, "a: x y   # nothing\n"),
        ("- 1\n-\n", [1, "two"], "- 1\n- two\n"),
        ("{}\n", {"a": 1}, "{a: 1}\n"),
        ("{a}\n", {"a": 1}, "{a: 1}\n"),
        ("a: |\n  x\n  y\n\nb: 1\n", {"a": "z", "b": 1}, "a: z\n\nb: 1\n"),
        ("a: |+\n  x\n\n", {"a": "x\n\n", "b": 1}, "a: |+\n  x\n\nb: 1\n"),
        ("- - a\n  - b\n", [["b"]], "- - b\n"),
        ("- - a\n", [["x", "a"]], "- - x\n  - a\n"),
        ("- a: 1\n  # about b\n  b: 2\n", [{"b": 2}], "-\n  # about b\n  b: 2\n"),
        ("a: [1, # one\n  2]\n", {"a": [1]}, "a: [1, # one\n  ]\n"),
        ("a: [b: 1]\n", {"a": [{"b": 1, "c": 2}]}, "a: [{b: 1, c: 2}]\n"),
        ("a: &x\n  b: 1\n", {"a": {"b": 1, "c": 2}}, "a: &x\n  b: 1\n  c: 2\n"),
        ("a: &x 1\n", {"a": 2}, "a: &x 2\n"),
        ("a: &x\n  b: 1\n", {"a": 2}, "a: &x 2\n"),
        ("--- # top\na: 1\n...\n", {"a": 1, "b": 2}, "--- # top\na: 1\nb: 2\n...\n"),
    ],
)
def test_places_that_are_easily_missed(text: str, value: Any, expected: str) -> None:
    assert edit(text, (), value) == expected


def test_texts_that_look_like_something_else() -> None:
    texts = ["yes", "no", "1", "1e3", "null", "~", "", " a", "a ", "a: b", "a #b", "- a", "$robx", "*a", "&a", "{s}/"]
    texts += [
        "'",
        '"',
        "\\",
        "\n",
        "\t",
        "é",
        "\x00",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ]
    for text in texts:
        assert plain(parse(edit("a: 1\nb: [2]\n", ("a",), text)))["a"] == text
        assert plain(parse(edit("a: 1\nb: [2]\n", ("b", 0), text)))["b"] == [text]


# -- any document, any edit ------------------------------------------------------------------------------------------------

KEYS = st.text("abcxyz_", min_size=1, max_size=3) | st.sampled_from(["name", "a key", "1", "true", "x:y", "it's"])
TEXTS = st.text("abz $:-#{}[]'\"\n\\,&*!|>%@`é~01", max_size=8) | st.sampled_from(["robx", "$robx", "null", "12"])
SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False) | TEXTS
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=14,
)
COLLECTIONS = st.lists(TREES, min_size=1, max_size=4) | st.dictionaries(KEYS, TREES, min_size=1, max_size=4)
COMMENTS = ["", "  # comment", "   # {odd: [comment", " # - x: 'y"]


class Writer:
    """Writes data as YAML in a style that is drawn; `owners` has the path of the innermost value of each line."""

    def __init__(self, draw: Any, with_aliases: bool = False) -> None:
        self._draw = draw
        self._with_aliases = with_aliases
        self.lines: list[str] = []
        self.owners: list[tuple[Any, ...] | None] = []
        self._anchors = 0

    def _pick(self, *choices: Any) -> Any:
        return self._draw(st.sampled_from(choices))

    def write(self, data: Any) -> str:
        self._block(data, 0, (), "")
        return "\n".join(self.lines) + "\n"

    def _line(self, text: str, owner: tuple[Any, ...] | None) -> None:
        self.lines.append(text)
        self.owners.append(owner)

    def _extras(self, indent: int) -> None:
        if self._pick(False, False, False, True):
            self._line(self._pick("", " " * indent + "# a note", "# outside: [1", " " * indent + "#- x"), None)

    def _scalar(self, value: Any) -> str:
        from bliss_like.config.emitting import scalar

        if isinstance(value, str):
            return scalar(value, self._pick("", "'", '"'))
        if value is None:
            return str(self._pick("null", "~"))
        return scalar(value)

    def _flow(self, value: Any) -> str:
        space, comma = self._pick("", " "), self._pick(", ", ",  ")
        if isinstance(value, dict):
            inner = comma.join(f"{self._scalar(key)}: {self._flow(child)}" for key, child in value.items())
            return "{" + space + inner + space + "}"
        if isinstance(value, list):
            return "[" + space + comma.join(map(self._flow, value)) + space + "]"
        return self._scalar(value)

    def _anchor(self) -> str:
        if self._pick(True, False, False, False, False, False):
            self._anchors += 1
            return f"&a{self._anchors} "
        return ""

    def _block(self, value: Any, indent: int, path: tuple[Any, ...], first: str) -> None:
        """Write a collection; `first` is what stands in its first line before it, indentation included."""
        members = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        step = self._pick(2, 3, 4)
        for key, child in members:
            if not first:
                self._extras(indent)
            start = first or " " * indent
            first = ""
            inner = (*path, key)
            head = start + (f"{self._scalar(key)}:" if isinstance(value, dict) else "-")
            if isinstance(child, dict | list) and child and self._pick(True, True, False):
                if isinstance(value, list) and self._pick(True, False):
                    gap = self._pick(" ", "   ")
                    self._block(child, indent + 1 + len(gap), inner, head + gap)
                    continue
                anchor = self._anchor()
                self._line(head + (" " + anchor).rstrip() + self._pick(*COMMENTS), inner)
                indentless = isinstance(value, dict) and isinstance(child, list) and self._pick(True, False)
                self._block(child, indent if indentless else indent + step, inner, "")
            elif isinstance(child, str) and child.strip() and child.isprintable() and self._pick(True, False):
                self._line(head + " " + self._pick("|-", ">-") + self._pick(*COMMENTS), inner)
                self._line(" " * (indent + step) + child.strip(), inner)
            elif child is None and self._pick(True, False):
                self._line(head + self._pick(*COMMENTS), inner)
            elif self._with_aliases and self._anchors and self._pick(True, True, False):
                self._line(f"{head} *a{self._pick(*range(1, self._anchors + 1))}" + self._pick(*COMMENTS), inner)
            else:
                self._line(head + " " + self._anchor() + self._flow(child) + self._pick(*COMMENTS), inner)


def paths_of(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, child in members for found in paths_of(child, (*path, key)))]


def value_at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


@st.composite
def documents(draw: Any, with_aliases: bool = False) -> tuple[str, list[Any], Any]:
    writer = Writer(draw, with_aliases)
    text = writer.write(draw(COLLECTIONS))
    try:
        parse(text)
    except YamlProblem:  # an alias inside of its own anchor
        reject()
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text, writer.owners, plain(parse(text))


def changed_lines(old: str, new: str) -> range:
    """Return the range of lines of the old text outside of which nothing is different."""
    before, after = old.split("\n"), new.split("\n")
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return range(head, len(before) - tail)


@given(documents(), st.data())
def test_a_value_is_replaced_and_no_other_line_changes(
    document: tuple[str, list[Any], Any], data: st.DataObject
) -> None:
    text, owners, tree = document
    path = data.draw(st.sampled_from([path for path in paths_of(tree) if path]))
    new = data.draw(TREES)
    result = edit(text, path, new)
    expected = copy.deepcopy(tree)
    value_at(expected, path[:-1])[path[-1]] = new
    assert same(plain(parse(result)), expected)
    own = [number for number, owner in enumerate(owners) if owner is not None and owner[: len(path)] == path]
    around = own or [number for number, owner in enumerate(owners) if owner and path[: len(owner)] == owner]
    allowed = range(min(around), max(around) + 1)
    changed = changed_lines(text, result)
    assert not changed or (changed[0] >= allowed[0] and changed[-1] <= allowed[-1] + 1), (text, result)
    kept = result.split("\n")
    for number, owner in enumerate(owners):
        if owner is None and number not in allowed:
            assert text.split("\n")[number] in kept


@given(documents(), st.data())
def test_any_edits_mean_what_was_asked(document: tuple[str, list[Any], Any], data: st.DataObject) -> None:
    text, _, tree = document
    wanted = copy.deepcopy(tree)
    for _ in range(data.draw(st.integers(1, 4))):
        places = [path for path in paths_of(wanted) if isinstance(value_at(wanted, path), dict | list)]
        assume(places)
        here = value_at(wanted, data.draw(st.sampled_from(places)))
        action = data.draw(st.sampled_from(["delete", "add", "add", "set"]))
        if action == "add" and isinstance(here, dict):
            here[data.draw(KEYS)] = data.draw(TREES)
        elif action == "add":
            here.insert(data.draw(st.integers(0, len(here))), data.draw(TREES))
        elif here:
            key = data.draw(st.sampled_from(list(here) if isinstance(here, dict) else range(len(here))))
            if action == "delete":
                del here[key]
            else:
                here[key] = data.draw(TREES)
    result = edit(text, (), wanted)
    assert same(plain(parse(result)), wanted)
    assert ("\r\n" in text) == ("\r\n" in result) or "\n" not in result.strip()


@given(documents(with_aliases=True), st.data())
def test_with_aliases_an_edit_means_what_was_asked_or_is_refused(
    document: tuple[str, list[Any], Any], data: st.DataObject
) -> None:
    text, _, tree = document
    path = data.draw(st.sampled_from([path for path in paths_of(tree) if path]))
    new = data.draw(TREES)
    expected = copy.deepcopy(tree)
    value_at(expected, path[:-1])[path[-1]] = new
    try:
        result = edit(text, path, new)
    except EditRefused:
        assert "*a" in text
    else:
        assert same(plain(parse(result)), expected)
