"""The line on which processes of a beamline hear of each other's values and events at once.

The latest value of a channel is a key with a version; beside it, one stream has every change and every event, and a thread
follows it. Who comes late reads the key, so no other process is asked. The server counts the version, hence all processes
agree on what came last; what a lost connection has swallowed is read again. A key is kept alive by those who have the
channel, and vanishes after them.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from bliss_like.data import paths
from bliss_like.data.codec import Fields
from bliss_like.data.key_store import Command, Is
from bliss_like.data.store import FIRST, Append, Id, StreamStore
from bliss_like.data.threads import begin_thread
from bliss_like.errors import DataError, StoreUnavailable

_log = logging.getLogger(__name__)

TIME_TO_LIVE = 15.0
"""Seconds for which a value stays after the last process that has the channel."""

KEPT = 60.0
"""Seconds for which changes and events stay on the line: a process that is away longer has missed some."""

_TICK = 2.0
_STREAM_TIME_TO_LIVE = 3600.0
_LARGE = 1 << 10
"""Bytes from which on a value is not sent along the line, but read by those who need it."""

Begin = Callable[[Callable[[], object]], object]
Callback = Callable[[Any], object]


class Stored(NamedTuple):
    """A value as it is stored; version 0: there is none."""

    version: int = 0
    raw: bytes = b""


class Listener:
    """Calls one callback, never twice at the same time, beside whoever brings the news.

    :param read: makes of what came along the line what the callback is called with.
    :param only_latest: what has not been told when something newer comes is left out; else all is told, as a list.
    """

    def __init__(self, callback: Callback, read: Callable[[bytes], Any], begin: Begin, *, only_latest: bool) -> None:
        self._read, self._begin, self._only_latest = read, begin, only_latest
        # A device is not kept alive by what it has registered; a function has nobody else to keep it.
        is_method = hasattr(callback, "__self__") and hasattr(callback, "__func__")
        self._callback: Callable[[], Callback | None] = weakref.WeakMethod(callback) if is_method else lambda: callback
        self._news: deque[bytes] = deque()
        self._mutex = threading.Lock()
        self._is_busy = False

    @property
    def callback(self) -> Callback | None:
        """What is called; None when it is no more."""
        return self._callback()

    def tell(self, news: bytes) -> None:
        with self._mutex:
            if self._only_latest:
                self._news.clear()
            self._news.append(news)
            if self._is_busy:
                return
            self._is_busy = True
        self._go_on()

    def close(self) -> None:
        """Call it no more, also not with what it was told already."""
        self._callback = lambda: None

    def _go_on(self) -> None:
        try:
            self._begin(self._deliver)
        except BaseException:
            self._is_busy = False  # else it would never hear of anything any more
            raise

    def _deliver(self) -> None:
        while news := self._take():
            try:
                if callback := self.callback:
                    callback(self._read(news[-1]) if self._only_latest else [self._read(each) for each in news])
            except Exception:  # noqa: BLE001 - one listener's mistake must not silence the others
                _log.exception("%r, callback of a channel, failed", self.callback)
            except BaseException:  # killed, or a timeout of gevent: what came meanwhile is told all the same
                with self._mutex:
                    self._is_busy = bool(self._news)
                if self._is_busy:
                    self._go_on()
                raise

    def _take(self) -> list[bytes]:
        with self._mutex:
            news = list(self._news)
            self._news.clear()
            self._is_busy = bool(news)
            return news


class Listening:
    """What has a name on the line, and listeners."""

    def __init__(self, line: LiveLine, name: str) -> None:
        self.line, self.name = line, name
        self.listeners: list[Listener] = []

    def add(self, callback: Callback, read: Callable[[bytes], Any], *, only_latest: bool = False) -> None:
        """Let a callback hear of what comes from now on; once, also if it is added again."""
        with self.line.mutex:
            living = [each for each in self.listeners if each.callback is not None]
            if all(each.callback != callback for each in living):
                living.append(Listener(callback, read, self.line.begin, only_latest=only_latest))
            self.listeners = living

    def remove(self, callback: Callback) -> None:
        """Remove a callback, and those that are no more; what it was not yet told is not told."""
        self._keep(lambda each: each.callback not in (None, callback))

    def clear(self) -> None:
        """Remove all callbacks."""
        self._keep(lambda each: False)

    def _keep(self, stays: Callable[[Listener], bool]) -> None:
        with self.line.mutex:
            before, self.listeners = self.listeners, [each for each in self.listeners if stays(each)]
            for listener in before:
                if listener not in self.listeners:
                    listener.close()

    def tell(self, news: bytes) -> None:
        for listener in self.listeners:
            listener.tell(news)


class SharedValue(Listening):
    """The latest value of one channel, as far as this process knows."""

    def __init__(self, line: LiveLine, name: str) -> None:
        super().__init__(line, name)
        self.key = paths.channel(line.beamline, name)
        self.stored = Stored()
        self.is_known = False
        """Whether the server was asked for it."""
        self.is_open = True
        self.face: Callable[[], Any] = lambda: None
        """Returns what people hold of it, if there is such an object already."""

    def hear(self, stored: Stored) -> None:
        """Take a value, unless a newer one is known."""
        with self.line.mutex:
            if stored.version <= self.stored.version:
                return
            self.stored = stored
            self.tell(stored.raw)  # in the same order, whoever brings the next one meanwhile


class LiveLine:
    """May be used from several threads and greenlets.

    :param begin: makes a call beside all others; callbacks are called in it.
    """

    def __init__(self, store: StreamStore, beamline: str, begin: Begin) -> None:
        self.store, self.beamline, self.begin = store, beamline, begin
        self.mutex = threading.RLock()
        self._stream = paths.live(beamline)
        self._values: weakref.WeakValueDictionary[str, SharedValue] = weakref.WeakValueDictionary()
        self._events: weakref.WeakValueDictionary[str, Listening] = weakref.WeakValueDictionary()
        self._thread: threading.Thread | None = None
        self._cursor: Id = FIRST
        self._renewed = self._trimmed = self._heard = 0.0
        self._is_away = False

    def close(self) -> None:
        """Follow no more."""
        for shared in list(self._values.values()):
            self.forget(shared)
        with self.mutex:
            self._events.clear()

    # -- values --------------------------------------------------------------------------------------------------------

    def value(self, name: str) -> SharedValue:
        """Return the value of a channel, the same object as long as somebody here has it.

        :raises StoreUnavailable: the server cannot be reached.
        """
        with self.mutex:
            shared = self._values.get(name)
            if shared is None:
                shared = self._values[name] = SharedValue(self, name)
        if not shared.is_known:  # nor while somebody else here is asking
            self._follow()  # from now on nothing is missed
            shared.hear(self._read(shared))
            shared.is_known = True
        return shared

    def forget(self, shared: SharedValue) -> None:
        """Let a value go: it is not kept alive any more, and nobody here hears of it."""
        with self.mutex:
            if self._values.get(shared.name) is shared:
                del self._values[shared.name]
            shared.is_open = False
            shared.clear()

    def publish(self, shared: SharedValue, raw: bytes) -> None:
        """Make `raw` the latest value, for everybody."""
        key = shared.key
        # Versions begin with the time: whoever remembers a value that has vanished since must not hold it for the newer one.
        commands: list[Command] = [
            ("HSETNX", key, "version", int(time.time() * 1000)),
            ("HINCRBY", key, "version", 1),
            ("HSET", key, "value", raw),
            ("PEXPIRE", key, int(TIME_TO_LIVE * 1000)),
        ]
        replies = self.store.keys.run(*commands)
        stored = Stored(int(replies[1]) if replies else 0, raw)
        self._send(shared.name, stored)
        shared.hear(stored)

    def _send(self, name: str, stored: Stored) -> None:
        fields = {b"channel": name.encode(), b"version": b"%d" % stored.version}
        if len(stored.raw) <= _LARGE:
            fields[b"value"] = stored.raw
        self._append(fields)

    def _read(self, shared: SharedValue) -> Stored:
        replies = self.store.keys.run(("HGETALL", shared.key))
        flat = replies[0] if replies else []
        found = dict(zip(flat[::2], flat[1::2], strict=True))
        return Stored(int(found[b"version"]), found[b"value"]) if b"value" in found else Stored()

    def _renew(self, shared: SharedValue) -> None:
        """Keep the value alive; restore it if the server has lost it, and hear of what was missed."""
        known, expire = shared.stored, ("PEXPIRE", shared.key, int(TIME_TO_LIVE * 1000))
        try:
            replies = self.store.keys.run(expire, ("HGET", shared.key, "version"))
            version = int(replies[1] or 0) if replies else 0
            if version > known.version:
                shared.hear(self._read(shared))
            elif version < known.version:
                there = b"%d" % version if version else None
                command = ("HSET", shared.key, "version", known.version, "value", known.raw)
                if self.store.keys.run(command, expire, when=[Is(shared.key, there, "version")]) is not None:
                    self._send(shared.name, known)
        except StoreUnavailable:
            raise
        except DataError as error:  # what is wrong with one is not to silence the others
            _log.warning("channel %s is not kept: %s", shared.name, error)

    # -- events --------------------------------------------------------------------------------------------------------

    def events(self, name: str) -> Listening:
        """Return who listens to events of that name, the same object as long as somebody here has it."""
        with self.mutex:
            listening = self._events.get(name)
            if listening is None:
                listening = self._events[name] = Listening(self, name)
        self._follow()
        return listening

    def post(self, name: str, raw: bytes) -> None:
        self._append({b"events": name.encode(), b"value": raw})

    def _append(self, fields: Fields) -> None:
        self.store.append([Append(self._stream, None, fields)], expire={self._stream: _STREAM_TIME_TO_LIVE})

    # -- the thread that follows ---------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Begin to follow the line, if that is not done already."""
        with self.mutex:
            if self._thread is not None and self._thread.is_alive():
                return
        last = self.store.last_ids([self._stream])[0] or FIRST
        with self.mutex:
            if self._thread is None or not self._thread.is_alive():
                self._cursor, self._is_away = last, False
                self._renewed = self._trimmed = self._heard = time.monotonic()
                self._thread = begin_thread(self._run, "bliss_like channels")

    def _run(self) -> None:
        pause = 0.05
        while self._is_wanted():
            try:
                found = self.store.read({self._stream: self._cursor}, timeout=_TICK)
                self._look_around()
                pause = 0.05
            except Exception as error:  # noqa: BLE001 - the line is to be followed, whatever it is
                if not self._is_wanted():
                    return
                if not self._is_away:
                    _log.warning(
                        "channels: %s; values are read again when it is back",
                        error,
                        exc_info=not isinstance(error, StoreUnavailable),
                    )
                self._is_away = True
                time.sleep(pause)
                pause = min(2 * pause, 1.0)
                continue
            for entry_id, fields in found.get(self._stream, []):
                self._cursor = entry_id
                self._take(fields)

    def _is_wanted(self) -> bool:
        with self.mutex:
            if not (self._values or self._events):
                self._thread = None
                return False
            return True

    def _take(self, fields: Fields) -> None:
        try:
            if b"channel" in fields:
                shared = self._values.get(fields[b"channel"].decode())
                if shared is not None and int(fields[b"version"]) > shared.stored.version:
                    is_whole = b"value" in fields
                    shared.hear(Stored(int(fields[b"version"]), fields[b"value"]) if is_whole else self._read(shared))
            elif (listening := self._events.get(fields[b"events"].decode())) is not None:
                listening.tell(fields[b"value"])
        except (KeyError, ValueError):
            _log.warning("channels: an entry of %s is not ours: %.200r", self._stream, fields)
        except StoreUnavailable:
            self._is_away = True
        except Exception:  # noqa: BLE001 - what comes after it is to be told, whatever it is
            _log.exception("channels: an entry of %s could not be told: %.200r", self._stream, fields)

    def _look_around(self) -> None:
        """Do what is due at times: after an outage see what was missed, keep values alive, drop what is old."""
        now = time.monotonic()
        was_away = self._is_away or now - self._heard > KEPT / 2
        if was_away:
            self._notice_gap()
        if was_away or now - self._renewed > TIME_TO_LIVE / 3:
            for shared in list(self._values.values()):
                self._renew(shared)
            self._renewed = now
        if now - self._trimmed > KEPT / 6 and self._cursor[0] > 0:
            self.store.trim({self._stream: (max(0, self._cursor[0] - int(KEPT * 1000)), 0)})
            self._trimmed = now
        self._heard, self._is_away = now, False

    def _notice_gap(self) -> None:
        first, last = self.store.first_ids([self._stream])[0], self.store.last_ids([self._stream])[0]
        is_complete = last is None or last <= self._cursor or (first is not None and first <= self._cursor)
        if not is_complete and last is not None and last[0] - self._cursor[0] > KEPT * 1000:
            if names := sorted(self._events):
                _log.warning(
                    "event channels %s: this process was away for more than %g s, events may have been missed",
                    ", ".join(names),
                    KEPT,
                )
        if last is not None and last < self._cursor:
            self._cursor = last  # it has lost what came last; by its clock, what comes next may be before that
