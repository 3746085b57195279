"""What ends a scan, in words: which scan it was, and which acquisition object raised it."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from bliss_like.devices.silence import names_of
from bliss_like.errors import BlissLikeError, NotConnectedError

from .acquisition import AcquisitionObject

if TYPE_CHECKING:
    from .scan import Scan

_log = logging.getLogger(__name__)


def described(error: BaseException | None) -> dict[str, str]:
    """Return what the end of a scan says of the error that ended it."""
    if error is None:
        return {}
    text = "".join(traceback.format_exception(error))
    return {"type": type(error).__name__, "message": str(error), "traceback": text}


def log_failure(scan: Scan, what: str, error: BaseException, first: BaseException | None = None) -> None:
    """Log what is not raised; with its traceback, unless it is a sentence that says all by itself.

    :param first: what is raised. Of a device that is lost, people need not be told more than that.
    """
    is_told = isinstance(error, BlissLikeError)
    told = f": {error}" if is_told else ""
    is_known = str(error) == str(first) or (
        isinstance(error, NotConnectedError) and isinstance(first, NotConnectedError)
    )
    level = logging.INFO if is_told and is_known else logging.ERROR
    _log.log(level, "scan %s: %s%s%s", scan.name, what, _place(error), told, exc_info=None if is_told else error)


def note_place(scan: Scan, error: BaseException | None) -> None:
    """Add to an error which scan it ended, and which acquisition object raised it: it may not say so itself."""
    if error is not None:
        place = _place(error)
        number = f"{scan.scan_number} " if scan.scan_number else ""  # refused before it had one
        name = f"scan {number}{scan.name}"
        if place or name not in str(error):
            error.add_note(f"({name}{place})")


def _place(error: BaseException) -> str:
    """Return the innermost acquisition object whose method is in the traceback, for the end of a sentence."""
    owners = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(error.__traceback__)]
    owner = next((owner for owner in reversed(owners) if isinstance(owner, AcquisitionObject)), None)
    return f", in {names_of(owner.known_as)}" if owner is not None else ""
