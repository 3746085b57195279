"""Entries on their way to the store together."""

from __future__ import annotations

from .channel_buffer import ChannelBuffer, size_of
from .codec import encode_points
from .store import Append


class Batch:
    """What goes out in one round trip."""

    def __init__(self) -> None:
        self.entries: list[Append] = []
        self.taken: list[tuple[ChannelBuffer, int]] = []
        self.nbytes = 0
        self.again = False
        """Sent before, on a connection that was lost: part of it may be stored."""

    def keep_only(self, key: str) -> None:
        """Leave out what goes to other keys; what is left may be stored already."""
        self.entries = [entry for entry in self.entries if entry.key == key]
        self.taken, self.nbytes, self.again = [], 0, True

    def add_points(self, buffer: ChannelBuffer, max_bytes: int) -> bool:
        """Take points of a channel, at least one block; return whether none wait any more."""
        groups, complete = buffer.take(max_bytes)
        for index, npoints, blocks in groups:
            self.entries.append(Append(buffer.key, (index, npoints), encode_points(blocks, buffer.shape)))
            size = sum(map(size_of, blocks))
            self.nbytes += size
            self.taken.append((buffer, size))
        return complete
