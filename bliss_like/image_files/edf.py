"""Images in files of the ESRF data format: headers of text and raw little-endian pixels, one after the other.

A header is a block between braces, padded to a multiple of 512 bytes; `Dim_1` is the width, `Dim_2` the height; the pixels
follow in rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from . import Frames

_TYPES = {
    "UnsignedByte": "u1",
    "SignedByte": "i1",
    "UnsignedShort": "<u2",
    "SignedShort": "<i2",
    "UnsignedInteger": "<u4",
    "SignedInteger": "<i4",
    "Unsigned64": "<u8",
    "Signed64": "<i8",
    "FloatValue": "<f4",
    "DoubleValue": "<f8",
}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}
_BLOCK = 512
_KEY = re.compile(rb"(\w+)\s*=\s*([^;]*);")


class EdfFile:
    """A new file of images; see `ImageFile`."""

    path = ""

    def __init__(self, file: str, shape: tuple[int, int], dtype: np.dtype[Any], info: Mapping[str, Any]) -> None:
        self._dtype = np.dtype(dtype).newbyteorder("<")
        if self._dtype not in _NAMES:
            raise ValueError(f"EDF knows no pixels of type {dtype}, only {', '.join(map(str, _NAMES))}")
        self._shape, self._info = shape, dict(info)
        self._count = 0
        self._file = open(file, "xb")

    def write(self, frames: Frames) -> None:
        for frame in frames:
            pixels = np.ascontiguousarray(frame, self._dtype)
            self._file.write(self._header(pixels.nbytes))
            self._file.write(pixels.data)
            self._count += 1
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _header(self, nbytes: int) -> bytes:
        height, width = self._shape
        keys = {
            "HeaderID": f"EH:{self._count + 1:06d}:000000:000000",
            "Image": self._count + 1,
            "ByteOrder": "LowByteFirst",
            "DataType": _NAMES[self._dtype],
            "Dim_1": width,
            "Dim_2": height,
            "Size": nbytes,
            **{key: str(value).replace(";", ",").replace("\n", " ") for key, value in self._info.items()},
        }
        text = "{\n" + "".join(f"{key} = {value} ;\n" for key, value in keys.items())
        length = -(-(len(text.encode()) + 2) // _BLOCK) * _BLOCK
        return text.encode().ljust(length - 2) + b"}\n"


def read_images(file: str, path: str, indices: Sequence[int]) -> Frames:
    """Return images of a file; `path` is not used."""
    with open(file, "rb") as edf:
        places = list(_places(edf))
        return np.array([_pixels(edf, *places[index]) for index in indices])


def _places(edf: BinaryIO) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield where the pixels of each image begin, with the keys of its header; one that is not complete is left out."""
    size = os.fstat(edf.fileno()).st_size
    place = 0
    while place < size:
        edf.seek(place)
        header = b""
        while not header.endswith(b"}\n"):
            block = edf.read(_BLOCK)
            if len(block) < _BLOCK:
                return
            header += block
        keys = {key.decode(): value.decode().strip() for key, value in _KEY.findall(header)}
        begin = place + len(header)
        place = begin + int(keys["Size"])
        if place <= size:
            yield begin, keys


def _pixels(edf: BinaryIO, begin: int, keys: Mapping[str, str]) -> Frames:
    dtype = np.dtype(_TYPES[keys["DataType"]])
    if keys.get("ByteOrder") == "HighByteFirst":
        dtype = dtype.newbyteorder(">")
    edf.seek(begin)
    pixels = np.frombuffer(edf.read(int(keys["Size"])), dtype)
    return pixels.reshape(int(keys["Dim_2"]), int(keys["Dim_1"]))
