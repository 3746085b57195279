"""Datasets that are pieces of datasets in other files."""

from __future__ import annotations

import ctypes
from typing import Any

from h5py import h5f, h5p

from .file import GrowingFile

# h5py does not offer this function, but the library that it is linked to does.
_set_bounds = ctypes.CDLL(h5p.__file__).H5Fset_libver_bounds
_set_bounds.argtypes = (ctypes.c_int64, ctypes.c_int, ctypes.c_int)


def make_virtual(file: GrowingFile, parent: Any, name: str, layout: Any) -> Any:
    """Return a new virtual dataset (h5py.Dataset) of an h5py.VirtualLayout.

    The description of this one object has a form that HDF5 has known since 1.10; all else in the file keeps that of 1.8.
    """
    bounds = file.h5.id.get_access_plist().get_libver_bounds()
    _set_bounds(file.h5.id.id, h5f.LIBVER_EARLIEST, h5f.LIBVER_V110)
    try:
        return parent.create_virtual_dataset(name, layout)
    finally:
        _set_bounds(file.h5.id.id, *bounds)
