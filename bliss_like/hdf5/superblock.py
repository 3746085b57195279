"""The first bytes of an HDF5 file: how long it says that it is."""

from __future__ import annotations

import os

from bliss_like.errors import SavingError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_PLACES = {0: 40, 1: 44, 2: 28, 3: 28}
"""Where the end of the file stands, by the version of the superblock. Source: HDF5 File Format Specification, II.A."""


def known_end(fd: int, path: str) -> int:
    """Return the end of what readers know of, in bytes.

    :raises SavingError: this is no HDF5 file, or one of an unknown form.
    """
    head = os.pread(fd, 64, 0)
    if not head.startswith(_SIGNATURE):
        raise SavingError(f"{path}: expected an HDF5 file to go on with, got something else: move it away, or save elsewhere")
    place = _PLACES.get(head[8])
    wide = head[13] if head[8] < 2 else head[9]
    if place is None or wide != 8:
        raise SavingError(f"{path}: expected an HDF5 file of this program, got one of another form: save elsewhere")
    return int.from_bytes(head[place : place + 8], "little")
