"""`bliss.common.protocols`: what a device may offer beside its own functions."""

from bliss_like.devices.counter_namespace import CounterContainer, counter_namespace
from bliss_like.devices.metadata import HasMetadataForDataset, HasMetadataForScan, HasMetadataForScanExclusive

__all__ = [
    "CounterContainer",
    "HasMetadataForDataset",
    "HasMetadataForScan",
    "HasMetadataForScanExclusive",
    "counter_namespace",
]
