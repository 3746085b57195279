"""Scans of all kinds, as events: what tests of exporters give them, and what they expect to find again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bliss_like.data import paths
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, ScanInfoUpdate, WireEvent

SCANS = "eh1:tmp:scans"

Array = np.ndarray[Any, Any]


@dataclass
class ChannelOf:
    """A channel; `points` is one array, or a list of arrays of different shapes."""

    points: Array | list[Array]
    unit: str = ""
    kind: NodeKind = NodeKind.CHANNEL
    fullname: str = ""
    shape: tuple[int, ...] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dtype(self) -> np.dtype[Any]:
        dtype = np.asarray(self.points[0]).dtype if isinstance(self.points, list) else self.points.dtype
        return np.dtype("<U0") if dtype.kind == "U" else dtype

    def blocks(self, size: int) -> list[tuple[int, Array]]:
        """Return (first index, values)."""
        if isinstance(self.points, list):
            return [(index, point[np.newaxis]) for index, point in enumerate(self.points)]
        return [(first, self.points[first : first + size]) for first in range(0, len(self.points), size)]


@dataclass
class ScanOf:
    """A scan of channels by their path below it, e.g. `timer:diode`."""

    channels: Mapping[str, ChannelOf]
    number: int = 12
    name: str = "ascan"
    info: Mapping[str, Any] = field(default_factory=dict)
    kind: NodeKind = NodeKind.SCAN
    state: str = "DONE"
    error: Mapping[str, str] = field(default_factory=dict)
    saved: bool = True

    @property
    def path(self) -> str:
        return f"{SCANS}:{paths.scan_name(self.number, self.name, saved=self.saved)}"

    def scan_info(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "scan_nb": self.number,
            "title": f"{self.name} robx 0 1 3 0.1",
            "type": self.name,
            "uid": "0123456789abcdef" * 2,
            "session_name": "eh1",
            "user_name": "opid01",
            "start_time": "2026-11-20T10:00:00.5+01:00",
            "start_timestamp": 1795165200.5,
            "count_time": 0.1,
            "npoints": 4,
            "sample": {"name": "Fe foil"},
            "technique": {"x": {"energy": 7.112}},
            "positioners": {
                "positioners_start": {"robx": 0.25, "roby": -1.0, "lost": None},
                "positioners_units": {"robx": "mm", "roby": "mm", "lost": "mm"},
            },
            **self.info,
        }

    def events(self, block: int = 3, end: bool = True) -> list[WireEvent]:
        """Return all events; points come in blocks, in turn."""
        events: list[WireEvent] = [NewNode(self.path, self.kind, self.scan_info())]
        masters: set[str] = set()
        for below, channel in self.channels.items():
            names = below.split(":")[:-1]
            for depth in range(1, len(names) + 1):
                master = ":".join(names[:depth])
                if master not in masters:
                    masters.add(master)
                    events.append(NewNode(f"{self.path}:{master}", NodeKind.CONTAINER, {}, self.path))
            shape = channel.shape
            if shape is None:
                shape = channel.points.shape[1:] if isinstance(channel.points, np.ndarray) else (-1,)
            info = {
                "fullname": channel.fullname or ":".join(below.split(":")[-2:]),
                "dtype": channel.dtype.str,
                "shape": list(shape),
                "unit": channel.unit or None,
                **channel.info,
            }
            events.append(NewNode(f"{self.path}:{below}", channel.kind, info, self.path))
        events.append(PreparedScan(self.path, {"prepared_key": True}))
        blocks = {below: channel.blocks(block) for below, channel in self.channels.items()}
        for number in range(max(map(len, blocks.values()), default=0)):
            for below, some in blocks.items():
                if number < len(some):
                    events.append(NewData(f"{self.path}:{below}", *some[number]))
        events.append(ScanInfoUpdate(self.path, {"comments": [{"timestamp": "2026-11-20", "message": "beam\nlost"}]}))
        if end:
            lengths = {f"{self.path}:{below}": len(channel.points) for below, channel in self.channels.items()}
            info = {"end_time": "2026-11-20T10:00:09+01:00", "end_reason": "SUCCESS"}
            events.append(EndScan(self.path, self.state, lengths, info, self.error))
        return events


def all_kinds() -> ScanOf:
    """One top master with every kind of channel, four points each."""
    generator = np.random.default_rng(1)
    return ScanOf(
        {
            "axis:robx": ChannelOf(np.linspace(0, 1, 4), "mm", fullname="axis:robx"),
            "axis:timer:diode": ChannelOf(np.array([0.1, np.nan, np.inf, -np.inf]), "A"),
            "axis:timer:single": ChannelOf(np.array([0.1, 1e-30, 3e38, -7], "<f4")),
            "axis:timer:count": ChannelOf(np.array([0, -5, 2**62 + 1, 7])),
            "axis:timer:large": ChannelOf(np.array([0, 2**64 - 1, 1, 2], "<u8")),
            "axis:timer:small": ChannelOf(np.array([0, 255, 1, 2], "u1")),
            "axis:timer:shutter": ChannelOf(np.array([True, False, True, True])),
            "axis:timer:phase": ChannelOf(np.array([1 + 2j, -0.5j, 0, 3])),
            "axis:timer:comment": ChannelOf(np.array(["", 'a "quoted", one', "two\nlines", "é µ 中"])),
            "axis:timer:mca": ChannelOf(generator.poisson(5, (4, 40)).astype("<u4"), "counts"),
            "axis:timer:ragged": ChannelOf([np.arange(float(n)) for n in (1, 3, 2, 5)], shape=(-1,)),
            "axis:timer:map": ChannelOf(generator.poisson(9, (4, 3, 5)).astype("<u2")),
        }
    )


def some_masters() -> ScanOf:
    """Two top masters of different lengths, one stopped in the middle of a point."""
    return ScanOf(
        {
            "axis:robx": ChannelOf(np.arange(5.0), "mm"),
            "axis:timer:diode": ChannelOf(np.arange(4.0) * 2),
            "slow:thermo": ChannelOf(np.array([300.5, 301.5]), "K"),
        },
        number=13,
        state="USER_ABORTED",
        error={"type": "UserAbort", "message": "Ctrl-C", "traceback": ""},
    )


def sequence(scans: Sequence[str] = (f"{SCANS}:12_ascan", f"{SCANS}:13_ascan")) -> ScanOf:
    """A sequence of scans, with a channel of its own."""
    return ScanOf(
        {
            "GroupingMaster:scans": ChannelOf(np.array(scans), kind=NodeKind.NODE_REF_CHANNEL),
            "GroupingMaster:scan_numbers": ChannelOf(np.array([12, 13])),
            "GroupingMaster:custom_channels:sum": ChannelOf(np.array([1.5])),
        },
        number=14,
        name="sequence_of_scans",
        kind=NodeKind.SCAN_GROUP,
    )


def odd_names() -> ScanOf:
    """Names that formats give a meaning to."""
    return ScanOf(
        {
            "axis:a,b": ChannelOf(np.arange(3.0), fullname="dev:a,b"),
            'axis:"q"': ChannelOf(np.arange(3.0) + 1, fullname='dev:"q"'),
            "axis:#L": ChannelOf(np.arange(3.0) + 2, fullname="two  spaces"),
            "axis:é/../x": ChannelOf(np.arange(3.0) + 3, fullname="dev:é/../x"),
            "axis:one:same": ChannelOf(np.arange(3.0) + 4, fullname="same:same"),
            "axis:two:same": ChannelOf(np.arange(3.0) + 5, fullname="same:same"),
            "axis:one:mca": ChannelOf(np.arange(6).reshape(3, 2), fullname="one:mca"),
            "axis:two:mca": ChannelOf(np.arange(6).reshape(3, 2) + 1, fullname="two:mca"),
        },
        number=15,
        name="odd",
        info={"title": "a\ntitle  with #S 99", "user_name": "../x y"},
    )


def empty() -> ScanOf:
    """Two channels without points."""
    return ScanOf(
        {"axis:robx": ChannelOf(np.empty(0)), "axis:mca": ChannelOf(np.empty((0, 4)))}, number=16, name="nothing"
    )
