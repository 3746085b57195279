"""The keys that YAML has for multichannel analysers of any kind."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from bliss_like.config.models import StrictModel
from bliss_like.devices.counter_controller import CounterControllerConfig
from bliss_like.devices.mca_rois import Calibration, Roi


class McaCalibration(StrictModel):
    """energy in keV = offset + gain * channel."""

    offset: float = Field(default=0.0, description="keV of channel 0")
    gain: float = Field(gt=0, description="keV in one channel")


class McaRoi(StrictModel):
    """Channels from `start` up to but without `stop`, or energies from `low` to `high`."""

    start: int | None = Field(default=None, ge=0)
    stop: int | None = Field(default=None, gt=0)
    low: float | None = Field(default=None, description="keV")
    high: float | None = Field(default=None, description="keV")
    channel: int | None = Field(default=None, ge=0, description="number of an element, if it is for that one only")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, list) and len(value) == 2:
            return {"start": value[0], "stop": value[1]}
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        channels, energies = (self.start, self.stop), (self.low, self.high)
        if (None in channels) == (None in energies) or (channels != (None, None)) == (energies != (None, None)):
            raise ValueError("expected [start, stop], or start and stop, or low and high")
        return self

    def roi(self, calibration: Calibration | None) -> Roi:
        if self.start is not None and self.stop is not None:
            return Roi(self.start, self.stop, self.channel)
        if calibration is None or self.low is None or self.high is None:
            raise ValueError("low and high need a calibration")
        return Roi(round(calibration.channel(self.low)), round(calibration.channel(self.high)), self.channel)


class McaConfig(CounterControllerConfig):
    """The keys that every analyser has."""

    elements: list[int] = Field(default=[0], min_length=1, description="numbers of the elements of the detector")
    spectrum_size: int = Field(default=2048, gt=0, description="channels of a spectrum")
    calibration: McaCalibration | None = None
    rois: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], McaRoi] = Field(
        default_factory=dict, description="regions by name, each [start, stop], or {low: keV, high: keV}"
    )
    timeout: float = Field(default=10.0, gt=0, description="seconds that a point may take longer than its real time")
    max_real_time: float = Field(
        default=60.0,
        gt=0,
        description="seconds that one point may take whose end is not known before; more for live times",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.elements)) != len(self.elements) or min(self.elements) < 0:
            raise ValueError(f"elements: expected different numbers from 0, got {self.elements}")
        for name, roi in self.known_rois().items():
            if not 0 <= roi.start < roi.stop <= self.spectrum_size:
                raise ValueError(
                    f"rois: {name}: expected channels 0 <= start < stop <= {self.spectrum_size}, got {tuple(roi)}"
                )
            if roi.channel is not None and roi.channel not in self.elements:
                raise ValueError(f"rois: {name}: channel: expected one of {self.elements}, got {roi.channel}")
        return self

    def known_calibration(self) -> Calibration | None:
        return Calibration(self.calibration.offset, self.calibration.gain) if self.calibration else None

    def known_rois(self) -> dict[str, Roi]:
        return {name: roi.roi(self.known_calibration()) for name, roi in self.rois.items()}
