"""`bliss.controllers.counter`: what reads counters."""

from bliss_like.devices.counter import (
    CounterController,
    IntegratingCounterController,
    SamplingCounterController,
    counter_namespace,
)

__all__ = ["CounterController", "IntegratingCounterController", "SamplingCounterController", "counter_namespace"]
