"""Acquisition of a 2D detector: it is prepared once where it can be, and its frames are worked on as they come.

The master makes the detector expose. What hangs below it (regions of interest, the position of the beam) is calculated
from the same frames, block by block, beside the scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from bliss_like.data.images import ImageReference
from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import full_name_of
from bliss_like.errors import ChainError

from ..channel import AcquisitionChannel, Array
from ..tolerance import FAILURES, Tolerance, nothing_for
from . import AcquisitionMaster, AcquisitionSlave, TriggerType
from .image_channel import ImageChannel

SOFTWARE_TRIGGERS = ("INTERNAL_TRIGGER", "INTERNAL_TRIGGER_MULTI")
ONE_TRIGGER_A_FRAME = ("INTERNAL_TRIGGER_MULTI", "EXTERNAL_TRIGGER_MULTI", "EXTERNAL_GATE", "EXTERNAL_START_STOP")
ACQ_MODES = ("SINGLE", "ACCUMULATION")


def default_camera_parameters(
    triggers: Sequence[str], scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of a camera's acquisition in a standard scan.

    :param triggers: the trigger modes that the camera has.
    :param acq_params: what the user wants otherwise.
    """
    known = dict(acq_params)
    multi = "INTERNAL_TRIGGER_MULTI"
    mode = known.setdefault("acq_trigger_mode", multi if multi in triggers else "INTERNAL_TRIGGER")
    once = known.setdefault("prepare_once", mode in ONE_TRIGGER_A_FRAME)
    known.setdefault("start_once", mode in ONE_TRIGGER_A_FRAME)
    if known.get("acq_expo_time") is None:
        known["acq_expo_time"] = scan_params.get("count_time")
    if known.get("acq_nb_frames") is None:
        known["acq_nb_frames"] = scan_params.get("npoints", 1) if once else 1
    known.setdefault("acq_mode", "SINGLE")
    return known


class FrameSlave(AcquisitionSlave):
    """Emits what its controller calculates from frames: `controller.values_of(frames, counters)`."""

    def __init__(self, *devices: Any, **kwargs: Any) -> None:
        super().__init__(*devices, **{"prepare_once": True, "start_once": True, **kwargs})
        self._calculate: Any = None

    def prepare_frames(self, exposure_time: float) -> None:
        """Get ready for frames; called by the master whenever it is prepared: what was there the first time holds."""
        self._calculate = self._calculate or self.device.calculation(tuple(self._counters), exposure_time)

    def accept_frames(self, frames: Array) -> None:
        """:param frames: shape (n, height, width)."""
        for values, (counter, channels) in zip(self._calculate(frames), self._counters.items(), strict=True):
            channels[0].emit(counter.conversion_function(values) if counter.is_converted else values)

    def emit_nothing(self, nframes: int) -> None:
        """Emit points that stand for frames that did not come."""
        for channel in self.channels:
            for _ in range(nframes):
                channel.emit_point(nothing_for(channel))


class _Saver(Protocol):
    def write(self, frames: Array) -> Sequence[ImageReference]: ...
    def close(self) -> None: ...


