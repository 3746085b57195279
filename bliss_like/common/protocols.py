"""`bliss.common.protocols`: what a device may offer beside its own functions."""

from bliss_like.devices.metadata import HasMetadataForDataset, HasMetadataForScan, HasMetadataForScanExclusive

__all__ = ["HasMetadataForDataset", "HasMetadataForScan", "HasMetadataForScanExclusive"]
