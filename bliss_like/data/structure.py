"""What is known of one scan but its points: a fold over its structure stream."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.errors import DataError, NodeNotFound

from . import paths
from .channel_buffer import ENTRY_BYTES
from .codec import Array, Fields, StructureEvent, decode_event, decode_points
from .events import EndScan, NewNode, PreparedScan, ScanInfoUpdate
from .scan_info import merged
from .store import FIRST, Entry, Id, StreamStore

if TYPE_CHECKING:
    from .saved_store import SavedStore

_SILENCE = 5.0
"""Seconds without news after which it is looked whether a scan is still there."""


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """What a reader must know to decode the points of a channel."""

    path: str
    key: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, node: NewNode) -> ChannelSpec:
        """Read it from the NewNode of a channel.

        :raises DataError: the node does not say dtype and shape.
        """
        try:
            dtype, shape = np.dtype(node.info["dtype"]), tuple(node.info["shape"])
        except (KeyError, TypeError) as error:
            raise DataError(
                f"channel {node.path}: expected dtype and shape in its info, got {dict(node.info)}"
            ) from error
        return cls(node.path, paths.data(node.path, node.scan), dtype, shape)

    @property
    def entry_size(self) -> int:
        """About how many bytes an entry of the stream may have: small arrays are gathered in one."""
        return max(self.point_bytes, ENTRY_BYTES) if self.shape else self.point_bytes

    @property
    def point_bytes(self) -> int:
        """About how many bytes a point has; a variable dimension counts as a thousand."""
        return self.dtype.itemsize * math.prod(1000 if size < 0 else size for size in self.shape)

    def decode(self, fields: Fields, npoints: int) -> Array:
        return decode_points(fields, npoints, self.dtype, self.shape)

    def no_points(self) -> Array:
        """Return an empty block; a variable dimension is empty too."""
        return np.empty((0, *(max(size, 0) for size in self.shape)), self.dtype)


class ScanStructure:
    """Nodes, info and state of one scan, as far as they were published when last refreshed."""

    def __init__(self, store: StreamStore, path: str) -> None:
        self.path = path
        self.scan: NewNode | None = None
        self.nodes: dict[str, NewNode] = {}
        """Masters and channels by db_name, in the order of their publication."""
        self.info: dict[str, Any] = {}
        self.prepared = False
        self.end: EndScan | None = None
        self.cursor: Id = FIRST
        self._store = store
        self._saved: SavedStore | None = None
        self._heard = time.monotonic()

    def refresh(self) -> ScanStructure:
        """Read what was published since the last time; all of it from the file of the scan, when its time is over.

        :raises NodeNotFound: the scan is not in the store: it never was, or its time is over and it was not saved.
        """
        if self.end is None:
            self._read(self._store)
        if self.scan is None or (self.end is None and self._has_gone()):
            self._read_saved()
        if self.scan is None:
            raise self._missing()
        return self

    def _read(self, store: StreamStore) -> None:
        entries = store.read({paths.scan(self.path): self.cursor}, count=100_000)
        for entry_id, fields in entries.get(paths.scan(self.path), ()):
            self.cursor = entry_id
            self.accept(decode_event(fields))
            self._heard = time.monotonic()

    def _has_gone(self) -> bool:
        """Whether a scan that has not ended as far as is known, and is silent, is no more in the store."""
        if time.monotonic() - self._heard < _SILENCE:
            return False
        self._heard = time.monotonic()
        return not self._store.exist([paths.scan(self.path)])[0]

    def _read_saved(self) -> None:
        saved = self.saved()
        if saved is not None:
            self._store, self.cursor = saved, FIRST
            self._read(saved)

    def saved(self) -> SavedStore | None:
        """Return the scan as its file has it; None if it was not saved, or the file is not to be found."""
        if self._saved is None:
            from .saved import find_saved  # that reads by what is here

            self._saved = find_saved(self.path, self._store, str(self.info.get("uid", "")))
        return self._saved

    def require_saved(self) -> SavedStore:
        """Return the scan as its file has it.

        :raises NodeNotFound: it has no file, or that is not to be found.
        """
        saved = self.saved()
        if saved is None:
            raise self._missing()
        return saved

    def _missing(self) -> NodeNotFound:
        return NodeNotFound(
            f"scan {self.path}: not in the store, nor in a file that is known: it was never published, or "
            f"its time there is over and it was not saved"
        )

    def accept(self, event: StructureEvent) -> None:
        match event:
            case NewNode(scan=""):
                self.scan = event
                self.info = dict(event.info)
            case NewNode(path=path):
                self.nodes[path] = event
            case ScanInfoUpdate(info=info):
                self.info = merged(self.info, info)
            case PreparedScan(info=info):
                self.prepared = True
                self.info = merged(self.info, info)
            case EndScan(info=info):
                self.end = event
                self.info = merged(self.info, info)
                self.info["state"] = event.state

    def channels(self) -> list[NewNode]:
        return [node for node in self.nodes.values() if node.kind.is_channel]


def unfinished(store: StreamStore, scans: Sequence[str]) -> list[str]:
    """Return those of the scans that are in the store and have not ended; a few round trips for thousands."""
    running = []
    for first in range(0, len(scans), 500):
        some = scans[first : first + 500]
        for path, entry in zip(some, store.last_entries([paths.scan(path) for path in some]), strict=True):
            if entry and not isinstance(decode_event(entry[1]), EndScan):
                running.append(path)
    return running


def merge_points(entries: Sequence[Entry], spec: ChannelSpec) -> Iterator[tuple[int, Array]]:
    """Yield (first index, values) of entries of one channel, consecutive ones as one block."""
    run: list[bytes] = []
    start = end = 0
    for (index, npoints), fields in entries:
        plain = len(fields) == 1 and b"d" in fields
        if run and (index != end or not plain):
            yield start, spec.decode({b"d": b"".join(run)}, end - start)
            run = []
        if plain:
            start = start if run else index
            run.append(fields[b"d"])
        else:
            yield index, spec.decode(fields, npoints)
        end = index + npoints
    if run:
        yield start, spec.decode({b"d": b"".join(run)}, end - start)
