"""A dataset that grows point by point or in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from h5py import h5s

from bliss_like.errors import SavingError

from .chunks import Layout
from .transaction import TransactionalFile

_SMALL = 1 << 20
"""Bytes up to which blocks are copied together before they are written."""


class GrowingDataset:
    """Points of one channel in a file; made by `GrowingFile.make_dataset`."""

    def __init__(self, h5: h5py.Dataset, layout: Layout, file: TransactionalFile) -> None:
        self.h5 = h5
        """h5py.Dataset, for attributes and links to it. Its length is that of the last commit, or more."""
        self.name = str(h5.name)
        """Path in the file."""
        self.layout = layout
        self.npoints = self.committed = int(h5.shape[0])
        """Points so far, with those that are still in memory; and points that readers find."""
        self.waiting = 0
        """Bytes in memory."""
        self._file = file
        self._blocks: list[Any] = []
        self._chunk = (-1, 0, True)
        """Number of the last chunk, its place in the file, and whether readers cannot know of it."""

    def __repr__(self) -> str:
        return f"<GrowingDataset {self.h5.name}: {self.npoints} points, {self.committed} on disk>"

    def append(self, block: Any) -> int:
        """Append points; they are in memory until the next commit, or until there are many.

        :param block: array of shape (n, *shape), not changed afterwards (it is not copied); for text and for points of
            different lengths a sequence.
        :return: bytes that it has.
        :raises SavingError: the shape does not fit, or the values cannot be held by the dtype.
        """
        values = self._checked(block)
        nbytes = sum(64 + len(point) * self.layout.dtype.itemsize for point in values) if self._apart else values.nbytes
        if len(values):
            self._blocks.append(values)
            self.npoints += len(values)
            self.waiting += nbytes
        return int(nbytes)

    def write(self) -> None:
        """Write what waits in memory, where readers do not see it before a commit.

        :raises OSError: disk full, ...; it waits for the next time.
        """
        if not self._blocks:
            return
        first = self.npoints - sum(map(len, self._blocks))
        if self.h5.id.shape[0] != self.npoints:
            self.h5.id.set_extent((self.npoints, *self.layout.shape))
        if self.layout.kind == "values":
            self._write_values(first)
        elif self.layout.kind == "chunks":
            self._write_chunks(first)
        else:
            for block in self._blocks:
                self._write_by_hdf5(first, block)
                first += len(block)
        self._blocks, self.waiting = [], 0

    def committed_now(self) -> None:
        """Take note that readers find what was written."""
        self.committed = self.npoints
        self._chunk = (*self._chunk[:2], True)

    @property
    def _apart(self) -> bool:
        return self.layout.kind in ("text", "ragged")

    def _checked(self, block: Any) -> Any:
        layout = self.layout
        if layout.kind == "text":
            return [self._text(point) for point in block]
        if layout.kind == "ragged":
            return [self._cast(point).ravel() for point in block]
        values = self._cast(block)
        if values.shape[1:] != layout.shape or not values.ndim:
            raise SavingError(
                f"{self._name}: expected a block of shape (n, {str(layout.shape)[1:]}, got {values.shape}"
            )
        return values

    def _cast(self, values: Any) -> np.ndarray[Any, Any]:
        dtype = self.layout.dtype
        array = np.asarray(values)
        if array.dtype == dtype:
            return array
        whole = array.dtype.kind in "iub" and dtype.kind in "iu"
        if array.size and not whole and not np.can_cast(array.dtype, dtype, "same_kind"):
            raise SavingError(f"{self._name}: expected values of {dtype}, got {array.dtype}")
        cast = array.astype(dtype)
        if whole and not np.array_equal(cast, array):
            raise SavingError(f"{self._name}: expected values of {dtype}, got {array.min()} to {array.max()}")
        return cast

    def _text(self, point: Any) -> str:
        if isinstance(point, bytes):
            point = point.decode("utf-8", "surrogateescape")
        if not isinstance(point, str):
            raise SavingError(f"{self._name}: expected text, got {type(point).__name__}")
        # HDF5 ends a text at its first null, and takes UTF-8 only
        return point.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()

    @property
    def _name(self) -> str:
        return f"{self.h5.name} in {self.h5.file.filename}"

    def _write_values(self, first: int) -> None:
        """Write rows to the chunks that HDF5 has given places to, without its taking part."""
        layout = self.layout
        nbytes = layout.nbytes
        blocks = [np.concatenate(self._blocks, dtype=layout.dtype)] if self.waiting < _SMALL else self._blocks
        pieces: list[memoryview] = []
        for block in blocks:
            data = block.reshape(-1).view(np.uint8).data
            for low, high in _cuts(first, first + len(block), layout.rows):
                pieces.append(data[(low - first) * nbytes : (high - first) * nbytes])
                if high % layout.rows == 0 or (block is blocks[-1] and high == first + len(block)):
                    length = sum(map(len, pieces))
                    start, hidden = self._place(high - length // nbytes, nbytes)
                    self._file.write_points(start, pieces, hidden)
                    pieces = []
            first += len(block)

    def _write_chunks(self, first: int) -> None:
        corner = (0,) * len(self.layout.shape)
        for block in self._blocks:
            for point in block:
                self.h5.id.write_direct_chunk((first, *corner), point)
                first += 1

    def _place(self, point: int, nbytes: int) -> tuple[int, bool]:
        """Return where a point is in the file, and whether no reader can know of that place."""
        chunk, row = divmod(point, self.layout.rows)
        if self._chunk[0] != chunk:
            info = self.h5.id.get_chunk_info_by_coord((point, *(0 for _ in self.layout.shape)))
            # HDF5 may give it a place that was another's, which readers still know of.
            self._chunk = (chunk, info.byte_offset, info.byte_offset >= self._file.known_end or row > 0)
        return self._chunk[1] + row * nbytes, self._chunk[2]

    def _write_by_hdf5(self, first: int, block: Any) -> None:
        if self._apart:
            values = np.empty(len(block), self.layout.stored)
            for number, point in enumerate(block):
                values[number] = point
            block = values
        space = self.h5.id.get_space()
        space.select_hyperslab((first, *(0 for _ in self.layout.shape)), block.shape)
        self.h5.id.write(h5s.create_simple(block.shape), space, block)


def _cuts(first: int, stop: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield the parts of a range of points that are in one chunk each."""
    while first < stop:
        end = min(stop, (first // rows + 1) * rows)
        yield first, end
        first = end
