"""The writer of a session: a plain process that listens to its tree like anyone, and saves the scans that are to be saved.

Scans that run come first; beside them, those that an earlier writer has left are saved, the oldest first. What keeps one
scan from being written (a full disk) does not keep the others: its events stay in the store until it is over. Points are
read a few times a second, an end of a scan at once.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bliss_like import __version__
from bliss_like.data import paths
from bliss_like.data.events import NewNode
from bliss_like.data.orphans import end_orphans
from bliss_like.data.saving import WriterStatus, is_done_with, saved, unsaved_scans
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import unfinished
from bliss_like.data.walker import Depth, Walker
from bliss_like.errors import BlissLikeError, NodeNotFound, SavingError, StoreUnavailable

from .claim import Claim
from .entry import Rows
from .formats import find_format, linger
from .scan_to_save import ScanToSave

_log = logging.getLogger(__name__)

PACE = 0.1
"""Seconds between two looks at the points of scans: about what the file is behind them."""
_IDLE = 0.2
"""Seconds for which a writer waits that has nothing to write: it ends and takes over that much later."""
_TURN, _OLD_TURN = 0.2, 0.05
"""Seconds of work on one scan before the others have a turn: on one that runs, and on one that an earlier writer has left."""
_LINGER = 1.0
"""Seconds for which a file stays open after its last scan: to open it again costs more than a short scan."""
ALONE = 60.0
"""Seconds for which a writer whose session is gone waits for a server that is gone, too: the next one does the rest."""
_OLD_AT_ONCE = 3
"""Scans left by an earlier writer that are begun, if all of them are in trouble."""
_OLD_PATIENCE = 10.0
"""Seconds for which one of them is tried while others wait for their turn."""


@dataclass(frozen=True)
class Until:
    """What ends a writer, beside a signal.

    :param saved: nothing is left to be saved.
    :param parent: pid of the session's process that has started it: when that is gone, and nothing is left.
    """

    saved: bool = False
    parent: int = 0


def serve(
    session: str, store: StreamStore, *, stopped: Callable[[], bool] = lambda: False, until: Until = Until()
) -> None:
    """Save the scans of a session until `stopped()` or `until`; what has been read by then is on disk.

    :raises SavingError: the session has a writer already, or another one has taken over.
    :raises StoreUnavailable: the server does not answer at the beginning; later on it is waited for.
    """
    writer = _Writer(session, store, until)
    claim = Claim(store, lambda: writer.status)
    claim.take()
    _log.info("%s: at work, version %s", writer.status, __version__)
    try:
        while not (stopped() or claim.lost or writer.is_done):
            writer.turn()
    finally:
        writer.leave(abandon=claim.lost)
        claim.give_back()
        writer.finish()
    if claim.lost:
        raise SavingError(f"the {writer.status} was silent for too long, and another one has taken over; this one ends")
    _log.info("%s: ended", writer.status)


class _Writer:
    def __init__(self, session: str, store: StreamStore, until: Until) -> None:
        self._session, self._store, self._until = session, store, until
        self._status = WriterStatus(session, socket.gethostname(), os.getpid(), __version__, time.time())
        self._finder = Walker(
            store, session, depth=Depth(saved=False), prune=lambda node, existing: node.kind.is_scan, patience=0
        )
        self._has_begun = self._is_orphan = False
        self._lost_at = math.inf
        """When the server went away; never, while it is there."""
        self._announced: deque[str] = deque()
        """Scans that run and are not taken up yet."""
        self._running: dict[str, ScanToSave] = {}
        self._old: deque[str] = deque()
        """Scans that an earlier writer has left."""
        self._begun: dict[str, ScanToSave] = {}
        """Those of them that are under way, in the order in which they were begun."""
        self._set_aside: dict[str, str] = {}
        """What kept those from being written that have given way to others."""
        self._next_points = 0.0
        self._rows = Rows()
        self._rung: set[str] = set()
        """Streams in which something has appeared."""

    @property
    def is_done(self) -> bool:
        if self._is_orphan and time.monotonic() - self._lost_at > ALONE:
            return True
        if not self._has_begun or self._announced or self._running or self._begun or self._old:
            return False
        return self._until.saved or self._is_orphan

    @property
    def status(self) -> WriterStatus:
        """What is told of it; asked by another thread."""
        scans = [*self._running.values(), *self._begun.values()]
        now = next(iter(scans), None)
        stuck = next((f"scan {scan.path}: {told}" for scan in scans if (told := scan.stuck)), "")
        troubles = {"": stuck} if stuck else {}
        troubles |= {scan.path: told for scan in scans if (told := scan.trouble or scan.refusal)}
        return replace(
            self._status,
            scan=now.path if now else "",
            file=now.filename if now else "",
            behind=sum(scan.behind for scan in scans),
            troubles=troubles,
        )

    # -- one turn ------------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Do what is to be done now, then wait for more, not long; a server that is gone is waited for."""
        try:
            self._notice_end_of_parent()
            if not self._has_begun:
                self._begin()
            self._find()
            more = self._advance_running()
            more = self._advance_old() or more
            self._end_what_parent_left()  # which waits for the server by itself: after what tells at once that it is gone
            linger(_LINGER)
            self._wait(0 if more else self._time_to_wait())
            if self._lost_at < math.inf:
                _log.warning("the server is back")
            self._lost_at = math.inf
        except StoreUnavailable as error:
            if self._lost_at == math.inf:
                _log.warning("the server is gone, it is waited for: %s", error)
            self._lost_at = min(self._lost_at, time.monotonic())
            for scan in self._scans():
                scan.flush()
            time.sleep(PACE)

    def leave(self, abandon: bool) -> None:
        """Close all files as they are."""
        for scan in self._scans():
            if abandon:
                scan.abandon()
            else:
                scan.leave()
                with contextlib.suppress(StoreUnavailable):
                    scan.tell()
        linger(0)

    def finish(self) -> None:
        """Wait for the catalogue, which may be slow, when another writer may have begun."""
        self._rows.finish()

    def _scans(self) -> Iterator[ScanToSave]:
        yield from self._running.values()
        yield from self._begun.values()

    def _begin(self) -> None:
        """Take up what is there: afterwards the finder yields what is new."""
        with contextlib.suppress(SavingError):  # said of the scan that wants it
            find_format("nexus")
        self._finder.start_now()
        left = unsaved_scans(self._store, self._session)
        running = set(unfinished(self._store, left))
        self._announced = deque(path for path in left if path in running)
        self._old = deque(path for path in left if path not in running)
        self._has_begun = True

    def _find(self) -> None:
        """Take up scans that were announced. The finder tells each once, so none is forgotten before that has succeeded."""
        if not self._rung.isdisjoint(self._finder.doors):
            for node in self._finder.events(wait=False):
                if isinstance(node, NewNode) and node.kind.is_scan:
                    self._announced.append(node.path)
        while self._announced:
            self._take_up(self._announced[0])
            self._announced.popleft()

    def _take_up(self, path: str) -> None:
        is_known = path in self._running or path in self._begun or path in self._old  # from the list of those left, too
        if paths.name(path).startswith("_") or is_known:
            return
        with contextlib.suppress(NodeNotFound):
            scan = ScanToSave(self._store, path, rows=self._rows)
            if not scan.is_over:
                self._running[path] = scan
                self._next_points = 0.0

    def _advance_running(self) -> bool:
        now = time.monotonic()
        for_points, more = now >= self._next_points, False
        for path, scan in list(self._running.items()):
            if for_points or not self._rung.isdisjoint(scan.doors):
                more = scan.advance(time.monotonic() + _TURN, for_points) or more
            if scan.is_over:
                del self._running[path]
        self._rung.clear()
        if for_points:
            took = time.monotonic() - now
            self._next_points = 0.0 if more else now + took + max(PACE - took, took / 4)
        return more

    def _advance_old(self) -> bool:
        more = False
        for path, scan in list(self._begun.items()):
            more = scan.advance(time.monotonic() + _OLD_TURN) or more
            if scan.is_over:
                del self._begun[path]
        if self._old and all(scan.trouble for scan in self._begun.values()) and self._has_room():
            self._begin_old(self._old[0])
            self._old.popleft()
            return True
        return more

    def _has_room(self) -> bool:
        """Whether one more that was left may be begun; one that has long been in trouble gives way, and has its turn again."""
        if len(self._begun) < _OLD_AT_ONCE:
            return True
        path, scan = next(iter(self._begun.items()))
        if time.monotonic() - scan.begun_at < _OLD_PATIENCE:
            return False
        scan.abandon()
        del self._begun[path]
        self._set_aside[path] = scan.trouble
        self._old.append(path)
        return True

    def _begin_old(self, path: str) -> None:
        if is_done_with(saved(self._store, [path])[0]):  # somebody has saved it meanwhile
            return
        trouble = self._set_aside.pop(path, "")
        with contextlib.suppress(NodeNotFound):
            scan = ScanToSave(self._store, path, rows=self._rows, trouble=trouble)
            if not scan.is_over:
                if not trouble:
                    _log.info("scan %s: was left unsaved, is saved now", path)
                self._begun[path] = scan

    def _time_to_wait(self) -> float:
        now = time.monotonic()
        ends = [now + _IDLE]
        if any(not scan.trouble for scan in self._running.values()):
            ends.append(self._next_points)
        ends += [scan.retry_at for scan in self._scans() if scan.trouble]
        return max(0.0, min(ends) - now)

    def _wait(self, seconds: float) -> None:
        """Wait until something else than points appears, or for that many seconds."""
        doors = dict(self._finder.doors)
        for scan in self._running.values():
            doors.update(scan.doors)
        self._rung = set(self._store.read(doors, timeout=seconds, count=1))

    # -- the session's process -----------------------------------------------------------------------------------------

    def _notice_end_of_parent(self) -> None:
        if self._until.parent and not self._is_orphan and os.getppid() != self._until.parent:
            self._is_orphan = True
            _log.warning(
                "the session's process (pid %d) is gone; this writer ends when all is saved", self._until.parent
            )

    def _end_what_parent_left(self) -> None:
        """End the scans of a session whose process has died: it cannot do so itself, and nobody else may come."""
        if self._is_orphan and self._running:
            try:
                for path in end_orphans(self._store, self._session):
                    _log.warning("scan %s: its process has died, it is ended", path)
            except StoreUnavailable:
                raise
            except BlissLikeError as error:
                _log.warning("scans of a process that has died could not be ended: %s", error)
