"""The channel of a camera's images: listeners of the scan get the frames, the store gets what is worth keeping there.

That is a reference where a file has the image; else the frames themselves, of which the store keeps the last ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bliss_like.data.events import NodeKind
from bliss_like.data.images import ImageReference
from bliss_like.errors import ChannelValueError

from ..channel import AcquisitionChannel, Array


class ImageChannel(AcquisitionChannel):
    """Emits frames of shape (height, width).

    :ivar is_saved: files have the images; to be set before the scan announces its channels.
    """

    def __init__(self, name: str, dtype: DTypeLike, shape: Sequence[int], unit: str | None = None) -> None:
        super().__init__(name, dtype, shape, unit=unit, data_node_type=NodeKind.IMAGE)
        self.is_saved = False

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        return np.dtype(str) if self.is_saved else self.dtype

    @property
    def stored_shape(self) -> tuple[int, ...]:
        return () if self.is_saved else self.shape

    def set_frame(self, dtype: DTypeLike, shape: Sequence[int]) -> None:
        """Say what frames are like now; before the scan announces its channels."""
        self.dtype, self.shape = np.dtype(dtype).newbyteorder("<"), tuple(shape)

    def get_description(self) -> dict[str, Any]:
        return {
            **super().get_description(),
            "dtype": self.stored_dtype.str,
            "shape": list(self.stored_shape),
            "reference": self.is_saved,
            "image_dtype": self.dtype.str,
            "image_shape": list(self.shape),
        }

    def keep(self) -> None:
        """Publish what was kept back; who listens gets frames only, and those of saved images are in files by now."""
        listeners, self._listeners = self._listeners, [] if self.is_saved else self._listeners
        try:
            super().keep()
        finally:
            self._listeners = listeners

    def emit_frames(self, frames: Array, references: Sequence[ImageReference] = ()) -> None:
        """Publish frames.

        :param frames: shape (n, height, width).
        :param references: where each of them is, if `is_saved`.
        :raises ChannelValueError: they have another shape.
        """
        if frames.shape[1:] != self.shape:
            raise ChannelValueError(
                f"channel {self.fullname!r}: expected images of shape {self.shape}, got {frames.shape[1:]}"
            )
        if not self.is_saved:
            self.emit(frames)
            return
        self._extend(np.array([reference.uri for reference in references], str))
        if self._listeners:
            self._tell(frames)
