"""What a simulated motor does: the law of its motion and the registers of its hardware, in memory or shared by all processes.

Where a motor is follows from its law, when that began, and the clock. So what is shared is one small value per motor,
written when something is changed: every process computes the same position, also of a motor that it did not start, or
after the one that did has died.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from bliss_like.data import paths
from bliss_like.devices.axis_settings import AxisSettings, look_together
from bliss_like.devices.motion import Phase, TimeLaw


class Mechanics(NamedTuple):
    """What is bolted to a motor, in steps of its shaft: the register as it was before anybody wrote it."""

    low_switch: float = -math.inf
    high_switch: float = math.inf
    home_switch: float = 0.0
    play: float = 0.0
    """The load is pushed by the shaft from below; turned back, the shaft pulls it only after this many steps."""


class Track(NamedTuple):
    """What one motor does, and all that its hardware remembers."""

    law: TimeLaw
    """Of the shaft, in steps."""
    began: float = 0.0
    """On the clock of `time.monotonic`."""
    shift: float = 0.0
    """What the position register shows more than the shaft has."""
    load: float = 0.0
    """Where the load was when the law began."""
    ends_in: tuple[str, ...] = ()
    """The states, besides READY, at the end of the law."""
    velocity: float = math.inf
    acceleration: float = math.inf
    has_power: bool = True
    has_closed_loop: bool = False
    parameters: Mapping[str, float] = MappingProxyType({})
    """Of the closed loop."""
    encoder_shift: float = 0.0

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    @property
    def is_moving(self) -> bool:
        return self.elapsed < self.law.duration

    @property
    def shaft(self) -> float:
        return self.law.position(self.elapsed)

    @property
    def register(self) -> float:
        """What the position register shows."""
        return self.shaft + self.shift

    def load_now(self, play: float) -> float:
        """Where the load is; a closed loop keeps it with the shaft, and so does no play."""
        if self.has_closed_loop or not play:
            return self.shaft
        load, elapsed = self.load, self.elapsed
        for since, position in (*self.law.turns, (elapsed, self.shaft)):
            if since <= elapsed:
                load = min(max(load, position), position + play)
        return load

    def begin(self, law: TimeLaw, at: Mechanics, *ends_in: str) -> Track:
        """Return the track of another motion, which begins now."""
        return self.follow(law, at, *ends_in, load=self.load_now(at.play), began=time.monotonic())

    def follow(self, law: TimeLaw, at: Mechanics, *ends_in: str, **more: Any) -> Track:
        """Return the track with another course of the same motion, which ends at the limit switches.

        :param more: other fields that change.
        """
        law = law.within(at.low_switch, at.high_switch)
        if at.high_switch <= law.end < math.inf:
            ends_in = ("LIMPOS", *ends_in)
        elif -math.inf < law.end <= at.low_switch:
            ends_in = ("LIMNEG", *ends_in)
        return self._replace(law=law, ends_in=ends_in, **more)


class Tracks:
    """The tracks of motors, by their names; shared by the processes of a beamline, written behind, read from memory.

    :param tracks: of motors that never did anything.
    :param beamline: None: of this process alone.
    """

    def __init__(self, tracks: Mapping[str, Track], beamline: str | None) -> None:
        self._tracks = dict(tracks)
        self._kept = {name: AxisSettings(paths.join("simulated", name), beamline) for name in tracks}
        self._seen: dict[str, Mapping[str, Any]] = {name: {} for name in tracks}

    def __getitem__(self, name: str) -> Track:
        now, seen = self._kept[name].now(), self._seen[name]
        if now is not seen:
            self._seen[name] = now
            if news := {key: value for key, value in now.items() if value != seen.get(key)}:
                self._tracks[name] = self._tracks[name]._replace(**_loaded(news))
        return self._tracks[name]

    def look_together(self, names: Iterable[str]) -> None:
        """What follows asks for these motors."""
        look_together([self._kept[name] for name in names])

    def look_again(self, name: str) -> None:
        """Another process may have moved the motor just now."""
        self._kept[name].look_again()

    def __setitem__(self, name: str, track: Track) -> None:
        news = _dumped(track, self[name])
        self._kept[name].remember(**news)
        self._seen[name] = {**self._seen[name], **news}
        self._tracks[name] = track


class Exchange:
    """Takes the time of a question and its answer; those inside it take none.

    :raises NotConnectedError: the controller does not answer.
    """

    def __init__(self, tracks: Tracks, take_turn: Callable[[], None]) -> None:
        self.tracks, self._take_turn, self._depth = tracks, take_turn, 0

    def __enter__(self) -> Tracks:
        if not self._depth:
            self._take_turn()
        self._depth += 1
        return self.tracks

    def __exit__(self, *_: object) -> None:
        self._depth -= 1


_MOTION = ("law", "began", "load", "ends_in")
"""What is kept as one value: it belongs together."""


def _dumped(track: Track, known: Track) -> dict[str, Any]:
    """Return what is to be kept of what has changed since `known`."""
    changed = {name: new for name, new, old in zip(Track._fields, track, known, strict=True) if new != old}
    news = {name: value for name, value in changed.items() if name not in _MOTION}
    if len(news) < len(changed):
        phases = array("d", chain.from_iterable(track.law.phases)).tobytes()
        news["motion"] = [phases, time.time() - track.elapsed, track.load, list(track.ends_in)]
    return news


def _loaded(news: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a track, as they were kept."""
    values = dict(news)
    if "motion" in values:
        phases, began, load, ends_in = values.pop("motion")
        numbers = array("d", phases)
        law = TimeLaw(*map(Phase, *(numbers[n :: len(Phase._fields)] for n in range(len(Phase._fields)))))
        values.update(law=law, began=time.monotonic() - (time.time() - began), load=load, ends_in=tuple(ends_in))
    return values
