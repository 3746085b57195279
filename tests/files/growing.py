"""A file with 50 channels that grows, and gets a new entry now and then.

python -m tests.files.growing PATH HOW, until it gets a line; HOW is `ours`, `plain` (h5py with flush) or `swmr` (one entry alone: no more
can be added).
"""

from __future__ import annotations

import select
import sys
from typing import Any

import h5py
import numpy as np

from bliss_like.hdf5 import GrowingFile
from tests.files.points import SIDE, Entry

NSCALARS = 50
STEP, STEPS = 5, 150
"""Points between two commits, and commits of an entry."""


class PlainEntry:
    """The same as `Entry`, as it is written with h5py alone."""

    def __init__(self, file: Any, name: str, nscalars: int) -> None:
        self.file, group = file, file.create_group(name)
        self.scalars = [
            group.create_dataset(f"s{n}", (0,), float, maxshape=(None,), chunks=(300 if n % 2 else 1024,))
            for n in range(nscalars)
        ]
        frame = (SIDE, SIDE)
        self.frames = group.create_dataset(
            "frames", (0, *frame), np.float32, maxshape=(None, *frame), chunks=(1, *frame)
        )
        self.npoints = 0

    def grow(self, npoints: int) -> None:
        first, self.npoints = self.npoints, self.npoints + npoints
        values = np.arange(first + 1.0, self.npoints + 1)
        for dataset in self.scalars:
            dataset.resize(self.npoints, 0)
            dataset[first:] = values
        self.frames.resize(self.npoints, 0)
        self.frames[first:] = np.broadcast_to(values[:, None, None], (npoints, SIDE, SIDE))


def main(path: str, how: str) -> None:
    file: Any
    if how == "ours":
        file, make, commit = GrowingFile.open(path, new=True), Entry, GrowingFile.commit
    else:
        libver = "v110" if how == "swmr" else "v108"
        file = h5py.File(path, "x", libver=("earliest" if how == "plain" else libver, libver), locking=False)
        make, commit = PlainEntry, h5py.File.flush  # type: ignore[assignment]
    number = 0
    while not told_to_end():
        number += 1
        entry = make(file, f"{number}.1", NSCALARS)
        if how == "swmr":
            file.swmr_mode = True
        if number == 1:
            print("ready", flush=True)
        while (entry.npoints < STEP * STEPS or how == "swmr") and not told_to_end():
            entry.grow(STEP)
            commit(file)
    file.close()


def told_to_end() -> bool:
    """Also gives readers their turn on a small machine."""
    return bool(select.select([sys.stdin], [], [], 0.005)[0])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
