"""Ctrl-C: the first press ends the running command, the second waits for its clean-up, the third gives up on it.
A terminal that goes away (SIGHUP) and a polite kill (SIGTERM) end the command too, and then the shell, so that no motor
goes on alone.

Ending a command is throwing `UserAbort` into its greenlet: what it waits for raises, its `finally` blocks run, the scan
stops its devices. The exception is thrown by the hub, where a greenlet has given way: thrown where the signal happens to
arrive, it could tear the engine in the middle of its bookkeeping. Only when something keeps the hub from running (a busy
loop) is it raised on the spot, `PATIENCE` seconds later, by an alarm.

What does not work: `gevent.signal_handler` (its callback is run by the hub too, hence never during a busy loop);
KeyboardInterrupt (gevent rethrows it into the main greenlet, which is the prompt's); GreenletExit (`get()` returns it).
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

import gevent
from gevent.event import Event
from gevent.hub import get_hub

from bliss_like.errors import UserAbort

PATIENCE = 0.3
"""Seconds that the hub has to take its turn after a press, and that an abandoned command has to end."""

T = TypeVar("T")


class Interrupts:
    """What Ctrl-C does while a command runs; without one it does nothing, so that the shell is never killed."""

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self._say = say or _say
        self._command: gevent.Greenlet[..., Any] | None = None
        self._give_up: Callable[[], object] = _nothing
        self._presses = 0
        self._pending = 0  # the press that the hub has not seen yet
        self.leave: Callable[[], object] = _nothing
        """Called in the hub when the shell should end."""

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals as long as the context is open. The handlers are those of Python, in the main thread."""
        handlers = {
            signal.SIGINT: self._on_interrupt,
            signal.SIGALRM: self._on_alarm,
            signal.SIGHUP: self._on_goodbye,
            signal.SIGTERM: self._on_goodbye,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def aimed_at(self, command: gevent.Greenlet[..., Any], give_up: Callable[[], object]) -> Iterator[None]:
        """Let Ctrl-C end `command`; `give_up` is called when it does not end even after the third press."""
        self._command, self._give_up, self._presses = command, give_up, 0
        try:
            yield
        finally:
            self._command, self._give_up = None, _nothing
            self._delivered()

    def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns; Ctrl-C ends it.

        :raises UserAbort: it was ended.
        """
        outcome: list[T] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                outcome.append(call())
            except BaseException as error:  # handed to the caller, all of them
                failure.append(error)

        command = gevent.spawn(work)
        over = Event()
        command.rawlink(lambda _: over.set())
        with self.aimed_at(command, over.set):
            over.wait()
        if failure:
            raise failure[0]
        if not outcome:
            raise UserAbort("left behind: it did not end")
        return outcome[0]

    def _on_interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._command is None or self._command.dead:
            return
        self._presses += 1
        if self._presses == 2:
            self._say("waiting until everything has stopped (press Ctrl-C once more to give up on that)")
            return
        self._pending = self._presses
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        get_hub().loop.run_callback_threadsafe(self._deliver, self._command, self._presses)

    def _on_goodbye(self, number: int, frame: FrameType | None) -> None:
        get_hub().loop.run_callback_threadsafe(self.leave)
        if self._presses == 0:
            self._on_interrupt(number, frame)

    def _deliver(self, command: gevent.Greenlet[..., Any], press: int) -> None:
        """Throw into the command; runs in the hub."""
        if command is not self._command or press != self._pending:
            return  # the alarm was faster
        self._delivered()
        command.kill(UserAbort("Ctrl-C"), block=False)
        if press > 2:
            # Once more, for clean-up that waits through the second one, and then the prompt comes back in any case.
            get_hub().loop.run_callback(command.kill, UserAbort("Ctrl-C"), False)
            gevent.spawn_later(PATIENCE, self._abandon, command)

    def _on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        """The hub did not take its turn: end what keeps the processor, be it the command or another greenlet."""
        if not self._pending:
            return
        current = gevent.getcurrent()
        if current is self._command:
            self._delivered()
        else:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        if current is not get_hub() and current.parent is not None:  # but for the loops of gevent and of the prompt
            raise UserAbort("Ctrl-C")

    def _delivered(self) -> None:
        self._pending = 0
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _abandon(self, command: gevent.Greenlet[..., Any]) -> None:
        if command is self._command and not command.dead:
            self._say("the command does not end; it is left behind, and may go on")
            self._give_up()


def _nothing() -> None:
    return None


def _say(text: str) -> None:
    # Straight to the terminal: a signal may come in the middle of a print, which cannot be entered twice.
    os.write(2, f"\r\n{text}\r\n".encode())
