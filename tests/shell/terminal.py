"""A terminal for tests: runs a program in a pseudo-terminal and shows what a person would see on the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

ROWS, COLUMNS = 40, 120


class Terminal:
    """One program in one terminal."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS, history=10_000)
        self._screen.write_process_input = self._answer  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self._screen)
        self.exit_code: int | None = None
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**environment, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def close(self) -> None:
        """End the program if it still runs."""
        if self.exit_code is None:
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
        above = ["".join(line[column].data for column in range(COLUMNS)) for line in self._screen.history.top]
        return "\n".join(line.rstrip() for line in [*above, *self._screen.display]).rstrip()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def last_line(self) -> str:
        return self.lines[-1] if self.lines else ""

    def type(self, text: str) -> None:
        """Press the keys of `text`; "\\n" is Enter, control characters are what they are."""
        os.write(self._terminal, text.replace("\n", "\r").encode())

    def interrupt(self) -> None:
        self.type("\x03")

    def wait_for(self, what: str | Callable[[], object], timeout: float = 15.0) -> None:
        """Return when `what` is on the screen, or is true.

        :raises TimeoutError: it is not within `timeout` seconds; the message shows the screen.
        """
        condition = (lambda: what in self.text) if isinstance(what, str) else what
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left < 0 or not self._read(left):
                raise TimeoutError(f"{what!r} did not come within {timeout} s; the screen:\n{self.text}")

    def wait_for_end(self, timeout: float = 15.0) -> int:
        """Return the exit code of the program."""
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
        self._stream.feed(data)
        return bool(data)

    def _answer(self, data: str) -> None:
        """What a terminal answers when asked for the place of its cursor."""
        os.write(self._terminal, data.encode())
