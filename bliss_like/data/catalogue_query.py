"""What is asked of the catalogue, as SQL for one index.

Values of infos are in a table in the order of key and time: a question for one of them reads that key only, newest first,
and stops as soon as enough are found. What is in no such table (`UNTOLD`) is looked up in the infos themselves.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bliss_like.errors import CatalogueError

from .catalogue_facts import COLUMNS, UNTOLD, fitting

OPERATORS: Final = ("=", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "~", "contains")
_WRITTEN = re.compile(r"\s*([^=!<>~\s]+)\s*(==?|!=|<=|>=|<|>|~)\s*(.*?)\s*")
_LISTS = ("motors", "counters")


@dataclass(frozen=True)
class Condition:
    """What is asked of a key: `technique.energy`, a column, or `motors.roby`, which is there if it was used.

    :param value: None asks whether there is a value (`!=`) or none (`=`).
    """

    key: str
    operator: str
    value: Any

    def __post_init__(self) -> None:
        if self.operator not in OPERATORS:
            raise CatalogueError(f"{self.key}: expected one of {' '.join(OPERATORS)}, got {self.operator!r}")
        if self.operator in ("in", "not in") and (isinstance(self.value, str) or not isinstance(self.value, Sequence)):
            raise CatalogueError(f"{self.key} {self.operator}: expected a list of values, got {self.value!r}")
        if self.operator == "~":
            try:
                re.compile(str(self.value))
            except re.error as error:
                raise CatalogueError(f"{self.key} ~ {self.value!r}: no regular expression: {error}") from None

    def of(self, expression: str) -> tuple[str, list[Any]]:
        """Return the condition on an expression as SQL, and its parameters."""
        value, operator = self.value, self.operator.replace("==", "=")
        if operator in ("in", "not in"):
            return f"{expression} {operator.upper()} ({', '.join('?' * len(value))})", [*value]
        if operator == "~":
            return f"{expression} REGEXP ?", [str(value)]
        if operator == "contains":
            return f"instr(lower({expression}), ?)", [str(value).lower()]
        plain = f"{expression} {operator} ?"
        if operator in (">", ">=") and not isinstance(value, str):
            plain += f" AND {expression} < ''"  # to SQLite, any text is greater than any number
        if operator in ("<", "<=") and isinstance(value, str):
            plain += f" AND {expression} >= ''"
        return plain, [value]


@dataclass(frozen=True)
class Query:
    """What is asked of the catalogue; all of it must be true.

    :param columns: of columns, one of several values, which may be patterns with * and ?.
    :param text: words, each of which is to be somewhere in title, comments, name and sample.
    :param since: seconds since the epoch, as `until`; both are included.
    """

    columns: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    conditions: Sequence[Condition] = ()
    text: str = ""
    since: float | None = None
    until: float | None = None
    limit: int | None = None
    oldest_first: bool = False

    def scans(self, connection: sqlite3.Connection) -> list[int]:
        """Return the ids of the scans that fit, newest first."""
        return self._statement(connection).scans(self.limit, self.oldest_first)

    def count(self, connection: sqlite3.Connection) -> int:
        """Return how many scans fit."""
        found = self._statement(connection).count()
        return found if self.limit is None else min(found, self.limit)

    def _statement(self, connection: sqlite3.Connection) -> _Statement:
        statement = _Statement(connection)
        for column, values in self.columns.items():
            statement.add(*_any_of(f's."{column}"', values))
        for word in self.text.casefold().split():
            statement.add("instr((SELECT text FROM texts t WHERE t.scan = {scan}), ?)", [word])
        for condition in sorted(self.conditions, key=lambda each: each.key.split(".")[0] in UNTOLD):
            statement.add_condition(condition)
        if self.since is not None:
            statement.add("{scan} >= ?", [round(self.since * 1e6)])
        if self.until is not None:
            statement.add("{scan} <= ?", [round(self.until * 1e6)])
        return statement


class _Statement:
    """A SELECT on its way; what it reads first is the values of one key, if one is asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._terms: list[str] = []
        self._parameters: list[Any] = []
        self._first: tuple[str, list[Any]] | None = None

    def add(self, term: str, parameters: Sequence[Any]) -> None:
        self._terms.append(term)
        self._parameters += parameters

    def add_condition(self, condition: Condition) -> None:
        if condition.key in COLUMNS and condition.key not in _LISTS:
            self.add(*_absent(condition, f's."{condition.key}"') or condition.of(f's."{condition.key}"'))
        elif condition.key.split(".")[0] in UNTOLD and not self._ids(condition.key):
            value = f"(SELECT json_extract(i.info, {_json_path(condition.key)}) FROM infos i WHERE i.scan = {{scan}})"
            self.add(*_absent(condition, value) or condition.of(value))
        else:
            self._add_fact(condition)

    def _add_fact(self, condition: Condition) -> None:
        ids = self._ids(condition.key)
        key = f"f.key IN ({', '.join(map(str, ids))})" if len(ids) != 1 else f"f.key = {ids[0]}"
        anything = condition.value is None
        test, parameters = ("1", []) if anything else condition.of("f.value")
        if anything and condition.operator in ("=", "=="):
            self.add(f"NOT EXISTS (SELECT 1 FROM facts f WHERE {key} AND f.scan = {{scan}})", [])
        elif self._first is None:
            self._first = f"{key} AND {test}", parameters
        else:
            self.add(f"EXISTS (SELECT 1 FROM facts f WHERE {key} AND f.scan = {{scan}} AND {test})", parameters)

    def scans(self, limit: int | None, oldest_first: bool) -> list[int]:
        scan, source, parameters = self._parts()
        order = f"ORDER BY {scan} {'ASC' if oldest_first else 'DESC'}"
        statement = f"SELECT {'DISTINCT ' if self._first else ''}{scan} FROM {source} {order} LIMIT ?"
        return [row[0] for row in self._connection.execute(statement, [*parameters, -1 if limit is None else limit])]

    def count(self) -> int:
        scan, source, parameters = self._parts()
        wanted = f"count(DISTINCT {scan})" if self._first else "count(*)"
        number: int = self._connection.execute(f"SELECT {wanted} FROM {source}", parameters).fetchone()[0]
        return number

    def _parts(self) -> tuple[str, str, list[Any]]:
        """Return the name of the id, what stands after FROM, and the parameters in it."""
        scan, source, terms, parameters = "s.id", "scans s", self._terms, self._parameters
        if self._first:
            scan, source = "g.scan", "facts g"
            terms = [self._first[0].replace("f.", "g."), *terms]
            parameters = [*self._first[1], *parameters]
            if any("s." in term for term in terms):
                source += " CROSS JOIN scans s ON s.id = g.scan"  # CROSS: SQLite keeps the order
        where = " AND ".join(f"({term.replace('{scan}', scan)})" for term in terms)
        return scan, f"{source} WHERE {where}" if where else source, parameters

    def _ids(self, key: str) -> list[int]:
        part, _, name = key.partition(".")
        if part not in _LISTS:
            return [row[0] for row in self._connection.execute("SELECT id FROM keys WHERE key = ?", (key,))]
        known = keys(self._connection, part)
        return [known[each] for each in fitting(known, name)]