class CameraAcquisitionMaster(AcquisitionMaster):
    """Makes a camera take frames, and hands them on to its image channel and to what hangs below it.

    :param acq_expo_time: seconds of one frame.
    :param acq_nb_frames: with each preparation; 0 for no end.
    :param acq_trigger_mode: one of the camera's `available_triggers`.
    :param acq_mode: SINGLE, or ACCUMULATION: long exposures are made of several short ones.
    :param latency_time: seconds between two frames, at least.
    :param wait_frame_id: of each iteration, the frame that has to be there before the next one begins.
    :param saving_mode, saving_format, saving_frame_per_file: instead of those of `camera.saving`.
    :raises ChainError: one of them is wrong; nothing was done yet.
    """

    def __init__(
        self,
        device: Any,
        *,
        acq_expo_time: float | None = None,
        acq_nb_frames: int = 1,
        acq_trigger_mode: str = "INTERNAL_TRIGGER",
        acq_mode: str = "SINGLE",
        latency_time: float = 0.0,
        wait_frame_id: Iterable[int] | None = None,
        saving_mode: str | None = None,
        saving_format: str | None = None,
        saving_frame_per_file: int | None = None,
        prepare_once: bool = False,
        start_once: bool = False,
        ctrl_params: Mapping[str, Any] | None = None,
        count_time: float | None = None,
        npoints: int | None = None,
    ) -> None:
        self.acq_expo_time = _expo_time(device, acq_expo_time if acq_expo_time is not None else count_time)
        self.acq_nb_frames = _whole(device, "acq_nb_frames", acq_nb_frames, 0)
        self.acq_trigger_mode = _one_of(device, "acq_trigger_mode", acq_trigger_mode, device.available_triggers)
        if self.acq_trigger_mode == "INTERNAL_TRIGGER":
            _whole(device, "acq_nb_frames", acq_nb_frames, 1)
        self.acq_mode = _one_of(device, "acq_mode", acq_mode, ACQ_MODES)
        self.latency_time = _not_negative(device, "latency_time", latency_time)
        self.saving = device.saving.parameters(saving_mode, saving_format, saving_frame_per_file)
        self._wait_frame_id = None if wait_frame_id is None else list(wait_frame_id)
        self._may_save, self._wants_saving = False, saving_mode is not None
        self._directory = self._prefix = ""
        self._exposure: Any = None
        self._saver: _Saver | None = None
        self._niterations = self._ntriggered = 0
        self._nexpected = self._ncame = 0
        self._is_lost = False
        self.tolerance = Tolerance(device, lambda: f"camera {device.name!r}")
        is_software = acq_trigger_mode in SOFTWARE_TRIGGERS
        super().__init__(
            device,
            npoints=self.acq_nb_frames,
            trigger_type=TriggerType.SOFTWARE if is_software else TriggerType.HARDWARE,
            prepare_once=prepare_once,
            start_once=start_once,
            ctrl_params=ctrl_params,
        )

    def init(self, devices: tuple[Any, ...]) -> tuple[Any, tuple[Counter, ...]]:
        return devices[0], ()

    def _do_add_counter(self, counter: Counter) -> None:
        self._add_channel(
            counter, ImageChannel(full_name_of(counter), counter.data_dtype, counter.shape, unit=counter.unit)
        )

    @property
    def comes_late(self) -> bool:
        return True

    def point_by_point(self) -> None:
        super().point_by_point()
        if self.acq_trigger_mode in ONE_TRIGGER_A_FRAME:
            self.acq_nb_frames = 1

    @property
    def image_channels(self) -> list[ImageChannel]:
        return [channel for channel in self.channels if isinstance(channel, ImageChannel)]

    # -- saving

    def set_image_saving(
        self, directory: str | None, prefix: str | None, force_no_saving: bool = False, asked: bool = False
    ) -> None:
        self._directory, self._prefix = directory or "", prefix or ""
        wanted = bool(self.image_channels) or asked or self._wants_saving
        self._may_save = wanted and not force_no_saving and self.saving.writes_files
        for counter, channels in self._counters.items():
            for channel in channels:
                if isinstance(channel, ImageChannel):
                    dtype = self.device.image_dtype(self.acq_mode == "ACCUMULATION")
                    channel.set_frame(float if counter.is_converted else dtype, counter.shape)
                    channel.is_saved = self._may_save

    # -- verbs

    # Of a camera that is not critical, a failure is borne: what is calculated from the frames that do not come then is NaN, and
    # the images end with the last one that came.

    def prepare(self) -> None:
        self._attempt(self._prepare)

    def start(self) -> None:
        self._attempt(lambda: self._exposure.start())
        if self.parent is None:
            self.trigger()

    def trigger(self) -> None:
        """Take one frame, or all of them, as the trigger mode is; return when they are exposed."""
        self.trigger_slaves()
        if self.trigger_type is TriggerType.SOFTWARE:
            number = 1 if self.acq_trigger_mode in ONE_TRIGGER_A_FRAME else self.acq_nb_frames
            self._ntriggered += number
            self._nexpected += number
            self._attempt(self._expose)
        self.wait_slaves()
        self._fill()

    def trigger_ready(self) -> bool:
        return self._is_lost or self._exposure is None or self._exposure.is_ready

    def wait_ready(self) -> None:
        self._attempt(self._wait_ready)
        self._fill()

    def wait_end(self) -> None:
        self._attempt(self._wait_end)
        if self.trigger_type is TriggerType.HARDWARE:
            self._nexpected = max(self._nexpected, self.acq_nb_frames)
        self._fill()

    def _attempt(self, call: Callable[[], object]) -> None:
        """:raises BaseException: what the call raised, if the camera is critical."""
        if self._is_lost:
            return
        try:
            call()
        except FAILURES as error:
            self._lose(error)

    def _lose(self, error: BaseException) -> None:
        self.tolerance.note(error, 0.0)
        self._is_lost = True
        self._fill()

    def _fill(self) -> None:
        """Of a camera that is lost, emit what stands for frames that do not come any more."""
        missing = self._nexpected - self._ncame
        if self._is_lost and missing > 0:
            self._ncame += missing
            for slave in self.slaves:
                if isinstance(slave, FrameSlave):
                    slave.emit_nothing(missing)

    def _prepare(self) -> None:
        if self._saver is None and self._may_save:
            self._saver = self.device.open_saver(self._directory, self._prefix, self.saving, self.acq_expo_time)
        for slave in self.slaves:
            if isinstance(slave, FrameSlave):
                slave.prepare_frames(self.acq_expo_time)
        if self._exposure is not None and not self._exposure.is_over:
            self._exposure.stop()
        self._ntriggered = 0
        if self._exposure is not None:
            self._exposure = self._exposure.again()
            return
        self._exposure = self.device.prepare_exposure(
            expo_time=self.acq_expo_time,
            nb_frames=self.acq_nb_frames,
            trigger_mode=self.acq_trigger_mode,
            accumulates=self.acq_mode == "ACCUMULATION",
            latency_time=self.latency_time,
            deliver=self._deliver,
            on_failure=self._tell_failure,
        )

    def _expose(self) -> None:
        self._exposure.trigger()
        self._exposure.wait_exposed(self._ntriggered)

    def _wait_ready(self) -> None:
        exposure = self._exposure
        if exposure is None or not exposure.is_started:
            return
        self._niterations += 1
        if self._wait_frame_id is not None:
            if self._niterations <= len(self._wait_frame_id):
                exposure.wait_exposed(self._wait_frame_id[self._niterations - 1] + 1)
        elif not self.prepare_once:
            exposure.wait_delivered(self.acq_nb_frames)
        elif self.trigger_type is TriggerType.SOFTWARE:
            exposure.wait_room()

    def _wait_end(self) -> None:
        if self._exposure is not None and self._exposure.is_started:
            is_software = self.trigger_type is TriggerType.SOFTWARE
            self._exposure.wait_delivered(self._ntriggered if is_software else self.acq_nb_frames)

    def stop(self) -> None:
        exposure, self._exposure = self._exposure, None
        try:
            if exposure is not None:
                self.tolerance.attempt(exposure.stop, even_resting=True)
        finally:  # not before: what was exposed is still read, and saved
            saver, self._saver = self._saver, None
            if saver is not None:
                self.tolerance.attempt(saver.close, even_resting=True)

    def _deliver(self, frames: Array) -> None:
        """Take finished frames, shape (n, height, width); files have what the channel has."""
        images = frames
        for counter in self._counters:
            if counter.is_converted:
                images = np.asarray(counter.conversion_function(frames), float)
        references = self._saver.write(images) if self._saver is not None else ()
        if self._is_lost:  # what they stand for was emitted
            return
        self._ncame += len(frames)
        for channel in self.image_channels:
            channel.emit_frames(images, references)
        for slave in self.slaves:
            if isinstance(slave, FrameSlave):
                slave.accept_frames(frames)

    def _tell_failure(self, error: BaseException) -> None:
        if not self.tolerance.is_critical and isinstance(error, FAILURES):
            self._lose(error)
        elif self._acq_on_failure is not None:
            try:
                raise error  # from here, so that its traceback says whose it is
            except BaseException as raised:  # noqa: BLE001  the scan raises it
                self._acq_on_failure(self, raised)


LimaAcquisitionMaster = CameraAcquisitionMaster
"""As BLISS calls it."""


def _expo_time(device: Any, value: Any) -> float:
    return _not_negative(device, "acq_expo_time", device.acquisition.expo_time if value is None else value)


def _not_negative(device: Any, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ChainError(f"camera {device.name}: {name}: expected seconds, at least 0, got {value!r}")
    return float(value)


def _whole(device: Any, name: str, value: Any, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ChainError(f"camera {device.name}: {name}: expected a whole number, at least {low}, got {value!r}")
    return value


def _one_of(device: Any, name: str, value: Any, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ChainError(f"camera {device.name}: {name}: expected one of {', '.join(allowed)}, got {value!r}")
    return str(value)


__all__ = [
    "AcquisitionChannel",
    "CameraAcquisitionMaster",
    "FrameSlave",
    "LimaAcquisitionMaster",
    "default_camera_parameters",
]
