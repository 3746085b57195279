"""Calls beside each other, of which the first to fail ends all: what belongs to a scan while it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event
from gevent.hub import get_hub

from .branch import GRACE
from .failures import log_failure
from .greenlets import called_by, killed_from_outside

if TYPE_CHECKING:
    from .scan import Scan


class Supervision:
    """Supervises what one scan does, until that is to end.

    :param scan: whose failures they are.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._tasks: list[gevent.Greenlet[..., None]] = []
        self._news = Event()
        self._hub, self._thread = get_hub(), threading.get_ident()
        self.failure: BaseException | None = None
        """What failed first, if something did."""
        self.is_over = False

    def carry_out(self, calls: list[Callable[[], object]], is_enough: Callable[[set[int]], bool]) -> None:
        """Make the calls beside each other until enough of them are done, or all is to end.

        :raises BaseException: what failed first, here or in anything else that is supervised.
        """
        done: set[int] = set()

        def make(number: int, call: Callable[[], object]) -> None:
            self._guard(call)
            done.add(number)
            self._news.set()

        self._tasks += [called_by(gevent.spawn(make, number, call)) for number, call in enumerate(calls)]
        while not (self.is_over or is_enough(done)):
            self._news.wait()
            self._news.clear()
        if self.failure is not None:
            raise self.failure

    def beside(self, call: Callable[[], object]) -> None:
        """Make a call beside the others; nobody waits until it is done."""
        self._tasks.append(called_by(gevent.spawn(self._guard, call)))

    def _guard(self, call: Callable[[], object]) -> None:
        try:
            call()
        except gevent.GreenletExit as killed:
            if not self.is_over:  # else it was us
                self.end(killed_from_outside(killed))
        except BaseException as error:  # noqa: BLE001  `carry_out` raises it
            self.end(error)

    def end(self, error: BaseException | None) -> None:
        """End all; the first error counts."""
        if error is not None and self.failure is None:
            self.failure = error
        elif error is not None and error is not self.failure:
            log_failure(self._scan, "also failed", error, self.failure)
        self.is_over = True
        self._news.set()

    def end_from_anywhere(self, error: BaseException | None) -> None:
        """The same, from any thread."""
        if threading.get_ident() == self._thread:
            self.end(error)
        else:
            self._hub.loop.run_callback_threadsafe(self.end, error)

    def kill(self, wait: bool = True) -> None:
        """End what still runs; with `wait`, give it a while to do so."""
        self.is_over = True
        gevent.killall(self._tasks, block=False)
        if wait:
            gevent.joinall(self._tasks, timeout=GRACE)  # killall would raise Timeout, and nothing would be stopped
