"""Which scans a file has: the numbers of its entries `/12.1`."""

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

from .nexus_files import CREATOR, not_ours

T = TypeVar("T")

_ENTRY = re.compile(r"(\d+)\.\d+")
_ATTEMPTS = 20
_PAUSE = 0.05
_UNREADABLE = (OSError, RuntimeError, KeyError)


def last_number(path: Path) -> int:
    """Return the highest number of the scans in a file, 0 when it has none.

    :raises SavingError: it is no HDF5 file, or one of another program.
    """
    number, creator = _read(
        path, lambda file: (_last(file), file.attrs.get("creator", CREATOR if not len(file) else ""))
    )
    if creator != CREATOR:
        raise SavingError(not_ours(path, creator))
    return number


def has_number(path: Path, number: int) -> bool:
    """Tell whether a file has a scan of that number.

    :raises SavingError: it is no HDF5 file.
    """
    return _read(path, lambda file: f"{number}.1" in file)


def _last(file: h5py.File) -> int:
    return max((int(match[1]) for match in map(_ENTRY.fullmatch, file) if match), default=0)


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
        return function(file)


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        is_hdf5 = stream.read(8) == b"\x89HDF\r\n\x1a\n"
    return is_hdf5 or os.path.exists(journal_path(str(path)))
