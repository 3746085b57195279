"""Numbers of photons where some are expected: random numbers of the Poisson distribution, many at once.

Pure numpy. What `Generator.poisson` takes for an image of a few photons in each pixel is most of the time of its making.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]

MANY = 30.0
"""Expected photons from which on the normal distribution, rounded, stands for that of Poisson."""
RARE = 0.1
"""Expected photons below which each photon is placed by itself; between the two, the distribution is looked up in a table."""
_ROWS, _CELLS, _NUMBERS = 2048, 256, 96


class Photons:
    """Draws numbers of photons for pixels, again and again.

    :param mean: what is to be expected in each, any shape.
    """

    def __init__(self, mean: Numbers, random: np.random.Generator) -> None:
        self.shape, flat = mean.shape, mean.ravel()
        self._random = random
        is_many, is_rare = flat > MANY, flat < RARE
        self._many, self._rare = np.flatnonzero(is_many), np.flatnonzero(is_rare)
        self._few = np.flatnonzero(~(is_many | is_rare))
        self._mean = flat[self._many]
        self._root = np.sqrt(self._mean)
        # Between two rows of the table one is chosen at random, so that no mean is missed in one direction.
        place = np.sqrt(flat[self._few]) * np.float32((_ROWS - 1) / MANY**0.5)
        self._rows = (place + random.random(len(place), dtype=np.float32)).astype(np.int32)
        self._sums = np.cumsum(flat[self._rare], dtype=float)

    def draw(self, normal: Numbers) -> Numbers:
        """Return one number for each pixel.

        :param normal: `nmany` random numbers of the standard normal distribution.
        """
        random, counts = self._random, np.zeros(self.shape, np.float32)
        flat = counts.reshape(-1)
        if len(self._many):
            flat[self._many] = np.rint(normal * self._root + self._mean)
        if len(self._few):
            flat[self._few] = _looked_up(self._rows, random.random(len(self._few), dtype=np.float32))
        if len(self._rare):
            total = self._sums[-1]
            places = np.searchsorted(self._sums, random.random(random.poisson(total)) * total, side="right")
            np.add.at(flat, self._rare[np.minimum(places, len(self._rare) - 1)], 1)
        return counts

    @property
    def nmany(self) -> int:
        return len(self._many)


def _looked_up(rows: NDArray[np.int32], chances: Numbers) -> NDArray[np.intp]:
    """Return the first number of each row whose cumulated probability is above a chance (Chen and Asau 1974)."""
    guide, cumulated = _table()
    cells = (chances * _CELLS).astype(np.int32)
    found = guide.take(rows * _CELLS + cells).astype(np.intp)
    found += rows * _NUMBERS
    below = np.flatnonzero(chances >= cumulated.take(found))
    while len(below):
        found[below] += 1
        below = below[chances[below] >= cumulated.take(found[below])]
    return found - rows * _NUMBERS


@cache
def _table() -> tuple[NDArray[np.uint8], Numbers]:
    """Return where to begin to look, shape (_ROWS, _CELLS), and the cumulated probabilities, shape (_ROWS, _NUMBERS).

    The roots of the means of the rows are equally spaced, up to that of MANY.
    """
    mean = np.linspace(0, MANY**0.5, _ROWS)[:, np.newaxis] ** 2
    numbers = np.arange(_NUMBERS)
    steps = mean / np.maximum(numbers, 1)
    steps[:, 0] = np.exp(-mean[:, 0])
    cumulated = np.cumsum(np.cumprod(steps, axis=1), axis=1)
    cumulated[:, -1] = 1.0
    ends = np.minimum(np.ceil(cumulated * _CELLS), _CELLS).astype(int)
    guide = np.repeat(np.tile(numbers.astype(np.uint8), _ROWS), np.diff(ends, axis=1, prepend=0).ravel())
    return guide, cumulated.astype(np.float32)
