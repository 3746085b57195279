"""`bliss-like stop`: axes stand still, whichever session of the beamline moves them."""

from __future__ import annotations

from collections.abc import Sequence

from bliss_like.data import server
from bliss_like.devices import motion_line

PATIENCE = 1.0
"""Seconds that sessions have to answer."""


def stop(names: Sequence[str]) -> int:
    """Ask all sessions to stop axes, all that move if none is named; print what stopped, and return the exit code.

    :raises StoreUnavailable: the server does not answer.
    """
    if not server.is_configured() and server.status() is None:
        print("No session runs: there is no server.")
        return 0
    stopped = motion_line.request_stop(*names, by="bliss-like stop", patience=PATIENCE)
    if stopped:
        print(f"Stopped: {', '.join(stopped)}")
    others = [name for name in names if name not in stopped]
    if others or not stopped:
        print(f"No session of the beamline moves {', '.join(others) or 'anything'}.")
    return 0
