"""The keys that YAML has for every camera: its regions of interest, and what its groups of attributes are at first."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from bliss_like.config.models import ObjectConfig, StrictModel
from bliss_like.devices.counter_controller import CounterControllerConfig

from .groups import SavingFormat, SavingMode
from .rois import roi_of

Pixels = Annotated[int, Field(ge=1)]


class ImageKeys(StrictModel):
    """How an image is made of a frame of the sensor, in this order."""

    binning: list[Pixels] = Field(default=[1, 1], min_length=2, max_length=2, description="[x, y]")
    flip: list[bool] = Field(
        default=[False, False], min_length=2, max_length=2, description="[left to right, up to down]"
    )
    rotation: Literal[0, 90, 180, 270] = Field(default=0, description="degrees, clockwise")
    roi: list[int] = Field(default=[], max_length=4, description="[x, y, width, height]; [] for all")

    @field_validator("roi")
    @classmethod
    def _is_box(cls, roi: list[int]) -> list[int]:
        if roi and (len(roi) != 4 or min(roi[:2]) < 0 or min(roi[2:]) < 1):
            raise ValueError(f"expected [x, y, width, height] in pixels, got {roi}")
        return roi


class AcquisitionKeys(StrictModel):
    """What holds where a scan says nothing else."""

    trigger_mode: str = Field(
        default="", serialization_alias="_trigger_mode", description="one of `available_triggers`"
    )
    expo_time: float = Field(default=0.1, ge=0, allow_inf_nan=False, description="seconds")
    latency_time: float = Field(
        default=0, ge=0, allow_inf_nan=False, description="seconds between two frames, at least"
    )
    nb_frames: int = Field(default=1, ge=1, description="of take()")


class AccumulationKeys(StrictModel):
    """Of the acquisition mode ACCUMULATION."""

    nb_frames: int = Field(default=0, ge=0, description="exposures in an image; 0: as many as max_expo_time asks for")
    max_expo_time: float = Field(default=1, gt=0, allow_inf_nan=False, description="seconds of one exposure, at most")


class SavingKeys(StrictModel):
    """Files of images."""

    mode: SavingMode = SavingMode.ONE_FILE_PER_SCAN
    file_format: SavingFormat = SavingFormat.HDF5
    frames_per_file: int = Field(default=100, ge=1, description="of ONE_FILE_PER_N_FRAMES")
    max_file_size_in_MB: float = Field(  # noqa: N815  its name in BLISS
        default=500, gt=0, allow_inf_nan=False, description="of SPECIFY_MAX_FILE_SIZE"
    )


class ProcessingKeys(StrictModel):
    """What is done to every image; each but the switches is the file of an image, or its URI."""

    use_background: bool = False
    background: str = ""
    use_flatfield: bool = False
    flatfield: str = ""
    use_mask: bool = False
    mask: str = ""


class CameraConfig(CounterControllerConfig):
    """The keys that every camera has. What is set at the prompt is kept, and wins over them."""

    rois: dict[str, list[float]] = Field(
        default_factory=dict,
        description="regions of interest that are there at first: x, y, width, height; or cx, cy, r1, r2, a1, a2 of an arc",
    )
    image: ImageKeys | None = None
    acquisition: AcquisitionKeys | None = None
    accumulation: AccumulationKeys | None = None
    saving: SavingKeys | None = None
    processing: ProcessingKeys | None = None

    @field_validator("rois")
    @classmethod
    def _are_rois(cls, rois: dict[str, list[float]]) -> dict[str, list[float]]:
        for name, values in rois.items():
            roi_of(name, values)
        return rois


def first_values(config: ObjectConfig, group: str) -> dict[str, Any]:
    """Return what YAML says of a group of attributes, by the names under which they are kept."""
    keys = getattr(config, group, None)
    return keys.model_dump(mode="json", exclude_unset=True, by_alias=True) if isinstance(keys, StrictModel) else {}
