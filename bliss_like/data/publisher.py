"""From a running scan to the store: what the engine knows of it, and the publisher that writes streams.

A single point goes out at once while the line is idle; while a batch is under way, and a moment after it, what arrives is
gathered and sent as the next one, the points of a channel merged into one block. Memory is bounded: whoever emits faster than the store takes
waits. Nothing is dropped, reordered or stored twice: every entry carries an explicit id, so that a batch can be sent
again after a lost connection.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from bliss_like.errors import DataError, PublishError, StoreUnavailable, UserAbort

from . import paths
from .batch import Batch
from .channel_buffer import ChannelBuffer
from .codec import Array, encode_event
from .events import EndScan, NewData, NodeKind, WireEvent
from .lifecycle import ScanState
from .retention import Retention, ScanBudget
from .store import Append, StreamStore
from .threads import THREADS, Tasks

_log = logging.getLogger(__name__)


OnStored = Callable[[list[WireEvent], Batch], object]
"""Takes events, and the batch that has points. Those of a walk come in this order: all events but the end of the scan, the
points, the end."""


class PointSink(Protocol):
    """Where one channel of a running scan puts its points."""

    length: int
    """Points taken so far."""

    def append(self, point: Any) -> None:
        """Take one point: a scalar, or an array of the channel's shape and dtype that nobody changes afterwards."""

    def extend(self, block: Array) -> None:
        """Take consecutive points, shape (npoints, *shape), of the channel's dtype, that nobody changes afterwards."""


class Publisher(Protocol):
    """All that the scan engine knows about where the data of one scan go.

    `publish` and the sinks return at once unless the backlog is full.

    :raises PublishError: (from any call) the store has been unreachable for longer than allowed.
    """

    on_failure: Callable[[Exception], None] | None
    """Called once, at once, when publishing has failed for good: a scan that is waiting for hardware hears of it."""

    on_stored: OnStored | None
    """Called with what was stored; what it takes long for holds back the next points, and in the end the scan. Set before
    points are taken."""

    def publish(self, event: WireEvent) -> None: ...

    def open_channel(
        self, path: str, dtype: np.dtype[Any], shape: tuple[int, ...], kind: NodeKind = NodeKind.CHANNEL
    ) -> PointSink:
        """Return the sink of a channel whose NewNode was published; -1 in `shape` is a variable dimension."""

    def flush(self, *, last: bool = False) -> None:
        """Return when all that was published before is stored.

        :param last: no more points come: of those that are there, none waits for the writer to make room.
        """

    def close(self) -> None:
        """Flush, then give everything back."""


class DataTree(Protocol):
    """The tree of nodes as the engine needs it: numbers for new scans and a publisher for each."""

    store: StreamStore

    def next_scan_number(self, container: str, *, saved: bool = True, above: int = 0) -> int:
        """Take a scan number below `container`, greater than `above`; no two processes get the same, and a restart does not
        start again."""

    def open_scan(self, path: str, kind: NodeKind, info: dict[str, Any]) -> Publisher:
        """Announce a scan (and the containers above it that are not there yet) and return its publisher."""

    def renew(self, scan: str) -> None:
        """Let the time of a scan in the store begin anew: another one refers to it."""


@dataclass(frozen=True)
class Limits:
    """What the publisher may hold back, and for how long.

    :param backlog: bytes of points waiting for the store; whoever emits more waits.
    :param patience: seconds that a lost server is waited for before the scan is told to stop.
    :param batch: bytes sent in one round trip.
    :param images: bytes of the newest images of one camera that stay in the store, where no file has them.
    """

    backlog: int = 256 << 20
    patience: float = 60.0
    batch: int = 1 << 20
    images: int = 64 << 20


