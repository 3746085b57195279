"""Where the beam is in the images of a camera, how wide and how bright."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bliss_like.controllers.camera_bpm import spot
from bliss_like.devices.counter import Counter

from .frame_controller import Calculation, FrameController

if TYPE_CHECKING:
    from .camera import Camera

_UNITS = {"acq_time": "s", "intensity": "counts", "x": "px", "y": "px", "fwhm_x": "px", "fwhm_y": "px"}


class BeamPosition(FrameController):
    """`cam.bpm`: counters acq_time, intensity, x, y, fwhm_x, fwhm_y of each image; NaN without a spot."""

    def __init__(self, camera: Camera) -> None:
        super().__init__("bpm", camera)
        for name, unit in _UNITS.items():
            setattr(self, name, self.create_counter(Counter, name, unit=unit))

    def calculation(self, counters: Sequence[Counter], exposure_time: float) -> Calculation:
        def calculate(frames: NDArray[Any]) -> list[NDArray[Any]]:
            values = np.array([spot(frame) for frame in frames])
            columns = dict(zip(("x", "y", "fwhm_x", "fwhm_y", "intensity"), values.T, strict=True))
            columns["acq_time"] = np.full(len(frames), exposure_time)
            return [columns[counter.name] for counter in counters]

        return calculate

    def __info__(self) -> str:
        return f"{self.fullname}: {', '.join(f'{name} ({unit})' for name, unit in _UNITS.items())}"
