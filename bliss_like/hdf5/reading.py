"""Open HDF5 files to read them, whoever writes them, and whoever else has them open."""

from __future__ import annotations

import os

import h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def open_to_read(path: str | os.PathLike[str]) -> h5py.File:
    """Open a file as it is now.

    Not by the driver that h5py takes by default: HDF5 would share what the process has open under that name already, a file that
    a user looks at, refuse it for other flags of locking, and show what that one has read long ago.

    :raises OSError: it is not there, or no HDF5 file.
    """
    with open(path, "rb") as stream:  # this driver does not say why it fails
        signature = stream.read(8)
    try:
        return h5py.File(path, "r", driver="stdio", locking=False)
    except OSError as error:
        raise error if signature == _SIGNATURE else OSError("it is no HDF5 file: its signature is not there") from error
