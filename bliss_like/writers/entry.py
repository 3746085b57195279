"""A scan's row in the catalogue: entered soon after it begins and is prepared, and when it is saved. What fails is said in the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bliss_like.data import catalogue
from bliss_like.data.events import EndScan, NewNode, PreparedScan, SavedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.scan_info import merged
from bliss_like.errors import CatalogueError

_log = logging.getLogger(__name__)


class CatalogueEntry:
    """Folds the events of one scan into its row.

    :param scan: its db_name.
    """

    def __init__(self, scan: str) -> None:
        self._scan = scan
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
        try:
            root = catalogue.root_of(self._info)
            if saved or root.is_dir():  # else nothing of the scan is on disk yet
                catalogue.record(root, self._info, saved, self._scan)
            self._failure = ""
        except CatalogueError as error:
            if str(error) != self._failure:
                self._failure = str(error)
                _log.warning("scan %s: the catalogue does not know it as it is: %s", self._scan, error)

    def _learn(self, info: Mapping[str, Any]) -> None:
        self._info = merged(self._info, info)
