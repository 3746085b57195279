"""Of what nothing has been heard for a while: motions, and requests that have no answer yet.

Who waits says so here, who shows it looks; no device is asked for that.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from greenlet import getcurrent, greenlet

from bliss_like.devices.naming import name_of

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.move import Move

PATIENCE = 2.0
"""Seconds after which people are told what is waited for."""

MOST = 3
"""Names that are told."""


class Silence(NamedTuple):
    """What is waited for, and since when."""

    what: str
    since: float
    """By the clock of `time.monotonic`."""

    def told(self, now: float | None = None) -> str:
        """Return it for people: `waiting 8 s for an answer of roby`."""
        seconds = (time.monotonic() if now is None else now) - self.since
        return f"waiting {seconds:.0f} s for {self.what}"


class Awaited:
    """The context in which an answer is waited for: `with Awaited("an answer of ca://m1.RBV"):`."""

    __slots__ = ("by", "since", "what")

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.by, self.since = getcurrent(), time.monotonic()
        _awaited[id(self)] = self

    def __exit__(self, *_: object) -> None:
        del _awaited[id(self)]


_awaited: dict[int, Awaited] = {}
_under_way: dict[Move, None] = {}


class Hearing:
    """What is heard of the axes of a motion, and when that was the last time."""

    def __init__(self, axes: Iterable[Axis]) -> None:
        self._axes = list(axes)
        self._heard = self._changed = time.monotonic()
        self._asked: Mapping[Axis, Any] = {}
        self._known: Mapping[Axis, Any] = {}
        self.waits_for = ""
        """What the motion does otherwise than look at its axes: told instead of them."""

    def ask(self) -> dict[Axis, Any]:
        """Return what is to take the answers, each as it comes."""
        answers: dict[Axis, Any] = {}
        self._asked = answers
        return answers

    def all_have_answered(self) -> None:
        self._heard = time.monotonic()
        if self._asked != self._known:
            self._known, self._changed = self._asked, self._heard

    def silence(self) -> Silence | None:
        """Return what has been waited for too long; None as long as something is heard, and the axes are on their way."""
        now = time.monotonic()
        if now - self._heard > PATIENCE:
            silent = [axis for axis in self._axes if axis not in self._asked] or self._axes
            return Silence(self.waits_for or f"an answer of {names_of(silent)}", self._heard)
        if now - self._changed > PATIENCE and self._known:
            from bliss_like.devices.numbers import place, rounded  # numpy, which who talks to a line does not need

            axis, (dial, state) = next(iter(self._known.items()))
            at = place(axis, float(rounded(axis, float(axis.dial2user(axis.shown(dial))))))
            return Silence(f"{names_of(self._known)}, {' '.join(state.names)} at {at}", self._changed)
        return None


def begin(move: Move) -> None:
    """A motion is under way, until `end` is called."""
    _under_way[move] = None


def end(move: Move) -> None:
    _under_way.pop(move, None)


def moves() -> list[Move]:
    """Return the motions of this process that are under way."""
    return list(_under_way)


def awaited() -> Iterator[tuple[greenlet, Silence]]:
    """Yield the requests that have had no answer for too long, and which greenlet waits for each, the oldest first."""
    now = time.monotonic()
    for each in list(_awaited.values()):
        if now - each.since > PATIENCE:
            yield each.by, Silence(each.what, each.since)


def names_of(devices: Iterable[Any]) -> str:
    """Return the names of devices, as many as can be read at a glance: `m1, m2, m3 and 4 more`."""
    names = [name_of(device) for device in devices]
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
