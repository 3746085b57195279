"""What a camera sees of a beam: a gaussian spot of some flux, cut by slits, with the noise of counting and of reading.

Pure numpy. The number of photons in a pixel follows the Poisson distribution (see `photons`); so does the dark current.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .photons import Photons

Image = NDArray[np.float32]

_FAINT = 1e-3
"""Expected counts of a pixel that is not worth a random number."""
_POOL = 1 << 20
"""Random numbers that are drawn once, and used again and again from another place on."""


@dataclass(frozen=True)
class Spot:
    """Where the beam is in the image, in pixels from its middle, and how it is.

    :param peak: counts per second in the brightest pixel.
    :param slit_x, slit_y: from and to, in pixels from the middle; what is outside is dark.
    """

    x: float
    y: float
    sigma_x: float
    sigma_y: float
    peak: float
    slit_x: tuple[float, float] = (-math.inf, math.inf)
    slit_y: tuple[float, float] = (-math.inf, math.inf)


class BeamImage:
    """Makes images of a sensor of `width` x `height` pixels.

    :param dark: counts per second of a pixel without beam.
    :param offset: counts that every pixel has.
    :param read_noise: counts, standard deviation.
    """

    def __init__(
        self, width: int, height: int, dark: float, offset: float, read_noise: float, seed: int | None
    ) -> None:
        self.width, self.height = width, height
        self._dark, self._offset, self._read_noise = dark, offset, read_noise
        self._random = np.random.default_rng(seed)
        self._pool_size = max(_POOL, width * height + (_POOL >> 2))
        self._normal: NDArray[np.float32] | None = None
        self._dark_pool: tuple[float, Image] | None = None
        self._prepared: tuple[tuple[Spot, float], _Expected | None] | None = None

    def mean(self, spot: Spot, exposure: float) -> NDArray[np.float64]:
        """Return what is to be expected in each pixel, before it saturates, shape (height, width)."""
        across, down = self._profiles(spot)
        expected: NDArray[np.float64] = self._offset + exposure * (self._dark + spot.peak * np.outer(down, across))
        return expected

    def image(self, spot: Spot, exposure: float) -> Image:
        """Return one image with noise, not rounded if it has read noise, shape (height, width)."""
        image = self._dark_image(self._dark * exposure)
        expected = self._expected(spot, exposure)
        if expected is not None:
            box = image[expected.rows, expected.columns]
            box += expected.photons.draw(self._normals(expected.photons.nmany))
        if self._read_noise:
            image += self._normals(image.size).reshape(image.shape) * np.float32(self._read_noise)
        if self._offset:
            image += np.float32(self._offset)
        return image

    def _profiles(self, spot: Spot) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return (
            _profile(self.width, spot.x, spot.sigma_x, spot.slit_x),
            _profile(self.height, spot.y, spot.sigma_y, spot.slit_y),
        )

    def _expected(self, spot: Spot, exposure: float) -> _Expected | None:
        """What the beam brings; the last one is kept, as it often stays the same."""
        if self._prepared is None or self._prepared[0] != (spot, exposure):
            across, down = self._profiles(spot)
            peak = spot.peak * exposure
            columns, rows = _bright(across * peak), _bright(down * peak)
            mean = np.outer(down[rows], across[columns]).astype(np.float32) * np.float32(peak)
            self._prepared = (
                (spot, exposure),
                _Expected(rows, columns, Photons(mean, self._random)) if mean.size else None,
            )
        return self._prepared[1]

    def _dark_image(self, mean: float) -> Image:
        if not mean:
            return np.zeros((self.height, self.width), np.float32)
        if self._dark_pool is None or self._dark_pool[0] != mean:
            self._dark_pool = mean, self._random.poisson(mean, self._pool_size).astype(np.float32)
        return self._some(self._dark_pool[1], self.height * self.width).reshape(self.height, self.width).copy()

    def _normals(self, number: int) -> Image:
        if self._normal is None:
            self._normal = self._random.standard_normal(self._pool_size, dtype=np.float32)
        return self._some(self._normal, number)

    def _some(self, pool: Image, number: int) -> Image:
        first = int(self._random.integers(0, len(pool) - number))
        return pool[first : first + number]


class _Expected(NamedTuple):
    """What the beam brings to the pixels of a box."""

    rows: slice
    columns: slice
    photons: Photons


def _profile(pixels: int, position: float, sigma: float, slit: tuple[float, float]) -> NDArray[np.float64]:
    """The beam along one side, at most 1; 0 is the middle of the image."""
    place = np.arange(pixels) - (pixels - 1) / 2
    profile: NDArray[np.float64] = np.exp(-((place - position) ** 2) / (2 * sigma**2))
    profile[(place < slit[0]) | (place > slit[1])] = 0.0
    return profile


def _bright(profile: NDArray[np.float64]) -> slice:
    """Return the part of a profile that is not faint."""
    found = np.flatnonzero(profile > _FAINT)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)
