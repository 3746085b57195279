"""Publish scans without an engine: what tests of the data layer listen to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bliss_like.data.channel_buffer import ChannelBuffer
from bliss_like.data.events import EndScan, NewNode, NodeKind, PreparedScan
from bliss_like.data.publisher import StreamPublisher
from bliss_like.data.tree import Tree

CONTAINER = "eh1:tmp:scans"


@dataclass
class PublishedScan:
    """A scan whose steps a test decides on; `sinks` are its channels by short name."""

    tree: Tree
    name: str = "loopscan"
    channels: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=lambda: {"diode": ("<f8", ())})
    kind: NodeKind = NodeKind.SCAN
    container: str = CONTAINER
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.number = self.tree.next_scan_number(self.container)
        self.path = f"{self.container}:{self.number}_{self.name}"
        info = {"name": self.name, "scan_nb": self.number, "title": self.name, "state": "PREPARING", **self.info}
        self.publisher: StreamPublisher = self.tree.open_scan(self.path, self.kind, info)
        self.publisher.publish(NewNode(f"{self.path}:timer", NodeKind.CONTAINER, {}, self.path))
        self.sinks: dict[str, ChannelBuffer] = {}
        for name, (dtype, shape) in self.channels.items():
            self.add_channel(name, dtype, shape)
        self.publisher.flush()

    def add_channel(self, name: str, dtype: str, shape: tuple[int, ...]) -> None:
        path = f"{self.path}:timer:{name}"
        kind = NodeKind.NODE_REF_CHANNEL if dtype == "<U0" else NodeKind.CHANNEL
        info = {"fullname": f"timer:{name}", "dtype": dtype, "shape": list(shape), "unit": "V"}
        self.publisher.publish(NewNode(path, kind, info, self.path))
        self.sinks[name] = self.publisher.open_channel(path, np.dtype(dtype), shape, kind)

    def prepare(self) -> PublishedScan:
        self.publisher.publish(PreparedScan(self.path, {"prepared": True}))
        return self

    def emit(self, values: Any, name: str = "diode") -> PublishedScan:
        sink = self.sinks[name]
        sink.extend(np.asarray(values, None if sink.dtype.kind == "U" else sink.dtype))
        return self

    def end(self, state: str = "DONE", error: Mapping[str, str] | None = None) -> PublishedScan:
        lengths = {sink.path: sink.length for sink in self.sinks.values()}
        self.publisher.publish(EndScan(self.path, state, lengths, {"end_time": "late"}, error or {}))
        self.publisher.close()
        return self


def run_scan(tree: Tree, npoints: int = 3, **options: Any) -> PublishedScan:
    """Publish a whole scan with one channel of `npoints` points 0, 1, 2, ..."""
    return PublishedScan(tree, **options).prepare().emit(np.arange(float(npoints))).end()
