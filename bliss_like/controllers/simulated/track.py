"""What a simulated motor does: the law of its motion and the registers of its hardware, in memory or shared by all processes.

Where a motor is follows from its law, when that began, and the clock. So what is shared is one small value per motor,
written when something is changed: every process computes the same position, also of a motor that it did not start, or
after the one that did has died.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import math
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import gevent
import numpy as np

from bliss_like.config.settings import default_store
from bliss_like.config.settings.values import decode, encode
from bliss_like.data import paths
from bliss_like.data.key_store import Command, KeyStore
from bliss_like.devices.motion import Phase, TimeLaw
from bliss_like.errors import StoreUnavailable

_log = logging.getLogger(__name__)

_PAUSE = 0.02
"""Seconds between two writes: what changes meanwhile is written together."""
_CUT_OFF_PAUSE = 1.0
_TRUST = 0.05
"""Seconds for which nobody else is expected to change what was changed here: a loop of moves reads nothing."""


class Mechanics(NamedTuple):
    """What is bolted to a motor, in steps of its shaft: the register as it was before anybody wrote it."""

    low_switch: float = -math.inf
    high_switch: float = math.inf
    home_switch: float = 0.0
    play: float = 0.0
    """The load is pushed by the shaft from below; turned back, the shaft pulls it only after this many steps."""


@dataclass(frozen=True)
class Track:
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
    parameters: Mapping[str, float] = field(default_factory=dict)
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
        """Where the load is; a closed loop keeps it with the shaft."""
        if self.has_closed_loop:
            return self.shaft
        load, elapsed = self.load, self.elapsed
        for since, position in (*self.law.turns, (elapsed, self.shaft)):
            if since <= elapsed:
                load = min(max(load, position), position + play)
        return load

    def begin(self, law: TimeLaw, at: Mechanics, *ends_in: str) -> Track:
        """Return the track of another motion, which begins now."""
        started = replace(self, load=self.load_now(at.play), began=time.monotonic())
        return started.follow(law, at, *ends_in)

    def follow(self, law: TimeLaw, at: Mechanics, *ends_in: str) -> Track:
        """Return the track with another course of the same motion, which ends at the limit switches."""
        law = law.within(at.low_switch, at.high_switch)
        if at.high_switch <= law.end < math.inf:
            ends_in = ("LIMPOS", *ends_in)
        elif -math.inf < law.end <= at.low_switch:
            ends_in = ("LIMNEG", *ends_in)
        return replace(self, law=law, ends_in=ends_in)


class Tracks:
    """The tracks of motors, by their names; of this process alone."""

    def __init__(self, tracks: Mapping[str, Track]) -> None:
        """:param tracks: of motors that never did anything."""
        self._tracks = dict(tracks)

    def __getitem__(self, name: str) -> Track:
        return self._tracks[name]

    def __setitem__(self, name: str, track: Track) -> None:
        self._tracks[name] = track

    def share(self) -> None:
        """Let the other processes know, soon, what was changed."""

    def flush(self) -> None:
        """Let them know it now."""


class SharedTracks(Tracks):
    """The tracks of motors that all processes of a beamline share; written behind, read from the memory of the process.

    While the store cannot be reached, this process goes on with what it knows.
    """

    def __init__(self, tracks: Mapping[str, Track], beamline: str) -> None:
        super().__init__(tracks)
        self._keys = {name: paths.setting(paths.join(beamline, "simulated", name)) for name in tracks}
        self._stored: dict[str, dict[bytes, bytes]] = {name: {} for name in tracks}
        self._known = dict(tracks)
        self._own_until = dict.fromkeys(tracks, 0.0)
        self._unsent: set[str] = set()
        self._sender: gevent.Greenlet[[], None] | None = None
        self._is_cut_off = False
        _all.add(self)

    @cached_property
    def _store(self) -> KeyStore:
        """That of the session in which they were first used."""
        return default_store()

    def __getitem__(self, name: str) -> Track:
        if name not in self._unsent and time.monotonic() > self._own_until[name]:
            with contextlib.suppress(StoreUnavailable):
                stored = self._store.read(self._keys[name])
                if isinstance(stored, dict) and stored != self._stored[name]:
                    self._take(name, stored)
        return self._tracks[name]

    def _take(self, name: str, stored: dict[bytes, bytes]) -> None:
        news = {field: raw for field, raw in stored.items() if self._stored[name].get(field) != raw}
        self._stored[name] = dict(stored)
        self._tracks[name] = self._known[name] = replace(self._tracks[name], **_loaded(news, name))

    def __setitem__(self, name: str, track: Track) -> None:
        super().__setitem__(name, track)
        self._own_until[name] = time.monotonic() + _TRUST
        self._unsent.add(name)

    def share(self) -> None:
        if self._unsent and not self._sender:
            self._sender = gevent.spawn(self._send_behind)

    def _send_behind(self) -> None:
        while self._unsent:
            self.flush()
            gevent.sleep(_CUT_OFF_PAUSE if self._is_cut_off else _PAUSE)

    def flush(self) -> None:
        try:
            self._send({name: self._tracks[name] for name in self._unsent})
            self._is_cut_off = False
        except StoreUnavailable as error:
            if not self._is_cut_off:
                _log.warning("other processes do not see what simulated motors do: %s", error)
            self._is_cut_off = True

    def _send(self, tracks: Mapping[str, Track]) -> None:
        """Send what was changed, all in one step (on a cluster, one for each motor)."""
        commands: dict[int, list[Command]] = {}
        for name, track in tracks.items():
            key, news = self._keys[name], _dumped(track, self._known[name], name)
            if news:
                words = [word for item in news.items() for word in item]
                commands.setdefault(self._store.slot(key), []).append(("HSET", key, *words))
                self._stored[name] |= news
        for together in commands.values():
            self._store.run(*together)
        self._known.update(tracks)
        self._unsent.difference_update(name for name, track in tracks.items() if self._tracks[name] is track)


_all: weakref.WeakSet[SharedTracks] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    for tracks in list(_all):
        tracks.flush()


_MOTION = ("law", "began", "load", "ends_in")
"""What is stored as one value: it belongs together."""


def _dumped(track: Track, known: Track, name: str) -> dict[bytes, bytes]:
    """Return what has changed since `known`, as it is stored."""
    values = {each.name: getattr(track, each.name) for each in fields(Track)}
    changed = {field: value for field, value in values.items() if value != getattr(known, field)}
    news = {field: value for field, value in changed.items() if field not in _MOTION}
    if len(news) < len(changed):
        began = time.time() - track.elapsed
        news["motion"] = [np.array(track.law.phases), began, track.load, track.ends_in]
    return {field.encode(): encode(value, f"simulated motor {name}, {field}") for field, value in news.items()}


def _loaded(news: Mapping[bytes, bytes], name: str) -> dict[str, Any]:
    """Return fields of a track, as they were stored."""
    values = {field.decode(): decode(raw, f"simulated motor {name}") for field, raw in news.items()}
    if "motion" in values:
        phases, began, load, ends_in = values.pop("motion")
        law = TimeLaw(*(Phase(*phase) for phase in phases.tolist()))
        values.update(law=law, began=time.monotonic() - (time.time() - began), load=load, ends_in=tuple(ends_in))
    return values
