"""The data of a scan by the counters and axes that gave them, as well as by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bliss_like.data.scan_data import Readable, ScanData
from bliss_like.devices.counter import Counter
from bliss_like.devices.naming import full_name_of, original_channel_name

from .acquisition import AcquisitionObject
from .chain import AcquisitionChain


class DeviceData(ScanData):
    """The data of a scan, also by the counters and axes that gave them."""

    def __init__(self, channels: Mapping[str, Readable], chain: AcquisitionChain) -> None:
        super().__init__(channels)
        self._nodes: list[AcquisitionObject] = chain.nodes_list
        # An alias may have come or gone since.
        self._names_then = {c.original_name: c.fullname for node in self._nodes[::-1] for c in node.channels}

    def find(self, key: Any) -> str:
        if isinstance(key, str):
            return super().find(key)
        if isinstance(key, Counter):
            for node in self._nodes:
                if key in node._counters:
                    return node._counters[key][0].fullname
            return super().find(full_name_of(key))
        if hasattr(key, "wait_move"):
            return super().find(self._names_then.get(original_channel_name(key)) or full_name_of(key))
        raise KeyError(f"expected a counter, an axis or a name, got {key!r}; there are {', '.join(self)}")


class Streams(DeviceData):
    """The channels of a scan, by the counters, axes and names that `get_data` takes."""

    def __getitem__(self, key: Any) -> Any:
        return self._channels[self.find(key)]
