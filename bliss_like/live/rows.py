"""From the points of channels, which come in blocks of any size, to rows; and which rows are shown when there are too many."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from .scan import Array

Clock = Callable[[], float]

KEPT = 1 << 16
"""Points of a channel that wait for those of others, at most."""
PATIENCE = 2.0
"""Seconds that a row waits for a channel that is more than one point behind the others."""
STEPS = (1, 2, 5)
LATE = 20
"""Rows that are shown of those that are late."""
WINDOW = 2.0
"""Seconds by which it is judged how fast points come."""


class Waiting:
    """The points of one channel that are in no row yet."""

    def __init__(self) -> None:
        self.end = 0
        """Points so far."""
        self._blocks: deque[tuple[int, Array]] = deque()
        self._count = 0

    def take(self, first_index: int, values: Array) -> None:
        self._blocks.append((first_index, values))
        self._count += len(values)
        self.end = first_index + len(values)
        while self._count > KEPT and len(self._blocks) > 1:
            self._count -= len(self._blocks.popleft()[1])

    def point(self, index: int) -> Any:
        """Return a point, None if it is not there; those before it are forgotten."""
        while self._blocks and self._blocks[0][0] + len(self._blocks[0][1]) <= index:
            self._count -= len(self._blocks.popleft()[1])
        if not self._blocks or index < self._blocks[0][0]:
            return None
        first, values = self._blocks[0]
        return values[index - first]

    def peek(self, index: int) -> Any:
        """Return a point, None if it is not there; nothing is forgotten."""
        return next((some[index - first] for first, some in self._blocks if first <= index < first + len(some)), None)

    def newest(self) -> Any:
        """Return the last point, None if there is none since the last time."""
        found = self._blocks[-1][1][-1] if self._blocks else None
        self._blocks.clear()
        self._count = 0
        return found


class Rows:
    """The rows of channels that are equally long in the end.

    A row is complete when all channels have it. A channel that is far behind is not waited for: its cells are empty.
    """

    def __init__(self, clock: Clock) -> None:
        self.channels: dict[str, Waiting] = {}
        """By db_name."""
        self.done = 0
        """Rows that were complete already."""
        self._clock, self._behind_since = clock, 0.0

    def add(self, path: str) -> Waiting:
        self.channels[path] = Waiting()
        return self.channels[path]

    def complete(self) -> int:
        """Return how many rows there are that wait for no channel."""
        ends = [each.end for each in self.channels.values()]
        low, high = min(ends), max(ends)
        if high - low < 2:
            self._behind_since = 0.0
            return low
        now = self._clock()
        self._behind_since = self._behind_since or now
        if now - self._behind_since <= PATIENCE:
            return low
        return min(end for end in ends if end >= high - 1)

    @property
    def longest(self) -> int:
        return max((each.end for each in self.channels.values()), default=0)


class Thinning:
    """Which rows are shown: all of them, or every second, fifth, tenth ... as long as they come too fast.

    :param rate: rows per second; twice as many may come at once. None: all are shown.
    """

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._rate, self._clock = rate, clock
        self.stride = 1
        """Of how many rows one is shown."""
        self._most = 2.0 * (rate or 0.0)
        self._allowed, self._last = self._most, clock()
        self._raised = self._last
        """When rows began to be left out, or more of them."""
        self._marks: deque[tuple[float, int]] = deque()

    def is_late(self, first: int, end: int, seconds: float) -> bool:
        """Whether rows that took so long have come all at once: who joins in the middle, or was cut off, wants the last of them."""
        return self._rate is not None and 2 * LATE < end - first < seconds * self._rate

    def catch_up(self, first: int, end: int) -> Sequence[int]:
        """Return which of rows that are late are shown."""
        self._last = self._clock()
        self._marks.clear()
        return range(max(first, end - LATE), end)

    def choose(self, first: int, end: int) -> Sequence[int]:
        """Return which of the rows from `first` up to `end` are shown."""
        if self._rate is None:
            return range(first, end)
        now = self._clock()
        self._allowed = min(self._most, self._allowed + max(0.0, now - self._last) * self._rate)
        self._last = now
        speed = self._speed(now, first, end) / self._rate
        shown = _multiples(first, end, self.stride)
        if len(shown) > self._allowed:
            crowd = len(shown) / self._allowed if self._allowed >= 1 else 1.0
            self.stride, self._raised = _nice(max(speed, self.stride * crowd)), now
            shown = _multiples(first, end, self.stride)
            shown = shown[max(0, len(shown) - int(self._allowed)) :]
        else:
            while self.stride > 1 and now - self._raised > WINDOW:  # before, those of a crowd count that came at once
                smaller = _nice(self.stride / 2.5)
                more = _multiples(first, end, smaller)
                if speed > 0.7 * smaller or len(more) > self._allowed / 2:
                    break
                self.stride, shown = smaller, more
        self._allowed -= len(shown)
        return shown

    def _speed(self, now: float, first: int, end: int) -> float:
        """Return how many points come in a second, by those of the last seconds."""
        if not self._marks:
            self._marks.append((now, first))
        self._marks.append((now, end))
        while len(self._marks) > 2 and (self._marks[1][0] < now - WINDOW or len(self._marks) > 1000):
            self._marks.popleft()
        began, before = self._marks[0]
        return (end - before) / max(now - began, 0.1)


def _multiples(first: int, end: int, stride: int) -> range:
    return range(-(-first // stride) * stride, end, stride)


def _nice(stride: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50 ... that is not less."""
    scale: int = 10 ** math.floor(math.log10(max(stride, 1.0)))
    return next((step * scale for step in STEPS if step * scale >= stride - 1e-9), 10 * scale)
