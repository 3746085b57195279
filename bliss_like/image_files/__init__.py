"""Formats of image files, each a module that writes and reads them; numpy, and what a format needs.

Detectors write by them, and listeners read: neither knows of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

Frames = np.ndarray[Any, Any]
"""Shape (number of images, height, width)."""


class ImageFile(Protocol):
    """A new file that takes images of one shape and dtype."""

    path: str
    """Where the images are inside the file; empty where there is nothing else."""

    def write(self, frames: Frames) -> None:
        """Append images; when it returns, readers find them."""

    def close(self) -> None: ...


class OpenImageFile(Protocol):
    """Makes new files of one format."""

    def __call__(self, file: str, shape: tuple[int, int], dtype: np.dtype[Any], info: Mapping[str, Any]) -> ImageFile:
        """Make a new file.

        :param info: `name` of the detector, and what else is to be written of it.
        :raises FileExistsError: there is one already; it is not touched.
        """
