"""What is to be written to a file and is not yet: blocks of bytes that do not overlap, the newest bytes win."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

Bytes = bytes | bytearray | memoryview


class Overlay:
    """Blocks by the offset of their first byte, with the order in which they came."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._blocks: dict[int, tuple[int, Bytes]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._starts)

    def put(self, start: int, data: Bytes) -> None:
        """Add a block; it is kept as it is, not copied."""
        old = self._blocks.get(start)
        if old is None or len(old[1]) != len(data):
            self.cut(start, start + len(data))
            insort(self._starts, start)
        self._count += 1
        self._blocks[start] = (self._count, data)

    def cut(self, start: int, stop: int) -> None:
        """Forget all from `start` to `stop`; of a block that lies across, what is outside stays."""
        for first, data in list(self._between(start, stop)):
            count = self._remove(first)
            if first < start:
                self._restore(first, data[: start - first], count)
            if first + len(data) > stop:
                self._restore(stop, data[stop - first :], count)

    def read_into(self, start: int, view: memoryview) -> None:
        """Copy what there is into `view`, whose first byte is at offset `start`."""
        stop = start + len(view)
        for first, data in self._between(start, stop):
            low, high = max(first, start), min(first + len(data), stop)
            view[low - start : high - start] = data[low - first : high - first]

    def covers(self, start: int, stop: int) -> bool:
        """Return whether one block holds all of it."""
        number = bisect_right(self._starts, start) - 1
        return number >= 0 and self._starts[number] + len(self._blocks[self._starts[number]][1]) >= stop

    def in_order(self) -> list[tuple[int, Bytes]]:
        """Return the blocks, the oldest first."""
        blocks = sorted((count, start) for start, (count, _) in self._blocks.items())
        return [(start, self._blocks[start][1]) for _, start in blocks]

    def _between(self, start: int, stop: int) -> Iterator[tuple[int, Bytes]]:
        """Yield the blocks that have bytes between."""
        number = max(0, bisect_right(self._starts, start) - 1)
        for first in self._starts[number : bisect_left(self._starts, stop)]:
            data = self._blocks[first][1]
            if first + len(data) > start:
                yield first, data

    def _remove(self, start: int) -> int:
        del self._starts[bisect_left(self._starts, start)]
        return self._blocks.pop(start)[0]

    def _restore(self, start: int, data: Bytes, count: int) -> None:
        insort(self._starts, start)
        self._blocks[start] = (count, data)
