"""How the engine uses greenlets: calls side by side, giving way by time, and clean-up that Ctrl-C does not cut short.

What is not done here, and why: a greenlet per device and point (making one costs 10 us, ten times the call of a device
that does not wait), and `gevent.sleep(0)` to give way (the hub then runs callbacks only and polls no socket, for up to 25
ms at a time).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import length_hint
from time import perf_counter
from typing import Any, TypeVar, cast

import gevent
from gevent.event import Event
from gevent.hub import get_hub
from greenlet import GreenletExit, getcurrent, greenlet

from bliss_like.errors import ChainError

T = TypeVar("T")

QUANTUM = 0.0005
"""Seconds that a running scan keeps the hub for itself."""

_last_turn = 0.0


def breathe() -> None:
    """Give way to everything else in the thread, sockets included, unless that happened less than `QUANTUM` ago."""
    global _last_turn
    if perf_counter() - _last_turn < QUANTUM:
        return
    hub = get_hub()
    # Of the highest priority: a plain one starves beside a greenlet that does nothing but sleep(0).
    hub.wait(hub.loop.idle(priority=2))
    _last_turn = perf_counter()


def called_by(task: T) -> T:
    """Note that this greenlet waits for what another one does; return that one."""
    vars(task)["called_by"] = getcurrent()
    return task


def is_called_by(caller: greenlet | None) -> bool:
    """Tell whether a greenlet is this one, or waits for what it does: neither can wait for the other."""
    task: greenlet | None = getcurrent()
    while task is not None and task is not caller:
        task = getattr(task, "called_by", None)
    return task is not None


def killed_from_outside(killed: GreenletExit) -> ChainError:
    """Return the error that stands for a call that somebody, or its driver, has ended before it was done."""
    error = ChainError("the greenlet that served it was killed from outside, before it was done")
    return error.with_traceback(killed.__traceback__)


class _Worker(greenlet):
    called_by: greenlet | None = None


class SideBySide:
    """A set of calls that is made again and again, beside each other and beside the caller.

    The calls are made in place, one after the other, as long as none waits. As soon as one does, it stays behind in its
    greenlet and another greenlet goes on with the rest; the greenlets are kept for the next time.
    """

    def __init__(self, calls: Iterable[Callable[[], object]]) -> None:
        self._calls = tuple(calls)
        self._todo: Iterator[Callable[[], object]] = iter(())
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, Callable[[], object]] = {}
        self._in_place: _Worker | None = None
        self._caller: greenlet | None = None
        self._error: BaseException | None = None
        self._over = Event()
        self._ended = False
        """Whether the calls were told to end."""
        self._closed = False

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def is_running(self) -> bool:
        return bool(self._busy)

    def start(self) -> None:
        """Make all calls; return when each is done or waiting.

        :raises BaseException: what the first failed call raised; the others were ended.
        :raises GreenletExit: the set is closed: whoever still wants its calls was not heard to end.
        """
        if self._closed:
            raise GreenletExit
        self._error, self._ended = None, False
        self._todo = iter(self._calls)
        hub = get_hub()
        self._caller = getcurrent()
        while length_hint(self._todo):
            self._in_place = worker = self._idle.pop() if self._idle else _Worker(self._work, hub)
            worker.called_by = self._caller
            # If the worker has to wait it switches to the hub, which brings us back by this.
            wake = hub.loop.run_callback(self._caller.switch)
            try:
                worker.switch()
            finally:
                wake.stop()
                if self._in_place is not None:
                    self._in_place = None
                    self._over.clear()
                    self._busy[worker] = self._calls[len(self._calls) - length_hint(self._todo) - 1]
        if self._error is not None:
            self._fail()

    def wait(self) -> None:
        """Return when all calls are done.

        :raises BaseException: what the first failed call raised, at once; the others were ended.
        """
        if self._busy and self._error is None:
            self._over.wait()
        if self._error is not None:
            self._fail()

    def run(self) -> None:
        """Make all calls and return when all are done; ended from outside, it ends the calls.

        :raises BaseException: what the first failed call raised, at once; the others were ended.
        """
        try:
            self.start()
            self.wait()
        except BaseException:
            self.kill()
            raise

    @property
    def waiting(self) -> list[Callable[[], object]]:
        """The calls that are not done."""
        return list(self._busy.values())

    def kill(self, timeout: float | None = None) -> bool:
        """End the calls that are still waiting; return whether they did end within `timeout` seconds."""
        self._throw()
        while self._busy:
            self._over.clear()
            if not self._over.wait(timeout):
                break
        return not self._busy

    def close(self) -> None:
        """Give the greenlets back; waiting calls are ended without waiting for that."""
        self._closed = True
        self._throw()
        # A suspended greenlet is no garbage that Python finds: it has to be ended.
        idle, self._idle = self._idle, []
        for worker in idle:
            worker.parent = getcurrent()
            worker.throw(GreenletExit)

    def _throw(self) -> None:
        self._todo, self._ended = iter(()), True
        loop = get_hub().loop
        for worker in self._busy:
            loop.run_callback(worker.throw, GreenletExit)

    def _fail(self) -> None:
        error, self._error = self._error, None
        self.kill()
        if error is not None:
            raise error

    def _work(self) -> None:
        hub, me = get_hub(), cast(_Worker, getcurrent())
        while not self._closed:
            try:
                for call in self._todo:
                    call()
            except GreenletExit as killed:
                if not self._ended:
                    self._todo, self._error = iter(()), self._error or killed_from_outside(killed)
            except BaseException as error:  # noqa: BLE001  the caller raises it
                self._todo = iter(())
                self._error = self._error or error
            if self._in_place is me and self._caller is not None:
                self._in_place = None
                self._idle.append(me)
                self._caller.switch()
            else:
                del self._busy[me]
                if not self._busy or self._error is not None:
                    self._over.set()
                if not self._closed:
                    self._idle.append(me)
                    hub.switch()


def run_all(calls: Iterable[Callable[[], object]]) -> None:
    """Make calls side by side and return when all are done.

    :raises BaseException: what the first failed call raised, at once; the others were ended.
    """
    calls = list(calls)
    if len(calls) == 1:
        calls[0]()
    elif calls:
        together = SideBySide(calls)
        try:
            together.run()
        finally:
            together.close()


class Shield:
    """Clean-up that goes on when its greenlet is told to end, until the user has insisted.

    The first abort of a command ends the command, a second one waits for the clean-up, a third one gives up on it; the
    count is kept over all calls of one shield.

    :param aborts: how many there were already.
    """

    def __init__(self, aborts: int = 0) -> None:
        self.aborts = aborts
        self.abort: BaseException | None = None

    @property
    def gave_up(self) -> bool:
        return self.aborts > 2

    def run(self, cleanup: Callable[[], Any]) -> None:
        """Run `cleanup` to its end, or until the third abort.

        :raises BaseException: what `cleanup` raised; aborts are not raised but kept as `abort`.
        """
        task = called_by(gevent.spawn(captured, cleanup))
        while True:
            try:
                error = task.get()
                break
            except BaseException as abort:  # noqa: BLE001  thrown in from outside: the task raises nothing
                self.aborts += 1
                self.abort = self.abort or abort
                if self.gave_up:
                    task.kill(block=False)
                    return
        if error is not None:
            raise error


def captured(call: Callable[[], Any]) -> BaseException | None:
    """Return what `call` raises: gevent prints what a greenlet raises, and throws KeyboardInterrupt elsewhere."""
    try:
        call()
    except BaseException as error:  # noqa: BLE001  the caller raises it
        return error
    return None
