"""From a running scan to the store: what the engine knows of it, and the publisher that writes streams.

A single point goes out at once while the line is idle; while a round trip is under way, what arrives is gathered and
sent as one batch, the points of a channel merged into one block. Memory is bounded: whoever emits faster than the store
takes waits. Nothing is dropped, reordered or sent twice: every entry carries an explicit id, so that a batch can be sent
again after a lost connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from .events import NodeKind, WireEvent


class PointSink(Protocol):
    """Where one channel of a running scan puts its points."""

    length: int
    """Points taken so far."""

    def append(self, point: Any) -> None:
        """Take one point: a scalar, or an array of the channel's shape and dtype that nobody changes afterwards."""

    def extend(self, block: np.ndarray[Any, Any]) -> None:
        """Take consecutive points, shape (npoints, *shape), of the channel's dtype, that nobody changes afterwards."""


class Publisher(Protocol):
    """All that the scan engine knows about where the data of one scan go.

    `publish` and the sinks return at once unless the backlog is full.

    :raises PublishError: (from any call) the store has been unreachable for longer than allowed.
    """

    on_failure: Callable[[Exception], None] | None
    """Called once, at once, when publishing has failed for good: a scan that is waiting for hardware hears of it."""

    def publish(self, event: WireEvent) -> None: ...

    def open_channel(
        self, path: str, dtype: np.dtype[Any], shape: tuple[int, ...], kind: NodeKind = NodeKind.CHANNEL
    ) -> PointSink:
        """Return the sink of a channel whose NewNode was published; -1 in `shape` is a variable dimension."""

    def flush(self) -> None:
        """Return when all that was published before is stored."""

    def close(self) -> None:
        """Flush, then give everything back."""


class DataTree(Protocol):
    """The tree of nodes as the engine needs it: numbers for new scans and a publisher for each."""

    def next_scan_number(self, container: str, *, saved: bool = True) -> int:
        """Take a scan number below `container`; no two processes get the same, and a restart does not start again."""

    def open_scan(self, path: str, kind: NodeKind, info: dict[str, Any]) -> Publisher:
        """Announce a scan (and the containers above it that are not there yet) and return its publisher."""
