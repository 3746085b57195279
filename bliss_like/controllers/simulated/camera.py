"""A simulated camera that looks at a beam: where it is, how wide and how bright depends on axes, slits and shutters."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import gevent
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from bliss_like.config.models import Reference
from bliss_like.controllers.camera.camera import Camera, CameraConfig
from bliss_like.controllers.camera.exposure import AcquisitionSettings, CameraStatus
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.shutter import BaseShutter
from bliss_like.errors import DeviceError

from .beam_image import BeamImage, Spot

_DTYPES = {8: np.uint8, 12: np.uint16, 14: np.uint16, 16: np.uint16, 32: np.uint32}


class SimulatedCamera(Camera):
    """Gives `<name>:image`, shape (height, width); the spot follows axes when they are given.

    Of the sensor, a pixel with the largest value that it has is saturated.
    """

    available_triggers = (
        "INTERNAL_TRIGGER",
        "INTERNAL_TRIGGER_MULTI",
        "EXTERNAL_TRIGGER",
        "EXTERNAL_TRIGGER_MULTI",
        "EXTERNAL_GATE",
    )
    poll_period = 0.1

    class Config(CameraConfig):
        width: int = Field(default=256, gt=0, description="pixels")
        height: int = Field(default=256, gt=0, description="pixels")
        intensity: float = Field(
            default=200.0, ge=0, description="mean counts per second in the brightest pixel of the spot in focus"
        )
        flux: float | None = Field(
            default=None, ge=0, description="counts per second of the whole spot; in the place of intensity"
        )
        sigma: float = Field(default=20.0, gt=0, description="of the spot in focus, in pixels")
        dark: float = Field(default=5.0, ge=0, description="mean counts per second of a pixel without beam")
        offset: float = Field(default=0.0, ge=0, description="counts that each pixel has, however short the exposure")
        read_noise: float = Field(default=0.0, ge=0, description="counts, standard deviation")
        bits: int = Field(default=16, description="of a pixel: 8, 12, 14, 16 or 32")
        dead_pixels: list[tuple[int, int]] = Field(default_factory=list, description="[x, y] of those that see nothing")
        hot_pixels: list[tuple[int, int]] = Field(default_factory=list, description="[x, y] of those always saturated")
        axis_x: AxisReference | None = Field(default=None, description="moves the spot to the right")
        axis_y: AxisReference | None = Field(default=None, description="moves the spot down")
        pixels_per_unit: float = Field(default=10.0, description="pixels in one unit of the axes")
        axis_focus: AxisReference | None = Field(default=None, description="the spot is narrowest at 0")
        blur: float = Field(default=10.0, ge=0, description="pixels of width that one unit out of focus adds")
        gap_x: AxisReference | None = Field(default=None, description="gap of a slit, in the units of axis_x")
        gap_y: AxisReference | None = Field(default=None, description="gap of a slit, in the units of axis_y")
        offset_x: AxisReference | None = Field(default=None, description="where the middle of gap_x is")
        offset_y: AxisReference | None = Field(default=None, description="where the middle of gap_y is")
        through: list[Reference] = Field(default_factory=list, description="shutters and filter sets in the beam")
        readout_time: float = Field(default=0.0, ge=0, description="seconds from the end of a frame to the next")
        max_frame_rate: float | None = Field(default=None, gt=0, description="frames per second")
        latency: float = Field(default=0.0, ge=0, description="seconds from a trigger to the exposure")
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

    def __init__(self, name: str, config: Config) -> None:
        if config.bits not in _DTYPES:
            raise DeviceError(f"camera {name}: bits: expected one of {', '.join(map(str, _DTYPES))}, got {config.bits}")
        for x, y in (*config.dead_pixels, *config.hot_pixels):
            if not (0 <= x < config.width and 0 <= y < config.height):
                raise DeviceError(
                    f"camera {name}: dead_pixels, hot_pixels: expected [x, y] inside {config.width} x {config.height} pixels, "
                    f"got {[x, y]}"
                )
        self.config = config
        super().__init__(name, config)
        self._model = BeamImage(config.width, config.height, config.dark, config.offset, config.read_noise, config.seed)
        self._top = float(2**config.bits - 1)
        self._settings = AcquisitionSettings(1, 0.0, 0.0, "INTERNAL_TRIGGER", 1)
        self._spots: deque[Spot] = deque()
        self._acquired = self._read = 0
        self._task: gevent.Greenlet[..., None] | None = None
        self._pending = 0

    @property
    def fullsize(self) -> tuple[int, int]:
        return self.config.width, self.config.height

    @property
    def sensor_dtype(self) -> np.dtype[Any]:
        return np.dtype(_DTYPES[self.config.bits])

    # -- the driver ------------------------------------------------------------------------------------------------------------

    def prepare_acquisition(self, settings: AcquisitionSettings) -> None:
        self.stop_acquisition()
        self._settings = settings
        self._spots.clear()
        self._acquired = self._read = 0

    def trigger(self) -> None:
        self._expose(self._settings.frames_per_trigger)

    def external_trigger(self) -> None:
        """What the cable would do in the external trigger modes; of a gate, one that lasts the exposure time."""
        if not self._settings.trigger_mode.startswith("EXTERNAL"):
            raise DeviceError(
                f"camera {self.name}: it is prepared for {self._settings.trigger_mode} and hears no trigger from outside"
            )
        self._expose(self._settings.frames_per_trigger)

    def stop_acquisition(self) -> None:
        task, self._task, self._pending = self._task, None, 0
        if task is not None:
            task.kill(block=False)

    def status(self) -> CameraStatus:
        state = "Running" if self._pending else "Ready"
        return CameraStatus(self._acquired, self._acquired, state)

    def read_frames(self, first: int, nb_frames: int) -> NDArray[Any]:
        if nb_frames == 1:
            return self._digitize(self._spots.popleft())[np.newaxis]
        return np.stack([self._digitize(self._spots.popleft()) for _ in range(nb_frames)])

    # -- the physics -------------------------------------------------------------------------------------------------------------

    def spot(self) -> Spot:
        """Where the beam is now, and how."""
        config = self.config
        defocus = config.blur * config.axis_focus.position if config.axis_focus else 0.0
        sigma = math.hypot(config.sigma, defocus)
        in_focus = config.intensity if config.flux is None else config.flux / (2 * math.pi * config.sigma**2)
        peak = in_focus * (config.sigma / sigma) ** 2 * math.prod(map(_transmission, config.through))
        return Spot(
            self._pixels(config.axis_x),
            self._pixels(config.axis_y),
            sigma,
            sigma,
            peak,
            self._slit(config.gap_x, config.offset_x),
            self._slit(config.gap_y, config.offset_y),
        )

    def _pixels(self, axis: Any) -> float:
        return axis.position * self.config.pixels_per_unit if axis is not None else 0.0

    def _slit(self, gap: Any, offset: Any) -> tuple[float, float]:
        if gap is None:
            return -math.inf, math.inf
        middle, half = self._pixels(offset), abs(self._pixels(gap)) / 2
        return middle - half, middle + half

    def _digitize(self, spot: Spot) -> NDArray[Any]:
        image = self._model.image(spot, self._settings.expo_time)
        if self.config.read_noise or self.config.offset % 1:
            np.rint(image, out=image)
        np.clip(image, 0.0, self._top, out=image)
        for x, y in self.config.dead_pixels:
            image[y, x] = 0.0
        for x, y in self.config.hot_pixels:
            image[y, x] = self._top
        return image.astype(self.sensor_dtype)

    # -- its clock --------------------------------------------------------------------------------------------------------------

    def _expose(self, nb_frames: int) -> None:
        settings, config = self._settings, self.config
        period = settings.expo_time + max(settings.latency_time, config.readout_time)
        if config.max_frame_rate:
            period = max(period, 1.0 / config.max_frame_rate)
        if self._task is None and not self._pending and nb_frames == 1 and not (period or config.latency):
            self._take_frame()
            return
        self._pending += nb_frames
        if self._task is None:
            self._task = gevent.spawn(self._run, period)

    def _run(self, period: float) -> None:
        expo_time = self._settings.expo_time
        gevent.sleep(self.config.latency)
        while self._pending:
            gevent.sleep(expo_time)
            self._take_frame()
            self._pending -= 1
            if period > expo_time:
                gevent.sleep(period - expo_time)
        self._task = None

    def _take_frame(self) -> None:
        self._spots.append(self.spot())
        self._acquired += 1
        self.notify()


def _transmission(device: Any) -> float:
    """What a shutter, or a set of filters, lets through."""
    return float(device.is_open if isinstance(device, BaseShutter) else device.transmission)
