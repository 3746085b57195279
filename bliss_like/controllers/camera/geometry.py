"""From the pixels of a sensor to those of an image: binning, then flips, then a rotation, then a region is cut out.

Pure numpy. Regions are (x, y, width, height) in pixels, x to the right, y down; positions are those of the pixels' corners,
so the pixel at (0, 0) reaches from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.generic]
"""Shape (n, height, width)."""
Box = tuple[int, int, int, int]

ROTATIONS = (0, 90, 180, 270)


@dataclass(frozen=True)
class Geometry:
    """How images are made of what a sensor of `size` (width, height) gives.

    :param flip: left to right, up to down.
    :param rotation: degrees, clockwise as one looks at the image.
    :param roi: of the image that the others make; None for all of it.
    """

    size: tuple[int, int]
    binning: tuple[int, int] = (1, 1)
    flip: tuple[bool, bool] = (False, False)
    rotation: int = 0
    roi: Box | None = None

    @property
    def full_size(self) -> tuple[int, int]:
        """(width, height) of the image before the region is cut out."""
        width, height = self.size[0] // self.binning[0], self.size[1] // self.binning[1]
        return (height, width) if self.rotation in (90, 270) else (width, height)

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) of the image."""
        return self.full_size if self.roi is None else self.roi[2:]

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the image."""
        return self.image_size[1], self.image_size[0]

    @property
    def cell(self) -> int:
        """Pixels of the sensor that are added to one of the image."""
        return self.binning[0] * self.binning[1]

    def apply(self, frames: Frames, dtype: np.dtype[np.generic] | None = None) -> Frames:
        """Return the images of frames of the sensor.

        :param dtype: of the sums where pixels are binned; by default one that does not overflow.
        """
        if self.binning != (1, 1):
            frames = _binned(frames, self.binning, dtype or summed_dtype(frames.dtype, self.cell))
        frames = frames[:, :: -1 if self.flip[1] else 1, :: -1 if self.flip[0] else 1]
        if self.rotation:
            frames = np.rot90(frames, -self.rotation // 90, axes=(1, 2))
        if self.roi is not None:
            x, y, width, height = self.roi
            frames = frames[:, y : y + height, x : x + width]
        return frames

    def to_sensor(self, box: Box, *, in_roi: bool = True) -> Box:
        """Return which pixels of the sensor make a region of the image.

        :param in_roi: the region is counted from that which is cut out; else from the whole image.
        """
        x, y, width, height = box
        if in_roi and self.roi is not None:
            x, y = x + self.roi[0], y + self.roi[1]
        full_width, full_height = self.full_size
        for _ in range((360 - self.rotation) // 90 % 4):  # on, clockwise, until it has gone round
            x, y, width, height = full_height - y - height, x, height, width
            full_width, full_height = full_height, full_width
        bin_x, bin_y = self.binning
        full_width, full_height = self.size[0] // bin_x, self.size[1] // bin_y
        x = full_width - x - width if self.flip[0] else x
        y = full_height - y - height if self.flip[1] else y
        return x * bin_x, y * bin_y, width * bin_x, height * bin_y

    def from_sensor(self, box: Box, *, in_roi: bool = True) -> Box:
        """Return the region of the image that pixels of the sensor make, those that are only partly in it included."""
        bin_x, bin_y = self.binning
        left, top, right, bottom = box[0], box[1], box[0] + box[2], box[1] + box[3]
        x, y = left // bin_x, top // bin_y
        width, height = -(-right // bin_x) - x, -(-bottom // bin_y) - y
        full_width, full_height = self.size[0] // bin_x, self.size[1] // bin_y
        x = full_width - x - width if self.flip[0] else x
        y = full_height - y - height if self.flip[1] else y
        for _ in range(self.rotation // 90):
            x, y, width, height = full_height - y - height, x, height, width
            full_width, full_height = full_height, full_width
        if in_roi and self.roi is not None:
            x, y = x - self.roi[0], y - self.roi[1]
        return x, y, width, height

    def point_to_sensor(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the sensor a position in the image is."""
        if self.roi is not None:
            x, y = x + self.roi[0], y + self.roi[1]
        full_width, full_height = self.full_size
        for _ in range((360 - self.rotation) // 90 % 4):
            x, y = full_height - y, x
            full_width, full_height = full_height, full_width
        x = full_width - x if self.flip[0] else x
        y = full_height - y if self.flip[1] else y
        return x * self.binning[0], y * self.binning[1]

    def point_from_sensor(self, x: float, y: float) -> tuple[float, float]:
        """Return where in the image a position on the sensor is."""
        x, y = x / self.binning[0], y / self.binning[1]
        full_width, full_height = self.size[0] // self.binning[0], self.size[1] // self.binning[1]
        x = full_width - x if self.flip[0] else x
        y = full_height - y if self.flip[1] else y
        for _ in range(self.rotation // 90):
            x, y = full_height - y, x
            full_width, full_height = full_height, full_width
        return (x - self.roi[0], y - self.roi[1]) if self.roi is not None else (x, y)

    def changed(
        self,
        binning: tuple[int, int] | None = None,
        flip: tuple[bool, bool] | None = None,
        rotation: int | None = None,
    ) -> Geometry:
        """Return the geometry with another binning, flip or rotation, which cuts the same pixels out of the sensor."""
        new = replace(
            self,
            binning=self.binning if binning is None else binning,
            flip=self.flip if flip is None else flip,
            rotation=self.rotation if rotation is None else rotation,
            roi=None,
        )
        if self.roi is None:
            return new
        return replace(new, roi=clipped(new.from_sensor(self.to_sensor(self.roi, in_roi=False)), new.full_size))


def clipped(box: Box, size: tuple[int, int]) -> Box:
    """Return what of a region is inside (width, height)."""
    x, y = max(0, box[0]), max(0, box[1])
    return x, y, max(0, min(box[0] + box[2], size[0]) - x), max(0, min(box[1] + box[3], size[1]) - y)


def _binned(frames: Frames, binning: tuple[int, int], dtype: np.dtype[np.generic]) -> Frames:
    """Add the pixels of each cell; those that do not fill a cell are left out."""
    bin_x, bin_y = binning
    n, height, width = frames.shape
    rows, columns = height // bin_y, width // bin_x
    cells = frames[:, : rows * bin_y, : columns * bin_x].reshape(n, rows, bin_y, columns, bin_x)
    total: Frames = cells.sum(axis=(2, 4), dtype=dtype)
    return total


def summed_dtype(dtype: np.dtype[Any], number: int) -> np.dtype[Any]:
    """Return the dtype of sums of so many pixels of a dtype: 32 bits, or 64 where these could overflow."""
    if dtype.kind == "f":
        return np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    small, large = (np.uint32, np.uint64) if dtype.kind == "u" else (np.int32, np.int64)
    most = np.iinfo(dtype).max * number
    return np.dtype(small if most <= np.iinfo(small).max else large)
