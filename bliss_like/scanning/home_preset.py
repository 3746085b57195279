"""Brings axes back after a scan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bliss_like.devices.axis_group import AxisGroup

from .presets import ScanPreset

if TYPE_CHECKING:
    from .scan import Scan


class HomePreset(ScanPreset):
    """Brings axes back to where they were before the scan, however it ends."""

    def __init__(self, axes: Iterable[Any]) -> None:
        self._group = AxisGroup(*axes)
        self._positions: dict[Any, float] = {}

    def places(self) -> dict[Any, float]:
        """Return where the axes are now, as far as they were told to go somewhere."""
        return {axis: axis._set_position for axis in self._group.axes.values()}

    def prepare(self, scan: Scan) -> None:
        self._positions = self.places()

    def stop(self, scan: Scan) -> None:
        has_moved = any(getattr(node.device, "has_moved", False) for node in scan.acq_chain.nodes_list)
        if self._positions and has_moved:  # else the axes are where they were, or somebody else has them
            self._group.move(self._positions)
