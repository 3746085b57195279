"""One index of scans: a SQLite file beside the data, made of what their infos say, and made again from the files at any time.

Tables: `scans` (a row per scan), `infos` (its whole info, JSON), `texts`, `keys` and `facts` (single values of infos).
The id of a scan is the time of its start in microseconds, so that everything is in the order of time by itself.

Data often are on a network file system, where SQLite's write-ahead log does not work (its readers share memory). So this is
a plain rollback journal: transactions are short, two for a scan, and who comes meanwhile waits a moment.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bliss_like.errors import BrokenCatalogue, CatalogueError

from .catalogue_facts import COLUMNS, facts_of
from .codec import from_json, to_json
from .events import SavedScan

FILE: Final = ".catalogue.sqlite"
VERSION: Final = 1
WAIT: Final = 5.0
"""Seconds for which a process waits for another one that writes."""

_SCHEMA: Final = f"""
CREATE TABLE scans (id INTEGER PRIMARY KEY, recorded REAL NOT NULL, {", ".join(f'"{each}"' for each in COLUMNS)});
CREATE UNIQUE INDEX scans_uid ON scans (uid);
CREATE INDEX scans_number ON scans (number);
CREATE INDEX scans_db_name ON scans (db_name);
CREATE INDEX scans_name ON scans (name);
CREATE INDEX scans_session ON scans (session);
CREATE INDEX scans_sample ON scans (sample);
CREATE INDEX scans_type ON scans (type);
CREATE INDEX scans_user ON scans (user);
CREATE INDEX scans_dataset ON scans (dataset);
CREATE INDEX scans_state ON scans (state);
CREATE INDEX scans_file ON scans (file);
CREATE TABLE infos (scan INTEGER PRIMARY KEY, info TEXT NOT NULL);
CREATE TABLE texts (scan INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE keys (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE facts (key INTEGER, scan INTEGER, value, PRIMARY KEY (key, scan, value)) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""


class Index:
    """The index of the scans below one directory. It is opened anew for each thing that is done."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).absolute()
        self.path = self.root / FILE

    def __repr__(self) -> str:
        return f"Index({str(self.root)!r})"

    @property
    def exists(self) -> bool:
        """Whether there is an index; a file without content is one that is just being made."""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for reading.

        :raises CatalogueError: there is no index, it is broken, or its version is another one.
        """
        if not self.exists:
            raise CatalogueError(f"{self.path}: no index of scans there; {self._way_out}")
        with self._named_errors("read"), contextlib.closing(self._connect("rw")) as connection:
            self._check_version(connection)
            connection.create_function("regexp", 2, _regexp, deterministic=True)
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection with a transaction that is committed at the end; make the index if there is none.

        :raises CatalogueError: as for `reading`, or it cannot be written.
        """
        with self._named_errors("written"), contextlib.closing(self._connect("rwc")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                self.path.chmod(self.root.stat().st_mode & 0o666)  # who may save there may enter it
            self._check_version(connection)
            with connection:
                yield connection

    def record(self, info: Mapping[str, Any], saved: SavedScan | None = None, db_name: str = "") -> None:
        """Enter a scan, or what is new of it.

        :raises CatalogueError: as for `writing`.
        """
        with self.writing() as connection:
            enter(connection, info, saved, db_name)

    def _connect(self, mode: str) -> sqlite3.Connection:
        # It falls back to reading where the file may not be written. Without isolation_level: transactions are said.
        return sqlite3.connect(f"{self.path.as_uri()}?mode={mode}", timeout=WAIT, uri=True, isolation_level=None)

    def _check_version(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise BrokenCatalogue(f"{self.path}: expected version {VERSION} of it, got {version}; {self._way_out}")

    @contextlib.contextmanager
    def _named_errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # locked, full, not permitted, gone
            raise CatalogueError(f"{self.path}: it cannot be {doing}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise BrokenCatalogue(f"{self.path}: broken ({error}); {self._way_out}") from error

    @property
    def _way_out(self) -> str:
        return f"make it again from the files: bliss-like scans --rebuild {self.root}"


def enter(connection: sqlite3.Connection, info: Mapping[str, Any], saved: SavedScan | None, db_name: str = "") -> None:
    """Enter a scan, or what is new of it, in a transaction that is under way."""
    text = to_json(info).decode()
    facts = facts_of(from_json(text.encode()), saved, db_name or (saved.path if saved else ""))
    known = connection.execute("SELECT id FROM scans WHERE uid = ?", (facts.row["uid"],)).fetchone()
    scan = known[0] if known else _free_id(connection, facts.row["start"])
    before = _facts_before(connection, scan) if known else frozenset()
    marks = ", ".join("?" * (len(COLUMNS) + 2))
    connection.execute(
        f"REPLACE INTO scans VALUES ({marks})", (scan, time.time(), *(facts.row[column] for column in COLUMNS))
    )
    connection.execute("REPLACE INTO infos VALUES (?, ?)", (scan, text))
    connection.execute("REPLACE INTO texts VALUES (?, ?)", (scan, facts.text))
    connection.executemany("INSERT OR IGNORE INTO keys (key) VALUES (?)", [(key,) for key in sorted(facts.keys)])
    _change(connection, "DELETE FROM facts WHERE key = (SELECT id FROM keys WHERE key = ?) AND scan = ? AND value = ?",
            scan, before - facts.values)  # fmt: skip
    _change(connection, "INSERT OR IGNORE INTO facts SELECT id, ?2, ?3 FROM keys WHERE key = ?1",
            scan, facts.values - before)  # fmt: skip


def forget(connection: sqlite3.Connection, scan: int) -> None:
    """Take a scan out, in a transaction that is under way."""
    _change(connection, "DELETE FROM facts WHERE key = (SELECT id FROM keys WHERE key = ?) AND scan = ? AND value = ?",
            scan, _facts_before(connection, scan))  # fmt: skip
    for table, column in (("scans", "id"), ("infos", "scan"), ("texts", "scan")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (scan,))


def _facts_before(connection: sqlite3.Connection, scan: int) -> frozenset[Any]:
    """Return the values that were entered for a scan: its facts again, as no index leads from a scan to its values."""
    found = connection.execute("SELECT info FROM infos WHERE scan = ?", (scan,)).fetchone()
    return facts_of(from_json(found[0].encode()), None, "").values if found else frozenset()


def _change(connection: sqlite3.Connection, statement: str, scan: int, values: frozenset[Any]) -> None:
    connection.executemany(statement, [(key, scan, value) for key, value in values])


def _free_id(connection: sqlite3.Connection, start: float) -> int:
    scan = round(start * 1e6)
    while connection.execute("SELECT 1 FROM scans WHERE id = ?", (scan,)).fetchone():
        scan += 1
    return scan


def _regexp(pattern: str, value: object) -> bool:
    return isinstance(value, str) and re.search(pattern, value) is not None
