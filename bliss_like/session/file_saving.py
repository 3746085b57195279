"""Scans and their files: none starts without a living writer, none is over before it is saved, none runs away from it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.data import paths
from bliss_like.data.events import SavedScan
from bliss_like.data.saving import WriterStatus, is_done_with, progress, saved, wait_saved
from bliss_like.data.store import StreamStore
from bliss_like.errors import SavingError, StoreUnavailable
from bliss_like.scanning.scan import Scan

from .writer_process import WriterProcess

if TYPE_CHECKING:
    from .saving import ScanSaving
    from .session import Session

_log = logging.getLogger(__name__)

NO_FORMAT = "null"

_FOR_A_WRITER = 30.0
"""Seconds that a scan waits for a writer before it starts."""
_PATIENCE = 15.0
"""Seconds for which a scan that has ended waits for a writer that is gone, or cannot write."""
_FOR_PROGRESS = 60.0
"""The same of a writer that is at work, and gets nothing of it to the file."""
_TELL_AFTER = 2.0
"""Seconds after which a user is told what the end of a scan waits for."""
_SLICE = 0.25
_KEPT = "All that it has published stays in the data server for a week"
BACKLOG = 512 << 20
"""Bytes of points that are published and not on disk, beyond which a scan is held, until it is half of that."""


class FileSaving:
    """Has the scans of a session saved: its `Saver`."""

    def __init__(self, session: Session, store: StreamStore, writer: WriterProcess) -> None:
        self._session, self._store, self.writer = session, store, writer
        self.backlog = BACKLOG
        self._waited_for: set[str] = set()
        """Scans that have ended, and were not saved when they were last looked at."""

    @property
    def _scan_saving(self) -> ScanSaving:
        return self._session.scan_saving  # another one after a reload

    def begin(self) -> None:
        """Start a writer in the background, if scans are to be saved."""
        if not self._saves_nothing():
            self.writer.begin()

    def close(self) -> None:
        """End the writer; say which scans it leaves to the next one."""
        self.writer.close()
        try:
            said = zip(self._waited_for, saved(self._store, [*self._waited_for]), strict=True)
        except StoreUnavailable:
            return
        if left := sorted(paths.name(path) for path, event in said if not is_done_with(event)):
            _log.warning(
                "not saved yet: %s; the next session saves what it can, or: %s", ", ".join(left), self._recover()
            )

    def told(self) -> str:
        return "scans are not saved" if self._saves_nothing() else self.writer.told()

    def _saves_nothing(self) -> bool:
        return bool(self._scan_saving.writer == NO_FORMAT)

    # -- what scans ask ------------------------------------------------------------------------------------------------

    def check(self, scan: Scan) -> None:
        self._scan_saving.check()
        if self._saves_nothing():
            return
        self.writer.begin()
        deadline = time.monotonic() + _FOR_A_WRITER
        while self.writer.look() is None:
            if time.monotonic() > deadline:
                raise SavingError(
                    f"scan {scan.name}: no writer of session {self._session.name} has come to life within "
                    f"{_FOR_A_WRITER:.0f} s, so that it would not be saved; see {self.writer.log}, or run it by hand where "
                    f"you see it: bliss-like writer {self._session.name}; or go on without files: "
                    f'SCAN_SAVING.writer = "null"'
                )
            gevent.sleep(0.01)

    def last_number(self) -> int:
        return self._scan_saving.last_number_on_disk()

    def describe(self, scan: Scan) -> dict[str, Any]:
        return self._scan_saving.describe(scan.scan_number)

    @contextmanager
    def beside(self, scan: Scan) -> Iterator[None]:
        if not _is_saved(scan):
            yield
            return
        task = gevent.spawn_later(_SLICE, self._hold_back, scan)
        try:
            yield
        finally:
            task.kill()
            scan.gate.open("writer")

    def wait(self, scan: Scan) -> SavedScan | None:
        if not _is_saved(scan):
            return None
        self._waited_for.add(scan.path)
        event = self._wait(scan)
        self._waited_for.discard(scan.path)
        return event

    def _wait(self, scan: Scan) -> SavedScan:
        began = well_at = time.monotonic()
        has_told, done_before = False, -1
        while True:
            event, problem = self._ask(scan)
            if event is not None and event.state == "SAVED":
                return event
            if event is not None:
                raise SavingError(
                    f"{_name(scan)} is not saved: {event.error}. {_KEPT}: remove the cause, then: {self._recover()}"
                )
            now, patience = time.monotonic(), _PATIENCE if problem else _FOR_PROGRESS
            if not problem:
                done = self._points_on_disk(scan)
                well_at, done_before = now if done != done_before else well_at, done
            if now - well_at > patience:
                reason = problem or "the writer is at work, but nothing of it gets to the file"
                raise SavingError(
                    f"{_name(scan)} is not yet saved, {now - well_at:.0f} s after its end: {reason}. {_KEPT}: remove the cause, "
                    f"and it is saved, by the writer or by: {self._recover()}"
                )
            if now - began > _TELL_AFTER and not has_told:
                has_told = True
                why = f"{problem}. {_KEPT}; Ctrl-C stops the waiting" if problem else "the writer is at work on it"
                _log.warning("%s waits until it is saved: %s", _name(scan), why)

    def _points_on_disk(self, scan: Scan) -> int:
        try:
            return sum(progress(self._store, scan.path).values())
        except StoreUnavailable:
            return -1

    def _ask(self, scan: Scan) -> tuple[SavedScan | None, str]:
        """Wait a moment; return what was said of the scan, and what is in the way."""
        try:
            event = wait_saved(self._store, scan.path, _SLICE)
            if event is not None:
                return event, ""
            status: WriterStatus | None = self.writer.look()
        except StoreUnavailable as error:
            gevent.sleep(_SLICE)
            return None, str(error)
        except SavingError as error:
            return None, str(error)
        gevent.sleep(0.001)  # in a plain script nothing else has run meanwhile
        if status is None:
            return None, f"no writer of session {self._session.name} lives"
        return None, status.trouble_with(scan.path)

    def _recover(self) -> str:
        return f"bliss-like recover {self._session.name}"

    # -- back-pressure -------------------------------------------------------------------------------------------------

    def _hold_back(self, scan: Scan) -> None:
        """Hold a scan as long as too much of it waits to be written."""
        is_held = has_told = False
        while True:
            behind = self._behind(scan)
            if behind > self.backlog and not is_held:
                is_held = True
                scan.gate.close("writer")
                if not has_told:
                    has_told = True
                    _log.warning(
                        "%s is held: %.1f MB of it are not yet on disk; it goes on when it is half of that",
                        _name(scan),
                        behind / 1e6,
                    )
            elif is_held and behind < self.backlog / 2:
                is_held = False
                scan.gate.open("writer")
            gevent.sleep(_SLICE)

    def _behind(self, scan: Scan) -> int:
        """Return bytes of points that are not on disk; as long as there cannot be many, nobody is asked."""
        sizes = {channel.path: channel.dtype.itemsize * math.prod(map(abs, channel.shape)) for channel in scan.channels}
        lengths = {channel.path: channel.length for channel in scan.channels}
        behind = sum(lengths[path] * sizes[path] for path in lengths)
        if behind <= self.backlog / 2:
            return behind
        try:
            done = progress(self._store, scan.path)
            if (said := saved(self._store, [scan.path])[0]) is not None and said.state == "FAILED":
                return 0  # nothing of it will be written any more
        except StoreUnavailable:
            return behind
        return behind - sum(min(done.get(path, 0), lengths[path]) * sizes[path] for path in lengths)


def _is_saved(scan: Scan) -> bool:
    return str(scan.scan_info.get("data_writer", NO_FORMAT)) != NO_FORMAT


def _name(scan: Scan) -> str:
    return f"scan {scan.scan_number} {scan.name}"
