"""YAML text to plain data with line numbers, and a cache of it.

The parser is slow (50 microseconds a line, 80 ms to import); the cache makes starting a session independent of the size
of the beamline. It holds JSON, is checked against modification time and size of each file, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

Parsed = list[Any]
"""`[line, column, value]`, counted from 1; value is a scalar, `{"map": [[key, line, column, Parsed], ...]}` or `{"seq": [Parsed, ...]}`."""

CACHE_VERSION = 2
CACHED_AFTER = 50_000_000  # ns: a file changed a moment ago may change again without its time stamp showing it
MAX_VALUES = 1_000_000  # in one file; aliases of aliases can multiply a few lines to any number
MAX_DEPTH = 100  # of lists and keys in each other: what follows them is recursive

_TAG = "tag:yaml.org,2002:"
_SCALARS = {_TAG + name for name in ("int", "float", "bool", "null")}
_TEXTS = {_TAG + name for name in ("str", "timestamp", "value", "merge")}
_COLLECTIONS = {_TAG + name for name in ("map", "seq")}
_HINTS = {
    "'\\t'": "; use spaces, not tabs",
    "cannot start any token": "; put the text in quotes",
    "alias": "; a text that starts with '*' needs quotes",
    "expected <block end>": '; look for a wrong indentation, or a text that needs quotes, such as "{session}/"',
    "mapping values are not allowed": "; look for a wrong indentation, a ':' above that has no space behind it, "
    "or a text with ': ' in it, which needs quotes",
    "could not find expected ':'": "; a key is a word, a ':' and a space",
}
"""What to look for, by words of the parser's message."""
_CONFLICT = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)


class YamlProblem(Exception):
    """The text is not the YAML that a configuration is made of; at most one is reported per file."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class ParsedFile(NamedTuple):
    """What a file says (None: nothing), and the digest of its bytes."""

    parsed: Parsed | None
    digest: str


class Alias:
    """`*name` in a composed tree: the node that it stands for, and where it is written."""

    id = "alias"

    def __init__(self, target: Any, start_mark: Any, end_mark: Any) -> None:
        self.target = target
        self.start_mark = start_mark
        self.end_mark = end_mark


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def decoded(content: bytes) -> str:
    """Return the text of a file.

    :raises YamlProblem: it is not UTF-8.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line, column = _place_in(content[: error.start].decode(), error.start)
        message = f"expected text in UTF-8, came the byte 0x{content[error.start]:02x}; save the file as UTF-8"
        raise YamlProblem(line, column, message) from None


