"""The points of one channel as they lie in the store: how many there are, and any range of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bliss_like.errors import NodeNotFound, PointExpired, PointNotYetThere, PointWontBeThere

from .codec import Array
from .store import FIRST, LAST_SEQUENCE, StreamStore
from .structure import ChannelSpec, ScanStructure, merge_points


class StoredPoints:
    """Reads a channel; asks the store each time, so it follows a running scan."""

    def __init__(self, store: StreamStore, spec: ChannelSpec, structure: ScanStructure) -> None:
        self._store, self._spec, self._structure = store, spec, structure

    @property
    def sealed(self) -> bool:
        """Whether the scan is over: no point comes any more."""
        try:
            return self._structure.refresh().end is not None
        except NodeNotFound:
            return True

    def __len__(self) -> int:
        """Number of points emitted so far, those that have expired included."""
        last = self._store.last_ids([self._spec.key])[0]
        if last:
            return sum(last)
        if self.sealed and self._structure.end:
            return self._structure.end.lengths.get(self._spec.path, 0)
        return 0

    @property
    def first_available(self) -> int:
        """Index of the oldest point that is still in the store, or in the file; the length if there is none."""
        first = self._store.first_ids([self._spec.key])[0]
        oldest = first[0] if first else len(self)
        saved = self._structure.saved() if oldest else None
        return 0 if saved and saved.first_ids([self._spec.key])[0] else oldest

    def point(self, index: int) -> Any:
        """Return one point; a negative index counts from the end so far.

        :raises PointNotYetThere: the scan is still running.
        :raises PointWontBeThere: the scan is over and the channel shorter.
        :raises PointExpired: the point is no more in the store.
        """
        length = len(self)
        found = index + length if index < 0 else index
        if not 0 <= found < length:
            error, what = (PointWontBeThere, "has ended with") if self.sealed else (PointNotYetThere, "has so far")
            raise error(f"channel {self._spec.path}: asked for point {index}, it {what} {length} points")
        return self.between(found, found + 1)[0]

    def between(self, start: int, stop: int) -> Any:
        """Return the points from `start` to `stop`, excluded, as far as there are.

        :returns: shape (npoints, *shape); a list of points where their shapes differ.
        :raises PointExpired: some of them are no more in the store.
        """
        blocks = self.blocks(start, stop)
        if not blocks:
            return self._spec.no_points()
        if len({block.shape[1:] for block in blocks}) > 1:
            return [point for block in blocks for point in block]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def blocks(self, start: int, stop: int) -> list[Array]:
        """The same, cut where the shape of the points may change."""
        if stop <= start:
            return []
        blocks = self._read(self._store, start, stop)
        missing = start + sum(map(len, blocks))
        if missing >= min(stop, len(self)):
            return blocks
        blocks = self._read_saved(start, stop)
        missing = start + sum(map(len, blocks))
        if missing < min(stop, len(self)):
            raise PointExpired(
                f"channel {self._spec.path}: points {missing} to {stop - 1} were asked for; only those from "
                f"{self.first_available} on are still in the store. The file of the scan has them, if it was saved: "
                f"{self._structure.info.get('filename') or 'it was not'}"
            )
        return blocks

    def _read_saved(self, start: int, stop: int) -> list[Array]:
        """Return points of which the store has none, or only the last ones: the others from the file."""
        saved = self._structure.saved()
        if saved is None:
            return []
        first = self._store.first_ids([self._spec.key])[0]
        kept = min(max(first[0], start), stop) if first else stop
        blocks = self._read(saved, start, kept)
        if start + sum(map(len, blocks)) < kept:
            return blocks
        return blocks + self._read(self._store, kept, stop)

    def _read(self, store: StreamStore, start: int, stop: int) -> list[Array]:
        """Return the points from `start` on that are there without a gap."""
        if stop <= start:
            return []
        key = self._spec.key
        entry = store.last_before(key, (start, LAST_SEQUENCE)) if start else None
        entries = store.range(key, entry[0] if entry else FIRST, (stop - 1, LAST_SEQUENCE))
        blocks: list[Array] = []
        index = start
        for first, values in merge_points(entries, self._spec):
            if first > index:  # what lies between is gone
                break
            blocks.append(values[index - first : stop - first])
            index = min(first + len(values), stop)
        return blocks
