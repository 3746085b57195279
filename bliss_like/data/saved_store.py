"""A saved scan as a store: it answers for the keys of that scan, and of what is above it, by what its file holds.

So nodes, walks, exporters and replays work on old scans as on those of the server. Points are read when they are asked
for, and no more than that. A scan that is still being written is followed as it grows.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from bliss_like.errors import DataError

from . import paths
from .channel_buffer import ENTRY_BYTES
from .codec import Array, Fields, StructureEvent, encode_event, encode_points
from .events import EndScan, NewNode, NodeKind, PreparedScan, SavedScan, ScanInfoUpdate
from .key_store import KeyStore
from .memory_keys import MemoryKeys
from .scan_info import merged, news_of
from .store import FIRST, LAST_SEQUENCE, Append, Entry, Id
from .structure import ChannelSpec

_LOOK = 0.1
"""Seconds between two looks at a file that is being written."""
_SCALAR_BYTES = 64 << 10
"""Of an entry of scalars, and `ENTRY_BYTES` of one of arrays."""
_READ_BYTES = 32 << 20
"""What one `read` takes from the file, over all channels."""


@dataclass(frozen=True)
class SavedState:
    """What a file says of a scan but its points.

    :param scan: its NewNode with what was known at its start.
    :param info: `scan_info` as known by now.
    :param end: None while it runs, or when its writer died.
    """

    scan: NewNode
    nodes: Sequence[NewNode]
    info: Mapping[str, Any]
    prepared: bool
    end: EndScan | None = None


class SavedRecord(Protocol):
    """One scan in one file, as a format reads it. Each call opens the file and closes it.

    :raises DataError: (from any call) the file is gone, cannot be read, or is none of ours.
    """

    file: str
    entry: str

    def state(self) -> SavedState: ...

    def lengths(self, channels: Sequence[str]) -> list[int]:
        """Return how many points of each channel (by db_name) are in the file."""

    def points(self, channel: str, start: int, stop: int) -> Array | list[Array]:
        """Return points that are there, shape (stop - start, *shape), or one by one where their shapes may differ."""


@dataclass
class _Log:
    """The structure stream of the scan, made anew from what the file says; what is in it stays where it is."""

    events: list[StructureEvent] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    specs: dict[str, ChannelSpec] = field(default_factory=dict)
    """Of the channels, by key."""
    info: dict[str, Any] = field(default_factory=dict)
    prepared: bool = False
    end: EndScan | None = None
    _entries: list[Entry] = field(default_factory=list)

    def entries(self) -> list[Entry]:
        """Return the events as a stream has them."""
        for event in self.events[len(self._entries) :]:
            self._entries.append(((len(self._entries) + 1, 0), encode_event(event)))
        return self._entries

    def fold(self, state: SavedState) -> None:
        """Add what is new."""
        if not self.events:
            self.events.append(state.scan)
            self.info = dict(state.scan.info)
        for node in state.nodes:
            if node.path not in self.nodes:
                self.nodes.add(node.path)
                self.events.append(node)
                if node.kind.is_channel:
                    spec = ChannelSpec.of(node)
                    self.specs[spec.key] = spec
        known = merged(self.info, {**state.end.info, "state": state.end.state} if state.end else {})
        news = {key: value for key, value in news_of(known, state.info).items() if key != "state"}
        if state.prepared and not self.prepared:
            self.prepared = True
            self.events.append(PreparedScan(state.scan.path, news))
        elif news:
            self.events.append(ScanInfoUpdate(state.scan.path, news))
        self.info = merged(self.info, news)
        if state.end and not self.end:
            self.end = state.end
            self.events.append(state.end)


class SavedStore:
    """A `StreamStore` of one saved scan; it cannot be written to.

    :param record: reads the file.
    :raises DataError: the file is gone, cannot be read, or is none of ours.
    """

    def __init__(self, record: SavedRecord) -> None:
        self.file, self.entry = record.file, record.entry
        self.keys: KeyStore = MemoryKeys()
        self._record = record
        self._log = _Log()
        self._lengths: dict[str, int] = {}
        """Of a scan that is complete, how many points of each channel are in the file, by key."""
        self._refresh()
        self.scan = self._log.events[0].path
        """db_name of the scan."""
        self._lists = _lists_above(self._scan_node)

    @property
    def uid(self) -> str:
        return str(self._log.info.get("uid", ""))

    @property
    def kind(self) -> NodeKind:
        return self._scan_node.kind

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        return f"{self.scan} in {self.file}::{self.entry}"

    @property
    def _scan_node(self) -> NewNode:
        node = self._log.events[0]
        if not isinstance(node, NewNode):
            raise DataError(f"{self.file}::{self.entry}: expected it to begin with the node of a scan, got {node!r}")
        return node

    def _refresh(self) -> None:
        if self._log.end is None:
            self._log.fold(self._record.state())

    # -- reading ---------------------------------------------------------------------------------------------------

    def read(self, after: Mapping[str, Id], *, timeout: float = 0, count: int = 1000) -> dict[str, list[Entry]]:
        deadline = time.monotonic() + timeout
        while True:
            found = self._read(after, count)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            time.sleep(min(left, _LOOK) if self._log.end is None else left)

    def _read(self, after: Mapping[str, Id], count: int) -> dict[str, list[Entry]]:
        self._refresh()
        found = {key: [entry for entry in self._structure(key) if entry[0] > last] for key, last in after.items()}
        channels = [key for key in after if key in self._log.specs]
        budget = _READ_BYTES // max(1, len(channels))
        for key, length in zip(channels, self._stored(channels), strict=True):
            first = _next_index(after[key])
            if first < length:
                found[key] = self._blocks(self._log.specs[key], first, length, count, budget)
        return {key: entries[:count] for key, entries in found.items() if entries}

    def range(self, key: str, first: Id = FIRST, last: Id | None = None, count: int | None = None) -> list[Entry]:
        self._refresh()
        spec = self._log.specs.get(key)
        if spec is None:
            entries = self._structure(key)
            return [entry for entry in entries if first <= entry[0] and (last is None or entry[0] <= last)][:count]
        length = self._stored([key])[0]
        stop = length if last is None else min(last[0] + 1, length)
        if first[0] >= stop:
            return []
        return self._entries(spec, first[0], stop)[:count]

    def last_before(self, key: str, last: Id) -> Entry | None:
        if key not in self._log.specs:
            entries = self.range(key, FIRST, last)
            return entries[-1] if entries else None
        length = self._stored([key])[0]
        index = min(last[0], length - 1)
        return self._entries(self._log.specs[key], index, index + 1)[0] if index >= 0 else None

    def last_entries(self, keys: Sequence[str]) -> list[Entry | None]:
        self._refresh()
        return [self.last_before(key, (LAST_SEQUENCE, LAST_SEQUENCE)) for key in keys]

    def last_ids(self, keys: Sequence[str]) -> list[Id | None]:
        """As all stores; where the file has fewer points than the scan had, those that it has not count as trimmed."""
        self._refresh()
        lengths = self._emitted(keys)
        return [
            ((length - 1, 1) if (length := lengths[key]) else None) if key in lengths else self._last_id(key)
            for key in keys
        ]

    def _last_id(self, key: str) -> Id | None:
        entries = self._structure(key)
        return entries[-1][0] if entries else None

    def first_ids(self, keys: Sequence[str]) -> list[Id | None]:
        self._refresh()
        channels = [key for key in keys if key in self._log.specs]
        lengths = dict(zip(channels, self._stored(channels), strict=True))
        firsts: list[Id | None] = []
        for key in keys:
            entries = [] if key in lengths else self._structure(key)
            firsts.append(FIRST if lengths.get(key) else entries[0][0] if entries else None)
        return firsts

    def exist(self, keys: Sequence[str]) -> list[bool]:
        self._refresh()
        lengths = self._emitted(keys)
        return [bool(lengths[key]) if key in lengths else bool(self._structure(key)) for key in keys]

    def get_fields(self, key: str) -> Fields:
        for path in _above(self.scan):
            if key == paths.node(path):
                return {b"kind": (NodeKind.CONTAINER if paths.parent(path) else NodeKind.SESSION).encode()}
        return {}

    # -- what the streams hold -------------------------------------------------------------------------------------

    def _structure(self, key: str) -> list[Entry]:
        """Return the entries of a stream that has no points."""
        if key == paths.scan(self.scan):
            return self._log.entries()
        if key == paths.saved(self.scan) and self._log.end:
            saved = SavedScan(
                self.scan, "SAVED", self.file, (self.entry,), writer=self._log.info.get("data_writer", "")
            )
            return [((1, 0), encode_event(saved))]
        node = self._lists.get(key)
        return [((1, 0), encode_event(node))] if node else []

    def _stored(self, keys: Sequence[str]) -> list[int]:
        """Return how many points of each channel are in the file; at the end, what is more than it had is filling."""
        end = self._log.end
        if end is None:
            return self._record.lengths([self._log.specs[key].path for key in keys]) if keys else []
        if self._lengths:
            return [self._lengths[key] for key in keys]
        names = {key: spec.path for key, spec in self._log.specs.items()}
        lengths = zip(names.items(), self._record.lengths(list(names.values())), strict=True)
        found = {key: min(length, end.lengths.get(name, 0)) for (key, name), length in lengths}
        if all(found[key] == end.lengths.get(name, 0) for key, name in names.items()):
            self._lengths = found  # else what is missing may come, by a recovery
        return [found[key] for key in keys]

    def _emitted(self, keys: Sequence[str]) -> dict[str, int]:
        """Return how many points each of the channels among `keys` had."""
        channels = [key for key in keys if key in self._log.specs]
        end = self._log.end
        if end:
            return {key: end.lengths.get(self._log.specs[key].path, 0) for key in channels}
        return dict(zip(channels, self._stored(channels), strict=True))

    def _blocks(self, spec: ChannelSpec, first: int, length: int, count: int, budget: int) -> list[Entry]:
        """Return points from `first` on, cut into entries as a scan publishes them."""
        point = max(1, spec.point_bytes)
        npoints = max(1, (ENTRY_BYTES if spec.shape else _SCALAR_BYTES) // point)
        stop = min(length, first + max(1, min(npoints * count, budget // point)))
        entries: list[Entry] = []
        for start in range(first, stop, npoints):
            entries += self._entries(spec, start, min(start + npoints, stop))
        return entries

    def _entries(self, spec: ChannelSpec, start: int, stop: int) -> list[Entry]:
        """Return points as few entries: all those of an entry have one shape."""
        points = self._record.points(spec.path, start, stop)
        if not isinstance(points, list):
            points = points if spec.dtype.kind == "U" else points.astype(spec.dtype, copy=False)
            return [((start, stop - start), encode_points([points], spec.shape))]
        entries: list[Entry] = []
        for _, group in groupby(points, key=lambda point: point.shape):
            block = [point[None].astype(spec.dtype, copy=False) for point in group]
            entries.append(((start, len(block)), encode_points(block, spec.shape)))
            start += len(block)
        return entries

    # -- what it does not do ---------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Append], *, expire: Mapping[str, float] = {}, again: bool = False) -> None:
        raise self._read_only()

    def trim(self, bounds: Mapping[str, Id]) -> None:
        raise self._read_only()

    def drop_entries(self, key: str, ids: Sequence[Id]) -> None:
        raise self._read_only()

    def delete(self, keys: Sequence[str]) -> None:
        raise self._read_only()

    def expire(self, keys: Iterable[str], seconds: float) -> None:
        raise self._read_only()

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        raise self._read_only()

    def drop_fields(self, key: str, names: Sequence[str]) -> None:
        raise self._read_only()

    def increment(self, key: str, field: str, by: int = 1) -> int:
        raise self._read_only()

    def _read_only(self) -> DataError:
        return DataError(f"scan {self.scan}: it is read from {self.file}, nothing can be added to it or changed there")


def _next_index(after: Id) -> int:
    """Return the index of the first point that is later than an id."""
    return after[0] + 1 if after[1] == LAST_SEQUENCE else sum(after)


def _above(scan: str) -> list[str]:
    """Return the session of a scan and the containers above it, the session first."""
    parts = scan.split(":")[:-1]
    return [":".join(parts[: index + 1]) for index in range(len(parts))]


def _lists_above(scan: NewNode) -> dict[str, NewNode]:
    """Return what the list of children of each node above the scan has: the way down to it, and the scan."""
    lists = {paths.children(paths.parent(scan.path)): scan}
    for path in _above(scan.path):
        kind = NodeKind.CONTAINER if paths.parent(path) else NodeKind.SESSION
        lists[paths.children(paths.parent(path))] = NewNode(path, kind, {"name": paths.name(path)})
    return lists
