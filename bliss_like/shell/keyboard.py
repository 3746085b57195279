"""The keyboard while a command runs: keys are kept for the next prompt, and do not appear where the command writes.

Nothing but Ctrl-C, Ctrl-Z and Ctrl-\\ is dealt with before: also Ctrl-S, which would hold up the whole process with its next
line, and with it the motors that it follows, is a key like any other.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import termios
from collections.abc import Iterator
from typing import Any

_INPUT, _LOCAL, _CHARACTERS = 0, 3, 6
"""Where in what `tcgetattr` returns."""


class Keyboard:
    """The terminal of the process, if it has one."""

    def __init__(self) -> None:
        self._fd = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else -1
        self._nlent = 0
        self._as_found: list[Any] = []

    @contextlib.contextmanager
    def hushed(self) -> Iterator[None]:
        """Keep the keys, as long as the context is open, and leave the terminal as it was found, whatever happens."""
        self._as_found = self._now()
        try:
            self.hush()
            yield
        finally:
            self._set(self._as_found)
            self._as_found = []

    def hush(self) -> None:
        """Keep the keys; a command may have left the terminal in a state in which Ctrl-C is a key like any other."""
        self._set(_hushed(self._as_found))

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Give the keys to another program; also to several, one inside the other."""
        before = self._now()
        self._nlent += 1
        self._set(self._as_found)
        try:
            yield
        finally:
            self._nlent -= 1
            if not self._nlent:
                self._set(before)

    @contextlib.contextmanager
    def lent_to_input(self) -> Iterator[None]:
        """Let Python's own `input` work, where there is no prompt yet that could ask."""
        before = builtins.input

        def ask(prompt: object = "", /) -> str:
            with self.lent():
                return before(prompt)

        builtins.input = ask
        try:
            yield
        finally:
            builtins.input = before

    def _now(self) -> list[Any]:
        try:
            return termios.tcgetattr(self._fd) if self._fd >= 0 else []
        except termios.error:  # it has gone
            return []

    def _set(self, attributes: list[Any]) -> None:
        if attributes:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._fd, termios.TCSANOW, attributes)  # another one would throw away the keys


def _hushed(attributes: list[Any]) -> list[Any]:
    if not attributes:
        return []
    hushed = [*attributes[:_CHARACTERS], list(attributes[_CHARACTERS])]
    hushed[_INPUT] &= ~(termios.IXON | termios.ICRNL)  # Enter is kept as the prompt reads it
    hushed[_LOCAL] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    hushed[_LOCAL] |= termios.ISIG | termios.NOFLSH  # Ctrl-Z loses no keys; after Ctrl-C they are forgotten
    hushed[_CHARACTERS][termios.VMIN], hushed[_CHARACTERS][termios.VTIME] = 1, 0
    return hushed
