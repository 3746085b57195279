"""Devices that say something of themselves in every scan, or in every dataset.

A device needs no base class for it: any axis, counter or controller of a scan that has `scan_metadata()` is asked. With
`HasMetadataForScan` an object of the session is asked for every scan, whether it takes part or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from weakref import WeakSet


class HasMetadataForScan:
    """Asked by every scan of its session, as long as that is enabled."""

    _disabled_for_scans: ClassVar[WeakSet[Any]] = WeakSet()

    def scan_metadata(self) -> Mapping[str, Any] | None:
        """Return what a scan is to know of the device, JSON and numpy; None: nothing."""
        raise NotImplementedError(f"{type(self).__name__}: write scan_metadata(self), it returns a dict")

    @property
    def scan_metadata_name(self) -> str | None:
        """The name below which it stands in `scan_info["instrument"]`."""
        return getattr(self, "name", None)

    @property
    def scan_metadata_enabled(self) -> bool:
        return self not in self._disabled_for_scans

    def enable_scan_metadata(self) -> None:
        self._disabled_for_scans.discard(self)

    def disable_scan_metadata(self) -> None:
        """Let no scan ask it, until it is enabled again."""
        self._disabled_for_scans.add(self)


class HasMetadataForScanExclusive(HasMetadataForScan):
    """Asked only by scans in which it takes part."""


class HasMetadataForDataset:
    """Asked by what writes the metadata of a dataset, as long as that is enabled."""

    _disabled_for_datasets: ClassVar[WeakSet[Any]] = WeakSet()

    def dataset_metadata(self) -> Mapping[str, Any] | None:
        """Return what a dataset is to know of the device; an empty dict: nothing now, None: never anything."""
        raise NotImplementedError(f"{type(self).__name__}: write dataset_metadata(self), it returns a dict")

    def dataset_metadata_groups(self) -> list[str]:
        """Return the groups of metadata that it belongs to by itself."""
        return []

    @property
    def dataset_metadata_enabled(self) -> bool:
        return self not in self._disabled_for_datasets

    def enable_dataset_metadata(self) -> None:
        self._disabled_for_datasets.discard(self)

    def disable_dataset_metadata(self) -> None:
        self._disabled_for_datasets.add(self)


def has_scan_metadata(device: Any) -> bool:
    """Return whether a device that takes part in a scan is to be asked."""
    return callable(getattr(device, "scan_metadata", None)) and bool(getattr(device, "scan_metadata_enabled", True))


def metadata_name(device: Any) -> str:
    """Return the name below which the metadata of a device stand; empty when it has none."""
    return str(getattr(device, "scan_metadata_name", None) or getattr(device, "name", None) or "")
