"""What a channel becomes in HDF5: its type, its chunks, its compression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import h5py
import numpy as np
from h5py import h5d

from bliss_like.errors import SavingError

Compression = Literal["auto", "none", "gzip", "bitshuffle"]

COMPRESSIONS = ("auto", "none", "gzip", "bitshuffle")
_IMAGE = 16 << 10
"""Bytes of a point from which on it is a chunk of its own where that may be compressed, or nobody knows how many will come."""
_KNOWN, _UNKNOWN = 1 << 20, 1 << 16
"""Bytes of a chunk at most, when the number of points is known, and when it is not."""
_UNKNOWN_POINTS, _MANY_POINTS = 2048, 100_000
_NODE, _LARGEST = 64, 1 << 30
"""Chunks that one node of the old index takes, and bytes of a chunk at most where more would be needed otherwise."""


@dataclass(frozen=True)
class Layout:
    """How the points of one dataset lie in a file.

    :param dtype: of the points for numpy; `stored`: with h5py's marks for text and points of different lengths.
    :param shape: of one point in the file; empty for ragged ones.
    :param kind: "values": rows of bytes, written as they are; "chunks": the same, a point a chunk; "compressed": that, by a
        filter; "text" and "ragged".
    """

    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    shape: tuple[int, ...]
    rows: int
    compression: str
    kind: Literal["values", "chunks", "compressed", "text", "ragged"]
    many: bool = False
    """Whether there may be more chunks than one node of the old index takes."""

    @property
    def chunks(self) -> tuple[int, ...]:
        return (self.rows, *self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of one point."""
        return self.dtype.itemsize * math.prod(self.shape)


def lay_out(name: str, dtype: Any, shape: tuple[int, ...], npoints: int | None, compression: str) -> Layout:
    """Return how points of a dataset called `name` are kept.

    :raises SavingError: HDF5 cannot.
    """
    if compression not in COMPRESSIONS:
        raise SavingError(f"{name}: expected a compression of {', '.join(COMPRESSIONS)}, got {compression!r}")
    if _is_text(dtype):
        if shape:
            raise SavingError(f"{name}: expected one text a point, got an array of texts of shape {shape}: join them")
        text = h5py.string_dtype()
        return Layout(text, text, (), _rows(16, npoints), "none", "text")
    numeric = _numeric(name, dtype)
    if -1 in shape:
        return Layout(numeric, h5py.vlen_dtype(numeric), (), _rows(16, npoints), "none", "ragged")
    nbytes = numeric.itemsize * math.prod(shape)
    if nbytes == 0:
        raise SavingError(f"{name}: expected points that have values, got shape {shape}")
    if nbytes >= 1 << 32:
        raise SavingError(f"{name}: HDF5 takes points of less than 4 GiB, got shape {shape} of {numeric}: split it")
    chosen = _compression(compression, numeric, nbytes)
    if chosen == "none":
        rows = _rows(nbytes, npoints)
        many = (npoints or _MANY_POINTS) > _NODE * rows
        return Layout(numeric, numeric, shape, rows, chosen, "values" if rows > 1 or not many else "chunks", many)
    return Layout(numeric, numeric, shape, 1, chosen, "compressed", many=not npoints or npoints > _NODE)


def layout_of(dataset: h5py.Dataset) -> Layout:
    """Return how the points of a dataset lie that is there already.

    :raises SavingError: it cannot grow.
    """
    if not can_grow(dataset):
        raise SavingError(
            f"{dataset.name} in {dataset.file.filename}: expected a dataset that can grow, got one of fixed size"
        )
    shape, rows = dataset.shape[1:], dataset.chunks[0]
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return Layout(dataset.dtype, dataset.dtype, (), rows, "none", "text")
    if (ragged := h5py.check_vlen_dtype(dataset.dtype)) is not None:
        return Layout(np.dtype(ragged), dataset.dtype, (), rows, "none", "ragged")
    filters = dataset.id.get_create_plist().get_nfilters()
    compression = "some" if filters else "none"
    early = dataset.id.get_create_plist().get_alloc_time() == h5d.ALLOC_TIME_EARLY
    kind: Any = "values" if early and not filters and dataset.chunks[1:] == shape else "compressed"
    return Layout(dataset.dtype, dataset.dtype, shape, rows, compression, kind)


def can_grow(thing: Any) -> bool:
    """Whether something in a file is a dataset that points can be appended to."""
    return isinstance(thing, h5py.Dataset) and thing.chunks is not None and thing.maxshape[0] is None


def _is_text(dtype: Any) -> bool:
    return dtype is str or (isinstance(dtype, str) and dtype in ("str", "string")) or np.dtype(dtype).kind in "UT"


def _numeric(name: str, dtype: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(dtype)
    if found.kind in "biufcS" and found.itemsize:
        return found
    if found.kind in "Mm":
        raise SavingError(f"{name}: HDF5 has no times, got {found}: save seconds as float64, or text in ISO 8601")
    raise SavingError(
        f"{name}: expected numbers, bool, bytes or text, got {found}: HDF5 cannot hold it, save it as text (JSON)"
    )


def _compression(wanted: str, dtype: np.dtype[Any], nbytes: int) -> str:
    if nbytes < _IMAGE:
        return "none"  # its chunk would be written again with every point
    if wanted != "auto":
        return wanted
    return "bitshuffle" if dtype.kind in "iu" else "none"


def _rows(nbytes: int, npoints: int | None) -> int:
    if not npoints:
        return 1 if nbytes >= _IMAGE else min(_UNKNOWN_POINTS, -(-_UNKNOWN // nbytes))
    size = min(max(_KNOWN, -(-npoints * nbytes // _NODE)), _LARGEST)
    return min(npoints, -(-size // nbytes))
