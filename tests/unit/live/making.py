"""Events of scans that nobody runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, WireEvent
from bliss_like.live.scan import LiveCallback

START = 1_800_000_000.0
"""When the scans begin, s since the epoch."""


class Time:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Told:
    """The events of one scan, as they are asked for.

    :param channels: {full name: keys of its info in the schema}; a name `axis:...` is a channel of the master `axis`,
        `timer:...` one of the timer below it, any other one is that of a counter below the timer.
    """

    def __init__(self, channels: Mapping[str, Mapping[str, Any]], *, number: int = 1, **info: Any) -> None:
        self.path = f"eh1:scans:{number}_scan"
        self.kind = NodeKind.SCAN_GROUP if info.get("is_scan_sequence") else NodeKind.SCAN
        self.info = {
            "scan_nb": number,
            "title": "ascan robx 0 1 10 0.1",
            "start_timestamp": START,
            "save": True,
            **info,
        }
        self.channels = {name: dict(keys) for name, keys in channels.items()}
        self.lengths = dict.fromkeys(channels, 0)
        self.has_axes = any(name.startswith("axis:") for name in channels)

    def path_of(self, name: str) -> str:
        device, _, short = name.rpartition(":")
        top = f"{self.path}:axis" if self.has_axes else self.path
        below = {"axis": top, "timer": f"{top}:timer"}.get(device) or self.channels[name].get("below")
        return f"{below or f'{top}:timer:{device}'}:{short}"

    def begin(self) -> list[WireEvent]:
        events: list[WireEvent] = [NewNode(self.path, self.kind, self.info)]
        events += [
            NewNode(self.path_of(name), self._kind_of(name), self._node(name), self.path) for name in self.channels
        ]
        described = {
            name: {"display_name": name.rpartition(":")[2], "device": name.rpartition(":")[0], **keys}
            for name, keys in self.channels.items()
        }
        return [*events, PreparedScan(self.path, {"channels": described})]

    def _kind_of(self, name: str) -> NodeKind:
        return NodeKind(self.channels[name].get("kind", "channel"))

    def _node(self, name: str) -> dict[str, Any]:
        keys = self.channels[name]
        dtype, shape = np.dtype(keys.get("dtype", float)).str, list(keys.get("shape", ()))
        return {"fullname": name, "dtype": dtype, "shape": shape, "unit": keys.get("unit")}

    def points(self, **values: Any) -> list[WireEvent]:
        """One event for each channel named by its short name, with points."""
        by_short = {name.rpartition(":")[2]: name for name in self.channels}
        return [self.block(by_short[short], points) for short, points in values.items()]

    def block(self, name: str, points: Any, first_index: int | None = None) -> NewData:
        keys = self.channels[name]
        array = np.asarray(points, np.dtype(keys.get("dtype", float)))
        array = array.reshape((-1, *keys["shape"])) if keys.get("shape") else np.atleast_1d(array)
        begin = self.lengths[name] if first_index is None else first_index
        self.lengths[name] = begin + len(array)
        return NewData(self.path_of(name), begin, array)

    def end(
        self, state: str = "DONE", *, after: float = 1.0, error: Mapping[str, str] | None = None
    ) -> list[WireEvent]:
        lengths = {self.path_of(name): length for name, length in self.lengths.items()}
        return [EndScan(self.path, state, lengths, {"state": state, "end_timestamp": START + after}, error or {})]


def feed(callback: LiveCallback, events: Iterable[WireEvent]) -> None:
    for event in events:
        callback.accept(event)
