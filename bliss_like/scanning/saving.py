"""What a scan asks of whoever has it saved: it is not started without a living writer, and is over when it is saved.

Detectors that save their images themselves are told where to.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from .acquisition import AcquisitionMaster

if TYPE_CHECKING:
    from bliss_like.data.events import SavedScan

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

    def wait(self, scan: Scan) -> SavedScan | None:
        """Return when the scan is saved, and what its writer said; its end was published, and its devices stand still.

        :raises SavingError: it is not saved; the message says why, what is kept where, and the way out.
        """


def say_where_images_go(scan: Scan) -> None:
    """Tell each detector that saves its images itself where they go, or that none are to be saved."""
    saving = scan.scan_saving
    for node in scan.acq_chain.nodes_list:
        if isinstance(node, AcquisitionMaster) and node.has_own_image_saving:
            if saving is None or not scan.save_images:
                node.set_image_saving(None, None, force_no_saving=True)
                continue
            device = getattr(node.device, "name", node.name)
            directory = saving.get_images_path(scan.scan_number, device)
            prefix = saving.get_images_prefix(scan.scan_number, device)
            node.set_image_saving(directory, prefix, asked=scan.save_images_asked)
