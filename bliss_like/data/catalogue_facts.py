"""What of a scan's info the catalogue can be searched by: a row of a table, and all single values by their dotted names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from . import paths
from .events import SavedScan
from .lifecycle import ScanState

COLUMNS: Final = (
    "uid",
    "db_name",
    "number",
    "name",
    "type",
    "title",
    "session",
    "user",
    "sample",
    "proposal",
    "collection",
    "dataset",
    "start",
    "end",
    "state",
    "saved",
    "error",
    "file",
    "entry",
    "writer",
    "npoints",
    "host",
    "comments",
    "motors",
    "counters",
)
"""Columns of a row; times in seconds since the epoch, lists as lines."""

UNTOLD: Final = ("channels", "devices", "acquisition_chain", "plots", "display_extra", "comments", "positioners")
"""Parts of an info that are long and alike in all scans: they are kept, but a search for what is in them takes longer."""

TOLD: Final = "positioners.positioners_start"
"""The one thing in them that people look for."""

MANY: Final = 16
"""Values of a list that can be searched for one by one; of a longer one, none."""

RUNNING: Final = "RUNNING"
"""State of a scan that is not over."""

_MOTOR, _TIMER = "axis:", "timer:"

Value = str | int | float


@dataclass(frozen=True)
class Facts:
    """What the catalogue keeps of one scan.

    :param row: a value for each of `COLUMNS`.
    :param text: what a search for text looks through, in small letters.
    :param values: single values by dotted name; motors and counters are there as `motors.roby`.
    :param keys: all names that may be searched for.
    """

    row: Mapping[str, Any]
    text: str
    values: frozenset[tuple[str, Value]]
    keys: frozenset[str]


def facts_of(info: Mapping[str, Any], saved: SavedScan | None, db_name: str) -> Facts:
    """Return what is kept of a scan; `info` is made of JSON types.

    :raises ValueError: the info says nothing of a time at which the scan has started.
    """
    row = _row(info, saved, db_name)
    values = set(_values(info))
    for column in ("motors", "counters"):
        values |= {(f"{column}.{name}", 1) for name in row[column].split("\n") if name}
    words = (row["title"], row["comments"], row["name"], row["sample"], _text(_part(info, "sample").get("description")))
    return Facts(
        row=row,
        text="\n".join(word for word in words if word).casefold(),
        values=frozenset(values),
        keys=frozenset(_names(info)) | {name for name, _ in values},
    )


def _row(info: Mapping[str, Any], saved: SavedScan | None, db_name: str) -> dict[str, Any]:
    place, start = _part(info, "dataset"), _number(info.get("start_timestamp"))
    if start is None:
        raise ValueError(f"scan {db_name or info.get('name')}: its info has no start_timestamp")
    state = str(info.get("state", ""))
    final = state in ScanState.__members__ and ScanState[state].is_final
    names = list(_part(info, "channels"))
    return {
        "uid": _text(info.get("uid")) or f"{db_name}@{start}",
        "db_name": db_name,
        "number": info.get("scan_nb") if isinstance(info.get("scan_nb"), int) else None,
        "name": paths.name(db_name) if db_name else _text(info.get("name")),
        "type": _text(info.get("type")),
        "title": _text(info.get("title")),
        "session": _text(info.get("session_name")),
        "user": _text(info.get("user_name")) or _text(_part(info, "user").get("name")),
        "sample": _text(_part(info, "sample").get("name")) or _text(place.get("sample")),
        "proposal": _text(place.get("proposal")),
        "collection": _text(place.get("collection")),
        "dataset": _text(place.get("dataset")),
        "start": start,
        "end": _number(info.get("end_timestamp")),
        "state": state if final else RUNNING,
        "saved": saved.state if saved else "",
        "error": saved.error if saved else "",
        "file": (saved.file if saved else "") or _text(info.get("filename")),
        "entry": saved.entries[0] if saved and saved.entries else "",
        "writer": (saved.writer if saved else "") or _text(info.get("data_writer")),
        "npoints": info.get("npoints") if isinstance(info.get("npoints"), int) else None,
        "host": _text(info.get("host")),
        "comments": "\n".join(_text(_as_part(each).get("message")) for each in _list(info.get("comments"))),
        "motors": "\n".join(name.removeprefix(_MOTOR) for name in names if name.startswith(_MOTOR)),
        "counters": "\n".join(name for name in names if not name.startswith((_MOTOR, _TIMER))),
    }


def _values(info: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    for key, value in info.items():
        if key not in UNTOLD:
            yield from _leaves(key, value)
    yield from _leaves(TOLD, _part(_part(info, "positioners"), "positioners_start"))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    elif isinstance(value, list):
        for item in value if len(value) <= MANY else ():
            yield from _leaf(name, item)
    else:
        yield from _leaf(name, value)


def _leaf(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(value, str | int | float) and value == value:  # NaN is nothing that can be found
        yield name, _plain(value)


def _names(info: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the parts that are searched by value, also of those without one, like None."""
    stack: list[tuple[str, Any]] = [(key, value) for key, value in info.items() if key not in UNTOLD]
    while stack:
        name, value = stack.pop()
        if isinstance(value, Mapping):
            stack += [(f"{name}.{key}", item) for key, item in value.items()]
        else:
            yield name


def _plain(value: Value) -> Value:
    """Return a value as SQLite can hold it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def _part(info: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _as_part(info.get(key))


def _as_part(value: Any) -> Mapping[str, Any]:
    """Return a part of an info; of something else, which users may have put there, its name."""
    if isinstance(value, Mapping):
        return value
    return {"name": value} if isinstance(value, str) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def fitting(names: Iterable[str], wanted: str) -> list[str]:
    """Return those names that a word means: itself, the last part of a full name, or what fits a pattern with * and ?."""
    pattern = re.compile("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in wanted), re.DOTALL)
    return [name for name in names if pattern.fullmatch(name) or pattern.fullmatch(name.rpartition(":")[2])]
