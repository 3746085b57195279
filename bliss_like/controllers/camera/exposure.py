"""One prepared acquisition of a camera: its frames are read, worked on and handed over beside whoever triggers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
import numpy as np
from numpy.typing import NDArray

from bliss_like.errors import DeviceError
from bliss_like.scanning.greenlets import breathe

from .geometry import Geometry, summed_dtype

if TYPE_CHECKING:
    from .camera import Camera

Frames = NDArray[Any]
"""Shape (n, height, width)."""
MAX_BLOCK = 32 << 20
"""Bytes of frames that are read in one go."""
MAX_WAITING = 64 << 20
"""Bytes of frames that may be exposed and not yet worked on, before the next is triggered."""
GRACE = 5.0
"""Seconds that frames which are there get to be read, after the camera was stopped."""


@dataclass(frozen=True)
class AcquisitionSettings:
    """What a driver has to prepare.

    :param nb_frames: 0 for no end.
    :param expo_time: seconds of one frame.
    :param latency_time: seconds between two frames, at least.
    :param frames_per_trigger: that follow one trigger; of a gate, 1.
    """

    nb_frames: int
    expo_time: float
    latency_time: float
    trigger_mode: str
    frames_per_trigger: int


@dataclass(frozen=True)
class CameraStatus:
    """Where an acquisition is.

    :param acquired: frames that are exposed.
    :param ready: frames that can be read; all of those before too.
    :param error: what is wrong, if anything: it ends the acquisition.
    """

    acquired: int = 0
    ready: int = 0
    state: str = "Ready"
    error: str = ""


@dataclass
class FramePipeline:
    """From frames of the sensor to images: added up, put in shape, corrected.

    :param parts: frames in one image.
    :param background: subtracted, shape of the image.
    :param flatfield: divided by; its pixels that are not above 0 count as 1.
    :param mask: pixels where it is 0 become 0.
    """

    geometry: Geometry
    sensor_dtype: np.dtype[Any]
    parts: int = 1
    background: Frames | None = None
    flatfield: Frames | None = None
    mask: Frames | None = None
    dtype: np.dtype[Any] = field(init=False)
    _summed: np.dtype[Any] = field(init=False)
    _less: np.dtype[Any] = field(init=False)

    def __post_init__(self) -> None:
        number = self.parts * self.geometry.cell
        self._summed = summed_dtype(self.sensor_dtype, number) if number > 1 else self.sensor_dtype
        self._less = self._summed if self.background is None else _difference(self._summed, self.background.dtype)
        self.dtype = self._less if self.flatfield is None else np.dtype(np.float32)

    def __call__(self, raw: Frames) -> Frames:
        if self.parts > 1:
            raw = raw.reshape(-1, self.parts, *raw.shape[1:]).sum(axis=1, dtype=self._summed)
        images = self.geometry.apply(raw, self._summed)
        if self.background is not None:
            images = images.astype(self._less) - self.background.astype(self._less)
        if self.flatfield is not None:
            images = images / np.where(self.flatfield > 0, self.flatfield, 1)
        if self.mask is not None:
            images = np.where(self.mask != 0, images, 0)
        return np.ascontiguousarray(images, self.dtype)


def _difference(image: np.dtype[Any], background: np.dtype[Any]) -> np.dtype[Any]:
    """Return a dtype that has all differences of two."""
    if "f" in (image.kind, background.kind):
        return np.result_type(image, background, np.float32)
    return np.dtype(np.int32 if max(image.itemsize, background.itemsize) < 4 else np.int64)


class Exposure:
    """Runs one acquisition of a camera that is prepared for it.

    :param parts: frames in one image.
    :param deliver: called with images, shape (n, height, width), all of them once and in order.
    :param on_failure: called at once with what goes wrong beside those who wait.
    """

    def __init__(
        self,
        camera: Camera,
        settings: AcquisitionSettings,
        pipeline: FramePipeline,
        deliver: Callable[[Frames], object],
        on_failure: Callable[[BaseException], object],
    ) -> None:
        self.settings = settings
        self.is_started = False
        self.delivered = 0
        """Images that were handed over."""
        self._camera, self._pipeline = camera, pipeline
        self._deliver, self._on_failure = deliver, on_failure
        width, height = camera.fullsize
        frame = width * height * pipeline.sensor_dtype.itemsize * pipeline.parts
        self._block, self._room = max(1, MAX_BLOCK // frame), max(1, MAX_WAITING // frame)
        self._total = settings.nb_frames // pipeline.parts
        self._exposed = self._ntriggers = 0
        self._is_stopping = False
        self._failure: BaseException | None = None
        self._task: gevent.Greenlet[..., None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a trigger would be heard."""
        return self.is_started and not self._is_stopping

    @property
    def is_over(self) -> bool:
        """Whether all images were handed over."""
        return 0 < self._total <= self.delivered

    @property
    def is_busy(self) -> bool:
        """Whether the camera is needed for it still."""
        return not self._is_stopping and not self.is_over

    def again(self) -> Exposure:
        """Prepare the camera once more, and return what runs it: whatever was set since is for others."""
        self._camera.check_free()
        self._camera.prepare_acquisition(self.settings)
        again = Exposure(self._camera, self.settings, self._pipeline, self._deliver, self._on_failure)
        self._camera.take_over(again)
        return again

    def start(self) -> None:
        if not self.is_started:
            self.is_started = True
            self._camera.start_acquisition()
            self._task = gevent.spawn(self._run)

    def trigger(self) -> None:
        self._raise_failure()
        self._ntriggers += 1
        self._camera.trigger()

    def wait_exposed(self, nimages: int) -> None:
        """Return when that many images are exposed.

        :raises DeviceError: the camera has failed, or none came for too long.
        """
        self._wait(lambda: self._exposed_images() >= nimages, f"{nimages} exposed", limit=True)

    def wait_delivered(self, nimages: int) -> None:
        """Return when that many images were handed over."""
        is_triggered_here = self.settings.trigger_mode.startswith("INTERNAL")
        self._wait(lambda: self.delivered >= nimages, f"{nimages} read", limit=is_triggered_here)

    def wait_room(self) -> None:
        """Return when another image may be triggered without too many waiting in memory."""
        if self._exposed - self.delivered > self._room:
            self._wait(lambda: self._exposed - self.delivered <= self._room, "some of them read", limit=True)

    def stop(self) -> None:
        """Stop the camera; what is there is still read and handed over."""
        if self._is_stopping:
            return
        self._is_stopping = True
        try:
            if self.is_started:
                self._camera.stop_acquisition()
        finally:
            self._camera.notify()
            if self._task is not None and self._task is not gevent.getcurrent():
                self._task.join(GRACE)
                self._task.kill(block=False)

    # -- beside those who wait -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        camera = self._camera
        try:
            while not self.is_over:
                seen = camera.news
                ready = self._status().ready // self._pipeline.parts
                self._check_triggered(ready)
                if ready > self.delivered:
                    self._read(min(ready - self.delivered, self._block))
                elif self._is_stopping:
                    return
                else:
                    camera.wait_news(seen, camera.poll_period)
        except gevent.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001  those who wait raise it
            self._failure = error
            camera.notify()
            self._on_failure(error)

    def _read(self, nimages: int) -> None:
        parts, camera = self._pipeline.parts, self._camera
        raw = np.asarray(camera.read_frames(self.delivered * parts, nimages * parts))
        width, height = camera.fullsize
        if raw.shape != (nimages * parts, height, width):
            raise DeviceError(
                f"camera {camera.name}: expected {nimages * parts} frames of {height} x {width} pixels from its driver "
                f"({type(camera).__name__}.read_frames), got an array of shape {raw.shape}"
            )
        images = self._pipeline(self._checked(raw))
        camera.last_image = images[-1].copy()  # a driver may use its buffer again
        self._deliver(images)
        self.delivered += nimages
        camera.notify()
        breathe()

    def _checked(self, raw: Frames) -> Frames:
        """Return frames in the dtype that the camera has; nothing is cut off or wrapped."""
        declared = self._pipeline.sensor_dtype
        if raw.dtype == declared:
            return raw
        cast = raw.astype(declared) if raw.dtype.kind in "biuf" else None
        if cast is None or not (cast == raw).all():
            camera = self._camera
            raise DeviceError(
                f"camera {camera.name}: expected frames of {declared} from its driver, as {type(camera).__name__}.sensor_dtype "
                f"says, got {raw.dtype}, from {raw.min()} to {raw.max()}"
            )
        return cast

    def _check_triggered(self, nready: int) -> None:
        """:raises DeviceError: there are images that nobody has triggered: those of points would be mistaken for others."""
        settings = self.settings
        expected = self._ntriggers * settings.frames_per_trigger // self._pipeline.parts
        if settings.trigger_mode.startswith("INTERNAL") and nready > expected:
            raise DeviceError(
                f"camera {self._camera.name}: expected {expected} frames after {self._ntriggers} triggers, got {nready} from its "
                "driver: nobody knows to which points they belong"
            )

    def _status(self) -> Any:
        status = self._camera.status()
        if status.error:
            raise DeviceError(f"camera {self._camera.name}: {status.error}")
        return status

    # -- those who wait --------------------------------------------------------------------------------------------------

    def _exposed_images(self) -> int:
        self._exposed = self._status().acquired // self._pipeline.parts
        return self._exposed

    def _wait(self, is_there: Callable[[], bool], expected: str, limit: bool) -> None:
        camera = self._camera
        one_image = (self.settings.expo_time + self.settings.latency_time) * self._pipeline.parts
        patience = one_image + camera.timeout
        progress, deadline = (-1, -1), 0.0
        while True:
            seen = camera.news
            self._raise_failure()
            if is_there():
                return
            if self._is_stopping:
                raise DeviceError(f"camera {camera.name}: it was stopped, with {self.delivered} images read")
            now = (self._exposed, self.delivered)
            if now != progress:
                progress, deadline = now, monotonic() + patience
            elif limit and monotonic() > deadline:
                raise DeviceError(
                    f"camera {camera.name}: expected images to come ({expected}), none came for {patience:.1f} s: so far "
                    f"{self._exposed} exposed, {self.delivered} read. Is it triggered? {camera.name}.status() says how it is"
                )
            camera.wait_news(seen, camera.poll_period)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
