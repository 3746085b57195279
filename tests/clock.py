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
from typing import Any

import gevent
import pytest

TICK = 1e-6
"""Seconds that looking at the clock takes, so that who looks at it again and again sees it go on."""

REAL: dict[str, Callable[..., Any]] = {name: getattr(time, name) for name in ("monotonic", "perf_counter", "time")}


class Clock:
    """Stands in for the loop of gevent: its timers end in their order, as soon as nothing else is to be done."""

    def __init__(self) -> None:
        self.elapsed = 0.0
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
        if _owned is None:  # somebody was imported meanwhile, and keeps this function
            return float(real())
        _owned.elapsed += TICK
        return float(_owned.began[name] + _owned.elapsed)

    return read


READERS = {name: _reader(name) for name in REAL}


def _sleep(seconds: float, real: Callable[[float], None] = time.sleep) -> None:
    if _owned is None:
        real(seconds)
    else:
        _owned.elapsed += seconds


@contextmanager
def own_clock() -> Iterator[Clock]:
    """All that waits in gevent, and all that reads the time, does it by the clock that is yielded."""
    global _owned
    gevent.sleep(0)  # the hub runs, with its own loop
    hub = gevent.get_hub()
    loop, clock = hub.loop, Clock()
    replaced = {REAL[name]: READERS[name] for name in REAL} | {time.sleep: _sleep}
    with pytest.MonkeyPatch.context() as patch:
        modules = [module for name, module in sys.modules.items() if name.startswith(("bliss_like", "tests."))]
        for module in [time, *modules]:
            for name, value in list(vars(module).items()):
                if name in ("monotonic", "perf_counter", "time", "sleep") and callable(value) and value in replaced:
                    patch.setattr(module, name, replaced[value])
        _owned = hub.loop = clock
        try:
            yield clock
        finally:
            hub.loop, _owned = loop, None
            clock.close()
