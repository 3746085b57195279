"""A dataset that grows point by point or in blocks."""

from __future__ import annotations

from typing import Any, Literal

Compression = Literal["auto", "none", "gzip", "bitshuffle"]


class GrowingDataset:
    """Points of one channel in a file; made by `GrowingFile.make_dataset`."""

    h5: Any
    """h5py.Dataset, for attributes and links to it. Its length is that of the last commit, or more."""
    npoints: int
    """Points so far, with those that are still in memory."""
    committed: int
    """Points that readers find."""

    def append(self, block: Any) -> None:
        """Append points; they are in memory until the next commit, or until there are many.

        :param block: array of shape (n, *shape), not changed afterwards (it is not copied); for text and for points of
            different lengths a sequence.
        :raises SavingError: the shape does not fit, or the values cannot be held by the dtype.
        """
        raise NotImplementedError
