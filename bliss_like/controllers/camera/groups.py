"""What a user sets of a camera, in groups of attributes: `cam.saving.mode = "ONE_FILE_PER_SCAN"`.

All of it is kept over sessions; a wrong value is refused with what is expected, and changes nothing.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from bliss_like.config.settings.properties import ObjectSettings, property_setting
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import ChainError, UsageError

from .geometry import ROTATIONS, Box, Geometry, clipped

if TYPE_CHECKING:
    from .camera import Camera


E = TypeVar("E", bound=enum.StrEnum)


class SavingMode(enum.StrEnum):
    """How images are put into files."""

    ONE_FILE_PER_SCAN = "ONE_FILE_PER_SCAN"
    ONE_FILE_PER_N_FRAMES = "ONE_FILE_PER_N_FRAMES"
    ONE_FILE_PER_FRAME = "ONE_FILE_PER_FRAME"
    SPECIFY_MAX_FILE_SIZE = "SPECIFY_MAX_FILE_SIZE"
    MANUAL = "MANUAL"
    NOSAVING = "NOSAVING"


class SavingFormat(enum.StrEnum):
    """Of files; the suffix follows from it."""

    HDF5 = "HDF5"
    EDF = "EDF"

    @property
    def suffix(self) -> str:
        return ".h5" if self is SavingFormat.HDF5 else ".edf"


@dataclass(frozen=True)
class SavingParameters:
    """How one scan saves images."""

    mode: SavingMode
    file_format: SavingFormat
    frames_per_file: int
    max_file_size: float
    """MB"""

    @property
    def writes_files(self) -> bool:
        return self.mode not in (SavingMode.MANUAL, SavingMode.NOSAVING)

    def frames_in_a_file(self, frame_bytes: int) -> int | None:
        """Return how many images a file gets; None for all of a scan."""
        match self.mode:
            case SavingMode.ONE_FILE_PER_FRAME:
                return 1
            case SavingMode.ONE_FILE_PER_N_FRAMES:
                return self.frames_per_file
            case SavingMode.SPECIFY_MAX_FILE_SIZE:
                return max(1, int(self.max_file_size * 1e6) // max(1, frame_bytes))
        return None


class Group:
    """Attributes of a camera that belong together and are kept."""

    title = ""
    shown: tuple[str, ...] = ()

    def __init__(self, camera: Camera, settings: ObjectSettings) -> None:
        self._camera = camera
        self.settings = settings

    def __setattr__(self, name: str, value: Any) -> None:
        """:raises AttributeError: there is nothing of that name to set: else a slip of the pen would go unnoticed."""
        if not name.startswith("_") and name != "settings" and not hasattr(type(self), name):
            raise AttributeError(
                f"{self.name} has no {name!r}{did_you_mean(name, self.shown)}; there are: {', '.join(self.shown)}"
            )
        object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        return f"{self._camera.name}.{self.title}"

    def reset(self) -> None:
        """Forget all that was set."""
        self.settings.clear()

    def to_dict(self) -> dict[str, Any]:
        return {key: _plain(getattr(self, key)) for key in self.shown}

    def __info__(self) -> str:
        return "\n".join([self.name, *(f"  {key:<21}{value}".rstrip() for key, value in self.to_dict().items())])

    def _refuse(self, attribute: str, expected: str, value: object) -> UsageError:
        return UsageError(f"{self.name}.{attribute}: expected {expected}, got {value!r}; nothing was changed")


class CameraSaving(Group):
    """`cam.saving`: files of images."""

    title = "saving"
    shown = ("mode", "file_format", "frames_per_file", "max_file_size_in_MB")
    SavingMode = SavingMode

    mode = property_setting(default=SavingMode.ONE_FILE_PER_SCAN, type=SavingMode, doc="One of SavingMode.")
    file_format = property_setting(default=SavingFormat.HDF5, type=SavingFormat, doc="HDF5 or EDF.")

    @property_setting(default=100, type=int)
    def frames_per_file(self, value: int) -> None:
        """Of the mode ONE_FILE_PER_N_FRAMES."""
        if value < 1:
            raise self._refuse("frames_per_file", "at least 1", value)

    @property_setting(default=500.0, type=float)
    def max_file_size_in_MB(self, value: float) -> None:  # noqa: N802  its name in BLISS
        """Of the mode SPECIFY_MAX_FILE_SIZE; a file has one image at least."""
        if not 0 < value < float("inf"):
            raise self._refuse("max_file_size_in_MB", "megabytes, more than 0", value)

    @property
    def available_saving_modes(self) -> list[str]:
        return [str(mode) for mode in SavingMode]

    @property
    def available_saving_formats(self) -> list[str]:
        return [str(file_format) for file_format in SavingFormat]

    def parameters(
        self, mode: str | None = None, file_format: str | None = None, frames_per_file: int | None = None
    ) -> SavingParameters:
        """Return how to save, with something else for one scan.

        :raises ChainError: there is no such mode or format.
        """
        number = self.frames_per_file if frames_per_file is None else frames_per_file
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ChainError(f"camera {self._camera.name}: saving_frame_per_file: expected at least 1, got {number!r}")
        return SavingParameters(
            self._member(SavingMode, "saving_mode", self.mode if mode is None else mode),
            self._member(SavingFormat, "saving_format", self.file_format if file_format is None else file_format),
            number,
            self.max_file_size_in_MB,
        )

    def _member(self, kind: type[E], key: str, value: Any) -> E:
        try:
            return kind(value)
        except ValueError:
            expected = ", ".join(kind)
            raise ChainError(f"camera {self._camera.name}: {key}: expected one of {expected}, got {value!r}") from None

    def write_image(self, directory: str, prefix: str | None = None) -> str:
        """Write the newest image into a new file, as the mode MANUAL wants it; return the name of the file."""
        return self._camera.write_last_image(directory, prefix)


class CameraAcquisition(Group):
    """`cam.acquisition`: what holds where a scan says nothing else."""

    title = "acquisition"
    shown = ("trigger_mode", "expo_time", "latency_time", "nb_frames")

    @property_setting(default=0.1, type=float)
    def expo_time(self, value: float) -> None:
        """Seconds of one frame, where nobody gives a count time."""
        if not 0 <= value < float("inf"):
            raise self._refuse("expo_time", "seconds, at least 0", value)

    @property_setting(default=0.0, type=float)
    def latency_time(self, value: float) -> None:
        """Seconds between two frames, at least."""
        if not 0 <= value < float("inf"):
            raise self._refuse("latency_time", "seconds, at least 0", value)

    @property_setting(default=1, type=int)
    def nb_frames(self, value: int) -> None:
        """Of `cam.take()`."""
        if value < 1:
            raise self._refuse("nb_frames", "at least 1", value)

    @property_setting(default="", type=str)
    def _trigger_mode(self, value: str) -> None:
        if value and value not in self._camera.available_triggers:
            raise self._refuse("trigger_mode", f"one of {', '.join(self._camera.available_triggers)}", value)

    @property
    def trigger_mode(self) -> str:
        """How frames are triggered in scans that say nothing else: one of `cam.available_triggers`."""
        triggers = self._camera.available_triggers
        multi = "INTERNAL_TRIGGER_MULTI"
        return self._trigger_mode or (multi if multi in triggers else triggers[0])

    @trigger_mode.setter
    def trigger_mode(self, value: str) -> None:
        self._trigger_mode = value

    @property
    def status(self) -> str:
        return self._camera.status().state


class CameraAccumulation(Group):
    """`cam.accumulation`: of the acquisition mode ACCUMULATION, in which an image is the sum of several exposures."""

    title = "accumulation"
    shown = ("nb_frames", "max_expo_time")

    @property_setting(default=0, type=int)
    def nb_frames(self, value: int) -> None:
        """How many exposures make an image; 0: as many as `max_expo_time` asks for."""
        if value < 0:
            raise self._refuse("nb_frames", "at least 0", value)

    @property_setting(default=1.0, type=float)
    def max_expo_time(self, value: float) -> None:
        """Seconds of one exposure, at most: longer ones are split into equal parts."""
        if not 0 < value < float("inf"):
            raise self._refuse("max_expo_time", "seconds, more than 0", value)

    def split(self, expo_time: float) -> tuple[int, float]:
        """Return how many exposures make an image, and how many seconds each takes."""
        parts = self.nb_frames or max(1, -int(-expo_time // self.max_expo_time))
        return parts, expo_time / parts


class CameraProcessing(Group):
    """`cam.processing`: what is done to every image, in the order background, flat field, mask."""

    title = "processing"
    shown = ("use_background", "background", "use_flatfield", "flatfield", "use_mask", "mask")

    use_background = property_setting(default=False, type=bool, doc="Subtract an image that was taken without beam.")
    use_flatfield = property_setting(default=False, type=bool, doc="Divide by what the camera makes of an even light.")
    use_mask = property_setting(default=False, type=bool, doc="Set pixels to 0 where the mask is 0.")

    @property_setting(default="", type=str)
    def background(self, value: str) -> None:
        """File of an image, or its URI; `cam.take_dark(...)` makes one."""
        self._check("background", value)

    @property_setting(default="", type=str)
    def flatfield(self, value: str) -> None:
        """File of an image, or its URI."""
        self._check("flatfield", value)

    @property_setting(default="", type=str)
    def mask(self, value: str) -> None:
        """File of an image, or its URI."""
        self._check("mask", value)

    def _check(self, attribute: str, value: str) -> None:
        if value and not value.startswith("file:") and not os.path.isfile(value):
            raise self._refuse(attribute, "the name of a file that is there", value)


class ImageSettings(Group):
    """What is kept of `cam.image`: binning, flip, rotation and region."""

    title = "image"
    shown = ("binning", "flip", "rotation", "roi")
    _binning = property_setting("binning", default=[1, 1], type=list)
    _flip = property_setting("flip", default=[False, False], type=list)
    _rotation = property_setting("rotation", default=0, type=int)
    _roi = property_setting("roi", default=[], type=list)

    @property
    def geometry(self) -> Geometry:
        """How images are made of frames of the sensor."""
        return Geometry(
            self._camera.fullsize,
            (int(self._binning[0]), int(self._binning[1])),
            (bool(self._flip[0]), bool(self._flip[1])),
            self._rotation,
            tuple(self._roi) if self._roi else None,
        )

    @property
    def binning(self) -> list[int]:
        """Pixels of the sensor in one of the image: [x, y]."""
        return list(self.geometry.binning)

    @binning.setter
    def binning(self, value: Sequence[int]) -> None:
        width, height = self._camera.fullsize
        fits = _are_whole(value, 2) and 1 <= value[0] <= width and 1 <= value[1] <= height
        if not fits:
            raise self._refuse("binning", f"[x, y], from 1 to {width} and {height}", value)
        self._change(self.geometry.changed(binning=(int(value[0]), int(value[1]))))

    @property
    def flip(self) -> list[bool]:
        """[left to right, up to down]"""
        return list(self.geometry.flip)

    @flip.setter
    def flip(self, value: Sequence[bool]) -> None:
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(each in (0, 1) for each in value):
            raise self._refuse("flip", "[left to right, up to down], each True or False", value)
        self._change(self.geometry.changed(flip=(bool(value[0]), bool(value[1]))))

    @property
    def rotation(self) -> int:
        """Degrees, clockwise: 0, 90, 180, 270."""
        return self.geometry.rotation

    @rotation.setter
    def rotation(self, value: int | str) -> None:
        degrees = {"NONE": 0, **{str(each): each for each in ROTATIONS}}.get(str(value))
        if degrees is None:
            raise self._refuse("rotation", "0, 90, 180 or 270 degrees", value)
        self._change(self.geometry.changed(rotation=degrees))

    @property
    def roi(self) -> Box:
        """What is cut out: (x, y, width, height) of the image that binning, flip and rotation make."""
        geometry = self.geometry
        return geometry.roi or (0, 0, *geometry.full_size)

    @roi.setter
    def roi(self, value: Sequence[int] | None) -> None:
        geometry = self.geometry
        width, height = geometry.full_size
        all_of_it = (0, 0, width, height)
        given: Any = all_of_it if value is None else value
        box = tuple(int(each) for each in given) if _are_whole(given, 4) else ()
        box = all_of_it if box == (0, 0, 0, 0) else box
        if not box or min(box[2:]) < 1 or clipped(box, (width, height)) != box:  # type: ignore[arg-type]
            raise self._refuse("roi", f"(x, y, width, height) inside {width} x {height} pixels, or None", value)
        self._change(replace(geometry, roi=None if box == all_of_it else box))

    def reset_roi(self) -> None:
        self.roi = None

    def reset(self) -> None:
        self._change(Geometry(self._camera.fullsize))

    def _change(self, new: Geometry) -> None:
        old = self.geometry
        if new.roi is not None and min(new.roi[2:]) < 1:
            raise UsageError(
                f"{self.name}: nothing would be left of roi {old.roi}; set {self.name}.roi = None first; nothing was changed"
            )
        self.settings.update(
            binning=list(new.binning), flip=list(new.flip), rotation=new.rotation, roi=list(new.roi or ())
        )
        self._camera.geometry_changed(old, new)


def _are_whole(values: Any, number: int) -> bool:
    try:
        return len(values) == number and all(int(each) == each and not isinstance(each, bool) for each in values)
    except (TypeError, ValueError):
        return False


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, enum.Enum) else value
