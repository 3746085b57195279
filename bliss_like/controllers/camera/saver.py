"""Puts the images of one scan into files, and says where each of them went. A file that is there is never touched."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import gevent
import numpy as np
from numpy.typing import NDArray

from bliss_like.data.images import ImageReference
from bliss_like.errors import DeviceError
from bliss_like.image_files import ImageFile, OpenImageFile

from .groups import SavingFormat, SavingParameters

_LARGE = 1 << 20
"""Bytes from which on they are written in a thread, so that other greenlets run meanwhile."""


class FrameSaver:
    """Files `<directory>/<prefix>0000.h5`, `0001`, ...; made when their first image comes.

    :param info: of the camera, written into each file; its `name` is needed.
    """

    def __init__(self, directory: str, prefix: str, parameters: SavingParameters, info: Mapping[str, Any]) -> None:
        self._directory, self._prefix, self._parameters, self._info = directory, prefix, parameters, dict(info)
        # Here, and not when the first image comes, maybe in a thread: h5py starts a process while it is imported, which
        # gevent allows in the main thread only.
        self._make = _format(parameters.file_format)
        self._file: ImageFile | None = None
        self._name = ""
        self._lock = threading.Lock()  # a write whose greenlet was ended goes on in its thread
        self._is_in_thread = False
        self._nfiles = 0
        self._in_file = 0

    def write(self, frames: NDArray[Any]) -> list[ImageReference]:
        """Write images, shape (n, height, width); return where they are, when others can read them there.

        :raises DeviceError: the directory or the file cannot be written.
        """
        if frames.nbytes < _LARGE:
            return self._write(frames)
        self._is_in_thread = True
        references: list[ImageReference] = gevent.get_hub().threadpool.apply(self._write, (frames,))
        return references

    def close(self) -> None:
        """:raises DeviceError: the last of it cannot be written."""
        try:
            if self._is_in_thread:
                gevent.get_hub().threadpool.apply(self._close_alone)
            else:
                self._close()
        except OSError as error:
            raise self._failed(error) from error

    def _close_alone(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _failed(self, error: OSError) -> DeviceError:
        return DeviceError(f"camera {self._info['name']}: images cannot be saved in {self._directory}: {error}")

    def _write(self, frames: NDArray[Any]) -> list[ImageReference]:
        with self._lock:
            return self._write_alone(frames)

    def _write_alone(self, frames: NDArray[Any]) -> list[ImageReference]:
        references: list[ImageReference] = []
        limit = self._parameters.frames_in_a_file(frames[0].nbytes)
        first = 0
        try:
            while first < len(frames):
                file = self._file
                if file is None or (limit and self._in_file >= limit):
                    file = self._open_next(frames)
                some = frames[first : first + limit - self._in_file] if limit else frames[first:]
                file.write(some)
                if not os.path.lexists(self._name):
                    raise FileNotFoundError(f"{self._name} is gone, somebody has removed or renamed it")
                references += [ImageReference(self._name, file.path, self._in_file + n) for n in range(len(some))]
                self._in_file += len(some)
                first += len(some)
        except OSError as error:
            raise self._failed(error) from error
        return references

    def _open_next(self, frames: NDArray[Any]) -> ImageFile:
        self._close()
        os.makedirs(self._directory, exist_ok=True)
        shape = (frames.shape[1], frames.shape[2])
        while self._file is None:
            stem = f"{self._prefix}{self._nfiles:04d}{self._parameters.file_format.suffix}"
            self._name = os.path.join(self._directory, stem)
            self._nfiles += 1
            if os.path.lexists(self._name):
                continue
            try:
                self._file = self._make(self._name, shape, frames.dtype, self._info)
            except FileExistsError:  # somebody made it since
                continue
        self._in_file = 0
        return self._file


def _format(file_format: SavingFormat) -> OpenImageFile:
    if file_format is SavingFormat.HDF5:
        from bliss_like.image_files.hdf5 import Hdf5File

        return Hdf5File
    from bliss_like.image_files.edf import EdfFile

    return EdfFile


def file_of(where: str) -> str:
    """Return the name of the file of an image.

    :raises DataError: it looks like an URI, and is none.
    """
    return ImageReference.of(where).file if where.startswith("file:") else where


def load_image(where: str) -> NDArray[Any]:
    """Return an image by the name of its file, or by its URI: shape (height, width).

    :raises DataError: it cannot be read.
    """
    if where.startswith("file:"):
        return ImageReference.of(where).read()
    path = ""
    if where.endswith(".h5"):
        from bliss_like.image_files.hdf5 import DATA

        path = DATA
    if where.endswith(".npy"):
        return np.asarray(np.load(where, allow_pickle=False))
    return ImageReference(os.path.abspath(where), path, 0).read()
