"""`bliss.controllers.counter`: what reads counters."""

from bliss_like.controllers.calc_counter import CalcCounterController
from bliss_like.devices.counter import (
    CounterController,
    IntegratingCounterController,
    SamplingCounterController,
    counter_namespace,
)

__all__ = [
    "CalcCounterController",
    "CounterController",
    "IntegratingCounterController",
    "SamplingCounterController",
    "counter_namespace",
]
