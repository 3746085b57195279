"""Entries on their way to the store together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from .channel_buffer import ChannelBuffer, size_of
from .codec import Array, decode_event, decode_points, encode_points
from .events import NewData, WireEvent
from .store import Append


class Batch:
    """What goes out in one round trip."""

    def __init__(self) -> None:
        self.entries: list[Append] = []
        """Those of points first."""
        self.taken: list[ChannelBuffer] = []
        """The channel of each entry of points."""
        self.sizes: list[int] = []
        """The bytes of each."""
        self.nbytes = 0
        self.again = False
        """Sent before, on a connection that was lost: part of it may be stored."""

    def keep_only(self, key: str) -> None:
        """Leave out what goes to other keys; what is left may be stored already."""
        self.entries = [entry for entry in self.entries if entry.key == key]
        self.taken, self.sizes, self.nbytes, self.again = [], [], 0, True

    def add_points(self, buffer: ChannelBuffer, max_bytes: int) -> bool:
        """Take points of a channel, at least one block; return whether none wait any more."""
        groups, complete = buffer.take(max_bytes)
        for index, npoints, blocks in groups:
            self.entries.append(Append(buffer.key, (index, npoints), encode_points(blocks, buffer.shape)))
            size = sum(map(size_of, blocks))
            self.nbytes += size
            self.taken.append(buffer)
            self.sizes.append(size)
        return complete

    def told(self) -> list[WireEvent]:
        """Return what it says beside points, as a walker reads it."""
        return [decode_event(entry.fields) for entry in self.entries[len(self.taken) :]]


class PointsByChannel:
    """The points of batches, as a walker reads them: what waits is the bytes that were sent, to be joined when it is taken."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._aside: set[str] = set()
        """db_names of channels of which nothing is kept."""
        self._taken: list[ChannelBuffer] = []
        self._places: list[tuple[int, ChannelBuffer]] = []
        """What is kept of batches that have the channels of the last one: where in the batch, and of which channel."""
        self._first: dict[ChannelBuffer, int] = {}
        """Index of the first point that waits."""
        self._joined: defaultdict[ChannelBuffer, list[bytes]] = defaultdict(list)
        self._blocks: defaultdict[ChannelBuffer, list[Array]] = defaultdict(list)
        """Of channels of texts, or of a shape that varies."""

    def __bool__(self) -> bool:
        return bool(self._first)

    def set_aside(self, paths: set[str]) -> None:
        """Keep nothing of these channels from now on, and again of all others; at most once between two `take`."""
        if paths != self._aside:
            self._aside, self._taken, self._places = paths, [], []

    def add(self, batch: Batch) -> None:
        if batch.taken != self._taken:  # usually they are alike, and what is set aside is not touched
            self._taken = batch.taken
            self._places = [(place, one) for place, one in enumerate(batch.taken) if one.path not in self._aside]
        for place, buffer in self._places:
            _, id, fields = batch.entries[place]
            index, npoints = id or (0, 0)
            self._first.setdefault(buffer, index)
            if buffer.point_nbytes:
                self._joined[buffer].append(fields[b"d"])
                self.nbytes += len(fields[b"d"])
            else:
                block = decode_points(fields, npoints, buffer.dtype, buffer.shape)
                self._blocks[buffer].append(block)
                self.nbytes += block.nbytes

    def take(self) -> Iterator[tuple[str, int, list[Array]]]:
        """Yield db_name, index of the first point, and points of each channel, in as few blocks as possible; forget it."""
        first, joined, blocks = self._first, self._joined, self._blocks
        self._first, self._joined, self._blocks = {}, defaultdict(list), defaultdict(list)
        self.nbytes = 0
        for buffer, several in joined.items():
            data = b"".join(several)
            npoints = len(data) // buffer.point_nbytes
            block = decode_points({b"d": data}, npoints, buffer.dtype, buffer.shape)
            yield buffer.path, first[buffer], [block]
        yield from ((buffer.path, first[buffer], several) for buffer, several in blocks.items())


def merged_points(path: str, index: int, blocks: Sequence[Array]) -> Iterator[NewData]:
    """Yield consecutive blocks of points of one channel as few events: those of one shape as one. They are read-only.

    :param index: of the first point.
    """
    alike = (blocks,) if len(blocks) == 1 else [list(some) for _, some in groupby(blocks, key=_shape_of_points)]
    for some in alike:
        values = some[0].view() if len(some) == 1 else np.concatenate(some)
        values.setflags(write=False)
        yield NewData(path, index, values)
        index += len(values)


def _shape_of_points(block: Array) -> tuple[int, ...]:
    shape: tuple[int, ...] = block.shape[1:]
    return shape
