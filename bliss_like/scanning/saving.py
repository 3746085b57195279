"""What a scan asks of whoever has it saved: it is not started without a living writer, and is over when it is saved."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .scan import Scan


class Saver(Protocol):
    """Asked by scans that are to be saved (`scan.save`), in this order: `check`, `last_number`, `describe`, `beside`, `wait`."""

    def check(self, scan: Scan) -> None:
        """Return if the scan can be saved; nothing is announced and no number taken yet.

        :raises SavingError: it cannot: no writer lives, the place is not writable, there is not enough room.
        """

    def last_number(self) -> int:
        """Return the highest number of the scans that are on disk where the next one goes, 0 when there are none."""

    def describe(self, scan: Scan) -> dict[str, Any]:
        """Return what `scan_info` says of saving: `data_writer`, `filename`... The scan has its number."""

    def beside(self, scan: Scan) -> AbstractContextManager[object]:
        """Make what goes on from the moment when the scan is announced until it has ended, e.g. hold it back while the
        writer is too far behind."""

    def told(self) -> str:
        """Return the state of the writer in a line, for people."""

    def wait(self, scan: Scan) -> None:
        """Return when the scan is saved; its end was published, and its devices stand still.

        :raises SavingError: it is not saved; the message says why, what is kept where, and the way out.
        """
