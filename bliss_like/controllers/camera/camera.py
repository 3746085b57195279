"""The base of all 2D detectors.

A driver derives from `Camera` and overloads `fullsize`, `sensor_dtype`, `prepare_acquisition`, `start_acquisition`,
`trigger`, `stop_acquisition`, `status` and `read_frames`; see `docs/how-to/camera.md`. The rest is done here: regions of interest,
binning, corrections, accumulation, saving, and all that a scan wants.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar
from weakref import ref

import numpy as np
from gevent.event import Event
from numpy.typing import NDArray

from bliss_like.config.models import ObjectConfig
from bliss_like.config.settings.properties import ObjectSettings
from bliss_like.devices.counter import CounterController, counter_namespace
from bliss_like.devices.counter_controller import Params
from bliss_like.devices.counter_namespace import CounterGroups
from bliss_like.devices.interlock import claimed
from bliss_like.devices.numbers import is_number
from bliss_like.errors import ChainError, DataError, DeviceError, UsageError
from bliss_like.scanning.acquisition.camera import CameraAcquisitionMaster, default_camera_parameters

from .beam_position import BeamPosition
from .config import CameraConfig, first_values
from .exposure import AcquisitionSettings, CameraStatus, Exposure, FramePipeline, Frames
from .geometry import Geometry, clipped
from .groups import (
    CameraAccumulation,
    CameraAcquisition,
    CameraProcessing,
    CameraSaving,
    ImageSettings,
    SavingParameters,
)
from .image_counter import ImageCounter
from .roi_counters import RoiCollection, RoiCounters, RoiProfiles
from .saver import FrameSaver, file_of, load_image

__all__ = ["Camera", "CameraConfig"]


class Camera(CounterController):
    """A 2D detector, with a counter `<name>:image`."""

    interlock = True
    Config = CameraConfig

    available_triggers: ClassVar[Sequence[str]] = ("INTERNAL_TRIGGER", "INTERNAL_TRIGGER_MULTI")
    """What the driver can do; besides these EXTERNAL_TRIGGER, EXTERNAL_TRIGGER_MULTI, EXTERNAL_GATE, EXTERNAL_START_STOP."""
    poll_period: float = 0.005
    """Seconds between two looks at `status`; a driver that calls `notify` may make it long."""
    timeout: float = 10.0
    """Seconds beyond the exposure time that a frame may take."""

    def __init__(self, name: str, config: ObjectConfig) -> None:
        super().__init__(name)
        self.news = 0
        """Changes with each `notify`."""
        self.last_image: NDArray[Any] | None = None
        """The newest image, shape (height, width)."""
        self._news = Event()
        self._exposure: ref[Exposure] | None = None
        self._corrections: dict[str, tuple[Any, NDArray[Any]]] = {}

        def kept(part: str) -> ObjectSettings:
            return ObjectSettings.of(config, f":{part}", first_values(config, part))

        self.saving = CameraSaving(self, kept("saving"))
        self.acquisition = CameraAcquisition(self, kept("acquisition"))
        self.accumulation = CameraAccumulation(self, kept("accumulation"))
        self.processing = CameraProcessing(self, kept("processing"))
        self._image_settings = ImageSettings(self, kept("image"))
        self.image = self.create_counter(ImageCounter, "image", settings=self._image_settings)
        self.roi_counters = RoiCounters(self, kept("roi_counters"), getattr(config, "rois", {}))
        self.roi_profiles = RoiProfiles(self, kept("roi_profiles"))
        self.roi_collection = RoiCollection(self, kept("roi_collection"))
        self.bpm = BeamPosition(self)

    # -- what a driver overloads ------------------------------------------------------------------------------------------

    @property
    def fullsize(self) -> tuple[int, int]:
        """(width, height) of a frame as `read_frames` gives it."""
        raise NotImplementedError(f"{type(self).__name__} must overload fullsize")

    @property
    def sensor_dtype(self) -> np.dtype[Any]:
        """Of a frame as `read_frames` gives it."""
        return np.dtype(np.uint16)

    def prepare_acquisition(self, settings: AcquisitionSettings) -> None:
        """Set the camera up; what was acquired before may be forgotten."""

    def start_acquisition(self) -> None:
        """Arm the camera: from now on it hears triggers."""

    def trigger(self) -> None:
        """Begin to expose `settings.frames_per_trigger` frames; return at once. Of internal trigger modes only."""

    def stop_acquisition(self) -> None:
        """End all exposures now; frames that are ready may be read still. Also called when nothing goes on."""

    def status(self) -> CameraStatus:
        """Return how many frames are exposed and can be read, counted from `prepare_acquisition`."""
        raise NotImplementedError(f"{type(self).__name__} must overload status")

    def read_frames(self, first: int, nb_frames: int) -> Frames:
        """Return frames that are ready, shape (nb_frames, height, width); each is asked for once, in order."""
        raise NotImplementedError(f"{type(self).__name__} must overload read_frames")

    # -- for drivers --------------------------------------------------------------------------------------------------------

    def notify(self) -> None:
        """Make those who wait look at `status` now."""
        self.news += 1
        self._news.set()

    def wait_news(self, seen: int, timeout: float) -> None:
        """Return when `news` is no more what it was, or after `timeout` seconds."""
        if self.news == seen:
            self._news.clear()
            self._news.wait(timeout)

    # -- counters -------------------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> counter_namespace:
        groups = self.counter_groups
        return counter_namespace([*groups["default"], *groups["bpm"]])

    @property
    def counter_groups(self) -> CounterGroups:
        images = super().counters
        parts = {each.name: each.counters for each in (self.roi_counters, self.roi_profiles, self.roi_collection)}
        default = counter_namespace([*images, *(counter for part in parts.values() for counter in part)])
        others = {"images": images, **parts, "bpm": self.bpm.counters, "default": default}
        return CounterGroups({**self.roi_counters.groups(), **others})

    def get_default_chain_parameters(
        self, scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]
    ) -> dict[str, Any]:
        group = self.acquisition
        usual = {"acq_trigger_mode": group.trigger_mode, "latency_time": group.latency_time}
        return default_camera_parameters(self.available_triggers, scan_params, {**usual, **acq_params})

    def get_acquisition_object(self, acq_params: Params, ctrl_params: Params, parent_acq_params: Params) -> Any:
        known = [*inspect.signature(CameraAcquisitionMaster).parameters][1:]
        unknown = [key for key in acq_params if key not in known]
        if unknown:
            raise ChainError(
                f"camera {self.name}: no acquisition parameter {', '.join(unknown)}; there are: {', '.join(known)}"
            )
        return CameraAcquisitionMaster(self, ctrl_params=ctrl_params, **acq_params)

    def scan_metadata(self) -> dict[str, Any]:
        return {
            "type": type(self).__name__,
            "image": self._image_settings.to_dict(),
            "acquisition": {"trigger_mode": self.acquisition.trigger_mode},
        }

    # -- what acquisitions are made of ------------------------------------------------------------------------------------------

    @property
    def geometry(self) -> Geometry:
        """How images are made of frames of the sensor."""
        return self._image_settings.geometry

    def geometry_changed(self, old: Geometry, new: Geometry) -> None:
        """Let regions of interest stay on the same pixels of the sensor."""
        for container in (self.roi_counters, self.roi_profiles, self.roi_collection):
            container.move(old, new)

    def pipeline(self, parts: int = 1, corrects: bool = True) -> FramePipeline:
        """Return what makes images of frames, as it is set now.

        :param parts: frames in one image.
        :param corrects: whether by background, flat field and mask, too.
        :raises DeviceError: an image to correct by has another shape; the region of images is not on the sensor.
        """
        geometry = self.geometry
        if geometry.roi is not None and clipped(geometry.roi, geometry.full_size) != geometry.roi:
            width, height = geometry.full_size
            raise DeviceError(
                f"camera {self.name}: image.roi {geometry.roi} is not inside the {width} x {height} pixels that there are now; "
                f"set {self.name}.image.roi = None, or another one"
            )
        found: dict[str, NDArray[Any] | None] = {
            key: self._correction(key, geometry.shape) if corrects else None
            for key in ("background", "flatfield", "mask")
        }
        return FramePipeline(geometry, self.sensor_dtype, parts, **found)

    def image_dtype(self, accumulates: bool = False) -> np.dtype[Any]:
        """Return the dtype of images."""
        return self.pipeline(2 if accumulates else 1).dtype

    def prepare_exposure(
        self,
        *,
        expo_time: float,
        nb_frames: int = 1,
        trigger_mode: str = "INTERNAL_TRIGGER",
        accumulates: bool = False,
        latency_time: float = 0.0,
        corrects: bool = True,
        deliver: Callable[[Frames], object],
        on_failure: Callable[[BaseException], object] = lambda error: None,
    ) -> Exposure:
        """Prepare the camera, and return what runs it.

        :raises DeviceError: it cannot do that, or takes images for somebody else.
        """
        self.check_free()
        parts, part_time = self.accumulation.split(expo_time) if accumulates else (1, expo_time)
        if parts > 1 and trigger_mode in ("EXTERNAL_GATE", "EXTERNAL_START_STOP"):
            raise DeviceError(
                f"camera {self.name}: a gate makes one exposure, it cannot be split in {parts} to accumulate"
            )
        is_single = trigger_mode in ("INTERNAL_TRIGGER", "EXTERNAL_TRIGGER")
        settings = AcquisitionSettings(
            nb_frames=nb_frames * parts,
            expo_time=part_time,
            latency_time=latency_time,
            trigger_mode=trigger_mode,
            frames_per_trigger=(nb_frames if is_single else 1) * parts,
        )
        pipeline = self.pipeline(parts, corrects)
        self.prepare_acquisition(settings)
        exposure = Exposure(self, settings, pipeline, deliver, on_failure)
        self.take_over(exposure)
        return exposure

    def check_free(self) -> None:
        """:raises DeviceError: it takes images already: another preparation would mix them up."""
        current = self._exposure() if self._exposure is not None else None
        if current is not None and current.is_busy:
            raise DeviceError(
                f"camera {self.name} is taking images already, {current.delivered} so far, for a scan or take_image: wait for "
                "its end, or abort it"
            )

    def take_over(self, exposure: Exposure) -> None:
        """Belong to an exposure until that is over or stopped."""
        self._exposure = ref(exposure)

    def open_saver(
        self, directory: str, prefix: str, parameters: SavingParameters, expo_time: float | None = None
    ) -> FrameSaver:
        """Return what saves images in a directory."""
        info: dict[str, Any] = {"name": self.name, "type": type(self).__name__}
        if expo_time is not None:
            info["count_time"] = expo_time
        return FrameSaver(directory, prefix, parameters, info)

    def write_last_image(self, directory: str, prefix: str | None = None) -> str:
        """Write the newest image into a new file; return its name.

        :raises DeviceError: there is none yet.
        """
        if self.last_image is None:
            raise DeviceError(f"camera {self.name}: there is no image yet, {self.name}.take() makes one")
        saver = self.open_saver(directory, f"{self.name}_" if prefix is None else prefix, self.saving.parameters())
        try:
            return str(saver.write(self.last_image[np.newaxis])[0].file)
        finally:
            saver.close()

    def _correction(self, key: str, shape: tuple[int, int]) -> NDArray[Any] | None:
        if not getattr(self.processing, f"use_{key}"):
            return None
        where = getattr(self.processing, key)
        if not where:
            raise DeviceError(f"camera {self.name}: processing.use_{key} is on, and processing.{key} names no file")
        try:
            written = (where, os.stat(file_of(where)).st_mtime_ns)
            if self._corrections.get(key, ("", None))[0] != written:
                self._corrections[key] = (written, load_image(where))
        except (OSError, ValueError, DataError) as error:
            raise DeviceError(
                f"camera {self.name}: processing.{key}: {where} cannot be read: {error}; take another, or set "
                f"processing.use_{key} = False"
            ) from error
        image = self._corrections[key][1]
        if image.shape != shape:
            raise DeviceError(
                f"camera {self.name}: {key} {where} has the shape {image.shape}, expected that of the image, {shape}; take "
                f"another, or set processing.use_{key} = False"
            )
        return image

    # -- at the prompt ---------------------------------------------------------------------------------------------------------------

    def take_image(self, expo_time: float | None = None) -> NDArray[Any]:
        """Expose once, beside any scan, and return the image, shape (height, width); nothing is published or saved."""
        return self._take_one(self._seconds(expo_time))

    def _seconds(self, expo_time: Any) -> float:
        """:raises UsageError: this is no exposure time."""
        time = self.acquisition.expo_time if expo_time is None else expo_time
        if not is_number(time) or not 0 <= time < float("inf"):
            raise UsageError(f"camera {self.name}: exposure time: expected seconds, at least 0, got {time!r}")
        return float(time)

    def _take_one(self, expo_time: float, corrects: bool = True) -> NDArray[Any]:
        images: list[Frames] = []
        with claimed([self], f"take_image of {self.name}"):
            exposure = self.prepare_exposure(expo_time=expo_time, corrects=corrects, deliver=images.append)
            try:
                exposure.start()
                exposure.trigger()
                exposure.wait_delivered(1)
            finally:
                exposure.stop()
        image: NDArray[Any] = images[0][0]
        return image

    def take(
        self, expo_time: float | None = None, nb_frames: int | None = None, *, save: bool = False, run: bool = True
    ) -> Any:
        """Take images in a scan of this camera alone; return the scan.

        :param expo_time: seconds; by default those of `acquisition`, as for `nb_frames`.
        """
        from bliss_like.scanning.acquisition.camera_scan import take_images

        time = self._seconds(expo_time)
        number = self.acquisition.nb_frames if nb_frames is None else nb_frames
        return take_images(time, number, self, save=save, run=run)

    def take_dark(self, expo_time: float, directory: str, shutter: Any = None) -> str:
        """Take an image without beam, keep it in a new file, and subtract it from now on; return the name of the file.

        :param shutter: closed meanwhile, if there is one.
        """
        with shutter.closed_context if shutter is not None else nullcontext():
            self._take_one(self._seconds(expo_time), corrects=False)
        name = self.write_last_image(directory, f"{self.name}_background_")
        self.processing.background = name
        self.processing.use_background = True
        return name

    def __info__(self) -> str:
        width, height = self.fullsize
        state = self.status()
        lines = [f"{type(self).__name__} {self.name}: {width} x {height} pixels of {self.sensor_dtype}, {state.state}"]
        if state.error:
            lines.append(f"  error: {state.error}")
        groups = (self._image_settings, self.acquisition, self.accumulation, self.saving, self.processing)
        containers = (self.roi_counters, self.roi_profiles, self.roi_collection)
        return "\n".join([*lines, *(part.__info__() for part in (*groups, *containers))])