class StreamPublisher:
    """Writes the events of one scan into its streams; see the key scheme in `paths`.

    What a scan emits is gathered in one `ChannelBuffer` a channel; `_run`, beside the scan, takes batches of it. States
    of the line: asleep (nothing waits, `_idle` set), or awake (something waits or is under way).
    """

    def __init__(
        self,
        store: StreamStore,
        scan: str,
        *,
        tasks: Tasks = THREADS,
        limits: Limits = Limits(),
        retention: Retention = Retention(),
    ) -> None:
        self.scan = scan
        self.channels: dict[str, ChannelBuffer] = {}
        self.on_failure: Callable[[Exception], None] | None = None
        self.on_stored: OnStored | None = None
        self.budget: ScanBudget | None = None
        self.lock = threading.Lock()
        self.dirty: list[ChannelBuffer] = []
        self.backlog = 0
        """Bytes of points emitted and not yet stored."""
        self._store, self._tasks, self._limits, self._retention = store, tasks, limits, retention
        self._structure: list[Append] = []
        self._count = 0
        self._known: set[str] = set()
        self._last_sign = time.monotonic()
        self._failure: Exception | None = None
        self._patience = limits.patience
        self._unsent: Batch | None = None
        self._has_all = self._ended = self._has_given_up = False
        self._end: EndScan | None = None
        self._closing = False
        self._awake, self._work, self._idle, self._hurry = False, tasks.event(), tasks.event(), tasks.event()
        self._idle.set()
        tasks.spawn(self._run)

    # -- the scan's side -----------------------------------------------------------------------------------------

    def publish(self, event: WireEvent) -> None:
        if isinstance(event, NewData):
            self._channel(event.path).extend(event.values)
            return
        if isinstance(event, EndScan):
            self._has_all = self._ended = True
            if self._failure:  # a last try: the server may be back
                if not isinstance(self._failure.__cause__, StoreUnavailable):
                    event = self._drop_points(event)
                self._failure, self._patience, self._awake = None, 0.0, False
                self._tasks.spawn(self._run)
        else:
            self.hold_back()  # but the end has to be told, however much is still to be stored before it
        fields = encode_event(event)
        with self.lock:
            self._count += 1
            self._structure.append(Append(paths.scan(self.scan), (self._count, 0), fields))
            self._end = event if isinstance(event, EndScan) else None
            self.rouse()

    def open_channel(
        self, path: str, dtype: np.dtype[Any], shape: tuple[int, ...], kind: NodeKind = NodeKind.CHANNEL
    ) -> ChannelBuffer:
        keep = self._limits.images if kind is NodeKind.IMAGE and shape else 0
        buffer = ChannelBuffer(self, path, paths.data(path, self.scan), shape, dtype, keep)
        self.channels[path] = buffer
        return buffer

    def flush(self, *, last: bool = False) -> None:
        self._has_all = self._has_all or last
        self._hurry.set()
        self._idle.wait()
        if self._failure:
            raise self._failure

    def close(self) -> None:
        try:
            self.flush()
            if self.budget:
                with suppress(StoreUnavailable):
                    self.budget.count()
        finally:
            self._closing = True
            self._work.set()

    def abandon(self, error: BaseException) -> None:
        """End a scan that could not be opened, without waiting for it: it may be known to readers already."""
        state = (ScanState.USER_ABORTED if isinstance(error, UserAbort | KeyboardInterrupt) else ScanState.KILLED).name
        told = {"type": type(error).__name__, "message": str(error), "traceback": ""}
        self.publish(EndScan(self.scan, state, {}, {"state": state}, told))
        self._closing = True
        self._work.set()

    def rouse(self) -> None:
        """Tell the sender that there is something; the caller holds the lock."""
        if not self._awake:
            self._awake = True
            self._idle.clear()
            self._work.set()

    def hold_back(self) -> None:
        """Wait while the backlog is full; raise if publishing has failed.

        Polled, as several threads may wait at once, which the events of greenlets refuse.
        """
        while self.backlog > self._limits.backlog and not self._failure:
            self._tasks.sleep(0.002)
        if self._failure:
            raise self._failure

    def _drop_points(self, end: EndScan) -> EndScan:
        """Give up on points that the store refuses; return the end with the lengths that are stored."""
        with self.lock:
            self.dirty, self.backlog = [], 0
            if self._unsent:
                self._unsent.keep_only(paths.scan(self.scan))
        try:
            last = self._store.last_ids([paths.data(path, self.scan) for path in end.lengths])
        except Exception:  # noqa: BLE001  what was refused may be the name of a channel
            return end
        return replace(end, lengths={path: sum(id or ()) for path, id in zip(end.lengths, last, strict=True)})

    def _tell_end_without_points(self) -> bool:
        """Return False if the end is not known yet: it waits behind points that the store refuses otherwise."""
        if self._end is None:
            return False
        self._has_given_up = True
        end = self._drop_points(self._end)
        with self.lock:
            waiting = self._structure or (self._unsent.entries if self._unsent else [])
            waiting[-1:] = [Append(paths.scan(self.scan), (self._count, 0), encode_event(end))]
        return True

    def _channel(self, path: str) -> ChannelBuffer:
        try:
            return self.channels[path]
        except KeyError:
            raise DataError(f"channel {path}: it was not opened in scan {self.scan}") from None

    # -- the sender's side -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._awake or not self._closing:
            if not self._work.wait(self._retention.seconds / 4):
                # Nothing was published for a long time: the scan is alive all the same.
                with suppress(StoreUnavailable):
                    self._store.expire(self._known, self._retention.seconds)
            self._work.clear()
            try:
                while (batch := self._unsent or self._take()) is not None:
                    self._unsent = batch
                    self._send(batch)
                    self._unsent = None
                    self._account(batch)
                    if self.on_stored is not None:
                        self.on_stored(batch.told(), batch)
                    if batch.nbytes < _LARGE:
                        self._hurry.wait(min(_GATHER + _GATHER_AN_ENTRY * len(batch.entries), _GATHER_AT_MOST))
            except Exception as error:
                self._fail(error)
                if not self._ended:
                    return
                if isinstance(error.__cause__, StoreUnavailable):
                    self._patience = math.inf  # nobody waits any more, but the end is to be told if there is a way
                elif self._has_given_up or not self._tell_end_without_points():
                    return
                self._work.set()

    def _take(self) -> Batch | None:
        """Return the next batch. END_SCAN comes after all points; the rest of the structure does not wait for them."""
        batch = Batch()
        with self.lock:
            while self.dirty and batch.nbytes < self._limits.batch:
                buffer = self.dirty.pop(0)
                if not batch.add_points(buffer, self._limits.batch - batch.nbytes):
                    self.dirty.append(buffer)  # at the end: one large channel must not silence the others
            if not (self.dirty and self._ended):
                batch.entries += self._structure
                self._structure = []
            if not batch.entries:
                self._awake = False
                self._hurry.clear()  # here, as who is in a hurry may have come before the sender awoke
                self._idle.set()
                return None
        return batch

    def _send(self, batch: Batch) -> None:
        """Store a batch, riding out a lost server."""
        expire = self._signs_of_life(batch.entries)
        lost_at, delay = 0.0, 0.05
        while True:
            try:
                if batch.again:
                    self._verify(batch.entries)
                self._store.append(batch.entries, expire=expire, again=batch.again)
                break
            except StoreUnavailable as error:
                if not lost_at:
                    lost_at = time.monotonic()
                    _log.warning("scan %s: %s; points wait for it", self.scan, error)
                if time.monotonic() - lost_at >= self._patience:
                    raise PublishError(
                        f"scan {self.scan}: no Redis server for {self._patience:g} s; {self.backlog} bytes of points are "
                        f"not stored, what was stored before stays readable. {error}"
                    ) from error
                batch.again = True
                self._tasks.sleep(delay)
                delay = min(2 * delay, 1.0)
        if lost_at:
            _log.warning("scan %s: the Redis server is back, nothing was lost", self.scan)

    def _verify(self, entries: Sequence[Append]) -> None:
        """After a lost connection: what was acknowledged before must still be there, or the rest would not fit on."""
        first: dict[str, int] = {}
        for entry in entries:
            if entry.id:  # events count from one, points from zero
                first.setdefault(entry.key, entry.id[0] - (entry.key == paths.scan(self.scan)))
        for (key, index), last in zip(first.items(), self._store.last_ids(list(first)), strict=True):
            stored = sum(last) if last else 0
            if stored < index:
                raise PublishError(
                    f"scan {self.scan}: the Redis server came back without entries {stored} to {index - 1} of {key}, which "
                    f"it had acknowledged. Is its append-only file off?"
                )

    def _account(self, batch: Batch) -> None:
        with self.lock:
            self.backlog -= batch.nbytes
        for buffer, nbytes in zip(batch.taken, batch.sizes, strict=True):
            buffer.nbytes += nbytes
        dropped = self._drop_surplus({buffer for buffer in batch.taken if buffer.keeps_newest})
        if self.budget and batch.nbytes:
            with suppress(StoreUnavailable):  # the points are stored; they are counted with the next ones
                self.budget.stored(batch.nbytes - dropped)
                self._wait_for_writer(self.budget)

    def _drop_surplus(self, buffers: set[ChannelBuffer]) -> int:
        """Let the store forget the oldest of points of which it keeps only the newest; return their bytes."""
        total = 0
        with suppress(StoreUnavailable):  # they go with the next ones
            on_disk = self.budget.on_disk() if buffers and self.budget else None
            for buffer in buffers:
                first, nbytes = buffer.surplus(math.inf if on_disk is None else on_disk.get(buffer.path, 0))
                buffer.nbytes -= nbytes
                total += nbytes
                if first:
                    self._store.trim({buffer.key: (first, 0)})
        return total

    def _wait_for_writer(self, budget: ScanBudget) -> None:
        """Store no more while there is no room for it; the backlog fills, and who emits waits."""
        told = False
        while budget.excess and not self._has_all:
            if not told:
                _log.warning("scan %s: held back, as %s", self.scan, budget)
            told = True
            self._tasks.sleep(0.2)
            budget.make_room()

    def _signs_of_life(self, entries: Sequence[Append]) -> dict[str, float]:
        """Return the keys whose expiry is to be set: new ones; at times, and at the end, all of them."""
        keys = {entry.key for entry in entries}
        renew = keys - self._known
        self._known |= keys
        now = time.monotonic()
        if self._ended or now - self._last_sign > self._retention.seconds / 4:
            self._last_sign, renew = now, set(self._known)
        return dict.fromkeys(renew, self._retention.seconds)

    def _fail(self, error: Exception) -> None:
        _log.error("scan %s: publishing failed: %s", self.scan, error)
        self._failure = error
        self._idle.set()
        if self.on_failure:
            self.on_failure(error)


_GATHER, _GATHER_AN_ENTRY, _GATHER_AT_MOST = 0.0005, 5e-5, 0.02
"""Seconds after a batch in which points are gathered: a scan of thousands of points per second pays for fewer round trips."""
_LARGE = 64 << 10
"""Bytes of a batch that is worth its round trip: the next one goes at once."""
