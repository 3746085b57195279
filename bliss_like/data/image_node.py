"""The images of one camera in a scan: read from the files that the scan refers to, or the last ones from the store."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from types import EllipsisType
from typing import Any, SupportsIndex

import numpy as np

from bliss_like.errors import DataError

from .channel_node import ChannelNode
from .codec import Array
from .images import ImageReference, read_references, to_references

MAX_BYTES = 1 << 30
"""What is read into memory in one go, unless `get_images` is told otherwise."""


class ImageNode(ChannelNode):
    """A channel of images. Points are arrays of shape (height, width); nothing is read before it is asked for.

    `len`, `[i]`, slices and `get` are those of a channel. Of a scan without files only the last images are there:
    `first_available` says from where on, the others have expired.
    """

    @property
    def is_saved(self) -> bool:
        """Whether files have the images; the points in the store are then references to them."""
        return bool(self.info.get("reference"))

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width)"""
        return tuple(self.info.get("image_shape", self.shape))

    @property
    def image_dtype(self) -> np.dtype[Any]:
        dtype: np.dtype[Any] = np.dtype(self.info.get("image_dtype", self.dtype))
        return dtype

    def get_image(self, index: int = -1) -> Array:
        """Return one image, shape (height, width); by default the newest.

        :raises PointNotYetThere: the scan is still running.
        :raises PointWontBeThere: the scan is over and has fewer.
        :raises PointExpired: no file has it, and there were newer ones since.
        :raises DataError: the file is gone.
        """
        image: Array = self._image(self._points.point(operator.index(index)))
        return image

    def get_images(self, start: int = 0, stop: int | None = None, max_bytes: int = MAX_BYTES) -> Any:
        """Return images from `start` to `stop`, excluded, as one array of shape (n, height, width).

        :raises DataError: they would take more than `max_bytes`; iterate over the node, it reads one at a time.
        """
        first, last, _ = slice(start, stop).indices(len(self))
        self._check_size(max(0, last - first), max_bytes)
        return self._images(self._points.between(first, last))

    def references(self, start: int = 0, stop: int | None = None) -> list[ImageReference]:
        """Return where images are, from `start` to `stop`, excluded.

        :raises DataError: the scan has no files.
        """
        if not self.is_saved:
            raise DataError(
                f"{self.db_name}: no file has these images; get_image(i) returns those that are still there"
            )
        first, last, _ = slice(start, stop).indices(len(self))
        return to_references(self._points.between(first, last))

    def __iter__(self) -> Iterator[Array]:
        """Yield the images that are there, one at a time."""
        for index in range(0 if self.is_saved else self.first_available, len(self)):
            yield self.get_image(index)

    def get(self, from_index: int | None = None, to_index: int | None = None) -> Any:
        if to_index is None:
            point = super().get(from_index, None)
            return None if point is None else self._image(point)
        start = max(from_index or 0, 0)
        length = len(self)
        stop = length if to_index < 0 else min(to_index + 1, length)
        return self.get_images(start, max(start, stop))

    def __getitem__(self, key: SupportsIndex | slice | EllipsisType) -> Any:
        if key is Ellipsis:
            key = slice(None)
        if not isinstance(key, slice):
            return self.get_image(operator.index(key))
        start, stop, step = key.indices(len(self))
        if step < 0:
            raise IndexError(f"channel {self.db_name}: expected a slice with a positive step, got {step}")
        self._check_size(len(range(start, stop, step)), MAX_BYTES)
        return self._images(self._points.between(start, stop)[::step])

    def as_data(self, values: Array) -> Any:
        """Return new points as an event carries them: references, or the images of a scan without files."""
        return to_references(values) if self.is_saved else values

    def _check_size(self, nimages: int, max_bytes: int) -> None:
        nbytes = nimages * self.image_dtype.itemsize * int(np.prod(self.image_shape))
        if nbytes > max_bytes:
            raise DataError(
                f"{self.db_name}: {nimages} images of shape {self.image_shape} take {nbytes / 1e6:.0f} MB, expected at most "
                f"{max_bytes / 1e6:.0f} MB at once: ask for fewer, iterate over the node, or call get_images(..., max_bytes=)"
            )

    def _image(self, point: Any) -> Any:
        return self._images([point])[0] if self.is_saved else point

    def _images(self, points: Any) -> Any:
        if not self.is_saved:
            return points
        references = to_references(points)
        images = read_references(references)
        for reference, image in zip(references, images, strict=True):
            if image.shape != self.image_shape:
                raise DataError(
                    f"{self.db_name}: image {reference.index} of {reference.file}: expected the shape {self.image_shape}, it has "
                    f"{image.shape}: this is not the file that the scan has written"
                )
        return np.array(images) if images else np.empty((0, *self.image_shape), self.image_dtype)
