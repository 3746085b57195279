"""A clock that the test owns: it stands still while code runs, and goes on at once where every greenlet waits.

What takes 2 s by it takes 2 s exactly, however slow the machine is, and next to nothing by any other clock. It is for the
greenlets of one unpatched process: sockets, threads and other processes know nothing of it.
"""

from __future__ import annotations

import heapq
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident
from types import BuiltinFunctionType, ModuleType
from typing import Any
from weakref import WeakSet

import gevent
import pytest

from bliss_like.scanning import greenlets

TICK = 1e-5
"""Seconds that looking at the clock takes, so that who looks at it again and again sees it go on."""

REAL: dict[str, Callable[..., Any]] = {name: getattr(time, name) for name in ("monotonic", "perf_counter", "time")}


class Clock:
    """Stands in for the loop of gevent: its timers end in their order, as soon as nothing else is to be done."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.thread = get_ident()
        self.began = {name: read() for name, read in REAL.items()}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = itertools.count()
        self._loop = gevent.get_hub().loop
        self._idle = self._loop.idle()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def timer(self, after: float, *_: Any, **__: Any) -> Timer:
        return Timer(self, max(0.0, after))

    def add(self, timer: Timer, after: float) -> None:
        heapq.heappush(self._timers, (self.elapsed + after, next(self._count), timer))
        if not self._idle.active:
            self._idle.start(self._go_on)

    def _go_on(self) -> None:
        """To the next timer that has not been stopped."""
        while self._timers:
            due, _, timer = heapq.heappop(self._timers)
            if timer.active:
                self.elapsed = max(self.elapsed, due)
                timer.end()
                return
        self._idle.stop()

    def run_callback(self, function: Callable[..., object], *args: object) -> Any:
        """In its turn: who waits is not forgotten beside others that always have something to do."""
        while self._timers and self._timers[0][0] <= self.elapsed:
            self._loop.run_callback(heapq.heappop(self._timers)[2].end)
        return self._loop.run_callback(function, *args)

    def close(self) -> None:
        self._idle.stop()
        self._idle.close()


class Timer:
    """As a timer of gevent; it is started once."""

    pending = False

    def __init__(self, clock: Clock, after: float) -> None:
        self._clock, self._after = clock, after
        self._callback: Callable[[], object] | None = None

    @property
    def active(self) -> bool:
        return self._callback is not None

    def start(self, callback: Callable[..., object], *args: object, **_: object) -> None:
        self._callback = lambda: callback(*args)
        self._clock.add(self, self._after)

    def end(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def stop(self) -> None:
        self._callback = None

    close = stop

    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_owned: Clock | None = None


def _reader(name: str) -> Callable[[], float]:
    real = REAL[name]

    def read() -> float:
        if _owned is None or get_ident() != _owned.thread:
            return float(real())
        _owned.elapsed += TICK
        return float(_owned.began[name] + _owned.elapsed)

    return read


READERS = {name: _reader(name) for name in REAL}


def _sleep(seconds: float, real: Callable[[float], None] = time.sleep) -> None:
    if _owned is None or get_ident() != _owned.thread:
        real(seconds)
    else:
        _owned.elapsed += seconds


_seen: set[str] = set()
_places: list[tuple[ModuleType, str, Callable[..., Any]]] = [
    (time, name, replacement) for name, replacement in [*READERS.items(), ("sleep", _sleep)]
]


def _find_places() -> None:
    """Where modules of the project have imported functions of `time` by name."""
    replaced = {getattr(time, name): replacement for _, name, replacement in _places[:4]}
    for module_name, module in list(sys.modules.items()):
        if (
            module_name in _seen
            or not module_name.startswith(("bliss_like.", "tests."))
            or module_name in (__name__, "tests.waiting")
        ):
            continue
        _seen.add(module_name)
        for name in ("monotonic", "perf_counter", "time", "sleep"):
            value = vars(module).get(name)
            if isinstance(value, BuiltinFunctionType) and value in replaced:
                _places.append((module, name, replaced[value]))


@contextmanager
def own_clock() -> Iterator[Clock]:
    """All that waits in gevent, and all that reads the time, does it by the clock that is yielded."""
    global _owned
    gevent.sleep(0)  # the hub runs, with its own loop
    _find_places()
    hub = gevent.get_hub()
    loop, clock = hub.loop, Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(greenlets, "_last_turn", 0.0)  # a time that outlives the test
        for module, name, replacement in _places:
            patch.setattr(module, name, replacement)
        _owned = hub.loop = clock
        left: WeakSet[gevent.Greenlet[..., Any]] = WeakSet()
        gevent.Greenlet.add_spawn_callback(left.add)
        try:
            yield clock
        finally:
            gevent.Greenlet.remove_spawn_callback(left.add)
            with gevent.Timeout(60, False):  # a scan without end would run beside all tests that follow
                gevent.killall([greenlet for greenlet in left if not greenlet.dead])
            hub.loop, _owned = loop, None
            clock.close()
