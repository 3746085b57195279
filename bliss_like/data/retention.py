"""What the store may keep: points expire with time, and the oldest go first when all together are too large.

Only points are dropped early; the structure of a scan, with the lengths of its channels, stays until its time is over,
so that a reader is told "expired" and never gets a shorter array.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from . import paths
from .codec import decode_event
from .events import EndScan
from .store import Id, StreamStore


@dataclass(frozen=True)
class Retention:
    """How long the points of a scan stay in the store; set when the scan is created.

    :param seconds: after the last sign of life of the scan.
    :param max_bytes: points of all scans together; beyond it the oldest finished scans lose theirs, and a scan that is
        larger than that by itself loses its oldest.
    """

    seconds: float = 24 * 3600.0
    max_bytes: int = 2 << 30


class StoredChannel(Protocol):
    key: str
    nbytes: int


class Budget:
    """Keeps the points of all scans within `max_bytes`, counted over all processes."""

    _PORTION = 16 << 20

    def __init__(self, store: StreamStore, max_bytes: int) -> None:
        self._store, self._max_bytes = store, max_bytes
        self._total: int | None = None
        """Bytes of all scans when this process has last counted its own."""

    def check(self) -> None:
        """Drop points of the oldest finished scans if all scans together are over the budget.

        Where it was not half full when this process has last added to it, that is left to those who fill it.
        """
        if self._total is None or self._total > self._max_bytes // 2:
            self._shrink("", ())

    def watch(self, scan: str, channels: Collection[StoredChannel]) -> ScanBudget:
        return ScanBudget(self, scan, channels)

    def add(self, scan: str, nbytes: int, created: int, total: int) -> None:
        """Count `nbytes` more for a scan that now has `total`."""
        self._store.set_fields(paths.BYTES, {scan: f"{created}-{total}"})
        self._total = self._store.increment(paths.BUDGET, "total", nbytes)

    def forget(self, scans: Collection[str]) -> None:
        if scans:
            self._store.drop_fields(paths.BYTES, list(scans))

    def _shrink(self, running: str, channels: Collection[StoredChannel]) -> None:
        if int(self._store.get_fields(paths.BUDGET).get(b"total", b"0")) <= self._max_bytes:
            return
        sizes: dict[str, Id] = {}
        for name, value in self._store.get_fields(paths.BYTES).items():
            created, _, nbytes = value.partition(b"-")
            sizes[name.decode()] = int(created), int(nbytes)
        total = sum(nbytes for _, nbytes in sizes.values())
        for scan in sorted(sizes, key=sizes.__getitem__):
            if total <= self._max_bytes:
                break
            if scan != running and self._drop_points(scan):
                total -= sizes[scan][1]
        if running and total > self._max_bytes:
            total -= self._drop_oldest(channels, total - self._max_bytes)
        self._store.set_fields(paths.BUDGET, {"total": total})

    def _drop_points(self, scan: str) -> bool:
        """Drop the points of a finished scan; return False if it is not finished."""
        last = self._store.last_entries([paths.scan(scan)])[0]
        event = decode_event(last[1]) if last else None
        if last and not isinstance(event, EndScan):
            return False
        if isinstance(event, EndScan):
            self._store.delete([paths.data(channel, scan) for channel in event.lengths])
        self.forget([scan])
        return True

    def _drop_oldest(self, channels: Collection[StoredChannel], excess: int) -> int:
        """Drop the oldest points of a running scan, a tenth more than needed; return the bytes gained."""
        stored = sum(channel.nbytes for channel in channels)
        share = min(1.0, 1.1 * excess / max(stored, 1))
        keys = [channel.key for channel in channels]
        ends = self._store.last_ids(keys)
        starts = self._store.first_ids(keys)
        bounds: dict[str, Id] = {}
        for key, start, end in zip(keys, starts, ends, strict=True):
            if start and end:
                bounds[key] = (start[0] + int((sum(end) - start[0]) * share), 0)
        self._store.trim(bounds)
        for channel in channels:
            channel.nbytes -= int(channel.nbytes * share)
        return int(stored * share)


class ScanBudget:
    """Counts what one running scan stores."""

    def __init__(self, budget: Budget, scan: str, channels: Collection[StoredChannel]) -> None:
        self._budget, self._scan, self._channels = budget, scan, channels
        self._created = time.time_ns()
        self._counted = 0
        self._new = 0

    def stored(self, nbytes: int) -> None:
        """Take note of `nbytes` more; checks the budget once in a while."""
        self._new += nbytes
        if self._new >= Budget._PORTION:
            self.count()
            self._budget._shrink(self._scan, self._channels)
            self._counted = sum(channel.nbytes for channel in self._channels)

    def count(self) -> None:
        """Write what was stored since the last time into the common account."""
        if self._new:
            self._budget.add(self._scan, self._new, self._created, self._counted + self._new)
            self._counted += self._new
            self._new = 0
