"""Scans that have ended and whose writer has not yet said that they are saved: so many are waited for and no more."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from itertools import islice

from . import paths
from .codec import decode_event
from .events import NewNode, SavedScan
from .scan_info import to_be_saved
from .store import FIRST, Entry, Id, StreamStore

AT_ONCE = 64
"""Ended scans that are waited for: of more, the oldest are given up, so that waiting does not cost more with every scan."""


class Awaited:
    """Cursors in the streams in which writers say that scans are saved."""

    def __init__(self) -> None:
        self.cursors: dict[str, Id] = {}
        """By key, in the order in which the scans ended."""

    def add(self, scan: str) -> None:
        """Wait for all that is said of a scan, also of what was said before."""
        self.cursors[paths.saved(scan)] = FIRST

    def add_unsaved(self, store: StreamStore, scans: Sequence[NewNode]) -> None:
        """Wait for what is to be said from now on of those of the scans that are not saved yet; ask for the last ones only."""
        keys = [paths.saved(scan.path) for scan in scans if to_be_saved(scan.info)][-AT_ONCE:]
        for key, entry in zip(keys, store.last_entries(keys), strict=True):
            if entry is None or not _is_saved(decode_event(entry[1])):
                self.cursors[key] = entry[0] if entry else FIRST

    def accept(self, key: str, entries: Sequence[Entry]) -> Iterator[SavedScan]:
        """Yield what was said of one scan. One that is saved is waited for no more."""
        for entry_id, fields in entries:
            event = decode_event(fields)
            if isinstance(event, SavedScan):
                yield event
            if _is_saved(event):
                self.cursors.pop(key, None)
            elif key in self.cursors:
                self.cursors[key] = entry_id

    def give_up_the_oldest(self, answered: Container[str]) -> None:
        """After all were asked for: forget those that are too many, unless there is an answer to be accepted."""
        for key in list(islice(self.cursors, max(0, len(self.cursors) - AT_ONCE))):
            if key not in answered:
                del self.cursors[key]


def _is_saved(event: object) -> bool:
    return isinstance(event, SavedScan) and event.state == "SAVED"
