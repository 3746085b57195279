"""Open HDF5 files to read them, whoever writes them, and whoever else has them open."""

from __future__ import annotations

import os

import h5py


def open_to_read(path: str | os.PathLike[str]) -> h5py.File:
    """Open a file as it is now.

    Not by the driver that h5py takes by default: HDF5 would share what the process has open under that name already, a file that
    a user looks at, refuse it for other flags of locking, and show what that one has read long ago.

    :raises OSError: it is not there, or no HDF5 file.
    """
    with open(path, "rb"):  # this driver does not say why it fails
        return h5py.File(path, "r", driver="stdio", locking=False)
