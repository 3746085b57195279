"""`bliss.common.counter`: counters."""

from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    SamplingCounter,
    SamplingCounterStatistics,
    SamplingMode,
)
from bliss_like.devices.soft_counter import SoftCounter

__all__ = [
    "Counter",
    "IntegratingCounter",
    "SamplingCounter",
    "SamplingCounterStatistics",
    "SamplingMode",
    "SoftCounter",
]
