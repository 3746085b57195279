"""The scan that a sequence or group is: its data are references to its scans, and it is open until all of them are added.

Its nodes are `GroupingMaster:scans`, `GroupingMaster:scan_numbers` and, where there are custom channels,
`GroupingMaster:custom_channels:<name>`: the same events as of any scan, so no listener needs a special case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gevent.event import Event

from bliss_like.data.events import NodeKind
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.node import ScanNode

from .acquisition import AcquisitionMaster
from .chain import AcquisitionChain
from .channel import AcquisitionChannel
from .scan import Scan


class GroupingMaster(AcquisitionMaster):
    """Keeps its scan open until `close`; there is nothing to trigger."""

    def __init__(self) -> None:
        super().__init__(name="GroupingMaster", npoints=0)
        self.scans = AcquisitionChannel("scans", str, (), data_node_type=NodeKind.NODE_REF_CHANNEL)
        self.scan_numbers = AcquisitionChannel("scan_numbers", int, ())
        self.channels.extend([self.scans, self.scan_numbers])
        self._closed = Event()

    def start(self) -> None:
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()

    def add(self, path: str, number: int) -> None:
        """Publish a reference to a scan."""
        self.scans.emit(path)
        self.scan_numbers.emit(number)


class ScanGroup(Scan):
    """The scan of a sequence or group; it ends as the worst of its scans."""

    kind = NodeKind.SCAN_GROUP

    def __init__(
        self, chain: AcquisitionChain, title: str, scan_info: Mapping[str, Any] | None, **options: Any
    ) -> None:
        name = re.sub(r"[:{}\s]+", "_", title)
        super().__init__(chain, name, {**(scan_info or {}), "title": title, "is_scan_sequence": True}, **options)
        self.with_metadata = False
        self.subscan_states: list[ScanState] = []
        self.scans: list[Scan | ScanNode] = []
        """Its scans, so far."""

    def final_state(self, error: BaseException | None) -> ScanState:
        return max([super().final_state(error), *self.subscan_states])

    def pause(self) -> None:
        """Hold those of its scans that run, and the next one before it begins."""
        super().pause()
        for scan in self.scans:
            if isinstance(scan, Scan):
                scan.pause()

    def resume(self) -> None:
        super().resume()
        for scan in self.scans:
            if isinstance(scan, Scan):
                scan.resume()
