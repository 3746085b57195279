"""A scan's row in the catalogue: entered soon after it begins and is prepared, and when it is saved. What fails is said in the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bliss_like.data import catalogue
from bliss_like.data.events import EndScan, NewNode, PreparedScan, SavedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.scan_info import merged
from bliss_like.data.threads import begin_thread
from bliss_like.errors import CatalogueError

_log = logging.getLogger(__name__)

_IDENTITY = ("scan_nb", "uid", "filename", "base_path")
"""What a scan is known by from its beginning on, whatever is written over it in its info."""

_PATIENCE = 10.0
"""Seconds for which rows are waited for at the end."""


class Rows:
    """Rows on their way into catalogues, in a thread: each takes as long as a disk takes to answer, and no scan is to wait
    for that."""

    def __init__(self) -> None:
        self._calls: dict[str, Callable[[], object]] = {}
        """What is to be done, by scan: a row that has not been entered is replaced by a newer one."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._at_work = False

    def put(self, scan: str, call: Callable[[], object]) -> None:
        """Have a call made soon."""
        with self._changed:
            self._calls[scan] = call
            if self._thread is None:
                self._thread = begin_thread(self._run, "catalogue")
            self._changed.notify_all()

    def finish(self) -> None:
        """Wait until all are made, unless that takes too long."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._calls or self._at_work), _PATIENCE)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._at_work = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._calls)
                call = self._calls.pop(next(iter(self._calls)))
                self._at_work = True
            try:
                call()
            except Exception:  # noqa: BLE001  the other rows are to be entered, too
                _log.exception("the catalogue: a row is not entered")


class CatalogueEntry:
    """Folds the events of one scan into its row.

    :param scan: its db_name.
    :param rows: what enters it; by default it is entered at once.
    """

    def __init__(self, scan: str, rows: Rows | None = None) -> None:
        self._scan, self._rows = scan, rows
        self._info: dict[str, Any] = {}
        self._failure = ""
        self._has_news = False

    def accept(self, event: WireEvent) -> None:
        """Take the next event of the scan."""
        if isinstance(event, EndScan):
            self._learn({**event.info, "state": event.state})
        elif isinstance(event, NewNode | PreparedScan | ScanInfoUpdate) and event.path == self._scan:
            self._learn(event.info)
            self._has_news = self._has_news or not isinstance(event, ScanInfoUpdate)

    def enter_news(self) -> None:
        """Enter what is new, when there is time: nobody is to wait for that at the end of a scan."""
        if self._has_news:
            self.enter()

    def enter(self, saved: SavedScan | None = None) -> None:
        """Enter what is known by now. Saving goes on if it fails: the catalogue can be made again from the files."""
        self._has_news = False
        call = partial(self._record, self._info, saved)
        if self._rows is not None:
            self._rows.put(self._scan, call)
        else:
            call()

    def _record(self, info: Mapping[str, Any], saved: SavedScan | None) -> None:
        try:
            root = catalogue.root_of(info)
            if saved or root.is_dir():  # else nothing of the scan is on disk yet
                catalogue.record(root, info, saved, self._scan)
            self._failure = ""
        except CatalogueError as error:
            if str(error) != self._failure:
                self._failure = str(error)
                _log.warning("scan %s: the catalogue does not know it as it is: %s", self._scan, error)

    def _learn(self, info: Mapping[str, Any]) -> None:
        known = {key: self._info[key] for key in _IDENTITY if key in self._info}
        self._info = merged(self._info, info) | known
