"""The terminal of a session: its loop, and applications in place of the prompt, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import termios
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from gevent.selectors import GeventSelector
from prompt_toolkit.application import Application
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.output import Output

from bliss_like.errors import UsageError, UserAbort

from .console import Console
from .panel import Panel

T = TypeVar("T")

PATIENCE = 0.5
"""Seconds that a Ctrl-C has to reach who asked by way of the command."""


class GeventLoop(asyncio.SelectorEventLoop):
    """An asyncio loop that lets greenlets run while it waits. Its executors are threads, real ones.

    That Python hears of signals is not its business: an application that ends would put an end to it.
    """

    def __init__(self) -> None:
        super().__init__(GeventSelector())

    def add_signal_handler(  # type: ignore[override]  # its types need Python 3.11
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        with _heard_by_others():
            super().add_signal_handler(sig, callback, *args)
            signal.signal(sig, lambda _signal, _frame: self.call_soon_threadsafe(callback, *args))
            signal.siginterrupt(sig, False)

    def remove_signal_handler(self, sig: int) -> bool:
        with _heard_by_others():
            return super().remove_signal_handler(sig)


@contextlib.contextmanager
def _heard_by_others() -> Iterator[None]:
    """Leave it to whom it was that signals are told by Python's handler in C."""
    before = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)


class SessionTerminal:
    """Where keys come from, and where an application draws. One has it at a time: the prompt, or what a greenlet shows.

    :param loop: the prompt's, which has the terminal.
    :param panel: the lines at its bottom while a command runs; not shown while an application is.
    :param interrupt: does what Ctrl-C does while a command runs.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        keyboard: Input,
        screen: Output,
        panel: Panel,
        interrupt: Callable[[], object] | None = None,
    ) -> None:
        self.keyboard, self.screen, self.panel = keyboard, screen, panel
        self._loop = loop
        self._interrupt = interrupt
        self._without_prompt = Event()
        self._without_prompt.set()
        self._turn = Semaphore()
        self._thread = threading.get_ident()
        self._users = 0
        self._unused = asyncio.Event()
        self._closed = False
        self._app: Application[Any] | None = None

    def run(self, app: Application[T], purpose: str = "", fresh: bool = False) -> T:
        """Show an application made with `keyboard` and `screen`, and return what it gives; called in any greenlet.

        What is printed meanwhile appears above it. Who is interrupted ends the application. While a line is typed at the
        prompt it waits until that is over: keys that are meant for the line are not to answer a question.

        :param purpose: what the user is told that waits for the end of the line.
        :param fresh: keys that were pressed before it is shown do not count.
        :raises UserAbort: Ctrl-C; the command that runs, if any, is interrupted, too. Or the shell is left.
        """
        with self.taken(purpose), self.panel.hidden():
            if fresh:
                self.forget_keys()
            running = self._show(app)
            try:
                return running.result()
            except UserAbort:
                if self._interrupt is None or self._closed:
                    raise
            # It goes the way of every Ctrl-C, which counts them; who is the command does not get beyond the pause.
            self._interrupt()
            gevent.sleep(PATIENCE)
            raise UserAbort("Ctrl-C")

    @contextlib.asynccontextmanager
    async def prompting(self) -> AsyncIterator[None]:
        """Have the terminal for the prompt, as soon as nobody else has it or waits for it."""
        while self._users and not self._closed:
            self._unused.clear()
            await self._unused.wait()
        self._without_prompt.clear()
        try:
            with self.panel.hidden():
                yield
        finally:
            self._without_prompt.set()

    def close(self) -> None:
        """Show nothing any more, the prompt's loop is about to end: who asks is aborted."""
        self._closed = True
        self._unused.set()
        if self._app is not None:
            end(self._app, exception=UserAbort("the shell is left"))

    @contextlib.contextmanager
    def taken(self, purpose: str = "") -> Iterator[None]:
        """Have the terminal for oneself, as soon as nobody else has it; `purpose` is said to who has the prompt."""
        if threading.get_ident() != self._thread:
            raise UsageError(
                f"{purpose or 'the terminal'}: expected to be asked in a greenlet of the session, came from a thread"
            )
        self._users += 1
        try:
            if not self._without_prompt.is_set() and purpose:
                print(f"{purpose} (waits for you: press Enter on an empty line)")
            self._without_prompt.wait()
            with self._turn:
                if self._closed:
                    raise UserAbort("the shell is left: nobody can answer")
                yield
        finally:
            self._users -= 1
            if not self._users and not self._closed:
                self._loop.call_soon_threadsafe(self._unused.set)

    def forget_keys(self) -> None:
        """Have the keys that were pressed so far not count, also those that are waiting to be read for the next line."""
        clear_typeahead(self.keyboard)
        with contextlib.suppress(termios.error, OSError, NotImplementedError):  # it may be none of a terminal
            termios.tcflush(self.keyboard.fileno(), termios.TCIFLUSH)

    def _show(self, app: Application[T]) -> Future[T]:
        """Return the outcome of an application when it is over."""
        over = Event()
        given_up = False

        async def show() -> T:
            if given_up:
                raise UserAbort("interrupted before it was shown")
            return await app.run_async(handle_sigint=False)

        running = asyncio.run_coroutine_threadsafe(show(), self._loop)
        running.add_done_callback(lambda _: over.set())
        with contextlib.ExitStack() as stack:
            self._app = app
            stack.callback(setattr, self, "_app", None)
            for console in (sys.stdout, sys.stderr):
                if isinstance(console, Console):
                    stack.enter_context(console.lent_to(app))
            try:
                over.wait()
            except BaseException:
                given_up = True
                self._loop.call_soon_threadsafe(end, app)
                over.wait()
                raise
        return running


def end(app: Application[Any], result: Any = None, exception: BaseException | None = None) -> None:
    """End an application, unless it has ended; called in the loop."""
    if app.is_running and not app.is_done:
        if exception is not None:
            app.exit(exception=exception)
        else:
            app.exit(result=result)
