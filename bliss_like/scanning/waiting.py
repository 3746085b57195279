"""What a scan waits for, when nothing has come for a while: said in its info, for its own terminal and for all others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices import silence
from bliss_like.devices.silence import Silence
from bliss_like.errors import BlissLikeError

from . import nodes

if TYPE_CHECKING:
    from .acquisition import Call
    from .scan import Scan

_log = logging.getLogger(__name__)

PERIOD = 0.5
"""Seconds between two looks."""

_TO_DO = {
    "prepare": "to prepare",
    "wait_ready": "to be ready",
    "settle": "to be ready",
    "stop": "to stop",
    "wait_reading": "to give its last points",
}
"""Verb of an acquisition object -> what it is waited for to do; nothing is said of triggers."""

_TIMES = ("count_time", "_count_times", "acq_expo_time")
"""Attributes of acquisition objects that say how long a point takes."""


class Waiting:
    """Looks at a scan from time to time: at its points, its motions, and at the calls of its devices that are under way.

    :param pending: returns those.
    """

    def __init__(self, scan: Scan, pending: Callable[[], list[Call]]) -> None:
        self._scan, self._pending = scan, pending
        self._axes: set[Any] = set()
        self._since = time.monotonic()
        self._news: tuple[Any, ...] = ()
        self._told: Silence | None = None
        self._looking: gevent.Greenlet[[], None] | None = None

    def begin(self) -> None:
        self._axes = {axis for axis in nodes.driven_by(self._scan.acq_chain) if hasattr(axis, "current_move")}
        self._looking = gevent.spawn(self._look_on)

    def end(self) -> None:
        """Wait for nothing any more, and say so."""
        if self._looking is not None:
            self._looking.kill(block=False)
            self._looking = None
            self._tell(None)

    def _look_on(self) -> None:
        while True:
            gevent.sleep(PERIOD)
            self._tell(self._of_motions() or self._of_devices())

    def _of_motions(self) -> Silence | None:
        moves = [move for move in silence.moves() if not self._axes.isdisjoint(move.axes)]
        if moves:
            self._since = time.monotonic()  # devices have their time when the axes have arrived
        return min(
            (found for move in moves if (found := move.hearing.silence())), key=lambda found: found.since, default=None
        )

    def _of_devices(self) -> Silence | None:
        scan, now, pending = self._scan, time.monotonic(), self._pending()
        paused = str(scan.scan_info.get("paused") or "")
        news = (scan.state, sum(channel.length for channel in scan.channels), paused, pending)
        if news != self._news or paused:
            self._news, self._since = news, now
        owners = [getattr(call, "__self__", None) for call in pending]
        if not pending or now - self._since <= silence.PATIENCE + self._expected(owners):
            return None
        verb = str(getattr(pending[0], "__name__", "")).removeprefix("acq_")
        names = silence.names_of(_devices(owners)) or "its devices"
        what = f"{names} {_TO_DO.get(verb, '')}".rstrip()
        return Silence(what, self._since)

    def _expected(self, owners: Iterable[Any]) -> float:
        """Return the seconds between two points that nobody wonders at."""
        info = self._scan.scan_info
        told = [
            info.get("count_time"),
            *(vars(owner).get(key) for owner in owners if owner is not None for key in _TIMES),
        ]
        return (
            max(map(_longest, told), default=0.0) + _longest(info.get("sleep_time")) + _longest(info.get("stab_time"))
        )

    def _tell(self, found: Silence | None) -> None:
        if found == self._told:
            return
        self._told = found
        since = {} if found is None else {"waiting_since": time.time() - (time.monotonic() - found.since)}
        try:
            self._scan.update_info(waiting="" if found is None else found.what, **since)
        except BlissLikeError as error:  # of the data server, which says so itself
            _log.debug("%s: what it waits for is not told: %s", self._scan.label, error)


def _devices(owners: Iterable[Any]) -> list[Any]:
    """Return what people know acquisition objects by: their counters, or their axes, else themselves."""
    devices: list[Any] = []
    for owner in owners:
        if owner is not None:
            devices += owner.counters or owner.known_as
    return devices


def _longest(told: Any) -> float:
    """Return a time, the longest of several; 0 of what is none."""
    times = told if isinstance(told, list | tuple) else [told]
    return max((float(each) for each in times if isinstance(each, int | float)), default=0.0)
