"""Images in HDF5 files, which anybody may read while they are written (`bliss_like.hdf5`).

Layout: `/entry_0000` (NXentry) with `<detector>` (NXdetector, its dataset `data` of shape (n, height, width)) and
`measurement/data`, the same dataset.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.errors import SavingError
from bliss_like.hdf5 import GrowingDataset, GrowingFile
from bliss_like.hdf5.reading import open_to_read

from . import Frames

ENTRY = "/entry_0000"
DATA = f"{ENTRY}/measurement/data"


class Hdf5File:
    """A new file of images; see `ImageFile`."""

    def __init__(self, file: str, shape: tuple[int, int], dtype: np.dtype[Any], info: Mapping[str, Any]) -> None:
        try:
            self._file = GrowingFile.open(file, new=True, links=1)
        except SavingError as error:  # somebody is just making it
            raise FileExistsError(errno.EEXIST, str(error), file) from error
        self.path = DATA
        try:
            self._data = self._lay_out(shape, dtype, dict(info))
            self._file.commit()
        except BaseException:
            self._file.abandon()
            raise

    def _lay_out(self, shape: tuple[int, int], dtype: np.dtype[Any], info: dict[str, Any]) -> GrowingDataset:
        root = self._file.h5
        name = info.pop("name", "detector")
        entry = self._file.make_group(root, ENTRY, "NXentry")
        detector = self._file.make_group(entry, name, "NXdetector")
        data = self._file.make_dataset(detector, "data", dtype, shape, compression="none")
        data.h5.attrs["interpretation"] = "image"
        for key, value in info.items():
            detector[key] = value
        self._file.make_group(entry, "measurement", "NXcollection")["data"] = data.h5
        root.attrs.update(NX_class="NXroot", default="entry_0000", creator="bliss_like")
        entry.attrs["default"] = name
        detector.attrs["signal"] = "data"
        return data

    def write(self, frames: Frames) -> None:
        """:raises OSError: disk full, ...; what was written before can be read, and nothing more is written."""
        self._file.append(self._data, frames)
        try:
            self._file.commit()
        except OSError:
            self._file.abandon()
            raise

    def close(self) -> None:
        try:
            self._file.close()
        except OSError:
            self._file.abandon()
            raise


def read_images(file: str, path: str, indices: Sequence[int]) -> Frames:
    """Return images of a dataset of shape (n, height, width), also of a file that is being written."""
    # Locks of the file system fail on some shared ones, and nobody needs them here.
    with open_to_read(file) as h5:
        data = h5[path]
        if list(indices) == list(range(indices[0], indices[0] + len(indices))):
            images: Frames = data[indices[0] : indices[0] + len(indices)]
            if len(images) != len(indices):
                raise IndexError(f"expected {indices[-1] + 1} images in {path}, there are {len(data)}")
            return images
        return np.array([data[index] for index in indices])