def keys(connection: sqlite3.Connection, part: str) -> dict[str, int]:
    """Return the names below a part of infos, like `motors`, and the ids of their keys."""
    rows = connection.execute("SELECT key, id FROM keys WHERE key > ? AND key < ?", (part + ".", part + "/"))
    return {key[len(part) + 1 :]: number for key, number in rows}


def all_keys(connection: sqlite3.Connection) -> list[str]:
    """Return what conditions may be about, parts that are `UNTOLD` apart."""
    return [*COLUMNS, *(row[0] for row in connection.execute("SELECT key FROM keys"))]


def conditions(where: object) -> list[Condition]:
    """Return the conditions that people write: `{"technique.energy": (">", 7.1), "npoints": 10}`, or `"npoints > 10"`.

    :raises CatalogueError: it is something else.
    """
    if isinstance(where, Mapping):
        return [_condition(str(key), wanted) for key, wanted in where.items()]
    if isinstance(where, str):
        return [_written(where)]
    if isinstance(where, list | tuple):
        return [_written(each) for each in where]
    raise CatalogueError(f"where: expected {{'npoints': ('>', 10)}} or 'npoints > 10', got {where!r}")


def _condition(key: str, wanted: Any) -> Condition:
    if isinstance(wanted, tuple) and len(wanted) == 2:
        return Condition(key, str(wanted[0]), wanted[1])
    return Condition(key, "in" if isinstance(wanted, list) else "=", wanted)


def _written(text: object) -> Condition:
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise CatalogueError(f"where: expected a key, one of = != < <= > >= ~ and a value, 'npoints>10', got {text!r}")
    return Condition(found[1], found[2], found[3] if found[2] == "~" else _value(found[3]))


def _value(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in ("True", "true", "False", "false"):
        return int(text.lower() == "true")
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def meant(name: str, known: Sequence[str]) -> str:
    """Return `; did you mean 'technique.energy'?`, or nothing."""
    ends = [each for each in known if each.endswith("." + name)]
    near = ends or difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, near[:3]))}?" if near else ""


def _any_of(column: str, values: Sequence[str | int]) -> tuple[str, list[Any]]:
    patterns = [isinstance(value, str) and bool(set(value) & set("*?")) for value in values]
    terms = [f"{column} GLOB ?" if pattern else f"{column} = ?" for pattern in patterns]
    return " OR ".join(terms) or "0", [
        value.replace("[", "[[]") if pattern and isinstance(value, str) else value
        for value, pattern in zip(values, patterns, strict=True)
    ]


def _absent(condition: Condition, expression: str) -> tuple[str, list[Any]] | None:
    if condition.value is not None:
        return None
    return f"coalesce({expression}, '') {'=' if condition.operator in ('=', '==') else '!='} ''", []


def _json_path(key: str) -> str:
    path = "$" + "".join(f'."{part}"' for part in key.split("."))
    return "'" + path.replace("'", "''") + "'"
