"""Multichannel analysers: 1D detectors that deliver a spectrum of each element, and how long it was alive.

A driver derives from `BaseMCA`; the names are those of BLISS.
"""

from __future__ import annotations

from bliss_like.controllers.mca.base import BaseMCA
from bliss_like.controllers.mca.config import McaConfig
from bliss_like.devices.mca import (
    AcquisitionMode,
    Brand,
    DetectorType,
    McaData,
    McaSetup,
    PresetMode,
    RoiMcaCounter,
    RoiSumMcaCounter,
    SpectrumMcaCounter,
    StatisticsMcaCounter,
    Stats,
    TriggerMode,
)
from bliss_like.devices.mca_rois import Calibration, Roi, Rois

__all__ = [
    "AcquisitionMode",
    "BaseMCA",
    "Brand",
    "Calibration",
    "DetectorType",
    "McaConfig",
    "McaData",
    "McaSetup",
    "PresetMode",
    "Roi",
    "RoiMcaCounter",
    "RoiSumMcaCounter",
    "Rois",
    "SpectrumMcaCounter",
    "StatisticsMcaCounter",
    "Stats",
    "TriggerMode",
]
