"""Entries of which every value is known, for tests that read a file while it grows: value n of every dataset is n + 1."""

from __future__ import annotations

from typing import Any

import hdf5plugin  # noqa: F401  readers need it for compressed images
import numpy as np

from bliss_like.hdf5 import GrowingFile

SIDE = 24
WIDTH = 150
"""Of an image, which is a chunk, and of one that is compressed."""


class Entry:
    """One entry of a file, with `nscalars` datasets of numbers, one of images, one of compressed ones, one of texts."""

    def __init__(self, file: GrowingFile, name: str, nscalars: int) -> None:
        self.file = file
        self.group = file.make_group(file.h5, name, "NXentry", links=nscalars + 4)
        self.scalars = [
            file.make_dataset(self.group, f"s{n}", float, npoints=None if n % 2 else 300) for n in range(nscalars)
        ]
        self.frames = file.make_dataset(self.group, "frames", np.float32, (SIDE, SIDE))
        self.images = file.make_dataset(self.group, "images", np.uint16, (WIDTH, WIDTH))
        self.words = file.make_dataset(self.group, "words", str)
        self.npoints = 0

    def grow(self, npoints: int) -> None:
        values = np.arange(self.npoints + 1, self.npoints + npoints + 1)
        for dataset in self.scalars:
            self.file.append(dataset, values.astype(float))
        self.file.append(self.frames, np.broadcast_to(values[:, None, None], (npoints, SIDE, SIDE)))
        self.file.append(self.images, np.broadcast_to(values[:, None, None] % 60_000, (npoints, WIDTH, WIDTH)))
        self.file.append(self.words, [str(value) for value in values])
        self.npoints += npoints


def lengths(entry: Any, stride: int = 1) -> dict[str, int]:
    """Return how many points the datasets of an entry have (h5py.Group), after reading them.

    :param stride: of arrays, one in so many is read, and the last ones.
    :raises ValueError: a value is not what it should be.
    """
    found = {}
    for name, dataset in entry.items():
        count = found[name] = len(dataset)
        expected = np.arange(1, count + 1)
        if dataset.ndim == 3:
            picked = sorted({*range(0, count, stride), *range(max(0, count - 3), count)})
            right = all((dataset[n] == expected[n]).all() for n in picked)
        elif name == "words":
            right = dataset.asstr()[:].tolist() == [str(value) for value in expected]
        else:
            right = np.array_equal(dataset[:], expected)
        if not right:
            raise ValueError(f"{dataset.name} has wrong values")
    return found
