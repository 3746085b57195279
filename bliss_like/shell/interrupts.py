"""Ctrl-C: the first press ends the running command, the second waits for its clean-up, the third gives up on it.
Ctrl-Z pauses the scans that run, and lets them go on; the process itself is never suspended, nor does Ctrl-\\ end it: it shows where
the command is. A terminal that goes away (SIGHUP) and a polite kill (SIGTERM) end the command too, and then the shell, so that no motor
goes on alone.

Ending a command is throwing `UserAbort` into its greenlet: what it waits for raises, its `finally` blocks run, the scan
stops its devices. The exception is thrown by the hub, where a greenlet has given way: thrown where the signal happens to
arrive, it could tear the engine in the middle of its bookkeeping. Only when something keeps the hub from running (a busy
loop) is it raised on the spot, `PATIENCE` seconds later, by an alarm. Seconds of the processor: a machine that is busy with other
things is no reason.

What does not work: `gevent.signal_handler` (its callback is run by the hub too, hence never during a busy loop);
KeyboardInterrupt (gevent rethrows it into the main greenlet, which is the prompt's); GreenletExit (`get()` returns it).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from gevent.event import Event
from gevent.hub import Hub, get_hub, set_hub  # type: ignore[attr-defined]
from greenlet import greenlet
from prompt_toolkit.utils import is_dumb_terminal

from bliss_like.errors import UserAbort
from bliss_like.scanning.environment import environment

from .display import sentences
from .forks import end_forked
from .waking import CALL, Waking

if TYPE_CHECKING:
    from bliss_like.scanning.scan import Scan

PATIENCE = 0.3
"""Seconds that the hub has to take its turn after a press, and that an abandoned command has to end."""
_WORK, _LONGEST = PATIENCE / 2, 2.0
"""Seconds of the processor within which it is no busy loop; or of the clock, where something else than work keeps the hub waiting."""

T = TypeVar("T")


class Interrupts:
    """What Ctrl-C does while a command runs; without one it does nothing, so that the shell is never killed."""

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self._say = say or _say
        self._command: gevent.Greenlet[..., Any] | None = None
        self._give_up: Callable[[], object] = _nothing
        self._numbers = count(1)
        self._was_pressed = False
        self._came_early = False
        self._thread = threading.get_ident()
        self._suspect: greenlet | None = None
        self._pending = 0  # the press that the hub has not seen yet
        self._pressed = 0.0, 0.0  # when that was, by the clock and by the work of the processor until then
        self._forking = threading.local()  # several threads may be at it
        self._handlers: dict[int, Callable[[int, FrameType | None], None]] = {
            signal.SIGINT: self._on_interrupt,
            signal.SIGALRM: self._on_alarm,
            signal.SIGHUP: self._on_goodbye,
            signal.SIGTERM: self._on_goodbye,
            signal.SIGTSTP: self._on_suspend,
            signal.SIGQUIT: self._on_quit,
            CALL: lambda _signal, _frame: self._waking.on_call(),
        }
        self._waking = Waking()
        self.on_first: Callable[[], object] = _nothing
        """Called at the first press that meets a command; in the handler of a signal, hence it must be short."""
        self.is_at_prompt: Callable[[], bool] = lambda: True
        """Whether a line is typed: a press then has nothing to do with the next command."""
        self.waits: Callable[[], str] = str
        """Returns what is waited for just now: `waiting 8 s for an answer of roby`; empty when nobody knows."""
        self.leave: Callable[[], object] = _nothing
        """Called in the hub when the shell should end."""
        self.is_over = False
        """Whether it should: that may come before there is anything to `leave`."""

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals as long as the context is open. The handlers are those of Python, in the main thread."""
        before = {number: signal.getsignal(number) for number in self._handlers}
        self._take_back()
        self._waking.begin()
        os.register_at_fork(before=self._hold, after_in_parent=self._go_on, after_in_child=self._let_go)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._waking.end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _take_back(self) -> None:
        """Handle the signals; a command may have put something of its own in place, as Python's debugger does."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._waking.take_back()

    def _hold(self) -> None:
        """Have signals wait until a fork is over: what ends the new process at its very beginning would be taken for the shell's, and lost."""
        self._forking.blocked = signal.pthread_sigmask(signal.SIG_BLOCK, self._handlers)

    def _go_on(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.blocked)

    def _let_go(self) -> None:
        """Have nothing of the shell go on in a process that a command has forked. Ctrl-C, or who ends a pool of processes, ends it as any other.

        What other greenlets wait for, the terminal and connections to servers, would be taken from the shell: in a hub of its own
        nobody wakes them.
        """
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == handler:
                signal.signal(number, end_forked if number == signal.SIGINT else signal.SIG_DFL)
        self._waking.let_go()
        self._go_on()
        if threading.get_ident() == self._thread:
            set_hub(Hub(default=False))

    def await_command(self) -> None:
        """Let presses from now on count for the next command, and not those for the one before."""
        self._came_early = False

    def early(self) -> None:
        """Have a press count that came when a line was entered, but its command was not yet there."""
        self._came_early = True

    @contextlib.contextmanager
    def aimed_at(self, command: gevent.Greenlet[..., Any], give_up: Callable[[], object]) -> Iterator[None]:
        """Let Ctrl-C end `command`; `give_up` is called when it does not end even after the third press."""
        self._command, self._give_up = command, give_up
        self._numbers, self._was_pressed = count(1), False
        self._take_back()
        if self._came_early:
            self._on_interrupt(signal.SIGINT, None)
        try:
            yield
        finally:
            self._command, self._give_up, self._came_early = None, _nothing, False
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
            self._came_early = not self.is_at_prompt()
            return
        press = next(self._numbers)
        self._was_pressed = True
        if press == 1:
            self.on_first()  # while it runs, the next press may come: in here
        if press == 2:
            told = self.waits() or "waiting until everything has stopped"
            self._say(f"{told} (press Ctrl-C once more to give up on that)")
            return
        self._pending = max(self._pending, press)
        self._pressed = time.monotonic(), time.thread_time()
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        get_hub().loop.run_callback_threadsafe(self._deliver, self._command, press)

    def _on_goodbye(self, number: int, frame: FrameType | None) -> None:
        self.is_over = True
        get_hub().loop.run_callback_threadsafe(lambda: self.leave())
        if not self._was_pressed:
            self._on_interrupt(number, frame)

    def _on_suspend(self, _signal: int, _frame: FrameType | None) -> None:
        os.killpg(os.getpgrp(), signal.SIGCONT)  # programs that the command has started were suspended
        if self._command is not None and not self._command.dead:
            get_hub().loop.run_callback_threadsafe(_pause_or_resume)

    def _on_quit(self, _signal: int, _frame: FrameType | None) -> None:
        if self._command is not None and not self._command.dead:
            get_hub().loop.run_callback_threadsafe(_tell_where, self._command)

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
        """The hub did not take its turn: end what keeps the processor, be it the command, or another greenlet that is found at it
        twice. One that is met once may be anybody's, just now at work."""
        if not self._pending:
            return
        pressed_at, worked = self._pressed
        if time.monotonic() - pressed_at < _LONGEST and time.thread_time() - worked < _WORK:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE / 10)
            return
        current = gevent.getcurrent()
        if current is self._command:
            self._delivered()
            raise UserAbort("Ctrl-C")
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        was_seen, self._suspect = current is self._suspect, current
        if (
            was_seen and current is not get_hub() and current.parent is not None
        ):  # but for the loops of gevent and of the prompt
            raise UserAbort("Ctrl-C")

    def _delivered(self) -> None:
        self._pending, self._suspect = 0, None
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _abandon(self, command: gevent.Greenlet[..., Any]) -> None:
        if command is self._command and not command.dead:
            self._say("the command does not end; it is left behind, and may go on")
            self._give_up()


def _pause_or_resume() -> None:
    pausing = environment.pausing
    if pausing.is_paused:
        print(sentences(f"Going on: {_names(pausing.resume())}."), file=sys.stderr)
    elif held := pausing.pause():
        held_now = f"Paused after the point under way: {_names(held)}."
        print(sentences(held_now, "Ctrl-Z goes on, Ctrl-C ends it."), file=sys.stderr)
    else:
        print("Nothing to pause: no scan runs. Ctrl-C ends the command.", file=sys.stderr)


def _names(scans: list[Scan]) -> str:
    return ", ".join(scan.label for scan in scans)


def _tell_where(command: gevent.Greenlet[..., Any]) -> None:
    lines = traceback.format_stack(command.gr_frame)
    print(f"The command is here; Ctrl-C ends it.\n{''.join(lines)}", end="", file=sys.stderr)


def _nothing() -> None:
    return None


def _say(text: str) -> None:
    # Straight to the terminal: a signal may come in the middle of a print, which cannot be entered twice.
    with contextlib.suppress(OSError):  # the terminal may have gone
        rest_of_line = "\033[K" if os.isatty(2) and not is_dumb_terminal() else ""
        os.write(2, f"{text}{rest_of_line}\r\n".encode())
