"""Hardware that one session at a time may drive: moves and scans claim what they drive, for as long as they do.

The session puts in what asks the other sessions; without one, everything is granted. Reading is never asked for, and nor is
a stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Claim(Protocol):
    """What was granted."""

    def release(self) -> None:
        """Let others have it again; returns at once and never raises."""


class Interlock(Protocol):
    """Grants devices to this session."""

    def claim(self, devices: Sequence[Any], purpose: str) -> Claim:
        """Return when this session alone may drive the devices, those that it drives already included.

        A device that has a true attribute `interlock` is exclusive, unless its configuration says otherwise.

        :param purpose: what for, told to whoever is refused meanwhile.
        :raises AlreadyLockedDevices: another session drives one of them; none was claimed.
        """


class _Nothing:
    """Asks nobody."""

    def claim(self, devices: Sequence[Any], purpose: str) -> Claim:
        return self

    def release(self) -> None:
        """Nothing was claimed."""


_interlock: Interlock = _Nothing()


def use_interlock(interlock: Interlock | None) -> None:
    """Ask this one from now on; None: nobody. Done by the session."""
    global _interlock
    _interlock = interlock or _Nothing()


def claim(devices: Iterable[Any], purpose: str) -> Claim:
    """Claim devices until `release`; see `Interlock.claim`."""
    return _interlock.claim(list(devices), purpose)


@contextmanager
def claimed(devices: Iterable[Any], purpose: str) -> Iterator[None]:
    """Claim devices for the time of a context."""
    granted = claim(devices, purpose)
    try:
        yield
    finally:
        granted.release()
