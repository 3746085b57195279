"""Past scans as if they ran: their events again, in the order and at the pace in which they came.

What a file or the store has of a scan says in which order events came, but not when. The time channels of the scan
(`timer:epoch`, `timer:elapsed_time`) tell when each point was there: points of a master follow the time channel that is
nearest to them in the chain; where there is none, they come evenly from the start of the scan to its end.
"""

from __future__ import annotations

import datetime
import math
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

import numpy as np

from bliss_like.errors import DataError, UsageError

from . import paths
from .channel_node import ChannelNode
from .codec import Array, decode_event
from .events import EndScan, NewData, NewNode, PreparedScan, SavedScan, ScanInfoUpdate
from .node import ScanNode
from .process import this_process
from .publisher import StreamPublisher
from .structure import ChannelSpec
from .tree import Tree
from .walk import Event, NodeFilter
from .walker import Points, WalkEvent

TICK = 0.02
"""Seconds between two looks at what has become due."""
BLOCK_POINTS, BLOCK_BYTES = 1000, 1 << 20
"""What at most comes in one event."""
TIMES = ("epoch", "elapsed_time")
"""Short names of time channels, the better one first."""
SESSION = "replay"
"""Session below which scans are published again, unless another one is named."""


def replay(
    scan: ScanNode,
    speed: float | None = 1.0,
    include_filter: NodeFilter = None,
    stop_handler: Callable[[], bool] | None = None,
) -> Iterator[Event]:
    """Yield the events of a scan as `scan.walk_events()` did while it ran.

    Nodes are those of the past scan: they have all of its points from the beginning.

    :param scan: its node, or a scan that has one.
    :param speed: 2 is twice as fast as it was; None, or infinity, does not wait at all.
    :param stop_handler: a function that tells whether to end.
    :raises UsageError: the speed is not greater than 0.
    :raises NodeNotFound: neither the store nor a file has the scan any more.
    """
    node = _node_of(scan)
    events = replay_events(node, speed, stop_handler)
    below = (event for event in events if not (isinstance(event, NewNode) and event.path == node.db_name))
    yield from node.walk_of(below, include_filter)


def replay_events(
    scan: ScanNode, speed: float | None = 1.0, stop_handler: Callable[[], bool] | None = None
) -> Iterator[WalkEvent]:
    """Yield what the scan published, from its own node on; arguments as for `replay`."""
    pace = _checked(speed)
    stopped = stop_handler or (lambda: False)
    before, end = _structure(scan)
    yield from before
    if any(isinstance(event, PreparedScan) for event in before):
        yield from _Points(scan).paced(pace, stopped)
    if end and not stopped():
        yield end


def replay_into(
    tree: Tree,
    scan: ScanNode,
    speed: float | None = 1.0,
    session: str = SESSION,
    stop_handler: Callable[[], bool] | None = None,
    started: Callable[[str], object] = lambda path: None,
) -> str:
    """Publish a past scan again, below another session, for any listener there; return its db_name.

    It is a scan that is not saved, whose info says of which scan it is a replay (`replay_of`), and has a uid of its own.

    :param started: called with its db_name when it is announced.
    :raises UsageError: the session is that of the scan: replayed data would stand among real ones.
    :raises NodeNotFound: neither the store nor a file has the scan any more.
    """
    node = _node_of(scan)
    if session == node.db_name.partition(":")[0]:
        raise UsageError(f"scan {node.db_name}: expected another session to replay it in than its own, got {session!r}")
    try:
        paths.check_name(session, "session")
    except ValueError as error:
        raise UsageError(f"replay of scan {node.db_name}: {error}") from None
    _checked(speed)
    again = _Republished(tree, node, session)
    started(again.path)
    try:
        for event in replay_events(node, speed, stop_handler):
            again.accept(event)
    except BaseException as error:  # a listener must not wait for ever, whatever has ended the replay
        again.end("KILLED" if isinstance(error, Exception) else "USER_ABORTED", error)
        raise
    again.end("USER_ABORTED" if stop_handler and stop_handler() else "KILLED")  # where the scan itself has no end
    return again.path


def _node_of(scan: Any) -> ScanNode:
    node = scan if isinstance(scan, ScanNode) else getattr(scan, "node", scan)
    if not isinstance(node, ScanNode):
        raise UsageError(f"replay: expected a scan or its node, got {scan!r}")
    return node


