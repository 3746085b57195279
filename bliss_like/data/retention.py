"""What the store may keep: points expire with time, and the oldest go first when all together are too large.

Points that are to be saved and are on no disk yet are never dropped for room: scans wait for the writer instead. Only points
are dropped early; the structure of a scan, with the lengths of its channels, stays until its time is over, so that a reader
is told "expired" and never gets a shorter array.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from . import paths
from .codec import decode_event
from .events import EndScan
from .saving import UNSAVED_SECONDS, is_done_with, progress, saved
from .scan_info import to_be_saved
from .store import Id, StreamStore

DAY = 24 * 3600.0


@dataclass(frozen=True)
class Retention:
    """How long the points of a scan stay in the store; set when the scan is created.

    :param seconds: after the last sign of life of the scan.
    :param max_bytes: points of all scans together; beyond it the oldest finished scans lose theirs, and a scan that is
        larger than that by itself loses its oldest. Those that are to be saved lose only what is on disk.
    :param unsaved_seconds: instead of `seconds`, of a scan that is to be saved, until it is.
    """

    seconds: float = DAY
    max_bytes: int = 2 << 30
    unsaved_seconds: float = UNSAVED_SECONDS

    def lifetime(self, info: Mapping[str, Any]) -> float:
        """Return how many seconds a scan of this info stays while nobody has saved it."""
        return max(self.seconds, self.unsaved_seconds) if to_be_saved(info) else self.seconds


class StoredChannel(Protocol):
    path: str
    key: str
    nbytes: int


@dataclass(frozen=True)
class _Stored:
    """A scan in the common account."""

    created: int
    scan: str
    nbytes: int
    to_be_saved: bool


class Budget:
    """Keeps the points of all scans within `max_bytes`, counted over all processes."""

    _PORTION = 16 << 20
    _AT_ONCE = 500

    def __init__(self, store: StreamStore, max_bytes: int) -> None:
        self._store, self.max_bytes = store, max_bytes
        self._total: int | None = None
        """Bytes of all scans when this process has last counted its own."""

    def check(self) -> int:
        """Drop points of the oldest finished scans if all scans together are over the budget; return by how many bytes they
        still are: the others are to be saved, or have not ended.

        Where it was not half full when this process has last added to it, that is left to those who fill it.
        """
        return self.shrink() if self._total is None or self._total > self.max_bytes // 2 else 0

    def watch(self, scan: str, channels: Collection[StoredChannel], *, to_be_saved: bool = False) -> ScanBudget:
        return ScanBudget(self, scan, channels, to_be_saved)

    def add(self, nbytes: int) -> None:
        """Count `nbytes` more for all scans together."""
        self._total = self._store.increment(paths.BUDGET, "total", nbytes)

    def note(self, scan: str, created: int, nbytes: int, to_be_saved: bool) -> None:
        """Count `nbytes` in all for one scan."""
        self._store.set_fields(paths.BYTES, {scan: f"{created}-{nbytes}{'-unsaved' if to_be_saved else ''}"})

    def forget(self, scans: Collection[str]) -> None:
        if scans:
            self._store.drop_fields(paths.BYTES, list(scans))

    def shrink(self, running: ScanBudget | None = None) -> int:
        """Drop what may be dropped, of the running scan last; return by how many bytes it is still too much."""
        total = int(self._store.get_fields(paths.BUDGET).get(b"total", b"0"))
        if total > self.max_bytes:
            scans = sorted(self._account(), key=lambda each: (each.created, each.scan))
            total = sum(each.nbytes for each in scans)
            others = [each for each in scans if running is None or each.scan != running.scan]
            total -= self._drop_finished(others, total - self.max_bytes)
            if running and total > self.max_bytes:
                total -= running.drop_oldest(total - self.max_bytes)
            self._store.set_fields(paths.BUDGET, {"total": total})
        self._total = total
        return max(0, total - self.max_bytes)

    def oldest_unsaved(self) -> str:
        """Return the db_name of the oldest scan that waits for its writer; empty if there is none."""
        waiting = [each for each in self._account() if each.to_be_saved]
        waiting = [each for each in waiting if not is_done_with(saved(self._store, [each.scan])[0])]
        return min(waiting, key=lambda each: each.created).scan if waiting else ""

    def _account(self) -> list[_Stored]:
        found = []
        for name, value in self._store.get_fields(paths.BYTES).items():
            created, nbytes, *needed = value.split(b"-")
            found.append(_Stored(int(created), name.decode(), int(nbytes), bool(needed)))
        return found

    def _drop_finished(self, scans: list[_Stored], excess: int) -> int:
        """Drop points of the first ones of the scans that have ended and are not waited for; return the bytes gained."""
        gained = 0
        for first in range(0, len(scans), self._AT_ONCE):
            some = scans[first : first + self._AT_ONCE]
            needed = [each.scan for each in some if each.to_be_saved]
            unsaved = {
                scan for scan, event in zip(needed, saved(self._store, needed), strict=True) if not is_done_with(event)
            }
            for each in some:
                if gained >= excess:
                    return gained
                if each.scan not in unsaved and self._drop_points(each.scan):
                    gained += each.nbytes
        return gained

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

    def drop_oldest(self, channels: Collection[StoredChannel], excess: int, on_disk: Mapping[str, int] | None) -> int:
        """Drop the oldest points of a running scan, a tenth more than needed; return the bytes gained.

        :param on_disk: number of points of each channel that may be dropped; None: all may.
        """
        stored = sum(channel.nbytes for channel in channels)
        share = min(1.0, 1.1 * excess / max(stored, 1))
        keys = [channel.key for channel in channels]
        spans = zip(channels, self._store.first_ids(keys), self._store.last_ids(keys), strict=True)
        bounds: dict[str, Id] = {}
        gained = 0
        for channel, first, last in spans:
            if not first or not last:
                continue
            start, end = first[0], sum(last)
            bound = start + math.ceil((end - start) * share)
            if on_disk is not None:
                bound = self._whole_entries(channel.key, bound, on_disk.get(channel.path, 0))
            if bound > start:
                bounds[channel.key] = (bound, 0)
                dropped = channel.nbytes * (bound - start) // (end - start)
                channel.nbytes -= dropped
                gained += dropped
        self._store.trim(bounds)
        return gained

    def _whole_entries(self, key: str, bound: int, limit: int) -> int:
        """Return the bound moved to where an entry ends, as entries are dropped as a whole; at most to `limit`."""
        entry = self._store.last_before(key, (min(bound, limit), 0))
        if entry is None:
            return 0
        start, npoints = entry[0]
        return start + npoints if start + npoints <= limit else start


class ScanBudget:
    """Counts what one running scan stores."""

    def __init__(self, budget: Budget, scan: str, channels: Collection[StoredChannel], to_be_saved: bool) -> None:
        self.scan = scan
        self.excess = 0
        """Bytes that are too many in the store, and must not be dropped: this scan is to wait."""
        self._budget, self._channels, self._to_be_saved = budget, channels, to_be_saved
        self._created = time.time_ns()
        self._counted = 0
        self._new = 0

    def stored(self, nbytes: int) -> None:
        """Take note of `nbytes` more; checks the budget once in a while."""
        self._new += nbytes
        if self._new >= Budget._PORTION:
            self.make_room()

    def make_room(self) -> None:
        """Check the budget."""
        self.count()
        excess = self._budget.shrink(self)
        self.excess = excess if self._to_be_saved else 0

    def drop_oldest(self, excess: int) -> int:
        """Drop the oldest points of the scan as far as they are not needed; return the bytes gained."""
        gained = self._budget.drop_oldest(self._channels, excess, self.on_disk())
        self._note(sum(channel.nbytes for channel in self._channels))
        return gained

    def on_disk(self) -> dict[str, int] | None:
        """Return how many points of each channel are safe, by db_name; None: the store need not keep any."""
        return progress(self._budget._store, self.scan) if self._to_be_saved else None

    def count(self) -> None:
        """Write what was stored since the last time into the common account."""
        if self._new:
            self._note(self._counted + self._new)
            new, self._new = self._new, 0
            self._budget.add(new)

    def _note(self, nbytes: int) -> None:
        self._budget.note(self.scan, self._created, nbytes, self._to_be_saved)
        self._counted = nbytes

    def __str__(self) -> str:
        return (
            f"the store is full of points that are on no disk yet (it keeps {self._budget.max_bytes} bytes of points); the "
            f"first scan that waits for its writer is {self._budget.oldest_unsaved()}. `bliss-like recover` saves them"
        )
