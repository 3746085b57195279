"""YAML text to plain data with line numbers, and a cache of it.

The parser is slow (50 microseconds a line, 80 ms to import); the cache makes starting a session independent of the size
of the beamline. It holds JSON, is checked against modification time and size of each file, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

Parsed = list[Any]
"""`[line, column, value]`, counted from 1; value is a scalar, `{"map": [[key, line, column, Parsed], ...]}` or `{"seq": [Parsed, ...]}`."""

CACHE_VERSION = 1

_TAG = "tag:yaml.org,2002:"
_SCALARS = {_TAG + name for name in ("int", "float", "bool", "null")}
_HINTS = {
    "'\\t'": "; indent with spaces, not with tabs",
    "cannot start any token": "; put the text in quotes",
    "alias": "; a text that starts with '*' needs quotes",
    "expected <block end>": '; look for a wrong indentation, or a text that needs quotes, such as "{session}/"',
}
"""What to look for, by words of the parser's message."""
_TEXTS = {_TAG + name for name in ("str", "timestamp", "value", "merge")}


class YamlProblem(Exception):
    """The text is not the YAML that a configuration is made of; at most one is reported per file."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def parse_file(path: Path) -> Parsed | None:
    """Return what a YAML file says, None when it is empty.

    :raises YamlProblem: it cannot be parsed.
    :raises OSError: it cannot be read.
    """
    status = path.stat()
    stamp = [CACHE_VERSION, str(path), status.st_mtime_ns, status.st_size]
    cached = _cache_directory() / (hashlib.sha256(str(path).encode()).hexdigest()[:24] + ".json")
    try:
        known = json.loads(cached.read_bytes())
        if known["stamp"] == stamp:
            parsed: Parsed | None = known["parsed"]
            return parsed
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no cache, or not ours: the file itself is the truth
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise YamlProblem(1, 1, f"expected text in UTF-8: {error}") from None
    parsed = parse(text)
    _write(cached, json.dumps({"stamp": stamp, "parsed": parsed}))
    return parsed


def parse(text: str) -> Parsed | None:
    """Return what a YAML text says, None when it is empty.

    Numbers, booleans and null follow YAML 1.2 (`yes` and `010` are what they look like), dates stay text.

    :raises YamlProblem: it is no YAML, has a key twice, more than one document or an unknown tag.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
        return None if node is None else _Reader(yaml.constructor).read(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(str(part) for part in (error.context, error.problem) if part)
        hint = next((hint for words, hint in _HINTS.items() if words in message), "")
        raise YamlProblem(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, message + hint) from None
    except YAMLError as error:
        raise YamlProblem(1, 1, " ".join(str(error).split())) from None


class _Reader:
    """Turns ruamel's graph of nodes into `Parsed`."""

    def __init__(self, scalars: Any) -> None:
        self._scalars = scalars
        self._open: set[int] = set()

    def read(self, node: Any) -> Parsed:
        line, column = _position(node)
        if isinstance(node.value, str):
            return [line, column, self._scalar(node)]
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
            return self._scalars.construct_object(node)
        if tag in _TEXTS:
            return node.value
        raise YamlProblem(*_position(node), f"unknown tag {tag!r}; write plain text or numbers")

    def _mapping(self, node: Any) -> list[Any]:
        entries: list[Any] = []
        seen: dict[Any, int] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            line, column = _position(key_node)
            if str(key_node.tag) == _TAG + "merge":
                sources = value_node.value if value_node.id == "sequence" else [value_node]
                for source in sources:
                    if source.id != "mapping":
                        raise YamlProblem(*_position(source), "'<<' expects a mapping, such as *an_anchor")
                    merged += self._mapping(source)
                continue
            if not isinstance(key_node.value, str):
                raise YamlProblem(line, column, "a key must be text or a number")
            key = self._scalar(key_node)
            if key in seen:
                raise YamlProblem(line, column, f"key {key!r} is here twice, first in line {seen[key]}")
            seen[key] = line
            entries.append([key, line, column, self.read(value_node)])
        for entry in merged:
            if entry[0] not in seen:
                seen[entry[0]] = entry[1]
                entries.append(entry)
        return entries


def _position(node: Any) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _cache_directory() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "bliss_like" / "yaml"


def _write(path: Path, text: str) -> None:
    """Replace a file of the cache in one step; a cache that cannot be written is no reason to fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
        os.replace(file.name, path)
    except OSError:
        pass