def _checked(speed: float | None) -> float | None:
    """Return a speed, None if nobody waits."""
    if speed is not None and not speed > 0:
        raise UsageError(f"speed: expected a number greater than 0, or None for as fast as it goes, got {speed!r}")
    return None if speed is None or math.isinf(speed) else speed


def _structure(scan: ScanNode) -> tuple[Sequence[NewNode | PreparedScan | ScanInfoUpdate], EndScan | None]:
    """Return what was published of a scan but its points: all before its end, and that."""
    key = paths.scan(scan.db_name)
    entries = scan.store.range(key) or scan.structure.require_saved().range(key)
    events = [decode_event(fields) for _, fields in entries]
    before = [event for event in events if not isinstance(event, EndScan | SavedScan)]
    return before, next((event for event in events if isinstance(event, EndScan)), None)


# -- when points came ---------------------------------------------------------------------------------------------------


class _Channel:
    """A channel, and when each of its points came.

    :param times: seconds from the start of the scan, never decreasing; the points are spread evenly over them.
    """

    def __init__(self, node: ChannelNode, length: int, times: Array) -> None:
        self._node, self._length, self._times = node, length, times
        self._done = 0
        self._gone = node.first_available
        """Points before this one are nowhere any more; `_expired` counts them until somebody is told."""
        self._expired = 0
        self._most = max(1, min(BLOCK_POINTS, BLOCK_BYTES // max(1, node.spec.point_bytes)))

    @property
    def is_over(self) -> bool:
        return self._done == self._length

    def time_of(self, npoints: int) -> float:
        """Return when there are so many points."""
        ntimes = len(self._times)
        return float(self._times[min(max(-(-npoints * ntimes // self._length), 1), ntimes) - 1])

    def next_time(self) -> float:
        return self.time_of(self._done + 1)

    def time_of_block(self) -> float:
        """Return when there are as many points more as one event takes."""
        return self.time_of(min(self._done + self._most, self._length))

    def take(self, now: float) -> Iterator[Points]:
        """Yield the points that came until `now`, a block at a time; those that are nowhere any more are counted."""
        passed = int(np.searchsorted(self._times, now, side="right"))
        stop = passed * self._length // len(self._times)
        lost = max(0, min(stop, self._gone) - self._done)
        self._done, self._expired = self._done + lost, self._expired + lost
        while self._done < stop:
            for values in self._node.blocks(self._done, min(stop, self._done + self._most)):
                yield self._points(self._done, values)
                self._done += len(values)
        if self.is_over and self._expired:
            yield self._points(self._done, self._node.spec.no_points())

    def _points(self, first: int, values: Array) -> Points:
        expired, self._expired = self._expired, 0
        return Points(self._node.db_name, first, values, expired)


class _Points:
    """All points of a scan in the order in which they came."""

    def __init__(self, scan: ScanNode) -> None:
        nodes = [node for node in scan.channels() if len(node)]
        info = scan.info
        clocks = {node.db_name: times for node in nodes if (times := _times_of(node, info)) is not None}
        self._channels = []
        for node in nodes:
            length, times = len(node), _nearest(node, clocks)
            if times is None:
                times = np.linspace(0.0, _span(info), length + 1)[1:]
            self._channels.append(_Channel(node, length, times))

    def paced(self, speed: float | None, stopped: Callable[[], bool]) -> Iterator[Points]:
        """Yield them when they are due; with no speed, one block after the other."""
        begin = time.monotonic()
        waiting = self._channels
        while waiting and not stopped():
            next_time = min(channel.next_time() for channel in waiting)
            if speed is None:
                now = max(next_time, min(channel.time_of_block() for channel in waiting))
            else:
                time.sleep(min(max(begin + next_time / speed - time.monotonic(), 0.0), TICK))
                now = (time.monotonic() - begin) * speed
            for channel in waiting:
                yield from channel.take(now)
            waiting = [channel for channel in waiting if not channel.is_over]


def _times_of(node: ChannelNode, info: Mapping[str, Any]) -> Array | None:
    """Return when the points of a time channel came, in seconds from the start of the scan; None if it is none."""
    if node.short_name not in TIMES or node.shape or node.dtype.kind != "f" or node.first_available:
        return None
    times = np.asarray(node.get(0, -1), float)
    there = times[np.isfinite(times)]
    if not len(there):
        return None
    start = 0.0
    if node.short_name == "epoch":
        start = min(info.get("start_timestamp") or math.inf, float(there[0]))
    return np.maximum.accumulate(np.maximum(np.where(np.isfinite(times), times, there[0]) - start, 0.0))


def _nearest(node: ChannelNode, clocks: Mapping[str, Array]) -> Array | None:
    """Return the times of the clock that has most of its place in the chain in common with a channel."""

    def nearness(clock: str) -> tuple[int, int]:
        pairs = zip(clock.split(":"), node.db_name.split(":"), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)), -TIMES.index(paths.name(clock))

    return clocks[max(clocks, key=nearness)] if clocks else None


def _span(info: Mapping[str, Any]) -> float:
    """Return how long the scan took, in seconds; 0 if that is not known."""
    start, end = info.get("start_timestamp"), info.get("end_timestamp")
    return max(0.0, end - start) if isinstance(start, int | float) and isinstance(end, int | float) else 0.0


# -- publishing again ---------------------------------------------------------------------------------------------------


_NOT_AGAIN = ("filename", "master_files", "images_path", "writer_options", "data_policy", "dataset")
"""Keys of an info that say where a scan is saved."""


def _now(what: str) -> dict[str, Any]:
    now = datetime.datetime.now().astimezone()
    return {f"{what}_time": now.isoformat(), f"{what}_timestamp": now.timestamp()}


class _Republished:
    """A scan that is published once more, below another session."""

    def __init__(self, tree: Tree, scan: ScanNode, session: str) -> None:
        self._old = scan.db_name
        container = ":".join([session, *paths.parent(scan.db_name).split(":")[1:]])
        name = paths.name(scan.db_name).lstrip("_").partition("_")[2]
        self._number = tree.next_scan_number(container, saved=False)
        self.path = f"{container}:{paths.scan_name(self._number, name, saved=False)}"
        first, *_ = _structure(scan)[0]
        if not isinstance(first, NewNode):
            raise DataError(f"scan {scan.db_name}: expected it to begin with its node, got {first!r}")
        self._session = session
        self._publisher: StreamPublisher = tree.open_scan(self.path, first.kind, self._info(first.info))
        self._ended = False

    def _info(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the new scan says of itself: that it is none of a beamline, but a replay."""
        info = {key: value for key, value in old.items() if key not in _NOT_AGAIN}
        return info | {
            "title": f"replay of {old.get('scan_nb', '')} {old.get('title', '')}".strip(),
            "replay_of": {"uid": str(old.get("uid", "")), "db_name": self._old},
            "uid": uuid.uuid4().hex,
            "save": False,
            "data_writer": "null",
            "scan_nb": self._number,
            "session_name": self._session,
            **this_process(),
            **_now("start"),
        }

    def accept(self, event: WalkEvent) -> None:
        match event:
            case NewNode(scan=""):
                return
            case NewNode():
                new = replace(event, path=self._moved(event.path), scan=self.path)
                self._publisher.publish(new)
                if new.kind.is_channel:
                    spec = ChannelSpec.of(new)
                    self._publisher.open_channel(new.path, spec.dtype, spec.shape, new.kind)
            case NewData():
                self._publisher.publish(NewData(self._moved(event.path), event.first_index, event.values))
            case EndScan():
                self.end(event.state, None, event)
            case _:
                self._publisher.publish(replace(event, path=self.path))

    def end(self, state: str, error: BaseException | None = None, event: EndScan | None = None) -> None:
        """End the scan, if it has not ended."""
        if self._ended:
            return
        self._ended = True
        told = {"type": type(error).__name__, "message": str(error), "traceback": ""} if error else {}
        lengths = {channel.path: channel.length for channel in self._publisher.channels.values()}
        info: dict[str, Any] = {**(event.info if event else {}), "state": state, **_now("end")}
        self._publisher.publish(EndScan(self.path, state, lengths, info, (event.error if event else {}) or told))
        self._publisher.close()

    def _moved(self, path: str) -> str:
        return self.path + path[len(self._old) :]
