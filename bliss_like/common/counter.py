"""`bliss.common.counter`: counters."""

from bliss_like.devices.calc_counter import CalcCounter
from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    SamplingCounter,
    SamplingCounterStatistics,
    SamplingMode,
)
from bliss_like.devices.soft_counter import SoftCounter

__all__ = [
    "CalcCounter",
    "Counter",
    "IntegratingCounter",
    "SamplingCounter",
    "SamplingCounterStatistics",
    "SamplingMode",
    "SoftCounter",
]
