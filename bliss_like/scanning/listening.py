"""The subscribers of a scan while it runs: each has a greenlet of its own, so that none waits for another.

What has come since a callback was last called is merged: the points of each channel are one event. A lossy callback (the default)
rests after each turn, so that it takes no more than `SHARE` of the time of all; the oldest of the points that wait are
left out when they are too many, which `first_index` shows. A lossless one is given every point; when too much waits for it, no more is
stored, and in the end the scan waits. What a callback raises ends neither the scan nor another callback, unless that was asked for.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event
from gevent.hub import get_hub
from greenlet import GreenletExit

import bliss_like
from bliss_like.data.batch import Batch, PointsByChannel, merged_points
from bliss_like.data.callbacks import Callback, Looks, callback_of, follower_for, looks_of
from bliss_like.data.channel_buffer import size_of
from bliss_like.data.codec import Array, decode_event, encode_event
from bliss_like.data.events import EndScan, NewData, NewNode, SavedScan, WireEvent
from bliss_like.errors import BlissLikeError

from .environment import environment
from .greenlets import QUANTUM, breathe, called_by, killed_from_outside
from .subscriptions import INSIDE, Subscription, those_inside

if TYPE_CHECKING:
    from .scan import Scan

_log = logging.getLogger(__name__)

LAST = 1.0
"""Seconds that a callback has at the end of a scan; a lossless one only when the wait for it was aborted."""
SHARE, SHARE_OF_ALL = 0.03, 0.1
"""Parts of the time that a lossy callback, and all of them, may take of the thread."""
AHEAD = 0.5
"""Seconds of rest that it may owe: one that was idle, or is quick, is called at once."""
KEPT = 2 << 20
"""Bytes of the newest points of one channel that wait for a lossy callback, at least one point."""
BEHIND = 64 << 20
"""Bytes of points that wait for a lossless callback when no more is stored."""
_OURS = str(Path(bliss_like.__file__).parent)
_LOOK, _ANSWER = 0.002, 0.1


class Listening:
    """The subscribers of one scan, from its announcement to its end."""

    def __init__(self, scan: Scan, subscriptions: Iterable[Subscription]) -> None:
        self._scan = scan
        self._hub, self._thread = get_hub(), threading.get_ident()
        self._has_ended = self._is_ending = False
        subscriptions = list(subscriptions)
        share = min(SHARE, SHARE_OF_ALL / max(1, sum(not one.lossless for one in subscriptions)))
        self._listeners = [_Listener(scan, one, share) for one in subscriptions]
        self._lossless = [one for one in self._listeners if one.subscription.lossless]
        node = decode_event(encode_event(NewNode(scan.path, scan.kind, scan.scan_info)))
        self._put([node])

    def accept(self, events: Sequence[WireEvent], batch: Batch | None = None) -> None:
        """Hand on what was stored; wait while too much waits for a lossless callback. May be called in another thread."""
        for listener in self._lossless:
            listener.told += batch.nbytes if batch else 0
        if threading.get_ident() == self._thread:
            self._put(events, batch)
            while self._is_behind:
                gevent.sleep(_LOOK)
        else:
            self._hub.loop.run_callback_threadsafe(self._put, events, batch)
            while self._is_behind and self._hub_runs():
                time.sleep(_LOOK)

    @property
    def _is_behind(self) -> bool:
        return not self._is_ending and any(listener.is_behind for listener in self._lossless)

    def _hub_runs(self) -> bool:
        """Whether callbacks can be called at all: the scan may be waiting for the thread that asks, and they for the scan."""
        answered = threading.Event()
        self._hub.loop.run_callback_threadsafe(answered.set)
        return answered.wait(_ANSWER)

    def _put(self, events: Sequence[WireEvent], batch: Batch | None = None) -> None:
        """Tell all listeners; of an end, only the first one, and no points after it."""
        if self._has_ended:
            events, batch = [event for event in events if isinstance(event, SavedScan)], None
        self._has_ended |= any(isinstance(event, EndScan) for event in events)
        for listener in self._listeners:
            listener.put(events, batch)

    @property
    def decides(self) -> bool:
        """Whether an error of somebody who is given every point ends the scan."""
        return any(one.subscription.on_error == "abort" for one in self._lossless)

    def hear_out(self) -> None:
        """Return when those whose errors end the scan have been given all points so far."""
        self.hand_on()
        for listener in self._lossless:
            if listener.subscription.on_error == "abort":
                listener.idle.wait()

    def let_go(self) -> None:
        """Hold nothing back any more: the scan is about to end."""
        self._is_ending = True

    def hand_on(self) -> None:
        """Return when all that was stored is handed on, also what another thread has given."""
        handed_on = Event()
        self._hub.loop.run_callback_threadsafe(handed_on.set)
        handed_on.wait()

    def end(self, end: EndScan) -> None:
        """Tell that the scan is over, if it could not be told by what was stored: with the points that were."""
        self.let_go()
        if not self._has_ended:
            self._has_ended = True
            for listener in self._listeners:
                listener.put([replace(end, lengths=listener.lengths)])

    def finish(self) -> None:
        """Return when all have had what they are to have, those that may lose something within `LAST` seconds."""
        for listener in self._listeners:
            listener.close()
        gevent.joinall([one.task for one in self._listeners if not one.subscription.lossless], timeout=LAST)
        gevent.joinall([one.task for one in self._lossless])

    def leave(self) -> None:
        """Say who is not done; nobody waits for them any more."""
        self._is_ending = True
        for listener in self._listeners:
            listener.close()
            if not listener.task.ready():
                name, label = listener.subscription.name, self._scan.label
                _log.warning("%s: callback %s is not done with it; it is left behind and may go on", label, name)


class _Listener:
    """One callback and what waits for it.

    :param share: part of the time that it may take, if it is lossy.
    """

    def __init__(self, scan: Scan, subscription: Subscription, share: float) -> None:
        self.subscription = subscription
        self._share = share
        self.told = 0
        """Bytes of points that were handed on, of one that is lossless; it is done with `_done` of them."""
        self._done = 0
        self.idle = Event()
        """Set while nothing waits for it, and when it hears no more."""
        self._scan = scan
        self._waiting = _Waiting(math.inf if subscription.lossless else KEPT)
        self._news, self._hurry = Event(), Event()
        self._closing = False
        self._at: WireEvent | None = None
        self._channels: list[str] = []
        """Their db_names."""
        self._owed = 0.0
        """Seconds that its calls took, for which it has not rested."""
        self._rested_at = 0.0
        """When it has rested for all that it took."""
        self.task: gevent.Greenlet[[], None] = gevent.Greenlet(self._run)
        self.task.spawn_tree_locals = {INSIDE: those_inside() | {subscription}}
        if subscription.lossless and subscription.on_error == "abort":  # whom the scan waits for before it ends
            called_by(self.task)
        self.task.start()

    @property
    def is_behind(self) -> bool:
        return self.told - self._done > BEHIND and not self.task.ready()

    @property
    def lengths(self) -> dict[str, int]:
        """Points of each channel that were handed on, by db_name."""
        return self._waiting.lengths

    def put(self, events: Sequence[WireEvent], batch: Batch | None = None) -> None:
        if self.task.ready():
            return
        self._waiting.add(events, batch)
        if any(isinstance(event, EndScan) for event in events):
            self._hurry.set()
        self.idle.clear()
        self._news.set()

    def close(self) -> None:
        """Nothing more is to come."""
        self._closing = True
        self._news.set()
        self._hurry.set()

    def _run(self) -> None:
        try:
            self._listen()
        except BaseException as error:  # noqa: BLE001  whatever a callback does, it is none of the others' business
            self._fail(killed_from_outside(error) if isinstance(error, GreenletExit) else error)
        finally:
            self._waiting = _Waiting(KEPT)
            self.idle.set()

    def _listen(self) -> None:
        self._news.wait()
        node = self._at = self._waiting.first
        if not isinstance(node, NewNode):
            return
        follower = follower_for(self.subscription.callback, node, factory=self.subscription.factory)
        if follower is None:
            return
        call = callback_of(follower)
        looks_at = None if self.subscription.lossless else looks_of(follower)
        while self.subscription.is_active:
            self._news.clear()
            self._turn(call, self._waiting.take(), looks_at)
            if self._waiting.is_empty:
                self.idle.set()
                if self._closing:
                    return
            if not self.subscription.lossless:
                self._rest()
            self._news.wait()

    def _turn(self, call: Callback, events: Iterator[WireEvent], looks_at: Looks | None) -> None:
        """Make calls, and give way between them; ask what is looked at. Note for how long that kept the thread from others."""
        watch, counts = _Watch(), self.subscription.lossless
        for event in events:
            if not self.subscription.is_active:
                break
            self._at = event
            if looks_at is None or not isinstance(event, NewData) or looks_at(event.path):
                call(event)
            if counts and isinstance(event, NewData):
                self._done += size_of(event.values)
            if isinstance(event, NewNode) and event.kind.is_channel:
                self._channels.append(event.path)
            if watch.elapsed > QUANTUM:
                self._owed += watch.stop()
                breathe()
                watch = _Watch()
        if looks_at is not None:
            self._waiting.set_aside({path for path in self._channels if not looks_at(path)})
        self._owed += watch.stop()

    def _rest(self) -> None:
        now = time.perf_counter()
        self._rested_at = max(self._rested_at, now) + self._owed / self._share
        self._owed = 0.0
        pause = max(self._rested_at - now - AHEAD, self.subscription.period)
        if pause > 0:
            self._hurry.wait(pause)

    def _fail(self, error: BaseException) -> None:
        name, what = self.subscription.name, _where(self._at)
        if self.subscription.on_error == "abort":
            error.add_note(f"(in callback {name}, at {what})")
            self._scan.end(error)
            return
        environment.note_error(error)
        told = str(error) if isinstance(error, BlissLikeError) else f"{type(error).__name__}: {error}"
        place = "" if isinstance(error, BlissLikeError) else _place_of(error)
        _log.error(
            "%s: callback %s failed at %s: %s%s; it hears no more of it", self._scan.label, name, what, told, place
        )


class _Watch:
    """For how long something keeps the thread from others."""

    def __init__(self) -> None:
        self._gives_way = get_hub().loop.run_callback(_nothing)
        self._began, self._worked = time.perf_counter(), time.thread_time()

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self._began

    def stop(self) -> float:
        """Return the seconds. Of what waits for something, the work of others meanwhile cannot be told from its own."""
        seconds = self.elapsed if self._gives_way.pending else time.thread_time() - self._worked
        self._gives_way.stop()
        return seconds


class _Waiting:
    """Events that wait for a callback: first what is told of the scan, then its points, merged, then its end.

    :param most: bytes of points of one channel; the oldest ones beyond it are left out, but for the last point.
    """

    def __init__(self, most: float) -> None:
        self._most = most
        self._before: list[WireEvent] = []
        self._news = PointsByChannel()
        self._points: dict[str, _Points] = {}
        self._after: list[WireEvent] = []
        self._lengths: dict[str, int] = {}

    def set_aside(self, paths: set[str]) -> None:
        """Have no more points of these channels."""
        self._news.set_aside(paths)

    @property
    def is_empty(self) -> bool:
        return not (self._before or self._news or self._points or self._after)

    @property
    def first(self) -> WireEvent | None:
        return next(iter(self._before), None)

    @property
    def lengths(self) -> dict[str, int]:
        """Points of each channel that it looks at so far, by db_name."""
        self._merge()
        return dict(self._lengths)

    def add(self, events: Sequence[WireEvent], batch: Batch | None) -> None:
        for event in events:
            (self._after if isinstance(event, EndScan | SavedScan) else self._before).append(event)
        if batch:
            self._news.add(batch)
            if self._news.nbytes > self._most:
                self._merge()

    def take(self) -> Iterator[WireEvent]:
        """Yield all, and forget it."""
        self._merge()
        before, points, after = self._before, self._points, self._after
        self._before, self._points, self._after = [], {}, []
        yield from before
        for path, waiting in points.items():
            yield from merged_points(path, waiting.first, waiting.blocks)
        yield from after

    def _merge(self) -> None:
        for path, first, blocks in self._news.take():
            if path not in self._points or first != self._lengths[path]:  # it was not looked at for a while
                self._points[path] = _Points(first)
            self._points[path].add(blocks, self._most)
            self._lengths[path] = first + sum(map(len, blocks))


class _Points:
    """Consecutive points of one channel.

    :param first: index of the first one.
    """

    def __init__(self, first: int) -> None:
        self.first = first
        self.blocks: deque[Array] = deque()
        self._nbytes = 0

    def add(self, blocks: Iterable[Array], most: float) -> None:
        for block in blocks:
            self.blocks.append(block)
            self._nbytes += block.nbytes
        while self._nbytes > most:
            oldest = self.blocks[0]
            surplus = math.ceil((self._nbytes - most) / (oldest.nbytes / len(oldest)))
            left_out = min(surplus, len(oldest) - (len(self.blocks) == 1))
            if not left_out:
                return
            self.first += left_out
            self._nbytes -= oldest[:left_out].nbytes
            self.blocks[0] = oldest[left_out:]
            if not len(self.blocks[0]):
                self.blocks.popleft()


def _place_of(error: BaseException) -> str:
    """Return the first line that is not ours; empty if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    foreign = [frame for frame in frames if not frame.filename.startswith(_OURS)]
    return f" ({foreign[0].filename}:{foreign[0].lineno})" if foreign else ""


def _where(event: WireEvent | None) -> str:
    if event is None:
        return "its beginning"
    return type(event).__name__ + (f" of {event.path.rpartition(':')[2]}" if isinstance(event, NewData) else "")


def _nothing() -> None:
    return None
