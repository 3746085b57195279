"""What is printed while somebody types appears above the line, which stays as it is."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections.abc import Iterator
from typing import Any, TextIO

from prompt_toolkit.application import Application, run_in_terminal


class Console(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr of a process with a prompt.

    While the prompt is shown, whole lines are kept and printed above it by the prompt's loop; otherwise everything goes
    straight through. Any greenlet and any thread may write.
    """

    written = 0
    """How often any console of the process was written to."""

    def __init__(self, stream: TextIO, app: Application[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._stream = stream
        self._app = app
        self._loop = loop
        self._pending: list[str] = []
        self._lock = threading.Lock()  # held for list operations only

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
        if not self._app.is_running:
            self._stream.write(self._take() + text)
        else:
            with self._lock:
                asked = bool(self._pending)
                self._pending.append(text)
            if not asked:
                self._loop.call_soon_threadsafe(self._print_above)
        return len(text)

    def flush(self) -> None:
        if not self._app.is_running:
            self._stream.write(self._take())
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
