"""`bliss-like watch`: the scans of a session as they run, in another terminal, from the tree of nodes alone.

A listener like any other: no device and no gevent is in its process.
"""

from __future__ import annotations

import contextlib
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

from bliss_like.data.events import EndScan, WireEvent
from bliss_like.data.node import get_session_node
from bliss_like.data.past import PastScans
from bliss_like.data.saving import doing, living_writer
from bliss_like.data.threads import begin_thread
from bliss_like.data.walk import StopHandler
from bliss_like.errors import BlissLikeError, NodeNotFound, UsageError
from bliss_like.live.feeding import events_of_session, feed
from bliss_like.live.look import Look, Role, cut

from .panel import PERIOD, Panel
from .scan_display import Choice, ScanDisplay
from .style import Style

_MOST = 1000
"""Events that wait to be shown: a terminal that is held up holds up who reads them, not the session."""
_WRITER_PERIOD = 2.0
"""Seconds between two looks at the writer."""
_SILENCE = 3.0
"""Seconds that the data server may take for an answer before that is told."""


def watch(session: str, *, plot: str = "off", from_last: bool = False, once: bool = False) -> None:
    """Show scans until Ctrl-C, or with `once` until one is over.

    :raises KeyboardInterrupt: Ctrl-C.
    :raises StoreUnavailable: there is no server to listen to, or it went away for long.
    """
    with _ctrl_c() as is_pressed:
        _watch(session, plot, from_last, once, is_pressed)


def _watch(session: str, plot: str, from_last: bool, once: bool, is_pressed: Callable[[], bool]) -> None:
    panel = Panel(sys.stdout)
    look = Style.of(sys.stdout)
    bottom = _Bottom(session, look)
    display = ScanDisplay(
        panel, lambda line: panel.print(f"{line}\n"), lambda: look, Choice(plot=plot), bottom=bottom.line
    )
    listening = threading.Event()

    def idle(width: int) -> list[str]:
        return [bottom.line(width)] if listening.is_set() and not display.is_busy else []

    waiting = panel.open(idle, order=1)
    try:
        if from_last:
            _show_last(session, display)
        for event in _events(session, bottom, listening):
            if is_pressed():
                raise KeyboardInterrupt
            if event is None:
                panel.changed()
                continue
            display.accept(event)
            if once and isinstance(event, EndScan) and not display.is_busy:
                return
    finally:
        waiting.close()
        panel.end()


@contextlib.contextmanager
def _ctrl_c() -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C was pressed. A second press is raised at once, wherever the program is.

    The first one is not: amid the handing over of an event it would leave a lock that then cannot be released.
    """
    presses: list[int] = []

    def press(number: int, _: object) -> None:
        presses.append(number)
        if len(presses) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(presses)
    finally:
        signal.signal(signal.SIGINT, before)


def _events(session: str, bottom: _Bottom, listening: threading.Event) -> Iterator[WireEvent | None]:
    """Yield the events of a session; None, ten times a second, while there are none.

    :param listening: is set when no scan can be missed any more.
    """
    came: queue.Queue[WireEvent | BaseException] = queue.Queue(_MOST)
    stop = StopHandler()

    def walk() -> None:
        try:
            for event in events_of_session(session, stop, listening):
                came.put(event)
        except BaseException as error:  # noqa: BLE001  raised in the main thread
            came.put(error)

    begin_thread(walk, f"watch {session}")
    begin_thread(bottom.look_on, f"writer of {session}")
    try:
        while True:
            try:
                event = came.get(timeout=PERIOD)
            except queue.Empty:
                yield None
                continue
            if isinstance(event, BaseException):
                raise event
            yield event
    finally:
        stop.stop()
        bottom.close()


def _show_last(session: str, display: ScanDisplay) -> None:
    """Show the last scan of a session, unless it runs: it comes by itself."""
    scans = PastScans(get_session_node(session).store, session)
    with contextlib.suppress(NodeNotFound, UsageError):
        last = next(iter(scans), None)
        if last is not None and last.structure.refresh().end is not None:
            feed(last, display)


class _Bottom:
    """The last line: which session it is, and how its writer does."""

    def __init__(self, session: str, look: Look) -> None:
        self._session, self._look = session, look
        self._writer, self._role = "", Role.DIM
        self._asked_at: float | None = None
        """When the data server was asked something to which it has not answered yet."""
        self._over = threading.Event()
        self._ask()

    def look_on(self) -> None:
        """Ask for the writer from time to time, in a thread: the server may be one that does not answer."""
        while not self._over.wait(_WRITER_PERIOD):
            self._asked_at = time.monotonic()
            self._ask()
            self._asked_at = None

    def close(self) -> None:
        self._over.set()

    def _ask(self) -> None:
        try:
            store = get_session_node(self._session).store
            status = living_writer(store, self._session)
        except (BlissLikeError, ValueError) as error:
            self._writer, self._role = str(error), Role.ERROR
            return
        self._role = Role.ERROR if status is not None and status.trouble else Role.DIM
        self._writer = "no writer" if status is None else f"writer {doing(store, status)}"

    def line(self, width: int) -> str:
        told, role, asked_at = self._writer, self._role, self._asked_at
        silent = 0.0 if asked_at is None else time.monotonic() - asked_at
        if silent > _SILENCE:
            told, role = f"the data server has not answered for {silent:.0f} s", Role.ERROR
        text = f" {self._session} {self._look.glyphs.separator} {told}"
        return self._look.paint(cut(text, width), role)
