"""Scans of random structure whose every value follows from its place, and a checker of all that a listener may rely on."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bliss_like.data.channel_buffer import ChannelBuffer
from bliss_like.data.events import EndScan, EventType, NewNode, NodeKind, PreparedScan, ScanInfoUpdate
from bliss_like.data.patience import patiently
from bliss_like.data.tree import Tree
from bliss_like.data.walk import Event

SESSION = "eh1"
CONTAINERS = ("eh1:tmp:scans", "eh1:visitor:sample:run")
_KINDS: list[tuple[str, tuple[int, ...]]] = [
    ("<f8", ()),
    ("<i4", ()),
    ("|u1", ()),
    ("|b1", ()),
    ("<c16", ()),
    ("<f4", (7,)),
    ("<u2", (40, 30)),
    ("<f8", (-1,)),
    ("<i2", (-1, 3)),
    ("<U0", ()),
    ("<U0", (2,)),
]


@dataclass
class Channel:
    """A channel to be: `path` is its db_name below the scan."""

    path: str
    dtype: str
    shape: tuple[int, ...]
    npoints: int

    def point(self, index: int) -> Any:
        """The point at that index; it follows from the name of the channel and the index."""
        base = zlib.crc32(self.path.encode()) % 97 + index
        if self.dtype == "<U0":
            text = f"{self.path} {base} é"
            return text if not self.shape else np.array([text, "x" * (index % 5)])
        shape = tuple((index % 4 if size < 0 else size) for size in self.shape)
        return (np.arange(int(np.prod(shape)) or 0).reshape(shape) + base if shape else np.asarray(base)).astype(
            self.dtype
        )

    def block(self, first: int, last: int) -> list[Any]:
        return [self.point(index) for index in range(first, last)]


def plan(seed: int) -> tuple[list[str], list[Channel]]:
    """Return the masters and channels of a scan, by db_name below it."""
    dice = random.Random(seed)
    masters: list[str] = []
    for number in range(dice.randint(1, 4)):
        above = dice.choice(["", *masters])
        masters.append(f"{above}:master{number}" if above else f"master{number}")
    npoints = dice.choice([0, 1, 5, 50, 300])
    channels = []
    for number in range(dice.choice([0, 1, 3, 12])):
        dtype, shape = dice.choice(_KINDS)
        length = max(0, npoints + dice.choice([0, 0, 0, -1, 2]))
        channels.append(Channel(f"{dice.choice(masters)}:c{number}", dtype, shape, length))
    return masters, channels


def publish(tree: Tree, seed: int, pause: Callable[[float], object]) -> str:
    """Publish one scan and return its db_name; pauses now and then for at most some ms.

    :raises StoreUnavailable: it could not be opened.
    """
    dice = random.Random(seed + 1)
    masters, channels = plan(seed)
    container = dice.choice(CONTAINERS)
    number = tree.next_scan_number(container)
    scan = f"{container}:{number}_random"
    publisher = tree.open_scan(scan, NodeKind.SCAN, {"name": "random", "scan_nb": number, "seed": seed})
    for master in masters:
        publisher.publish(NewNode(f"{scan}:{master}", NodeKind.CONTAINER, {}, scan))
    sinks: list[ChannelBuffer] = []
    for channel in channels:
        path, info = f"{scan}:{channel.path}", {"dtype": channel.dtype, "shape": list(channel.shape)}
        publisher.publish(NewNode(path, NodeKind.CHANNEL, info, scan))
        sinks.append(publisher.open_channel(path, np.dtype(channel.dtype), channel.shape))
    publisher.publish(PreparedScan(scan))
    waiting = [(channel, sink) for channel, sink in zip(channels, sinks, strict=True) if channel.npoints]
    while waiting:
        channel, sink = dice.choice(waiting)
        _emit(channel, sink, dice)
        if sink.length >= channel.npoints:
            waiting.remove((channel, sink))
        if dice.random() < 0.02:
            publisher.publish(ScanInfoUpdate(scan, {"noise": [float("nan"), 1]}))
        if dice.random() < 0.1:
            pause(dice.choice([0.0, 0.001, 0.01]))
    publisher.publish(EndScan(scan, "DONE", {sink.path: sink.length for sink in sinks}, {"state": "DONE"}))
    publisher.close()
    return scan


def _emit(channel: Channel, sink: ChannelBuffer, dice: random.Random) -> None:
    first = sink.length
    last = min(channel.npoints, first + dice.choice([1, 1, 1, 4, 100]))
    if last - first == 1 or -1 in channel.shape or dice.random() < 0.5:
        for point in channel.block(first, last):
            sink.append(point if channel.shape or channel.dtype == "<U0" else point.item())
    else:
        sink.extend(np.array(channel.block(first, last), None if channel.dtype == "<U0" else channel.dtype))


@dataclass
class _Seen:
    channels: dict[str, Channel]
    prepared: bool = False
    ended: bool = False
    lengths: dict[str, int] = field(default_factory=dict)


class Checker:
    """Takes the events of one listener and refuses the first that breaks a guarantee.

    Scans that end KILLED are those whose opening failed: they have nothing but a beginning and an end.
    """

    def __init__(self) -> None:
        self.nodes: set[str] = {SESSION}
        self.scans: dict[str, _Seen] = {}
        self.done: set[int] = set()
        """Seeds of the scans that were seen whole."""

    def take(self, event: Event) -> None:
        path = event.node.db_name
        match event.type:
            case EventType.NEW_NODE:
                assert path not in self.nodes, f"{path} twice"
                assert path.rpartition(":")[0] in self.nodes, f"{path} before its parent"
                self.nodes.add(path)
                if event.node.type is NodeKind.SCAN:
                    seed = patiently(lambda: event.node.info["seed"], lambda: False)
                    self.scans[path] = _Seen({f"{path}:{channel.path}": channel for channel in plan(seed)[1]})
            case EventType.PREPARED_SCAN:
                seen = self.scans[path]
                assert not seen.prepared and not seen.ended, f"{path} prepared twice or after its end"
                assert seen.channels.keys() <= self.nodes, f"{path} prepared before its channels were seen"
                seen.prepared = True
            case EventType.NEW_DATA:
                self._take_points(event)
            case EventType.END_SCAN:
                self._take_end(event)

    def _take_points(self, event: Event) -> None:
        path, data = event.node.db_name, event.data
        seen = next(seen for scan, seen in self.scans.items() if path.startswith(scan + ":"))
        channel = seen.channels[path]
        assert data is not None and seen.prepared and not seen.ended and path in self.nodes, f"{path} out of order"
        first = seen.lengths.get(path, 0)
        assert (data.first_index, data.expired) == (first, 0), f"{path}: {data.first_index} {data.expired}, not {first}"
        assert 0 < len(data.data) <= channel.npoints - first, f"{path}: {len(data.data)} points from {first}"
        for index, point in enumerate(data.data, first):
            expected = channel.point(index)
            assert np.shape(point) == np.shape(expected) and np.all(point == expected), f"{path}[{index}]: {point!r}"
            assert channel.dtype == "<U0" or point.dtype == np.dtype(channel.dtype), f"{path}: {point.dtype}"
        seen.lengths[path] = first + len(data.data)

    def _take_end(self, event: Event) -> None:
        path = event.node.db_name
        seen = self.scans[path]
        assert not seen.ended, f"{path} ended twice"
        seen.ended = True
        info = patiently(lambda: event.node.info, lambda: False)
        if info["state"] == "KILLED":
            assert not seen.prepared
            return
        assert seen.prepared, f"{path} ended before it was prepared"
        for channel_path, channel in seen.channels.items():
            assert seen.lengths.get(channel_path, 0) == channel.npoints, f"{channel_path}: {seen.lengths}"
        self.done.add(info["seed"])
