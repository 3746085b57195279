"""One scan, as far as its events have come: what every table, plot and progress bar begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import wraps
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from bliss_like.data import paths
from bliss_like.data.events import (
    EndScan,
    NewData,
    NewNode,
    NodeKind,
    PreparedScan,
    SavedScan,
    ScanInfoUpdate,
    WireEvent,
)
from bliss_like.data.scan_info import merged

Array = np.ndarray[Any, Any]
T = TypeVar("T")

LIMIT = 1 << 17
"""Points of a channel that are kept at most; of one that has more, every second, every fourth, ..."""


class LiveChannel:
    """A channel, the points of a scalar, and the last point of anything else.

    :param limit: points of a scalar that are kept at most; 0 for none but the last.
    :param expected: points that are to come, as far as that is known.
    """

    def __init__(self, node: NewNode, limit: int = LIMIT, expected: int = 0) -> None:
        self.path, self.kind, self.info = node.path, node.kind, node.info
        self.fullname = str(node.info.get("fullname") or paths.name(node.path))
        self.name = self.fullname.rpartition(":")[2]
        self.unit = str(node.info.get("unit") or "")
        self.dtype, self.shape = np.dtype(node.info["dtype"]), tuple(node.info["shape"])
        self.device = paths.name(paths.parent(node.path))
        self.length = 0
        """Points so far."""
        self.lost = 0
        """Points that did not come: they were left out, or are no more in the store; of a scalar NaN stands for them, of a text ""."""
        self.news: tuple[int, Array] = (0, np.empty(0))
        """The points that came last, and the index of the first of them."""
        self.last: Any = None
        """The last point; of images that are in files, a reference."""
        self.stride = 1
        """Of how many points one is kept: `values[k]` is the point `k * stride`."""
        self.limit = limit if self.is_scalar else 0
        self._values = np.empty(min(max(64, expected), self.limit), self.dtype if self.dtype.kind != "U" else object)

    @property
    def is_scalar(self) -> bool:
        return self.shape == () and self.kind is NodeKind.CHANNEL

    @property
    def is_number(self) -> bool:
        return self.is_scalar and self.dtype.kind in "fiub"

    @property
    def values(self) -> Array:
        """The points of a scalar that are kept, the first one and each `stride`-th after it; empty of anything else."""
        return self._values[: self._kept(self.length)]

    def extend(self, first_index: int, values: Array) -> None:
        """Take points; those between the last ones and `first_index` are lost."""
        if first_index < self.length:
            values = values[self.length - first_index :]
            first_index = self.length
        if not len(values):
            return
        end = first_index + len(values)
        self.lost += first_index - self.length
        if self.limit:
            self._keep(first_index, end, values)
        self.length, self.last, self.news = end, values[-1], (first_index, values)

    def _keep(self, begin: int, end: int, values: Array) -> None:
        self._reserve(end)
        kept, lost = self._kept(self.length), self._kept(begin)
        if kept < lost:
            self._leave_out(kept, lost)
        self._values[lost : self._kept(end)] = values[lost * self.stride - begin :: self.stride]

    def _leave_out(self, begin: int, end: int) -> None:
        if self._values.dtype.kind in "iub":  # which have no NaN, and 0 would be a value
            self._values = self._values.astype(float)
        self._values[begin:end] = "" if self._values.dtype == object else np.nan

    def _kept(self, length: int) -> int:
        """Return how many of so many points are kept."""
        return -(-length // self.stride) if self.limit else 0

    def _reserve(self, length: int) -> None:
        while self._kept(length) > self.limit:
            thinned = self.values[::2].copy()
            self._values[: len(thinned)] = thinned
            self.stride *= 2
        if (needed := self._kept(length)) > len(self._values):
            larger = np.empty(min(max(needed, 2 * len(self._values)), self.limit), self._values.dtype)
            larger[: len(self._values)] = self._values
            self._values = larger


@dataclass(eq=False)
class LiveScan:
    """A scan; `accept` its events."""

    path: str
    kind: NodeKind
    info: dict[str, Any]
    channels: dict[str, LiveChannel] = field(default_factory=dict)
    """By db_name."""
    end: EndScan | None = None
    saved: SavedScan | None = None
    limit: int = LIMIT
    """Points of each channel that are kept at most."""
    facts: dict[Any, list[Any]] = field(default_factory=dict, repr=False)
    """What was worked out, by `once`, from the info and the channels that there are; empty when they have changed."""

    @classmethod
    def of(cls, node: NewNode, limit: int = LIMIT) -> LiveScan:
        return cls(node.path, node.kind, dict(node.info), limit=limit)

    @property
    def is_over(self) -> bool:
        return self.end is not None

    @property
    def is_group(self) -> bool:
        return self.kind is NodeKind.SCAN_GROUP

    @property
    def is_saved(self) -> bool:
        """Whether it has a number that people call it by."""
        return bool(self.info.get("save", True))

    @property
    def state(self) -> str:
        return self.end.state if self.end else str(self.info.get("state", ""))

    @property
    def title(self) -> str:
        return str(self.info.get("title") or self.info.get("name") or paths.name(self.path))

    @property
    def label(self) -> str:
        """What people call it: `scan 3`."""
        return f"scan {self.info.get('scan_nb')}" if self.is_saved else "scan"

    @property
    def npoints(self) -> int:
        """Points that are to come in all; 0 when nobody knows."""
        told = self.info.get("npoints")
        return max(0, int(told)) if isinstance(told, Integral) else 0

    @property
    def length(self) -> int:
        """Points that all channels of numbers have, those of one top master: the first one that has some."""
        masters: dict[str, int] = {}
        for channel in self.channels.values():
            if channel.is_scalar:
                master = self.master_of(channel)
                masters[master] = min(masters.get(master, channel.length), channel.length)
        return next(iter(masters.values()), 0)

    def master_of(self, channel: LiveChannel) -> str:
        """Return the name of the top master of a channel: those of one are equally long in the end."""
        return channel.path[len(self.path) + 1 :].partition(":")[0]

    def scalars(self) -> Iterator[LiveChannel]:
        return (channel for channel in self.channels.values() if channel.is_number)

    def channel(self, name: str) -> LiveChannel | None:
        """Return a channel by its full or short name; None when there is none."""
        for channel in self.channels.values():
            if channel.fullname == name:
                return channel
        return next((channel for channel in self.channels.values() if channel.name == name), None)

    def __getitem__(self, name: str) -> LiveChannel:
        """Return a channel by its full or short name.

        :raises KeyError: there is none.
        """
        if (found := self.channel(name)) is None:
            there = ", ".join(channel.name for channel in self.channels.values()) or "none yet"
            raise KeyError(f"{self.label} has no channel {name!r}; there are: {there}")
        return found

    def curves(self, *channels: LiveChannel) -> list[Array]:
        """Return the values of channels at the same points, those that all have: equally long, one of `stride_of`."""
        stride, length = self.stride_of(*channels), min(channel.length for channel in channels)
        return [channel.values[:: stride // channel.stride][: -(-length // stride)] for channel in channels]

    def stride_of(self, *channels: LiveChannel) -> int:
        """Return of how many points one is kept, of all these channels; 1: every point is."""
        return max(channel.stride for channel in channels)

    def accept(self, event: WireEvent) -> None:
        if isinstance(event, NewData):
            if (channel := self.channels.get(event.path)) is not None:
                channel.extend(event.first_index, event.values)
            return
        self.facts.clear()
        if isinstance(event, NewNode):
            if event.kind.is_channel:
                self.channels[event.path] = LiveChannel(event, self.limit, self.npoints)
        elif isinstance(event, SavedScan):
            self.saved = event
        else:
            self.info = merged(self.info, event.info)
            if isinstance(event, EndScan):
                self.end = event


def once(work_out: Callable[[LiveScan], list[T]]) -> Callable[[LiveScan], list[T]]:
    """Have a function that lists something of the info and the channels of a scan do so once, as long as these stay what they are."""

    @wraps(work_out)
    def known(scan: LiveScan) -> list[T]:
        if work_out not in scan.facts:
            scan.facts[work_out] = work_out(scan)
        return list(scan.facts[work_out])

    return known


class LiveScans:
    """The scans of a session; those that are over are forgotten when their events have been dealt with."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.running: dict[str, LiveScan] = {}
        """Scans by db_name, the ones that began first before the others."""
        self._scan_of: dict[str, str] = {}

    def accept(self, event: WireEvent) -> LiveScan | None:
        """Take an event; return its scan, None when it belongs to none that runs."""
        if isinstance(event, NewNode) and event.kind.is_scan:
            scan = self.running[event.path] = LiveScan.of(event, self.limit)
            return scan
        path = event.scan if isinstance(event, NewNode) else self._scan_of.get(event.path, event.path)
        found = self.running.get(path)
        if found is None:
            return None
        if isinstance(event, NewNode) and event.kind.is_channel:
            self._scan_of[event.path] = path
        found.accept(event)
        if isinstance(event, EndScan):
            self.forget(found)
        return found

    def forget(self, scan: LiveScan) -> None:
        self.running.pop(scan.path, None)
        for channel in scan.channels:
            self._scan_of.pop(channel, None)


