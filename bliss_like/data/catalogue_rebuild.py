"""Makes the index of a base path again from the files below it.

What is entered meanwhile stays: scans are entered over what is there, and those that no file has any more are taken out at the end.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bliss_like.errors import BlissLikeError, BrokenCatalogue, CatalogueError

from . import paths, saved
from .catalogue import remember
from .catalogue_index import Index, enter, forget
from .events import SavedScan
from .node import get_node
from .saved_store import SavedStore

_AT_ONCE = 50
"""Scans that are entered in one transaction."""


@dataclass
class Rebuilt:
    """What was found below a base path.

    :param troubles: files and entries that could not be read, and why.
    """

    root: Path
    files: int = 0
    scans: int = 0
    forgotten: int = 0
    troubles: list[str] = field(default_factory=list)


def rebuild(root: str | os.PathLike[str], tell: Callable[[Rebuilt], object] = lambda so_far: None) -> Rebuilt:
    """Enter all scans of the files below a base path; an index that is broken, or of another version, is replaced.

    :param tell: called after each file.
    :raises CatalogueError: there is no such directory, or the index cannot be written.
    """
    index, started = Index(root), time.time()
    if not index.root.is_dir():
        raise CatalogueError(f"{index.root}: expected a directory with files of scans, there is none")
    _make_room(index)
    result = Rebuilt(index.root)
    for file in _files(index.root):
        _enter_file(index, file, result)
        tell(result)
    with index.writing() as connection:
        old = connection.execute("SELECT id FROM scans WHERE recorded < ?", (started,)).fetchall()
        for (scan,) in old:
            forget(connection, scan)
        result.forgotten = len(old)
    remember(index.root)
    return result


def _make_room(index: Index) -> None:
    """Put away an index that cannot be used; one of another version is no use to anyone."""
    if not index.exists:
        return
    try:
        with index.reading() as connection:
            if connection.execute("PRAGMA quick_check").fetchone()[0] == "ok":
                return
    except BrokenCatalogue:
        pass
    index.path.replace(index.path.with_name(f"{index.path.name}.broken"))
    index.path.with_name(f"{index.path.name}-journal").unlink(missing_ok=True)


def _files(root: Path) -> Iterator[str]:
    for directory, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if saved.is_readable(name) and not name.startswith("."):
                yield os.path.join(directory, name)


def _enter_file(index: Index, file: str, result: Rebuilt) -> None:
    try:
        entries = saved.entries(file)
    except BlissLikeError as error:
        result.troubles.append(str(error))
        return
    result.files += bool(entries)
    for first in range(0, len(entries), _AT_ONCE):
        stores = list(_opened(file, entries[first : first + _AT_ONCE], result))
        with index.writing() as connection:
            for store in stores:
                _enter(connection, store, result)


def _opened(file: str, entries: list[str], result: Rebuilt) -> Iterator[SavedStore]:
    for entry in entries:
        try:
            yield saved.open_saved(file, entry)
        except BlissLikeError as error:
            result.troubles.append(str(error))


def _enter(connection: sqlite3.Connection, store: SavedStore, result: Rebuilt) -> None:
    try:
        node = get_node(store.scan, store)
        info = node.info if node else {}
        done = store.exist([paths.saved(store.scan)])[0]
        event = SavedScan(
            store.scan,
            "SAVED" if done else "",
            file=store.file,
            entries=(store.entry,),
            writer=str(info.get("data_writer", "")),
        )
        enter(connection, info, event)
    except (BlissLikeError, ValueError) as error:
        result.troubles.append(f"{store.file} {store.entry}: {error}")
    else:
        result.scans += 1
