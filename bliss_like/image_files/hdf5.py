"""Images in HDF5 files, which others may read while they are written (single writer, multiple readers).

Layout: `/entry_0000` (NXentry) with `<detector>` (NXdetector, its dataset `data` of shape (n, height, width), one image a
chunk) and `measurement/data`, the same dataset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from . import Frames

ENTRY = "/entry_0000"
DATA = f"{ENTRY}/measurement/data"


class Hdf5File:
    """A new file of images; see `ImageFile`."""

    def __init__(self, file: str, shape: tuple[int, int], dtype: np.dtype[Any], info: Mapping[str, Any]) -> None:
        # Locks of the file system hinder readers, and fail on some shared ones; the format looks after its readers itself.
        self._file = h5py.File(file, "x", libver=("v110", "v110"), locking=False)
        self.path = DATA
        try:
            self._data = self._lay_out(shape, dtype, dict(info))
            self._file.swmr_mode = True
        except BaseException:
            self._file.close()
            raise

    def _lay_out(self, shape: tuple[int, int], dtype: np.dtype[Any], info: dict[str, Any]) -> Any:
        entry = _group(self._file, ENTRY, "NXentry")
        name = info.pop("name", "detector")
        detector = _group(entry, name, "NXdetector")
        data = detector.create_dataset(
            "data", shape=(0, *shape), dtype=dtype, maxshape=(None, *shape), chunks=(1, *shape)
        )
        data.attrs["interpretation"] = "image"
        for key, value in info.items():
            detector[key] = value
        measurement = _group(entry, "measurement", "NXcollection")
        measurement["data"] = data
        self._file.attrs.update(NX_class="NXroot", default="entry_0000", creator="bliss_like")
        entry.attrs["default"] = name
        detector.attrs["signal"] = "data"
        return data

    def write(self, frames: Frames) -> None:
        there = self._data.shape[0]
        self._data.resize(there + len(frames), axis=0)
        self._data[there:] = frames
        self._data.flush()

    def close(self) -> None:
        self._file.close()


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def read_images(file: str, path: str, indices: Sequence[int]) -> Frames:
    """Return images of a dataset of shape (n, height, width), also of a file that is being written."""
    with h5py.File(file, "r", swmr=True, locking=False) as h5:
        data = h5[path]
        if list(indices) == list(range(indices[0], indices[0] + len(indices))):
            images: Frames = data[indices[0] : indices[0] + len(indices)]
            if len(images) != len(indices):
                raise IndexError(f"expected {indices[-1] + 1} images in {path}, there are {len(data)}")
            return images
        return np.array([data[index] for index in indices])
