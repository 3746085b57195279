"""One scan on its way into a file: its events are read when there is room for them, and what fails is tried again."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from functools import partial

from bliss_like.data import paths
from bliss_like.data.events import EndScan, NewData, NewNode, SavedScan, WireEvent
from bliss_like.data.retention import Retention
from bliss_like.data.saving import UNSAVED_SECONDS, is_done_with, saved, tell_progress, tell_saved
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import ScanStructure
from bliss_like.data.walker import Walker
from bliss_like.errors import DataError, FileLostError, NodeNotFound, SavingError, StoreUnavailable

from . import ScanFile
from .entry import CatalogueEntry, Rows
from .formats import NONE, find_format

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
"""Seconds after which a call that has failed is made again, the first time and in the end."""
_STUCK = 10.0
"""Seconds after which a call that has not come back is told of."""
_LOST_AFTER = 10.0
"""Seconds without news after which it is looked whether a scan is still in the store."""


class ScanToSave:
    """Folds the events of one scan into a `ScanFile`.

    :param scan: db_name.
    :param tells_failure: say in the store also that it cannot be saved.
    :param rows: what enters it into the catalogue; by default it is entered at once.
    :param trouble: what has kept it from being written before; it is not told again.
    :raises NodeNotFound: the scan is not in the store, or no more.
    """

    def __init__(
        self,
        store: StreamStore,
        scan: str,
        *,
        tells_failure: bool = True,
        rows: Rows | None = None,
        trouble: str = "",
    ) -> None:
        structure = ScanStructure(store, scan).refresh()
        if structure.scan is None:
            raise NodeNotFound(f"scan {scan}: not in the store")
        self.path = scan
        self.node: NewNode = structure.scan
        self.format = str(self.node.info.get("data_writer") or NONE)
        """Name of the format; `null`: nobody wants it to be saved."""
        self.filename = str(self.node.info.get("filename", ""))
        self.begun_at = time.monotonic()
        self.trouble = trouble
        """What keeps it from being written; empty when nothing does."""
        self._at_work_since = math.inf
        self.is_over = self.format == NONE
        """Whether nothing is left to be done."""
        self.retry_at = 0.0
        self._pause = _FIRST_PAUSE
        self._store, self._tells_failure = store, tells_failure
        self._entry = CatalogueEntry(scan, rows)
        self._has_told = self._is_lost = False
        self.refusal = ""
        """Why the server did not take what was told."""
        self._said: SavedScan | None = None
        """What is to be told at the end."""
        self._last_news = time.monotonic()
        self.seconds_at_end = 0.0
        self._begin()

    def _begin(self) -> None:
        """With the first event."""
        self._file: ScanFile | None = None
        self._walker = Walker(self._store, self.path, patience=0)
        self._events: Iterator[WireEvent] = iter([self.node])
        self._pending: WireEvent | None = None
        self._dirty = self._ended = self._is_lost = False
        self._lengths: dict[str, int] = {}
        """Points on disk of which that was not told."""
        self.behind = 0
        """Bytes of points that were read and are not on disk."""

    @property
    def doors(self) -> dict[str, tuple[int, int]]:
        """What to wait for; nothing while the scan is in trouble: its events stay in the store."""
        return {} if self.trouble else dict(self._walker.doors)

    @property
    def stuck(self) -> str:
        """That nothing comes back from its file, so that all others wait, too; asked by another thread."""
        seconds = time.monotonic() - self._at_work_since
        return f"{self.filename}: no answer for {seconds:.0f} s; does its disk?" if seconds > _STUCK else ""

    # -- all that can be done, again and again -------------------------------------------------------------------------

    def advance(self, until: float, flush: bool = True) -> bool:
        """Take in what was published, until that time; return whether more is there at once.

        :param flush: bring it to disk; which the end of the scan does in any case.
        :raises StoreUnavailable: the server went away; what was read is brought to disk by `flush`.
        """
        if self.is_over or time.monotonic() < self.retry_at or self._is_saved_by_another():
            return False
        if self._is_lost:
            self._store.delete([paths.saving(self.path)])  # else points may go that are on no disk any more
            self._begin()
        more = self._attempt(partial(self._work, until, flush)) or False
        self.tell()
        return more

    def flush(self) -> None:
        """Bring to disk what was read; the store is not needed."""
        if self._dirty and not (self.is_over or self._is_lost or self._said) and time.monotonic() >= self.retry_at:
            self._attempt(self._flush)

    def tell(self) -> None:
        """Tell those who wait; to a server that takes nothing it is told again later.

        :raises StoreUnavailable: it is to be done again.
        """
        try:
            self._tell()
        except StoreUnavailable:
            raise
        except DataError as error:  # it is full, or cannot write its own disk
            if str(error) != self.refusal:
                _log.error("scan %s: how far it is saved cannot be told, it is tried again: %s", self.path, error)
            self.refusal = str(error)
            self.retry_at = time.monotonic() + _LONGEST_PAUSE
        else:
            self.refusal = ""

    def _tell(self) -> None:
        if self._said is not None and not self.is_over:
            if self._said.state == "SAVED" or self._tells_failure:
                tell_saved(self._store, self._said, Retention().seconds)
            self.is_over = True
            self._entry.enter(self._said)
        elif self._lengths and not self.is_over:
            tell_progress(self._store, self.path, self._lengths)
            if not self._has_told:
                self._store.expire([paths.saving(self.path)], UNSAVED_SECONDS)
            self._has_told, self._lengths = True, {}

    def leave(self) -> None:
        """Close the file as it is: another writer goes on with it."""
        file, self._file = self._file, None
        if self._said is not None:
            return
        self.is_over = True
        try:
            if file is not None:
                file.close()
        except Exception as error:  # noqa: BLE001  of a format, whoever made it: the other files are to be closed, too
            _log.warning("scan %s: left as it was last written: %s", self.path, _sentence(error))

    def abandon(self) -> None:
        """Let the file go at once, nothing more being written to it."""
        if self._file is not None and self._said is None:
            self._file.abandon()
        self._file, self.is_over = None, True

    @property
    def said(self) -> SavedScan | None:
        """What became of it; None: it is not over, or was left."""
        return self._said

    def _is_saved_by_another(self) -> bool:
        """While it is in trouble: whether somebody has saved the scan elsewhere, e.g. where its directory was moved away."""
        event = saved(self._store, [self.path])[0] if self.trouble and self._said is None else None
        if not is_done_with(event):
            return False
        _log.warning("scan %s: is saved by another writer, or given up; what was begun is left", self.path)
        self.abandon()
        self.trouble = ""
        return True

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _work(self, until: float, flush: bool) -> bool:
        if self.trouble and not self._ended:
            self._flush()  # nothing more is read before what was read has found its place
        more = self._take(until)
        if flush and self._said is None:
            self._flush()
            self._entry.enter_news()
        return more

    def _take(self, until: float) -> bool:
        while self._said is None:
            if self._ended:
                self._close()
                return False
            if self._pending is None:
                self._pending = self._next()
            if self._pending is None:
                return False
            self._accept(self._pending)
            self._pending = None
            if time.monotonic() > until:
                return True
        return False

    def _next(self) -> WireEvent | None:
        event = next(self._events, None)
        if event is None:
            self._events = self._walker.events(wait=False)
            event = next(self._events, None)
        now = time.monotonic()
        if event is not None:
            self._last_news = now
        elif now - self._last_news > _LOST_AFTER:
            self._last_news = now
            self._look_whether_it_is_there()
        return event

    def _look_whether_it_is_there(self) -> None:
        if not self._store.exist([paths.scan(self.path)])[0]:
            _log.error("scan %s: it is no more in the store, without its end; its file stays as it is", self.path)
            self.leave()

    def _accept(self, event: WireEvent) -> None:
        if self._file is None:
            self._file = find_format(self.format)(self.node)
        self._file.accept(event)
        self._entry.accept(event)
        self._dirty = True
        if isinstance(event, NewData):
            self.behind += event.values.nbytes
        elif isinstance(event, EndScan):
            self._ended, self.seconds_at_end = True, time.monotonic()

    def _flush(self) -> None:
        if self._file is not None and self._dirty:
            self._lengths.update(self._file.flush())
        self._dirty, self.behind = False, 0

    def _close(self) -> None:
        if self._file is not None:
            self._said, self.behind = self._file.close(), 0
            where = self._said.place
            _log.info("scan %s: saved in %s (%.3f s)", self.path, where, time.monotonic() - self.seconds_at_end)

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    def _attempt(self, step: Callable[[], bool | None]) -> bool | None:
        self._at_work_since = time.monotonic()
        try:
            done = step()
        except StoreUnavailable:  # which is an OSError, too
            raise
        except OSError as error:
            self._wait(error)
            return None
        except FileLostError as error:
            self._give_up_file()
            self._is_lost = True
            self._wait(error)
            return None
        except SavingError as error:
            self._fail(str(error))
            return None
        except Exception as error:  # noqa: BLE001  of a format, whoever made it: the other scans go on
            _log.exception("scan %s: format %s failed", self.path, self.format)
            self._fail(f"format {self.format} failed with {type(error).__name__}: {error}".removesuffix(": "))
            return None
        finally:
            self._at_work_since = math.inf
        if self.trouble:
            _log.warning("scan %s: writing goes on", self.path)
        self.trouble, self._pause = "", _FIRST_PAUSE
        return done

    def _wait(self, error: Exception) -> None:
        reason = _sentence(error)
        trouble = reason if reason.startswith(self.filename) else f"{self.filename}: {reason}"
        if trouble != self.trouble:
            _log.error("scan %s: cannot be written, it is tried again: %s", self.path, trouble)
        self.trouble = trouble
        self.retry_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    def _fail(self, message: str) -> None:
        _log.error("scan %s: not saved: %s", self.path, message)
        self._give_up_file()
        self.trouble, self.behind = "", 0
        self._said = SavedScan(self.path, "FAILED", self.filename, (), message, self.format)

    def _give_up_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.abandon()
            except Exception:  # noqa: BLE001  it has failed already
                _log.exception("scan %s: its file could not be given back", self.path)


def _sentence(error: Exception) -> str:
    """Return what an error says, without the number that people cannot read."""
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or str(error) or type(error).__name__
