"""A terminal without a process: keys come from a pipe, what is drawn goes to an emulator, the loop runs in a greenlet."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import gevent
import pyte
import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from bliss_like.shell.console import Console
from bliss_like.shell.panel import Panel
from bliss_like.shell.terminal import GeventLoop, SessionTerminal


class Screen(io.StringIO):
    """What is written appears on the screen of an emulator."""

    def __init__(self, columns: int, rows: int) -> None:
        super().__init__()
        self.columns, self.rows = columns, rows
        self._screen = pyte.HistoryScreen(columns, rows, history=1000)
        self._screen.set_mode(pyte.modes.LNM)  # as a terminal does it for programs
        self._stream = pyte.Stream(self._screen)
        self.answer: Callable[[str], None] = lambda text: None
        self._screen.write_process_input = lambda data: self.answer(data)  # type: ignore[method-assign]

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return len(text)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """All that is on the screen and above it, without trailing blanks."""
        above = ["".join(line[column].data for column in range(self.columns)) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self._screen.display]).rstrip()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


class Person:
    """Sits at a terminal: asks in a greenlet, types, looks."""

    def __init__(
        self, terminal: SessionTerminal, screen: Screen, keys: PipeInput, see_prints: Callable[[], None]
    ) -> None:
        self.terminal, self.screen, self._keys = terminal, screen, keys
        self._see_prints = see_prints
        self.asked: gevent.Greenlet[..., Any] = gevent.Greenlet()

    def ask(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._see_prints()
        self.asked = gevent.spawn(_outcome, call, *args, **kwargs)

    def type(self, *keys: str) -> None:
        for key in keys:
            self._keys.send_text(key)

    def sees(self, text: str, timeout: float = 20.0) -> None:
        """Wait until it is on the screen."""
        self.waits_until(lambda: text in self.screen.text, text, timeout)

    def sees_no(self, text: str, timeout: float = 20.0) -> None:
        self.waits_until(lambda: text not in self.screen.text, f"no {text}", timeout)

    def waits_until(self, condition: Callable[[], object], what: str = "", timeout: float = 20.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if self.asked.dead and isinstance(self.asked.value, BaseException) and not condition():
                raise AssertionError(f"failed, the screen:\n{self.screen.text}") from self.asked.value
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what!r} within {timeout} s; the screen:\n{self.screen.text}")
            gevent.sleep(0.001)

    def gets(self, timeout: float = 20.0) -> Any:
        """Return the answer.

        :raises BaseException: what was raised instead.
        """
        self.waits_until(lambda: self.asked.dead, "end", timeout)
        if isinstance(self.asked.value, BaseException):
            raise self.asked.value
        return self.asked.value


def _outcome(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except BaseException as error:  # handed to the test, all of them
        return error


@contextmanager
def sitting(
    monkeypatch: pytest.MonkeyPatch, columns: int = 80, rows: int = 24, prompt: Application[Any] | None = None
) -> Iterator[Person]:
    """A person at a terminal without a prompt."""
    monkeypatch.setenv("TERM", "xterm-256color")
    screen = Screen(columns, rows)
    with ExitStack() as stack:
        keys = stack.enter_context(create_pipe_input())
        screen.answer = keys.send_text
        output = Vt100_Output(screen, lambda: Size(rows=rows, columns=columns), enable_cpr=True)
        loop = GeventLoop()
        running = gevent.spawn(loop.run_forever)
        panel = Panel(io.StringIO())
        terminal = SessionTerminal(loop, keys, output, panel)
        idle: Application[Any] = prompt or Application(input=keys, output=output)
        console = Console(screen, idle, loop, panel)
        try:
            yield Person(terminal, screen, keys, lambda: monkeypatch.setattr(sys, "stdout", console))
        finally:
            terminal.close()
            loop.call_soon_threadsafe(loop.stop)
            running.join(5)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