def parse_file(path: Path) -> ParsedFile:
    """Return what a YAML file says.

    :raises YamlProblem: it cannot be parsed.
    :raises OSError: it cannot be read.
    """
    status = path.stat()
    stamp = [CACHE_VERSION, str(path), status.st_mtime_ns, status.st_size, status.st_ino]
    cached = _cache_directory() / (hashlib.sha256(str(path).encode()).hexdigest()[:24] + ".json")
    try:
        known = json.loads(cached.read_bytes())
        if known["stamp"] == stamp:
            return ParsedFile(known["parsed"], known["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no cache, or not ours: the file itself is the truth
    is_settled = time.time_ns() - status.st_mtime_ns > CACHED_AFTER
    content = path.read_bytes()
    found = ParsedFile(parse(decoded(content)), digest_of(content))
    if is_settled:
        _write(cached, {"stamp": stamp, **found._asdict()})
    return found


def parse(text: str) -> Parsed | None:
    """Return what a YAML text says, None when it is empty.

    Numbers, booleans and null follow YAML 1.2 (`yes` and `010` are what they look like), dates stay text.

    :raises YamlProblem: it is no YAML, has a key twice, more than one document or an unknown tag.
    """
    composed = compose(text)
    return None if composed.root is None else Reader(composed.constructor).read(composed.root)


class Composed(NamedTuple):
    """A text as ruamel's tree of nodes, in which aliases are `Alias`.

    :param root: None when the text is empty.
    :param constructor: makes values of scalars.
    :param dashes: where those of lists in block style are, from the begin of the text.
    :param colons: where those behind keys are.
    """

    root: Any
    constructor: Any
    dashes: list[int]
    colons: list[int]


def compose(text: str) -> Composed:
    """Return the tree of a text.

    :raises YamlProblem: it is no YAML, or has more than one document.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    dashes: list[int] = []
    colons: list[int] = []
    yaml = _parser(dashes, colons)
    try:
        return Composed(yaml.compose(text), yaml.constructor, dashes, colons)
    except MarkedYAMLError as error:
        raise _problem(error, text) from None
    except ReaderError as error:
        message = f"character #x{ord(text[error.position]):04x} is not allowed; is this a text file?"
        raise YamlProblem(*_place_in(text, error.position), message) from None
    except YAMLError as error:
        raise YamlProblem(1, 1, " ".join(str(error).split())) from None
    except RecursionError:
        raise YamlProblem(1, 1, "lists and keys are nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - the parser has bugs, which are not to stop the other files
        raise YamlProblem(1, 1, f"the YAML parser failed: {type(error).__name__}: {error}") from None


def _parser(dashes: list[int], colons: list[int]) -> Any:
    """Return a parser of ruamel that notes where dashes and colons are, and keeps aliases."""
    from ruamel.yaml import YAML, AliasEvent
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.scanner import Scanner

    class NotingScanner(Scanner):
        def fetch_block_entry(self) -> None:
            dashes.append(self.reader.index)
            super().fetch_block_entry()

        def fetch_value(self) -> None:
            colons.append(self.reader.index)
            super().fetch_value()

    class AliasKeepingComposer(Composer):
        def __init__(self, loader: Any = None) -> None:
            super().__init__(loader=loader)
            self.warn_double_anchors = False  # YAML allows it: the last one counts

        def compose_node(self, parent: Any, index: Any) -> Any:
            if not self.parser.check_event(AliasEvent):
                return super().compose_node(parent, index)
            event = self.parser.peek_event()
            return Alias(super().compose_node(parent, index), event.start_mark, event.end_mark)

    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = AliasKeepingComposer
    yaml.Scanner = NotingScanner
    return yaml


def _problem(error: Any, text: str) -> YamlProblem:
    """Return what the parser found, where somebody who looks for it has to look."""
    conflict = _CONFLICT.search(text)
    if conflict:
        return YamlProblem(*_place_in(text, conflict.start()), "a merge conflict of git: keep one of the two versions")
    message = ", ".join(str(part) for part in (error.context, error.problem) if part)
    hint = next((hint for words, hint in _HINTS.items() if words in message), "")
    mark, begin = error.problem_mark or error.context_mark, error.context_mark
    if begin and "could not find expected ':'" in message:
        mark = begin
    elif begin and ("flow " in message or "quoted" in message) and begin.line != mark.line:
        hint = f"; it begins in line {begin.line + 1}{hint}"
    return YamlProblem(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, message + hint)


def _place_in(text: str, index: int) -> tuple[int, int]:
    """Return line and column of a character."""
    before = text[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def plain(parsed: Parsed | None) -> Any:
    """Return what was parsed as dicts, lists and scalars."""
    value = None if parsed is None else parsed[2]
    if not isinstance(value, dict):
        return value
    if "seq" in value:
        return [plain(element) for element in value["seq"]]
    return {key: plain(child) for key, _, _, child in value["map"]}


class Reader:
    """Turns ruamel's graph of nodes into `Parsed`."""

    def __init__(self, scalars: Any) -> None:
        self._scalars = scalars
        self._open: set[int] = set()
        self._count = 0

    def read(self, node: Any) -> Parsed:
        node = resolved(node)
        line, column = _position(node)
        self._count = self._count + 1 if self._open else 1
        if len(self._open) > MAX_DEPTH:
            raise YamlProblem(line, column, f"lists and keys are nested too deeply, more than {MAX_DEPTH} levels")
        if self._count > MAX_VALUES:
            raise YamlProblem(line, column, f"more than {MAX_VALUES} values, by aliases (*) of aliases")
        if node.id == "scalar":
            return [line, column, self._scalar(node)]
        if str(node.tag) not in _COLLECTIONS:
            raise YamlProblem(line, column, f"unknown tag {str(node.tag)!r}; write plain lists, or keys and values")
        if id(node) in self._open:
            raise YamlProblem(line, column, "an alias (*) inside its own anchor (&)")
        self._open.add(id(node))
        if node.id == "sequence":
            value: dict[str, Any] = {"seq": [self.read(element) for element in node.value]}
        else:
            value = {"map": self._mapping(node)}
        self._open.remove(id(node))
        return [line, column, value]

    def _scalar(self, node: Any) -> Any:
        tag = str(node.tag)
        if tag in _SCALARS:
            try:
                return self._scalars.construct_object(node)
            except (ValueError, KeyError) as error:
                raise YamlProblem(*_position(node), f"{node.value[:40]!r} does not fit its tag: {error}") from None
        if tag in _TEXTS:
            return node.value
        raise YamlProblem(*_position(node), f"unknown tag {tag!r}; write plain text or numbers")

    def _mapping(self, node: Any) -> list[Any]:
        entries: list[Any] = []
        seen: dict[Any, int] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            line, column = _position(key_node)
            if is_merge(key_node):
                merged += self._merged(value_node)
                continue
            key = self.key(key_node)
            if key in seen:
                raise YamlProblem(line, column, f"key {key!r} is here twice, first in line {seen[key]}")
            seen[key] = line
            entries.append([key, line, column, self.read(value_node)])
        for entry in merged:
            if entry[0] not in seen:
                seen[entry[0]] = entry[1]
                entries.append(entry)
        return entries

    def key(self, key_node: Any) -> Any:
        if resolved(key_node).id != "scalar":
            raise YamlProblem(*_position(key_node), "a key must be text or a number")
        return self._scalar(resolved(key_node))

    def _merged(self, value_node: Any) -> list[Any]:
        target = resolved(value_node)
        entries = []
        for source in map(resolved, target.value if target.id == "sequence" else [target]):
            if source.id != "mapping":
                raise YamlProblem(*_position(source), "'<<' expects a mapping, such as *an_anchor")
            if id(source) in self._open:
                raise YamlProblem(*_position(source), "an alias (*) inside its own anchor (&)")
            self._open.add(id(source))
            entries += self._mapping(source)
            self._open.remove(id(source))
        return entries


def resolved(node: Any) -> Any:
    return node.target if isinstance(node, Alias) else node


def is_merge(key_node: Any) -> bool:
    return str(resolved(key_node).tag) == _TAG + "merge"


def _position(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "bliss_like" / "yaml"


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace a file of the cache in one step; a cache that cannot be written is no reason to fail."""
    try:
        text = json.dumps(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        os.replace(file.name, path)
    except (OSError, ValueError):  # ValueError: a number with thousands of digits
        pass
