"""The counter of a camera's images, and what is set of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bliss_like.devices.counter import Counter

from .geometry import Box
from .groups import ImageSettings

if TYPE_CHECKING:
    from .camera import Camera


class ImageCounter(Counter):
    """`cam.image`: counts images of shape (height, width); sets `binning`, `flip`, `rotation`, `roi`."""

    def __init__(self, name: str, controller: Camera, settings: ImageSettings) -> None:
        self._settings = settings
        self._camera = controller
        super().__init__(name, controller, unit="counts")

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._camera.image_dtype()

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width), as it is set now."""
        return self._settings.geometry.shape

    @property
    def fullsize(self) -> tuple[int, int]:
        """(width, height) of the sensor."""
        return self._camera.fullsize

    @property
    def width(self) -> int:
        return self.shape[1]

    @property
    def height(self) -> int:
        return self.shape[0]

    @property
    def depth(self) -> int:
        """Bytes of a pixel."""
        return self.dtype.itemsize

    @property
    def raw_read(self) -> NDArray[Any]:
        """One image, taken now with the exposure time of `cam.acquisition`."""
        return self._camera.take_image()

    @property
    def binning(self) -> list[int]:
        """Pixels of the sensor in one of the image: [x, y]; they are added."""
        return self._settings.binning

    @binning.setter
    def binning(self, value: Sequence[int]) -> None:
        self._settings.binning = value

    @property
    def flip(self) -> list[bool]:
        """[left to right, up to down]"""
        return self._settings.flip

    @flip.setter
    def flip(self, value: Sequence[bool]) -> None:
        self._settings.flip = value

    @property
    def rotation(self) -> int:
        """Degrees, clockwise: 0, 90, 180, 270."""
        return self._settings.rotation

    @rotation.setter
    def rotation(self, value: int) -> None:
        self._settings.rotation = value

    @property
    def roi(self) -> Box:
        """What is cut out: (x, y, width, height) of the image that binning, flip and rotation make; None for all of it."""
        return self._settings.roi

    @roi.setter
    def roi(self, value: Sequence[int] | None) -> None:
        self._settings.roi = value

    def reset_roi(self) -> None:
        self._settings.reset_roi()

    def reset(self) -> None:
        """Forget binning, flip, rotation and region."""
        self._settings.reset()

    def to_dict(self) -> dict[str, Any]:
        return self._settings.to_dict()

    def __info__(self) -> str:
        return f"{super().__info__()}\n{self._settings.__info__()}"
