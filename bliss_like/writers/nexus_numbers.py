"""Whose a file is, and which scans it has: the numbers of its entries `/12.1`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import h5py

from bliss_like.errors import SavingError
from bliss_like.hdf5 import GrowingFile
from bliss_like.hdf5.journal import journal_path
from bliss_like.hdf5.reading import open_to_read

T = TypeVar("T")

CREATOR = "bliss_like"

_ENTRY = re.compile(r"(\d+)\.\d+")
_ATTEMPTS = 20
_PAUSE = 0.05
_UNREADABLE = (OSError, RuntimeError, KeyError)


def check_creator(file: h5py.File, path: str | Path) -> None:
    """:raises SavingError: another program has made the file."""
    creator = file.attrs.get("creator")
    if creator != CREATOR and (len(file) or len(file.attrs)):
        raise SavingError(
            f"{path}: expected a file of {CREATOR}, this one was made by {creator or 'another program'} and is left as it is. "
            "Move it away, or save elsewhere: SCAN_SAVING.data_filename = ..."
        )


def last_number(path: Path) -> int:
    """Return the highest number of the scans in a file, 0 when it has none.

    :raises SavingError: it is no HDF5 file, or of another program.
    """
    return _read(path, lambda file: max((int(match[1]) for match in map(_ENTRY.fullmatch, file) if match), default=0))


def has_number(path: Path, number: int) -> bool:
    """Tell whether a file has a scan of that number.

    :raises SavingError: it is no HDF5 file.
    """
    return _read(path, lambda file: f"{number}.1" in file)


def _read(path: Path, function: Callable[[h5py.File], T]) -> T:
    """Return what a function finds in a file that somebody may be writing to: then it is read again.

    What a killed writer has left half done is finished, if that is in the way: nobody else may come to do it.
    """
    attempts = _ATTEMPTS if _is_ours(path) else 1
    for attempt in range(attempts):
        try:
            return _read_once(path, function)
        except _UNREADABLE as error:
            if isinstance(error, (FileNotFoundError, PermissionError)):
                raise
            if attempt < attempts - 1:
                time.sleep(_PAUSE)
    try:
        if os.path.exists(journal_path(str(path))):
            GrowingFile.open(str(path)).close()
        return _read_once(path, function)
    except (*_UNREADABLE, SavingError) as error:
        raise SavingError(
            f"{path}: its scans cannot be read ({error}); if it is a file of another program, move it away, or change "
            "SCAN_SAVING.data_filename"
        ) from error


def _read_once(path: Path, function: Callable[[h5py.File], T]) -> T:
    with open_to_read(path) as file:
        check_creator(file, path)
        return function(file)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        is_hdf5 = stream.read(8) == b"\x89HDF\r\n\x1a\n"
    return is_hdf5 or os.path.exists(journal_path(str(path)))
