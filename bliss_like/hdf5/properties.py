"""How HDF5 is told to lay out a growing file: old forms of its structures, which readers can follow while they change."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from h5py import h5d, h5f, h5fd, h5p, h5z

from bliss_like.errors import SavingError

BITSHUFFLE = 32008
"""The registered number of the filter; its options (0, 2): blocks of its own choice, compressed by lz4."""
_MOST_LINKS = 1500
"""What fits the largest header there is."""

# h5py does not offer these functions, but the library that it is linked to does.
_library = ctypes.CDLL(h5p.__file__)
for _name in ("H5Pset_link_phase_change", "H5Pset_est_link_info", "H5Fset_libver_bounds"):
    getattr(_library, _name).argtypes = (ctypes.c_int64, ctypes.c_uint, ctypes.c_uint)


def access(driven: object) -> Any:
    """Return how a file is accessed through a Python object."""
    properties = h5p.create(h5p.FILE_ACCESS)
    properties.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)
    properties.set_fileobj_driver(h5fd.fileobj_driver, driven)
    properties.set_fclose_degree(h5f.CLOSE_STRONG)
    properties.set_cache(0, 0, 0, 1.0)  # no cache of chunks: what is written goes to the object
    return properties


def file_creation(links: int) -> Any:
    """Return how a new file is made, for so many links in its root."""
    return _for_links(h5p.create(h5p.FILE_CREATE), links, 8)


def group_creation(links: int) -> Any:
    """Return how a group is made for so many links."""
    return _for_links(h5p.create(h5p.GROUP_CREATE), links, 16)


@contextmanager
def newer_forms(h5: Any) -> Iterator[None]:
    """Make objects in the forms of HDF5 1.10: their index of chunks never moves an entry."""
    _library.H5Fset_libver_bounds(h5.id.id, h5f.LIBVER_V110, h5f.LIBVER_V110)
    try:
        yield
    finally:
        _library.H5Fset_libver_bounds(h5.id.id, h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)


def link_creation() -> Any:
    """Return how a link is made: with the groups that its path needs, its name in UTF-8."""
    properties = h5p.create(h5p.LINK_CREATE)
    properties.set_create_intermediate_group(True)
    return properties


def dataset_creation(chunks: tuple[int, ...], compression: str, early: bool) -> Any:
    """Return how a dataset is made.

    :param early: chunks get their places when the dataset grows, not when they are written.
    """
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_chunk(chunks)
    properties.set_obj_track_times(False)
    if early:
        properties.set_alloc_time(h5d.ALLOC_TIME_EARLY)
        properties.set_fill_time(h5d.FILL_TIME_NEVER)
    if compression == "gzip":
        properties.set_shuffle()
        properties.set_deflate(4)
    elif compression == "bitshuffle":
        need_bitshuffle()
        properties.set_filter(BITSHUFFLE, h5z.FLAG_OPTIONAL, (0, 2))
    return properties


def need_bitshuffle() -> None:
    """Load the filter.

    :raises SavingError: it is not installed.
    """
    try:
        import hdf5plugin  # noqa: F401  it registers its filters
    except ImportError as error:
        raise SavingError(
            'compression "bitshuffle" needs hdf5plugin: pip install "bliss_like[files]", or choose "gzip" or "none"'
        ) from error


def _for_links(properties: Any, links: int, length: int) -> Any:
    # Links stand in the header of their group, where one more changes nothing for those that are being read; with an index,
    # a reader would meet pieces of two states. The header has room for as many as are expected, and is continued elsewhere.
    properties.set_link_creation_order(h5p.CRT_ORDER_TRACKED)
    _library.H5Pset_link_phase_change(properties.id, 65535, 0)
    _library.H5Pset_est_link_info(properties.id, max(1, min(links, _MOST_LINKS)), length)
    return properties
