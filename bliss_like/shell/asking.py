"""`input()` and its like in the code of users: asked in the terminal's loop, so that motors, scans and other sessions are not kept waiting.

Python's own would hold up everything in the process until somebody presses Enter. `os.system` would, too, until its program ends.
"""

from __future__ import annotations

import builtins
import contextlib
import getpass
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from prompt_toolkit.utils import is_dumb_terminal

from bliss_like.errors import UsageError, UserAbort

from .keyboard import Keyboard
from .lines import read_line
from .terminal import SessionTerminal

GRACE = 2.0
"""Seconds that a program of `os.system` has after Ctrl-C to end by itself."""


class Asking:
    """Answers for `input`, `getpass.getpass`, `sys.stdin`, `breakpoint` and `os.system` as long as it is `offered`."""

    def __init__(self, terminal: SessionTerminal, keyboard: Keyboard) -> None:
        self._terminal, self._keyboard = terminal, keyboard
        self._thread = threading.get_ident()
        self._system = os.system

    @contextlib.contextmanager
    def offered(self) -> Iterator[None]:
        ours: list[tuple[Any, str, Any]] = [
            (builtins, "input", self.input),
            (getpass, "getpass", self.getpass),
            (sys, "stdin", _Keys(self, sys.stdin)),
            (sys, "breakpointhook", _debug),
            (os, "system", self.system),
        ]
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in ours]
        try:
            for owner, name, value in ours:
                setattr(owner, name, value)
            yield
        finally:
            for owner, name, value in before:
                setattr(owner, name, value)

    def line(self, question: str, hidden: bool = False, fresh: bool = True) -> str:
        """Ask for a line; called in any greenlet.

        :param fresh: keys that were pressed before do not answer: they were meant for something else.

        :raises EOFError: Ctrl-D.
        :raises UserAbort: Ctrl-C.
        :raises UsageError: the caller is a thread.
        """
        if threading.get_ident() != self._thread:
            raise UsageError(
                f"input({question!r}): expected to be called in a greenlet of the session, came from a thread"
            )
        try:
            with (
                self._keyboard.lent() if is_dumb_terminal() else contextlib.nullcontext()
            ):  # which edits the line itself
                return read_line(self._terminal, question, hidden, fresh)
        except EOFError:
            raise EOFError(f"expected an answer to {question!r}, Ctrl-D was pressed") from None

    def input(self, prompt: object = "", /) -> str:
        """Read a line; like Python's own, but everything else goes on meanwhile."""
        return self.line(str(prompt))

    def getpass(self, prompt: str = "Password: ", stream: object = None) -> str:
        """Read a line that does not appear."""
        return self.line(prompt, hidden=True)

    def system(self, command: Any) -> int:
        """Run a command of the system's shell, which has the keyboard, and return its exit code; everything else goes on meanwhile."""
        if threading.get_ident() != self._thread:
            return self._system(command)
        sys.stdout.flush()
        code = -signal.SIGINT
        try:
            with self._terminal_lent():
                code = _run(command)
        finally:
            if code == -signal.SIGINT:
                print()  # what comes is not to stand behind the ^C of the terminal
        return code << 8 if code >= 0 else -code

    @contextlib.contextmanager
    def _terminal_lent(self) -> Iterator[None]:
        """Give the terminal to another program, unless somebody types at the prompt."""
        if getattr(sys.stdout, "has_prompt", False):
            yield
            return
        with self._terminal.panel.hidden(), self._keyboard.lent():
            yield


def _run(command: Any) -> int:
    """Return the exit code of a command of the system's shell, which ends when the caller is interrupted."""
    program = subprocess.Popen(command, shell=True)  # noqa: S602 - that is what it is for
    try:
        return program.wait()
    except UserAbort:
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(GRACE)  # the terminal has told it, too: it may clean up, and say something
        raise
    finally:
        program.kill()  # nothing, if it has ended


class _Keys(io.TextIOBase):
    """Stands in for sys.stdin: who reads lines asks for them."""

    def __init__(self, asking: Asking, stream: Any) -> None:
        self._asking, self._stream = asking, stream

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        try:
            return f"{self._asking.line('', fresh=False)}\n"
        except EOFError:
            return ""

    def read(self, size: int | None = -1) -> str:
        return "".join(iter(self.readline, ""))

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())

    @property
    def buffer(self) -> Any:
        return self._stream.buffer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return str(self._stream.encoding)


def _debug(*_args: Any, **_keys: Any) -> None:
    """`breakpoint()`: Python's debugger, without its own Ctrl-C, which would keep ours from stopping motors."""
    import pdb

    caller: FrameType = sys._getframe(1)
    pdb.Pdb(nosigint=True, skip=["bliss_like.session.protection"]).set_trace(caller)
