"""Images in HDF5 files, which others may read while they are written (single writer, multiple readers).

Layout: `/entry_0000` (NXentry) with `<detector>` (NXdetector, its dataset `data` of shape (n, height, width), one image a
chunk) and `measurement/data`, the same dataset.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from . import Frames

ENTRY = "/entry_0000"
DATA = f"{ENTRY}/measurement/data"
_ROOM = 1 << 14
"""Bytes of a file without images, and some more."""
_NUMBER = re.compile(r"errno = (\d+)")


class Hdf5File:
    """A new file of images; see `ImageFile`."""

    def __init__(self, file: str, shape: tuple[int, int], dtype: np.dtype[Any], info: Mapping[str, Any]) -> None:
        # Locks of the file system hinder readers, and fail on some shared ones; the format looks after its readers itself.
        self._name = file
        try:
            self._file = h5py.File(file, "x", libver=("v110", "v110"), locking=False)
        except OSError as error:
            raise _brief(error, file) from error
        self.path = DATA
        try:
            with self._giving_up():
                self._data = self._lay_out(shape, dtype, dict(info))
                # A file that has no room for what describes its images could not even be closed.
                os.posix_fallocate(self._file.id.get_vfd_handle(), 0, _ROOM)
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
        with self._giving_up():
            there = self._data.shape[0]
            self._data.resize(there + len(frames), axis=0)
            self._data[there:] = frames
            self._data.flush()

    def close(self) -> None:
        try:
            with self._giving_up():
                self._file.close()
        finally:
            self._file.close()

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Leave the file as it is when it cannot be written, e.g. because the disk is full.

        The library keeps what it could not write, fails again when it is to close the file, and then crashes with the next
        file. So it writes the rest to nowhere; what was flushed before can be read.

        :raises OSError: that is so.
        """
        try:
            yield
        except (OSError, RuntimeError) as error:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, self._file.id.get_vfd_handle(), inheritable=False)
            os.close(nowhere)
            raise _brief(error, self._name) from error


def _brief(error: Exception, file: str) -> OSError:
    """Return the error of the system behind one of the library, which tells of buffers and offsets too."""
    number = _NUMBER.search(str(error))
    if number is None:
        return error if isinstance(error, OSError) else OSError(f"{error}: {file}")
    return OSError(int(number[1]), os.strerror(int(number[1])), file)


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
