"""Which scans a file has: the numbers of its entries `/12.1`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import h5py

from bliss_like.errors import SavingError

T = TypeVar("T")

_ENTRY = re.compile(r"(\d+)\.\d+")
_ATTEMPTS = 20
_PAUSE = 0.05


def last_number(path: Path) -> int:
    """Return the highest number of the scans in a file, 0 when it has none.

    :raises SavingError: it is no HDF5 file.
    """
    return _read(path, lambda file: max((int(match[1]) for match in map(_ENTRY.fullmatch, file) if match), default=0))


def has_number(path: Path, number: int) -> bool:
    """Tell whether a file has a scan of that number.

    :raises SavingError: it is no HDF5 file.
    """
    return _read(path, lambda file: f"{number}.1" in file)


def _read(path: Path, function: Callable[[h5py.File], T]) -> T:
    """Return what a function finds in a file that somebody may be writing to: then it is read again."""
    for attempt in range(_ATTEMPTS):
        try:
            with h5py.File(path, "r", locking=False) as file:
                return function(file)
        except (OSError, RuntimeError, KeyError) as error:
            if isinstance(error, (FileNotFoundError, PermissionError)):
                raise
            if attempt == _ATTEMPTS - 1 or not _may_be_hdf5(path):
                raise SavingError(
                    f"{path}: its scans cannot be read ({error}); if it is a file of another program, move it away, or "
                    "change SCAN_SAVING.data_filename"
                ) from error
            time.sleep(_PAUSE)
    raise AssertionError("unreachable")


def _may_be_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        start = stream.read(8)
    return start == b"\x89HDF\r\n\x1a\n"
