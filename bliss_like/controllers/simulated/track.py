"""What a simulated motor does: the law of its motion and the registers of its hardware, in memory or shared by all processes.

Where a motor is follows from its law, when that began, and the clock. So what is shared is one small value per motor,
written when something is changed: every process computes the same position, also of a motor that it did not start, or
after the one that did has died.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from bliss_like.config.settings import default_store
from bliss_like.config.settings.values import decode, encode
from bliss_like.data import paths
from bliss_like.data.key_store import Command, KeyStore
from bliss_like.devices.motion import Phase, TimeLaw
from bliss_like.errors import StoreUnavailable

_log = logging.getLogger(__name__)


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
        """Let the other processes know what was changed."""


class SharedTracks(Tracks):
    """The tracks of motors that all processes of a beamline share.

    While the store cannot be reached, this process goes on with what it knows.
    """

    def __init__(self, tracks: Mapping[str, Track], beamline: str) -> None:
        super().__init__(tracks)
        self._keys = {name: paths.setting(paths.join(beamline, "simulated", name)) for name in tracks}
        self._stored: dict[str, object] = dict.fromkeys(tracks)
        self._changed: set[str] = set()
        self._is_cut_off = False

    @cached_property
    def _store(self) -> KeyStore:
        """That of the session in which they were first used."""
        return default_store()

    def __getitem__(self, name: str) -> Track:
        if name not in self._changed:
            with contextlib.suppress(StoreUnavailable):
                raw = self._store.read(self._keys[name])
                if isinstance(raw, bytes) and raw != self._stored[name]:
                    self._stored[name], self._tracks[name] = raw, _loaded(raw, name)
        return self._tracks[name]

    def __setitem__(self, name: str, track: Track) -> None:
        super().__setitem__(name, track)
        self._changed.add(name)

    def share(self) -> None:
        if not self._changed:
            return
        try:
            self._send({name: _dumped(self._tracks[name], name) for name in self._changed})
            self._is_cut_off = False
        except StoreUnavailable as error:
            if not self._is_cut_off:
                _log.warning("other processes do not see what simulated motors do: %s", error)
            self._is_cut_off = True

    def _send(self, tracks: Mapping[str, bytes]) -> None:
        """Send all in one step (on a cluster, one for each motor)."""
        self._stored.update(tracks)
        commands: dict[int, list[Command]] = {}
        for name, raw in tracks.items():
            commands.setdefault(self._store.slot(self._keys[name]), []).append(("SET", self._keys[name], raw))
        for together in commands.values():
            self._store.run(*together)
        self._changed.difference_update(name for name, raw in tracks.items() if self._stored[name] is raw)


def _dumped(track: Track, name: str) -> bytes:
    values = {each.name: getattr(track, each.name) for each in fields(Track)}
    values["law"] = np.array(track.law.phases)
    values["began"] = time.time() - track.elapsed
    return encode(values, f"simulated motor {name}")


def _loaded(raw: bytes, name: str) -> Track:
    values = decode(raw, f"simulated motor {name}")
    values["law"] = TimeLaw(*(Phase(*phase) for phase in values["law"].tolist()))
    values["began"] = time.monotonic() - (time.time() - values["began"])
    values["ends_in"] = tuple(values["ends_in"])
    return Track(**values)
