"""Scans in their files, read by the calls that read those of the server.

What reads a file is found by its suffix and imported when it is needed, so that this package needs no library for files.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from bliss_like.errors import BlissLikeError, DataError

from . import paths

if TYPE_CHECKING:
    from .saved_store import SavedStore
    from .store import StreamStore

_log = logging.getLogger(__name__)

_readers: dict[str, str] = {
    ".h5": "bliss_like.writers.nexus_store",
    ".hdf5": "bliss_like.writers.nexus_store",
    ".nxs": "bliss_like.writers.nexus_store",
}
"""By suffix: a module with `open_entry(file, entry) -> SavedStore` and `entries(file) -> list[str]`."""


def register_reader(suffix: str, module: str) -> None:
    """Say which module reads scans from files whose names end like that."""
    _readers[suffix] = module


def open_saved(file: str, entry: str = "") -> SavedStore:
    """Return one scan of a file as a store, which says its db_name (`.scan`) and `.uid`.

    :param entry: e.g. `/12.1`; may be left out where the file has one scan only.
    :raises DataError: the file is gone, nobody can read it, or it has no such scan.
    """
    store: SavedStore = _reader_of(file).open_entry(file, entry)
    return store


def entries(file: str) -> list[str]:
    """Return what `open_saved` takes as an entry of that file.

    :raises DataError: the file is gone, or nobody can read it.
    """
    found: list[str] = _reader_of(file).entries(file)
    return found


def is_readable(file: str) -> bool:
    """Whether a file, by its name, is one that scans may be read from."""
    return file.endswith(tuple(_readers))


def _reader_of(file: str) -> ModuleType:
    module = next((module for suffix, module in _readers.items() if file.endswith(suffix)), None)
    if module is None:
        raise DataError(f"{file}: expected a file of scans, whose name ends with {', '.join(_readers)}")
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(
            f"{file}: reading it needs a library that is not here ({error}): pip install 'bliss_like[files]'"
        ) from error


# -- where a scan is that the server has no more ---------------------------------------------------------------------


def find_saved(scan: str, store: StreamStore | None = None, uid: str = "") -> SavedStore | None:
    """Return a scan as its file has it; None where no file is known, or none can be read (the log says why).

    :param scan: its db_name; several scans have the same one, in time, if the server was emptied: the newest is found.
    :param store: where a writer may have said where it is, or the file of a scan beside it; else the catalogue knows.
    :param uid: of the scan, if it is known which it is.
    """
    from .saved_store import SavedStore

    if isinstance(store, SavedStore):
        if store.scan == scan and uid in ("", store.uid):
            return store
        places = _beside(scan, store)
    else:
        places = _told(scan, store) if store else iter(())
    return _first(scan, uid, places) or _first(scan, uid, _catalogued(scan, uid))


def _first(scan: str, uid: str, places: Iterator[tuple[str, str]]) -> SavedStore | None:
    """Return the scan from the first of some places (file and entry) that has it."""
    for file, entry in places:
        try:
            found = open_saved(file, entry)
        except BlissLikeError as error:
            _log.warning("scan %s cannot be read from its file: %s", scan, error)
            continue
        if found.scan == scan and uid in ("", found.uid):
            return found
    return None


def _told(scan: str, store: StreamStore) -> Iterator[tuple[str, str]]:
    """Yield where the writer has said that a scan is, as long as the store knows it."""
    from .saving import saved

    event = saved(store, [scan])[0]
    if event and event.state == "SAVED" and event.entries:
        yield event.file, event.entries[0]


def _beside(scan: str, store: SavedStore) -> Iterator[tuple[str, str]]:
    """Yield where a scan is if it is in the file of another one: so a copy of a file is enough to follow its sequences."""
    number = paths.name(scan).partition("_")[0]
    yield from ((store.file, entry) for entry in entries(store.file) if entry.strip("/").partition(".")[0] == number)


def _catalogued(scan: str, uid: str) -> Iterator[tuple[str, str]]:
    """Yield where the catalogue says that a scan is, the newest of its name first."""
    from . import catalogue  # its results are read by what is here

    try:
        for found in catalogue.find(db_name=scan):
            if found.file and found.entry and uid in ("", found.uid):
                yield found.file, found.entry
    except BlissLikeError as error:
        _log.warning("scan %s cannot be looked for in the catalogue: %s", scan, error)
