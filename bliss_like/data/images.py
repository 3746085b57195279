"""References to images in files: how they are written, and who reads the files.

A reference is a URI, so that any language can follow it: `file:///data/scan0012/cam_0000.h5?path=/entry_0000/measurement/data&index=3`.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from bliss_like.errors import DataError

from .codec import Array

ReadImages = Callable[[str, str, Sequence[int]], Array]
"""Reads images from (file, path inside it, indices): shape (number of indices, height, width)."""

_readers: dict[str, ReadImages | str] = {
    ".h5": "bliss_like.image_files.hdf5:read_images",
    ".edf": "bliss_like.image_files.edf:read_images",
}
"""By suffix; a name is imported when the first image is read, so that this package needs no library for files."""


@dataclass(frozen=True, slots=True)
class ImageReference:
    """Where one image is.

    :param path: of the dataset inside the file, empty where a file has images only.
    :param index: of the image in there, from 0.
    """

    file: str
    path: str
    index: int

    @classmethod
    def of(cls, uri: str) -> ImageReference:
        """Read what `uri` has written.

        :raises DataError: it is none.
        """
        parts = urlsplit(uri)
        query = parse_qs(parts.query)
        try:
            if parts.scheme != "file":
                raise ValueError(parts.scheme)
            return cls(unquote(parts.path), query.get("path", [""])[0], int(query["index"][0]))
        except (KeyError, ValueError) as error:
            raise DataError(f"reference to an image: expected file:///...?path=...&index=..., got {uri!r}") from error

    @property
    def uri(self) -> str:
        path = f"path={quote(self.path)}&" if self.path else ""
        return f"file://{quote(self.file)}?{path}index={self.index}"

    def read(self) -> Array:
        """Return the image, shape (height, width).

        :raises DataError: the file is gone, or nobody can read it.
        """
        image: Array = read_references([self])[0]
        return image


def register_image_reader(suffix: str, reader: ReadImages | str) -> None:
    """Say what reads files whose names end like that: a function, or `module:function`, imported when it is needed."""
    _readers[suffix] = reader


def read_references(references: Sequence[ImageReference]) -> list[Array]:
    """Return the images, each of shape (height, width); a file is opened once for consecutive ones.

    :raises DataError: a file is gone, or nobody can read it.
    """
    images: list[Array] = []
    first = 0
    while first < len(references):
        file, path = references[first].file, references[first].path
        last = first
        while last < len(references) and (references[last].file, references[last].path) == (file, path):
            last += 1
        images += list(_read(file, path, [reference.index for reference in references[first:last]]))
        first = last
    return images


def _read(file: str, path: str, indices: Sequence[int]) -> Array:
    try:
        return _reader_of(file)(file, path, indices)
    except (OSError, KeyError, ValueError, IndexError, ImportError) as error:
        if not os.path.exists(file):
            raise DataError(
                f"image {indices[0]} of {file}: there is no such file here (any more): was it moved, is its disk mounted?"
            ) from error
        raise DataError(f"image {indices[0]} of {file}: it cannot be read: {error}") from error


def _reader_of(file: str) -> ReadImages:
    suffix = next((suffix for suffix in _readers if file.endswith(suffix)), None)
    if suffix is None:
        raise ValueError(f"no reader is registered for it; there are some for {', '.join(_readers)}")
    reader = _readers[suffix]
    if isinstance(reader, str):
        module, _, function = reader.partition(":")
        reader = _readers[suffix] = getattr(importlib.import_module(module), function)
    return reader


def to_references(points: Any) -> list[ImageReference]:
    """Return the references that points of a channel stand for."""
    return [ImageReference.of(str(point)) for point in points]
