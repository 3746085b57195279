"""What axes tell other processes, and hear from them: settings, positions, states, and that somebody wants them to stop.

A thread writes behind: what has changed since its last round goes out in one pipeline, `GATHER` after the first change, at
most every `INTERVAL`. All sessions of the beamline hear of it on the live line, and send the signals of `devices.events`
for their own axes of that name.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import logging
import os
import threading
import time
import uuid
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import gevent

from bliss_like.config.settings.base import pipeline
from bliss_like.config.settings.hash import HashSetting
from bliss_like.config.settings.values import decode, encode
from bliss_like.config.sharing import sharing
from bliss_like.data.threads import begin_thread
from bliss_like.devices.reading import side_by_side
from bliss_like.errors import DataError, ForeignKeyError

if TYPE_CHECKING:
    from bliss_like.devices.axis_settings import AxisSettings

_log = logging.getLogger(__name__)

INTERVAL = 0.02
"""Seconds between two rounds."""

GATHER = 0.005
"""Seconds from a change to a round: a short move is over by then, and has had the processor for itself."""

_RETRY = 1.0
_IDLE = 2.0
_PATIENCE = 3.0
_SLOW = 10.0
"""Seconds that a session has to answer that is said to move an axis."""
_ANSWER = 1.0
"""Seconds for which the answer may come after word that the axis stands still."""
_LOOK = 0.01
_EVENTS = "motion"
"""The name of the events on the live line: {"from": process, "axes": {name: {setting: value}}} or {"stop": [names]}."""


class Listener(Protocol):
    """An axis."""

    name: str

    def heard(self, values: Mapping[str, Any]) -> None:
        """Another process has changed these settings."""

    def stop_wanted(self, by: str) -> bool:
        """Stop if it moves, without waiting; return whether it does."""


_axes: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def register(axis: Listener) -> None:
    """Let an axis hear of what others do with it; the last one of a name does."""
    _axes[axis.name] = axis


_settings: weakref.WeakValueDictionary[str, AxisSettings] = weakref.WeakValueDictionary()


def register_settings(settings: AxisSettings) -> None:
    """Let settings hear of what others have changed in them."""
    _settings[settings.name] = settings


class _Line:
    """Writes, and listens as long as somebody here has axes that are shared."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._changed: dict[AxisSettings, dict[str, Any]] = {}
        self._wake = threading.Event()
        self._flushing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._listening: Any = None
        self._is_failing = self._has_left = False
        self.pid = os.getpid()
        self.me = f"{os.uname().nodename}:{self.pid}"
        self._token = uuid.uuid4().hex
        """Two processes of one name and number there may be, in containers."""

    def tell(self, settings: AxisSettings, values: Mapping[str, Any]) -> None:
        if not values and settings in self._changed:
            return  # it will be asked what is pending
        with self._mutex:
            is_first = not self._changed
            self._changed.setdefault(settings, {}).update(values)
            if is_first:
                self._wake.set()
            if self._thread is None:
                with contextlib.suppress(RuntimeError):  # the interpreter ends: the rest is written then
                    self._thread = begin_thread(self._run, "bliss_like axes")

    def _run(self) -> None:
        while True:
            woken = self._wake.wait(_IDLE)
            with self._mutex:
                if not woken and not self._changed:
                    self._thread = None
                    return
            if woken:
                self._pause(GATHER)
            self._wake.clear()
            pause = INTERVAL - GATHER if self.flush() else _RETRY
            self._pause(pause)

    @staticmethod
    def _pause(seconds: float) -> None:
        threading.Event().wait(seconds)  # a real one, in patched processes too

    def flush(self) -> bool:
        """Write what has changed, and tell others; return whether that went well."""
        while not self._flushing.acquire(blocking=False):
            gevent.sleep(0.001)  # a greenlet of this very thread may have it: to wait for the lock would be for ever
        try:
            with self._mutex:
                changed, self._changed = self._changed, {}
            try:
                if changed:
                    self._write(changed)
                self._is_failing = False
                return True
            except Exception as error:  # noqa: BLE001 - an axis must not depend on it
                with self._mutex:
                    for settings, values in changed.items():
                        self._changed[settings] = {**values, **self._changed.get(settings, {})}
                    self._wake.set()
                if not self._is_failing:
                    _log.warning(
                        "positions of axes are not published: %s", error, exc_info=not isinstance(error, DataError)
                    )
                self._is_failing = True
                return False
        finally:
            self._flushing.release()

    def finish(self, sleep: Callable[[float], object]) -> None:
        """Return when all is written, or when the server does not answer for too long."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            self.flush()
            return
        deadline = time.monotonic() + _PATIENCE
        self._wake.set()
        while (self._changed or self._flushing.locked()) and time.monotonic() < deadline:
            sleep(0.002)

    def _write(self, changed: Mapping[AxisSettings, dict[str, Any]]) -> None:
        pending = {settings: settings.pending() for settings in changed}
        hashes = {settings: settings.hash for settings in changed if settings.hash is not None}
        try:
            with pipeline(*hashes.values()):
                for settings, hash_ in hashes.items():
                    hash_.update(pending[settings])
        except ForeignKeyError:  # one of them is of another program: which one, and all others
            for settings, hash_ in hashes.items():
                try:
                    hash_.update(pending[settings])
                except ForeignKeyError as error:
                    _log.warning("where axis %s is, is not published: %s", settings.name, error)
        for settings, values in pending.items():
            settings.was_written(values)
        news = {settings.name: {**changed[settings], **pending[settings]} for settings in changed}
        if not self._has_left:
            self.post({"axes": news})

    # -- events ----------------------------------------------------------------------------------------------------------

    def post(self, event: Mapping[str, Any]) -> None:
        sharing().line.post(_EVENTS, encode({"from": self._token, **event}, "axes"))

    def is_mine(self, event: Mapping[str, Any]) -> bool:
        return event.get("from") == self._token

    def follow(self) -> None:
        """Hear of what other processes say, from now on."""
        line, self._has_left = sharing().line, False
        if self._listening is not None and self._listening.line is line:
            return
        loop = gevent.get_hub().loop
        sharing().locks.before_giving_back = flush
        self._listening = line.events(_EVENTS)
        self._heard = lambda events: loop.run_callback_threadsafe(gevent.spawn, _hear, events)  # kept: nobody else does
        self._listening.add(self._heard, lambda raw: decode(raw, "axes"))

    def forget(self) -> None:
        """What could not be written until now is not for the store of the next session."""
        with self._mutex:
            self._changed.clear()
        self._listening, self._has_left = None, True


_untold: dict[str, deque[Mapping[str, Any]]] = {}
"""What axes are to hear: in order, also when a receiver of their signals waits for something."""


def _hear(events: Iterable[Mapping[str, Any]]) -> None:
    for event in events:
        if _the_line().is_mine(event):
            continue
        for name, values in event.get("axes", {}).items():
            settings = _settings.get(name)
            if settings is not None:
                settings.heard(values)
            if name in _untold:
                _untold[name].append(values)
            elif name in _axes:
                _untold[name] = deque([values])
                gevent.spawn(_tell_axis, name)
        if "stop" in event:
            gevent.spawn(_stop_here, event["stop"], str(event.get("by", "another process")))


def _tell_axis(name: str) -> None:
    try:
        while untold := _untold[name]:
            values, axis = untold.popleft(), _axes.get(name)
            try:
                if axis is not None:
                    axis.heard(values)
            except (Exception, gevent.Timeout) as failure:  # noqa: BLE001 - what comes after it is to be told
                _log.warning("what another session does with axis %s is not told: %s", name, failure)
    finally:
        del _untold[name]


def _stop_here(names: Iterable[str], by: str) -> None:
    stopped: list[str] = []
    try:
        stop_here(_named(names), by, stopped)
    except (Exception, gevent.Timeout) as failure:  # noqa: BLE001 - whoever waits for the motion is told
        _log.warning("%s wants axes stopped, and not all could be: %s", by, failure)
    finally:
        if stopped:
            _log.warning("stopped by %s: %s", by, ", ".join(sorted(stopped)))
            _the_line().post({"stopped": sorted(stopped)})


def _named(names: Iterable[str]) -> list[Listener]:
    """Return the axes of these names, or all."""
    wanted = set(names)
    return [axis for name, axis in list(_axes.items()) if not wanted or name in wanted]


def stop_here(axes: Iterable[Listener], by: str, stopped: list[str] | None = None) -> list[str]:
    """Have axes of this process stopped, all of them whatever becomes of one; return the names of those that moved.

    :param stopped: gets them, too.
    :raises BaseException: what the first one raised that could not be stopped, when all were told.
    """
    names = [] if stopped is None else stopped

    def stop(axis: Listener) -> None:
        if axis.stop_wanted(by):
            names.append(axis.name)

    side_by_side([partial(stop, axis) for axis in axes], to_the_end=True)
    return names


_line = _Line()


def _the_line() -> _Line:
    global _line
    if _line.pid != os.getpid():  # a forked child has a line of its own
        _line = _Line()
    return _line


def tell(settings: AxisSettings, values: Mapping[str, Any] = {}) -> None:
    """Write what is pending in these settings soon, and tell others of it and of `values`; returns at once."""
    _the_line().tell(settings, values)


def follow() -> None:
    """Hear of what other processes do with the axes, and of who wants them to stop; without a server, of nothing."""
    try:
        _the_line().follow()
    except DataError as error:
        _log.warning("not heard what other sessions do with axes: %s", error)


def flush() -> None:
    """Return when what has changed so far is written, if the server answers."""
    _the_line().flush()


def finish() -> None:
    """The same, but for no longer than some seconds, if the server keeps silent."""
    _the_line().finish(gevent.sleep)


def leave() -> None:
    """Write the rest, and hear of nothing any more: the session is closed."""
    line = _the_line()
    line.finish(gevent.sleep)
    line.forget()


def ask_to_stop(*names: str) -> None:
    """Have axes stopped by whoever moves them elsewhere; does not wait for it, and never fails."""
    try:
        line = _the_line()
        line.post({"stop": list(names), "by": line.me})
    except DataError as error:
        _log.warning("other sessions could not be asked to stop %s: %s", ", ".join(names), error)


def _is_said_to_move(name: str) -> bool:
    """Whether an axis moves, as far as sessions have told."""
    try:
        return "MOVING" in (HashSetting(name).get("state") or ())
    except DataError:
        return False


def request_stop(*names: str, by: str = "", patience: float = 1.0) -> list[str]:
    """Have axes stopped by whoever moves them, in this process and in all others of the beamline.

    :param names: of axes; none: all that move.
    :param patience: seconds that others are waited for; an axis of `names` that is said to move has some more.
    :return: the names of those that were moving.
    :raises StoreUnavailable: the server does not answer; those of this process are stopped.
    :raises Exception: one of this process could not be stopped; all others are.
    """
    line, wanted = _the_line(), set(names)
    by = by or line.me
    stopped: list[str] = []
    not_stopped: list[BaseException] = []
    try:
        stop_here(_named(names), by, stopped)
    except BaseException as failure:  # noqa: BLE001 - raised when all others were asked
        not_stopped.append(failure)
    answers: list[str] = []

    def hear(events: Iterable[Mapping[str, Any]]) -> None:
        for event in events:
            answers.extend(event.get("stopped", []))

    listening = sharing().line.events(_EVENTS)
    listening.add(hear, lambda raw: decode(raw, "axes"))
    try:
        enough = patience + _ANSWER if any(map(_is_said_to_move, wanted.difference(stopped))) else patience
        line.post({"stop": list(names), "by": by})
        looks = itertools.count()
        while not wanted or not wanted <= {*stopped, *answers}:
            waited = next(looks) * _LOOK  # by no clock: while the machine stands still, no answer can come
            if waited >= enough:
                if waited >= _SLOW or not any(map(_is_said_to_move, wanted.difference(stopped, answers))):
                    break
                enough = waited + _ANSWER
            gevent.sleep(_LOOK)
    finally:
        listening.remove(hear)
        if not_stopped:
            raise not_stopped[0]
    return sorted({*stopped, *answers})


@atexit.register
def _finish() -> None:
    line = _the_line()
    line.finish(line._pause)  # nobody else is to run any more
