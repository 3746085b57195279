"""Scans of cameras alone."""

from __future__ import annotations

from typing import Annotated, Any

from bliss_like.scanning.acquisition.camera_scan import take_images
from bliss_like.scanning.scan import Scan

from .arguments import COUNT, Countable, Flag, Seconds, Subs
from .command import scan_command

__all__ = ["limatake"]


@scan_command
def limatake(
    expotime: Seconds,
    nbframes: Annotated[int, COUNT] = 1,
    *limadevs: Countable,
    save: Flag = False,
    run: Flag = True,
    subs: Subs | None = None,
    **parameters: Any,
) -> Scan:
    """Let cameras take images, each as fast as it can; return the scan.

    :param expotime: seconds of one image.
    :param limadevs: cameras, or their counters; none means those of the active measurement group.
    :param parameters: of the acquisition, e.g. `acq_trigger_mode`, `saving_mode`; of one camera only as
        `<its name>={...}`; `title=` that of the scan.
    """
    scan = take_images(expotime, nbframes, *limadevs, save=save, run=False, **parameters)
    scan.subscriptions.extend(subs or ())
    if run:
        scan.run()
    return scan
