"""Scans of cameras alone."""

from __future__ import annotations

from typing import Any

from bliss_like.scanning.acquisitions.camera_scan import take_images
from bliss_like.scanning.scan import Scan

from .arguments import COUNT, SECONDS

__all__ = ["limatake"]


def limatake(
    expotime: float, nbframes: int = 1, *limadevs: Any, save: bool = False, run: bool = True, **parameters: Any
) -> Scan:
    """Let cameras take images, each as fast as it can; return the scan.

    :param expotime: seconds of one image.
    :param limadevs: cameras, or their counters; none means those of the active measurement group.
    :param parameters: of the acquisition, e.g. `acq_trigger_mode`, `saving_mode`; of one camera only as
        `<its name>={...}`; `title=` that of the scan.
    :raises ScanUsageError: an argument is wrong, or nothing there is a camera.
    """
    seconds, number = SECONDS.take("limatake: expotime", expotime), COUNT.take("limatake: nbframes", nbframes)
    return take_images(seconds, number, *limadevs, save=save, run=run, **parameters)
