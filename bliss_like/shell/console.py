"""What is printed while somebody types appears above the line, which stays as it is."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from prompt_toolkit.application import Application, run_in_terminal

from .panel import Panel


class Console(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr of a process with a prompt.

    While the prompt is shown, whole lines are kept and printed above it by the prompt's loop; while a panel is, it prints them
    above itself; otherwise everything goes straight through. Any greenlet and any thread may write.
    """

    written = 0
    """How often any console of the process was written to."""
    has_open_line = False
    """Whether what was printed last, while nobody types, does not end its line."""
    _listeners: tuple[Callable[[str], object], ...] = ()

    def __init__(self, stream: TextIO, app: Application[Any], loop: asyncio.AbstractEventLoop, panel: Panel) -> None:
        self._stream, self._app, self._loop = stream, app, loop
        self._panel, self._is_terminal = panel, stream.isatty()
        self._pending: list[str] = []
        self._lock = threading.Lock()  # held for list operations only

    @classmethod
    @contextlib.contextmanager
    def listened_to(cls, listener: Callable[[str], object]) -> Iterator[None]:
        """Let somebody have all that is written to any console, as long as the context is open."""
        before, Console._listeners = Console._listeners, (*Console._listeners, listener)
        try:
            yield
        finally:
            Console._listeners = before

    @classmethod
    def note(cls, text: str) -> None:
        """Let those who listen have what comes to the terminal, here or by another way."""
        for listener in cls._listeners:
            listener(text)

    @property
    def has_prompt(self) -> bool:
        """Whether a line is being typed, or keys are waited for."""
        return self._app.is_running

    @property
    def writes(self) -> int:
        """How often this or another console was written to: who counts can tell whether the last lines are his own."""
        return Console.written

    @contextlib.contextmanager
    def lent_to(self, app: Application[Any]) -> Iterator[None]:
        """Print above another application, as long as the context is open."""
        before, self._app = self._app, app
        try:
            yield
        finally:
            self._app = before

    def write(self, text: str) -> int:
        Console.written += 1
        self.note(text)
        if not self._app.is_running:
            Console.has_open_line = not text.endswith("\n") if text else Console.has_open_line
            self._put(self._take() + text)
        else:
            Console.has_open_line = False
            with self._lock:
                asked = bool(self._pending)
                self._pending.append(text)
            if not asked:
                self._loop.call_soon_threadsafe(self._print_above)
        return len(text)

    def flush(self) -> None:
        if not self._app.is_running:
            self._put(self._take())
            self._panel.flush()
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def _put(self, text: str) -> None:
        if text and self._is_terminal and self._panel.is_shown:
            self._panel.print(text)
        else:
            self._stream.write(text)

    def _print_above(self) -> None:
        if self._app.is_running:
            run_in_terminal(self._print_pending)
        else:
            self._print_pending()

    def _print_pending(self) -> None:
        text = self._take()
        if text and self._app.is_running and not text.endswith("\n"):
            text += "\n"  # the prompt is drawn on a line of its own
        self._stream.write(text)
        self._stream.flush()

    def _take(self) -> str:
        with self._lock:
            text = "".join(self._pending)
            self._pending.clear()
        return text
