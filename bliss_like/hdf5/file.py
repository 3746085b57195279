"""The growing file: groups and datasets of h5py, points that are appended, and commits."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from .dataset import Compression, GrowingDataset


class GrowingFile:
    """An HDF5 file that grows while others read it. All calls come from one thread.

    `h5` is its h5py.File: groups, attributes, links and datasets made there reach the disk with the next `commit`, all or
    none. Nothing but a commit changes what readers find.
    """

    path: str
    h5: Any
    """h5py.File. Do not close or flush it."""

    @classmethod
    def open(cls, path: str, *, new: bool = False) -> Self:
        """Open a file to go on with it, or make a new one where there is none (its directories too).

        A commit that a killed writer has left half done is first completed or dropped.

        :param new: there must be none.
        :raises FileExistsError: there is one, and it was to be `new`.
        :raises SavingError: another process writes it (it is named), or it is no HDF5 file.
        :raises OSError: no permission, disk full, ...
        """
        raise NotImplementedError

    def make_group(self, parent: Any, name: str, nx_class: str = "", links: int = 16) -> Any:
        """Make a group (h5py.Group) for about so many links; `name` may be a path, of which what is missing is made, too.

        Readers that are listing it are never disturbed by links that are added, as long as they find room.
        """
        raise NotImplementedError

    def make_dataset(
        self,
        parent: Any,
        name: str,
        dtype: np.dtype[Any] | type | str,
        shape: tuple[int, ...] = (),
        npoints: int | None = None,
        compression: Compression = "auto",
    ) -> GrowingDataset:
        """Make a dataset that grows along its first axis, of shape (0, *shape) for now.

        :param dtype: of numpy, or `str` (also "str", "U..."): text of any length.
        :param shape: of one point; with one -1 in it: every point is flat and has a length of its own (variable-length).
        :param npoints: how many points are expected; there may be more, or less.
        :param compression: "auto": whole images of integers by bitshuffle and lz4, nothing else. A chunk that would be written
            more than once is never compressed.
        :raises SavingError: HDF5 cannot hold values of that type (object, structured...); the message says what can be done.
        """
        raise NotImplementedError

    def growing(self, path: str) -> GrowingDataset:
        """Return a dataset that was made before, e.g. by a writer that was killed, to append to it."""
        raise NotImplementedError

    def commit(self) -> None:
        """Bring everything to disk; when this returns, readers find it.

        :raises OSError: disk full, ...: readers find the state of the last commit, everything is kept in memory, and the next
            commit tries again.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Commit, and give the file free. After an OSError it is still open."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Give the file free as it was after the last commit. Never fails, and may be called at any time."""
        raise NotImplementedError
