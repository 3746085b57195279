"""Points of one channel that wait to be sent: gathered point by point or block by block, taken as few entries."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import Any, Protocol

import numpy as np

from .codec import Array

ENTRY_BYTES = 256 << 10
"""Points gathered in one entry: large enough that its head costs nothing, small enough to read one point out of it."""


class Line(Protocol):
    """What a buffer knows of the publisher that empties it."""

    lock: threading.Lock
    dirty: list[ChannelBuffer]
    backlog: int

    def rouse(self) -> None: ...

    def hold_back(self) -> None: ...


class ChannelBuffer:
    """Points of one channel that wait to be sent.

    :param keep_bytes: of the newest points that the store has to keep; 0 for all.
    """

    def __init__(
        self, line: Line, path: str, key: str, shape: tuple[int, ...], dtype: np.dtype[Any], keep_bytes: int = 0
    ) -> None:
        self.path, self.key, self.shape, self.dtype = path, key, shape, dtype
        self.length = 0
        self.nbytes = 0
        """Bytes stored so far."""
        self._line = line
        self._lock = line.lock
        self._points: list[Any] = []
        self._blocks: list[Array] = []
        self._taken = 0
        self._dropped = 0
        self._entries: deque[int] = deque()
        """First points of the entries that the store has, where it keeps only the last ones."""
        self._keep = max(1, keep_bytes // max(1, dtype.itemsize * math.prod(shape))) if keep_bytes else 0
        self._point_size = 0 if dtype.kind == "U" else dtype.itemsize
        self.point_nbytes = 0 if -1 in shape else self._point_size * math.prod(shape)
        """Bytes of a point; 0 of a text, and where it varies."""

    def append(self, point: Any) -> None:
        line = self._line
        line.hold_back()
        with self._lock:
            if not self._points and not self._blocks:
                line.dirty.append(self)
            self._points.append(point)
            self.length += 1
            line.backlog += self._point_size if self.shape == () else size_of(point)
            line.rouse()

    def extend(self, block: Array) -> None:
        if not len(block):
            return  # an entry without points would be read again and again
        line = self._line
        line.hold_back()
        with self._lock:
            if not self._points and not self._blocks:
                line.dirty.append(self)
            self._close_points()
            self._blocks += self._cut(block)
            self.length += len(block)
            line.backlog += size_of(block)
            line.rouse()

    def take(self, max_bytes: int) -> tuple[list[tuple[int, int, list[Array]]], bool]:
        """Return some of what waits as (first index, number of points, blocks that make one entry), and whether that
        was all; the caller holds the lock.
        """
        self._close_points()
        groups: list[tuple[int, int, list[Array]]] = []
        blocks, ntaken, total = self._blocks, 0, 0
        while ntaken < len(blocks) and (ntaken == 0 or total + blocks[ntaken].nbytes <= max_bytes):
            group = [blocks[ntaken]]
            nbytes, shape = blocks[ntaken].nbytes, blocks[ntaken].shape[1:]
            ntaken += 1
            while (
                ntaken < len(blocks)
                and nbytes + blocks[ntaken].nbytes <= ENTRY_BYTES
                and blocks[ntaken].shape[1:] == shape
            ):
                group.append(blocks[ntaken])
                nbytes += blocks[ntaken].nbytes
                ntaken += 1
            npoints = sum(map(len, group))
            groups.append((self._taken, npoints, group))
            if self._keep:
                self._entries.append(self._taken)
            self._taken += npoints
            total += nbytes
        self._blocks = blocks[ntaken:]
        return groups, not self._blocks

    @property
    def keeps_newest(self) -> bool:
        """Whether the store has to keep the newest points only."""
        return self._keep > 0

    def surplus(self, on_disk: float = math.inf) -> tuple[int, int]:
        """Return from which of the entries sent on they are to be kept, and the bytes of those before it.

        They count as dropped from now on. Entries are dropped as a whole: the id is that of their first point.

        :param on_disk: number of points that may be dropped.
        """
        while len(self._entries) > 1 and self._entries[1] <= min(self._taken - self._keep, on_disk):
            self._entries.popleft()
        first = self._entries[0] if self._entries else 0
        size = self._point_size * math.prod(self.shape) * (first - self._dropped)
        self._dropped = first
        return (first, size) if size else (0, 0)

    def _cut(self, block: Array) -> list[Array]:
        """Cut what is dropped one day into entries that are small, as each is dropped as a whole."""
        size = max(1, ENTRY_BYTES // max(1, block[0].nbytes)) if self._keep else len(block)
        return [block[first : first + size] for first in range(0, len(block), size)]

    def _close_points(self) -> None:
        if not self._points:
            return
        points, self._points = self._points, []
        if self.shape == ():
            self._blocks.append(np.array(points, dtype=None if self.dtype.kind == "U" else self.dtype))
        else:
            self._blocks += [point[np.newaxis] for point in points]


def size_of(block: Array) -> int:
    """Return the bytes of points in a block; strings are few and do not count."""
    return 0 if block.dtype.kind == "U" else block.nbytes
