"""Counters that are calculated from the frames of a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bliss_like.devices.counter import Counter, CounterController
from bliss_like.devices.counter_controller import Params
from bliss_like.scanning.acquisition.camera import FrameSlave

if TYPE_CHECKING:
    from .camera import Camera

Frames = NDArray[Any]
Calculation = Callable[[Frames], Iterable[NDArray[Any]]]
"""Returns, for each of the counters asked for, values of shape (n, *shape of the counter)."""


class FrameController(CounterController):
    """Owner of counters that are calculated from the frames of a camera."""

    def __init__(self, name: str, camera: Camera) -> None:
        super().__init__(name, master_controller=camera)
        self.camera = camera

    def calculation(self, counters: Sequence[Counter], exposure_time: float) -> Calculation:
        """Return what calculates the counters of images.

        :param exposure_time: seconds of each image.
        """
        raise NotImplementedError(f"{type(self).__name__} must overload calculation")

    def get_default_chain_parameters(
        self, scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]
    ) -> dict[str, Any]:
        return dict(acq_params)

    def get_acquisition_object(self, acq_params: Params, ctrl_params: Params, parent_acq_params: Params) -> FrameSlave:
        return FrameSlave(self, npoints=parent_acq_params.get("acq_nb_frames", 1), ctrl_params=ctrl_params)