class LiveCallback:
    """What follows scans as scans: overload any of these. One object may follow several scans, one inside the other."""

    LIMIT = LIMIT
    """Points of each channel that it wants to have at most: 0 for none but the last."""

    def __init__(self) -> None:
        self.scans = LiveScans(self.LIMIT)

    def looks_at(self, path: str) -> bool:
        """Whether it wants the points of a channel, by its db_name: if it is lossy, it need not be told of others."""
        return True

    def begin(self, scan: LiveScan) -> None:
        """A scan was announced: its info is that of its start."""

    def prepared(self, scan: LiveScan) -> None:
        """All its channels are known, and all devices are prepared."""

    def changed(self, scan: LiveScan) -> None:
        """Something of its info is new."""

    def data(self, scan: LiveScan, channel: LiveChannel) -> None:
        """A channel has new points."""

    def finish(self, scan: LiveScan) -> None:
        """It is over, all its points have come."""

    def accept(self, event: WireEvent) -> None:
        scan = self.scans.accept(event)
        if scan is not None:
            self.told(scan, event)

    def told(self, scan: LiveScan, event: WireEvent) -> None:
        """Take note of an event that a scan has accepted: for one who follows scans for several."""
        if isinstance(event, NewData):
            if event.path in scan.channels:
                self.data(scan, scan.channels[event.path])
        elif isinstance(event, NewNode):
            if event.kind.is_scan:
                self.begin(scan)
        elif isinstance(event, PreparedScan):
            self.prepared(scan)
        elif isinstance(event, EndScan):
            self.finish(scan)
        elif isinstance(event, ScanInfoUpdate):
            self.changed(scan)
