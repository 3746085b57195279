"""Regions of interest of a multichannel analyser: ranges of channels under a name, each a counter of every element.

Those of YAML are there from the beginning. What is set or removed at the prompt is kept for all sessions and restarts, and
`reset()` forgets it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from bliss_like.config.settings import ObjectSettings
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.table import Text, table
from bliss_like.devices import numbers
from bliss_like.errors import DeviceError


class _Limits(NamedTuple):
    start: int
    stop: int


class Roi(_Limits):
    """Channels from `start` up to but without `stop`: `start, stop = roi`, `spectrum[slice(*roi)]`.

    :ivar channel: number of the only element that it is for; None for all of them.
    """

    channel: int | None

    def __new__(cls, start: int, stop: int, channel: int | None = None) -> Roi:
        roi = super().__new__(cls, start, stop)
        roi.channel = channel
        return roi

    def __eq__(self, other: object) -> bool:
        return tuple(self) == other and (not isinstance(other, Roi) or self.channel == other.channel)

    def __ne__(self, other: object) -> bool:  # that of tuples would not look at the element
        return not self == other

    def __hash__(self) -> int:
        return hash(tuple(self))

    def described(self) -> dict[str, int]:
        return self._asdict() | ({} if self.channel is None else {"channel": self.channel})

    def __repr__(self) -> str:
        element = "" if self.channel is None else f", channel={self.channel}"
        return f"Roi({self.start}, {self.stop}{element})"


class RoiError(DeviceError, ValueError):
    """A region cannot be as it was asked for; nothing was changed."""


class Calibration(NamedTuple):
    """energy in keV = offset + gain * channel."""

    offset: float
    gain: float

    def energy(self, channel: float) -> float:
        return self.offset + self.gain * channel

    def channel(self, energy: float) -> float:
        return (energy - self.offset) / self.gain


class Surroundings(NamedTuple):
    """What regions have to fit into.

    :ivar spectrum_size: returns how many channels there are.
    :ivar calibration: returns that of the spectra; None when it is not known.
    :ivar clash: returns what a region of that name would be in the way of; empty if nothing.
    """

    elements: tuple[int, ...]
    spectrum_size: Callable[[], int]
    calibration: Callable[[], Calibration | None]
    clash: Callable[[str, Roi], str]


class Rois(MutableMapping[str, Roi]):
    """`mca.rois["Fe"] = 630, 650`; the same by `set`, or in keV by `set_energy`.

    :param written: those of YAML.
    :param settings: what is kept of what people changed: [start, stop, channel] by name, None for what was removed.
    """

    def __init__(self, name: str, around: Surroundings, written: Mapping[str, Roi], settings: ObjectSettings) -> None:
        self._name = name
        self._around = around
        self._written = dict(written)
        self._settings = settings

    def known(self) -> dict[str, Roi]:
        """Return all of them."""
        rois: dict[str, Roi] = dict(self._written)
        for name, kept in self._settings.get_all().items():
            rois.pop(name, None)
            if kept is not None:
                rois[name] = Roi(*kept)
        return rois

    def set(self, name: str, start: int, stop: int, channel: int | None = None) -> None:
        """Count between two channels, the second one not included; a region of that name is replaced.

        :param channel: number of an element, if it is for that one only.
        :raises RoiError: no such channels or element; a name that cannot be that of a counter, or is that of another one.
        """
        roi = self._checked(name, start, stop, channel)
        self._settings[name] = [roi.start, roi.stop, roi.channel]

    def set_energy(self, name: str, low: float, high: float, channel: int | None = None) -> None:
        """Count between two energies, in keV: in the channels that have them now.

        :raises RoiError: as for `set`; or there is no calibration.
        """
        calibration = self._around.calibration()
        if calibration is None:
            raise RoiError(
                f"{self._name}: ROI {name!r} cannot be set by energy: write `calibration: {{offset: keV, gain: keV}}` in "
                f"YAML, or set {self._name}.calibration = offset, gain"
            )
        start, stop = (calibration.channel(numbers.number(self._name, energy, "energy")) for energy in (low, high))
        self.set(name, round(start), round(stop), channel)

    def remove(self, name: str) -> None:
        """Forget a region; its counters are gone.

        :raises KeyError: there is none of that name.
        """
        self[name]
        if name in self._written:
            self._settings[name] = None
        else:
            del self._settings[name]

    def clear(self) -> None:
        """Forget all regions, those of YAML included."""
        self._settings.change(dict.fromkeys(self._written), remove=[key for key in self if key not in self._written])

    def reset(self) -> None:
        """Have those of YAML again, and no others."""
        self._settings.clear()

    def get_names(self) -> list[str]:
        return list(self)

    def __getitem__(self, name: str) -> Roi:
        rois = self.known()
        if name not in rois:
            there = ", ".join(rois) or "none"
            raise KeyError(f"{self._name} has no ROI {name!r}{did_you_mean(name, rois)}; there are: {there}")
        return rois[name]

    def __setitem__(self, name: str, limits: Any) -> None:
        try:
            start, stop, *rest = limits
            channel = rest[0] if rest else getattr(limits, "channel", None)
        except (TypeError, ValueError):
            raise RoiError(
                f"{self._name}: ROI {name!r}: expected (start, stop), perhaps with an element, got {numbers.brief(limits)}"
            ) from None
        self.set(name, start, stop, channel)

    def __delitem__(self, name: str) -> None:
        self.remove(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.known())

    def __len__(self) -> int:
        return len(self.known())

    def __info__(self) -> Text:
        rois = self.known()
        if not rois:
            return Text(f"{self._name} has no ROIs; {self._name}.rois.set(name, start, stop) makes one")
        calibration = self._around.calibration()
        rows = [(name, *roi, _energies(roi, calibration), "all" if roi.channel is None else f"det{roi.channel}")
                for name, roi in rois.items()]  # fmt: skip
        return table(("ROI", "start", "stop", "keV", "elements"), rows)

    def __repr__(self) -> str:
        return f"<ROIs of {self._name}: {', '.join(self) or 'none'}>"

    def _checked(self, name: str, start: int, stop: int, channel: int | None) -> Roi:
        if not isinstance(name, str) or not name.isidentifier():
            raise RoiError(f"{self._name}: the name of an ROI is that of counters: letters, digits and _, got {name!r}")
        wrong = f"{self._name}: ROI {name!r}"
        size = self._around.spectrum_size()
        try:
            if isinstance(start, bool) or isinstance(stop, bool):
                raise TypeError("no channel")
            first, end = operator.index(start), operator.index(stop)
        except TypeError:
            raise RoiError(f"{wrong}: start and stop must be numbers of channels, got {start!r} and {stop!r}") from None
        if not 0 <= first < end <= size:
            raise RoiError(f"{wrong}: expected 0 <= start < stop <= {size} (spectrum_size), got {first} and {end}")
        if channel is not None and (isinstance(channel, bool) or channel not in self._around.elements):
            elements = ", ".join(map(str, self._around.elements))
            raise RoiError(f"{wrong}: channel must be an element of the detector, one of {elements}, got {channel!r}")
        roi = Roi(first, end, channel)
        clash = self._around.clash(name, roi)
        if clash:
            raise RoiError(f"{wrong}: {self._name} has another counter or group {clash!r} already; choose another name")
        return roi


def _energies(roi: Roi, calibration: Calibration | None) -> str:
    if calibration is None:
        return "-"
    return f"{calibration.energy(roi.start):.4g} .. {calibration.energy(roi.stop):.4g}"
