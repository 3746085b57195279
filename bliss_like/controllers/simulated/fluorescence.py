"""How an element of an energy-dispersive detector counts X-rays: lines, resolution, dead time, pile-up, statistics.

Times are seconds, energies keV, rates counts per second. Nothing here knows what time it is: time is what `advance` says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bliss_like.devices.mca import PresetMode, Stats

Array = NDArray[np.float64]

K_LINES = {
    "Si": (1.740, 1.836), "P": (2.014, 2.139), "S": (2.308, 2.464), "Cl": (2.622, 2.816), "Ar": (2.958, 3.190),
    "K": (3.314, 3.590), "Ca": (3.692, 4.013), "Ti": (4.511, 4.932), "V": (4.952, 5.427), "Cr": (5.415, 5.947),
    "Mn": (5.899, 6.490), "Fe": (6.404, 7.058), "Co": (6.930, 7.649), "Ni": (7.478, 8.265), "Cu": (8.048, 8.905),
    "Zn": (8.639, 9.572), "As": (10.544, 11.726), "Se": (11.222, 12.496), "Br": (11.924, 13.291), "Sr": (14.165, 15.836),
}  # fmt: skip
"""K-alpha and K-beta of some elements, keV."""

BETA = 0.13
"""K-beta for one K-alpha."""

_EV_PER_PAIR = 3.65  # silicon
_FWHM = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True)
class Response:
    """What a detector makes of photons of one energy: channels, resolution.

    :ivar noise: electronic noise, FWHM in keV.
    """

    size: int
    offset: float
    gain: float
    noise: float = 0.1
    fano: float = 0.115

    def sigma(self, energy: float) -> float:
        """Return the width of a line, keV."""
        return math.sqrt((self.noise / _FWHM) ** 2 + self.fano * energy * _EV_PER_PAIR / 1000)

    @property
    def energies(self) -> Array:
        """Energies of the channels, keV."""
        energies: Array = self.offset + self.gain * np.arange(self.size, dtype=np.float64)
        return energies

    def line(self, energy: float) -> Array:
        """Return the probability that a photon is counted in each channel; what is missing to 1 is outside the spectrum."""
        sigma = max(self.sigma(energy), self.gain / 2)
        density = np.exp(-((self.energies - energy) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))
        found: Array = density * self.gain
        return found

    def emission(self, symbol: str) -> Array:
        """Return the same for the K lines of a chemical element."""
        alpha, beta = K_LINES[symbol]
        return (self.line(alpha) + BETA * self.line(beta)) / (1 + BETA)

    def background(self) -> Array:
        """Return the same for what is scattered: most of it at low energies."""
        shape = np.exp(-3.0 * np.arange(self.size) / self.size)
        found: Array = shape / shape.sum()
        return found


@dataclass
class SimulatedElement:
    """One element of a detector with its electronics, which stops by itself where the preset is reached.

    :ivar shapes: of each kind of photons, shape (number of kinds, channels), as from `Response`.
    :ivar efficiency: photons that it sees of those that are told.
    :ivar dead_time: after each photon, prolonged by the next (paralysable).
    :ivar pileup_time: within which two photons are taken for one of the sum of their energies.
    :ivar zero: the channel of no energy.
    """

    shapes: Array
    random: np.random.Generator
    efficiency: float = 1.0
    dead_time: float = 0.0
    pileup_time: float = 0.0
    zero: int = 0
    is_counting: bool = False
    realtime: float = 0.0
    trigger_livetime: float = 0.0
    energy_livetime: float = 0.0
    triggers: int = 0
    events: int = 0
    _preset: tuple[PresetMode, float] = (PresetMode.NONE, 0.0)
    _kinds: Array = field(default_factory=lambda: np.zeros(0))  # how many events of each are expected among them
    _piled: float = 0.0

    def start(self, preset_mode: PresetMode = PresetMode.NONE, preset_value: float = 0.0) -> None:
        """Begin a new point."""
        self._preset = preset_mode, preset_value
        self._kinds, self._piled = np.zeros(len(self.shapes)), 0.0
        self.realtime = self.trigger_livetime = self.energy_livetime = 0.0
        self.triggers = self.events = 0
        self.is_counting = True

    def advance(self, seconds: float, rates: Array) -> None:
        """Count for some time, or until the preset is reached.

        :param rates: mean rate of each kind of photons.
        """
        if not self.is_counting or seconds <= 0:
            return
        rates = rates * self.efficiency
        icr = float(rates.sum())
        seen, alive = math.exp(-icr * self.pileup_time), math.exp(-icr * self.dead_time)
        seconds = self._until_time_is_up(seconds, alive)
        triggers = int(self.random.poisson(icr * seen * seconds))
        events = int(self.random.binomial(triggers, min(1.0, alive / seen))) if triggers else 0
        part, triggers, events = self._until_counts_are_there(triggers, events)
        self.realtime += seconds * part
        self.trigger_livetime += seconds * part * seen
        self.energy_livetime += seconds * part * alive
        self.triggers += triggers
        self.events += events
        if events:
            self._kinds += events * rates / icr
            self._piled += events * (1 - seen)

    def _until_time_is_up(self, seconds: float, alive: float) -> float:
        """Return how much of the time it counts."""
        mode, value = self._preset
        if mode is PresetMode.REALTIME:
            left = value - self.realtime
        elif mode is PresetMode.LIVETIME:
            left = (value - self.energy_livetime) / alive if alive > 0 else math.inf
        else:
            return seconds
        self.is_counting = seconds < left
        return min(seconds, left)

    def _until_counts_are_there(self, triggers: int, events: int) -> tuple[float, int, int]:
        """Return the part of the time until the preset is reached, and what was counted in it.

        Of n counts at random times in an interval, the k-th comes after a part of it that is distributed as Beta(k, n + 1 - k).
        """
        mode, value = self._preset
        if mode is PresetMode.EVENTS and self.events + events >= value:
            left = int(value) - self.events
            part = float(self.random.beta(left, events + 1 - left))
            triggers, events = left + int(self.random.binomial(triggers - events, part)), left
        elif mode is PresetMode.TRIGGERS and self.triggers + triggers >= value:
            left = int(value) - self.triggers
            part = float(self.random.beta(left, triggers + 1 - left))
            events = int(self.random.hypergeometric(events, triggers - events, left))
            triggers = left
        else:
            return 1.0, triggers, events
        self.is_counting = False
        return part, triggers, events

    def spectrum(self) -> NDArray[np.int64]:
        """Return the events since `start`, by channel; those outside the spectrum are missing."""
        if not self.events:
            return np.zeros(self.shapes.shape[1], np.int64)
        mean = self._kinds @ self.shapes / self.events
        if self._piled:  # the energies of two photons add up
            piled = self._piled / self.events
            mean = (1 - piled) * mean + piled * np.convolve(mean, mean)[self.zero : self.zero + len(mean)]
        outside = max(0.0, 1.0 - float(mean.sum()))
        chances = np.append(mean, outside)
        drawn: NDArray[np.int64] = self.random.multinomial(self.events, chances / chances.sum())
        return drawn[:-1]

    @property
    def stats(self) -> Stats:
        """How it has fared since `start`."""
        return Stats.counted(self.realtime, self.trigger_livetime, self.energy_livetime, self.triggers, self.events)
