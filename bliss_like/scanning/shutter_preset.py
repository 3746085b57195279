"""A shutter that scans open: for each point, so that nothing is irradiated while motors move, or for the whole scan.

DEFAULT_CHAIN.add_preset(ShutterPreset(fast_shutter))                      # every standard scan from now on
scan.acq_chain.add_preset(ShutterPreset(fast_shutter, each="scan"))        # this scan
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bliss_like.devices.shutter import BaseShutter
from bliss_like.errors import ScanUsageError

from .chain import AcquisitionChain
from .presets import ChainIterationPreset, ChainPreset


class ShutterPreset(ChainPreset):
    """Opens a shutter before the devices count, closes it when they have, and at the end, however it comes."""

    def __init__(self, shutter: BaseShutter, each: Literal["point", "scan"] = "point") -> None:
        if each not in ("point", "scan"):
            raise ScanUsageError(f"ShutterPreset: each: expected 'point' or 'scan', got {each!r}")
        self.shutter = shutter
        self.each = each

    def get_iterator(self, chain: AcquisitionChain) -> Iterator[ChainIterationPreset] | None:
        return self._points() if self.each == "point" else None

    def _points(self) -> Iterator[ChainIterationPreset]:
        point = _Point(self.shutter)
        while True:
            yield point

    def start(self, chain: AcquisitionChain) -> None:
        if self.each == "scan":
            self.shutter.open()

    def stop(self, chain: AcquisitionChain) -> None:
        self.shutter.close()

    def __repr__(self) -> str:
        return f"ShutterPreset({self.shutter.name}, each={self.each!r})"


class _Point(ChainIterationPreset):
    """Called when the motors are there, and again when all has been read."""

    def __init__(self, shutter: BaseShutter) -> None:
        self._shutter = shutter

    def start(self) -> None:
        self._shutter.open()

    def stop(self) -> None:
        self._shutter.close()
