"""Formats that scans are saved in while they run, each a fold over the events of one scan; and the process that does it.

A format is a function `open_scan(scan: NewNode) -> ScanFile`, found by its name in the entry points `bliss_like.writers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bliss_like.data.events import NewNode, SavedScan, WireEvent


class ScanFile(Protocol):
    """One scan on its way to disk. The same events may come again, from the first on, after a writer has died: what is there
    already is left as it is. All calls come from one thread.

    :raises SavingError: (from any call) something is in the way: another program's file, another scan's entry, the form
        of an event. It is said to people as it is; the scan goes on, and is tried again by `bliss-like recover`.
    :raises FileLostError: (from any call) what was written is gone: a new `ScanFile` is made, and gets all events from the first on.
    :raises OSError: (from any call) disk full, directory gone, ...: the call is made again until it succeeds.
    """

    def accept(self, event: WireEvent) -> None:
        """Take the next event of the scan; the first one is its own NewNode."""

    def flush(self) -> Mapping[str, int]:
        """Bring all that was accepted to disk, where other programs find it; return the points there, by channel."""

    def close(self) -> SavedScan:
        """Flush, and say where the scan is. It need not have ended: then it is not complete."""

    def abandon(self) -> None:
        """Give everything back as well as it goes, when a call has failed for good."""


class OpenScan(Protocol):
    """Begins to save a scan, or goes on with one that was begun by a writer that died.

    It may have `extension`, `last_number`, `check_options` and `linger`: docs/how-to/own-file-format.md.
    """

    def __call__(self, scan: NewNode) -> ScanFile:
        """`scan.info` has `filename`, `writer_options` and `uid`."""
