"""A terminal for tests: runs a program in a pseudo-terminal and shows what a person would see on the screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyte

ROWS, COLUMNS = 40, 120
PATIENCE = 30.0
"""Seconds that a program has to show something, or to end: a machine may be busy with other things."""


class Terminal:
    """One program in one terminal.

    :param kind: what `TERM` says of it.
    :param size: columns and rows.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        kind: str = "xterm-256color",
        size: tuple[int, int] = (COLUMNS, ROWS),
    ) -> None:
        self._columns, rows = size
        self._screen = pyte.HistoryScreen(self._columns, rows, history=10_000)
        self._screen.write_process_input = self._answer  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self._screen)
        self.exit_code: int | None = None
        self.seen = b""
        """All that the program has written."""
        self._terminal, other_side = pty.openpty()
        self.settings_before = self.settings
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, self._columns, 0, 0))
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.login_tty(other_side)
                os.execvpe(command[0], list(command), {**environment, "TERM": kind, "COLUMNS": str(self._columns)})
            finally:  # never a second run of the tests
                os._exit(127)
        os.close(other_side)

    def close(self) -> None:
        """End the program if it still runs."""
        if self.exit_code is None:
            # a test that was ended while it took the exit code has it no more
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        self.hang_up()

    def hang_up(self) -> None:
        """Go away, as a window that is closed or a connection that is lost."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    @property
    def text(self) -> str:
        """All that is on the screen and above it, without trailing blanks."""
        above = ["".join(line[column].data for column in range(self._columns)) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self._screen.display]).rstrip()

    @property
    def settings(self) -> list[Any]:
        """How the terminal is set up: what `stty` shows."""
        return termios.tcgetattr(self._terminal)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def above(self) -> list[str]:
        """The lines, but for the bottom line of a shell, and without empty ones at the end."""
        bottom = self._screen.display[-1].rstrip()
        return self.text.removesuffix(bottom).rstrip().splitlines() if bottom.startswith(" ") else self.lines

    @property
    def last_line(self) -> str:
        return self.above[-1] if self.above else ""

    @property
    def bottom_line(self) -> str:
        """What stands in the last row of the screen."""
        return self._screen.display[-1].strip()

    def type(self, text: str) -> None:
        """Press the keys of `text`; "\\n" is Enter, control characters are what they are."""
        os.write(self._terminal, text.replace("\n", "\r").encode())

    def interrupt(self) -> None:
        self.type("\x03")

    def wait_for(self, what: str | Callable[[], object], timeout: float = PATIENCE) -> None:
        """Return when `what` is on the screen, or is true.

        :raises TimeoutError: it is not within `timeout` seconds; the message shows the screen.
        """
        condition = (lambda: what in self.text) if isinstance(what, str) else what
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left < 0 or not self._read(left):
                raise TimeoutError(f"{what!r} did not come within {timeout} s; the screen:\n{self.text}")

    def look(self, seconds: float) -> None:
        """Take what the program writes, for a while."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def forget_history(self) -> None:
        """Forget what has gone from the screen at its top."""
        self._screen.history.top.clear()

    def wait_for_end(self, timeout: float = PATIENCE) -> int:
        """Return the exit code of the program.

        :raises TimeoutError: it has not ended within `timeout` seconds; the message shows the screen.
        """
        deadline = time.monotonic() + timeout
        while self._read(max(0.0, deadline - time.monotonic())):
            pass
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        while pid == 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the program did not end within {timeout} s; the screen:\n{self.text}")
            time.sleep(0.005)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def _read(self, timeout: float) -> bool:
        """Take what the program writes; return False when nothing came, or when it has ended."""
        if not select.select([self._terminal], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data
        self._stream.feed(data)
        return bool(data)

    def _answer(self, data: str) -> None:
        """What a terminal answers when asked for the place of its cursor."""
        os.write(self._terminal, data.encode())
