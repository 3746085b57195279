"""The language of an IcePAP, over a line on which no answer is ever that to another question.

The official client has a connection of its own, which this replaces, because that one takes the first piece of an answer
for the whole (`?FPOS 12` when `00` is still on its way, and `00` then answers the next question), waits on a new connection
for what was asked on the broken one, and does so with a lock of threads in its hands: the second greenlet that asks stops
the process for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from bliss_like.backends.line import Line
from bliss_like.errors import DeviceError, NotConnectedError

_log = logging.getLogger(__name__)

UNANSWERED = ("PROG", "*PROG", "RESET", ":")
"""Commands that the firmware does not acknowledge (`:` is a broadcast)."""


class IcePAPLine:
    """Asks queries and tells commands.

    A query that was met by a broken connection or by noise is asked once more; a command is never sent twice.
    It has what the official client expects of its connection: `send_cmd`, `host`, `port`, `timeout`, `multiline_answer`,
    `is_connected` and `disconnect`.
    """

    def __init__(self, name: str, host: str, port: int, timeout: float) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self.multiline_answer = False
        self.last_exchange = ("", "")
        self.openings = 0
        """How often a connection was opened; when it has changed, the controller may have been restarted."""
        self._line = Line(
            f"tcp://{host}:{port}", b"\r", timeout, name=name, answer_terminator=b"\n", on_open=self._count_opening
        )

    def __str__(self) -> str:
        return str(self._line)

    def _count_opening(self, line: Line) -> None:
        self.openings += 1

    def connect(self) -> None:
        """:raises NotConnectedError: there is no connection, and none can be made."""
        with self._line.exchange():
            pass

    def is_connected(self) -> bool:
        return self._line.is_open

    def close(self) -> None:
        self._line.close()

    disconnect = close

    def insist(self, what: str, action: Callable[[], Any]) -> None:
        """Do what must be done in the end: at once, or as soon as the controller answers again."""
        self._line.insist(what, action)

    def send_cmd(self, cmd: str) -> list[str] | None:
        """Ask as the client does: return the words of the answer, or its lines; None for no more than an acknowledgement."""
        answer = self.ask(cmd)
        self.multiline_answer = "\n" in answer
        return (answer.splitlines() if self.multiline_answer else answer.split()) or None

    def ask(self, command: str, timeout: float | None = None) -> str:
        """Send a query or a command; return the answer without the question, nothing for an acknowledged command.

        :param timeout: seconds for each line of the answer; absent: `self.timeout`.
        :raises NotConnectedError: the controller cannot be reached, or does not answer.
        :raises DeviceError: it refuses, or what came is no answer.
        """
        question = _Question(command)
        timeout = self.timeout if timeout is None else timeout
        try:
            answer = self._exchange(question, timeout)
        except DeviceError as error:
            if question.was_sent is None:
                raise NotConnectedError(f"{error}: {question.text!r}") from None
            if not question.is_query or time.monotonic() - question.was_sent >= timeout:
                raise
            level = logging.INFO if isinstance(error, NotConnectedError) else logging.WARNING
            _log.log(level, "%s; it is asked again", error)
            answer = self._exchange(question, timeout)
        self.last_exchange = (question.text, answer)
        return self._accepted(question, answer)

    def _exchange(self, question: _Question, timeout: float) -> str:
        with self._line.exchange():
            question.was_sent = time.monotonic()
            self._line.write(question.sent)
            if not question.is_answered:
                return ""
            received = self._line.read_line(timeout)
            if received.rstrip().endswith(b"$"):  # several lines, until one that is the same
                while (line := self._line.read_line(timeout)).strip() != b"$":
                    received += b"\n" + line.rstrip()
            answer = question.answer_in(received)
            if answer is None:
                raise self.unexpected(question.text, received, "that is no answer to it")
            return answer

    def unexpected(self, question: str, answer: str | bytes, expected: str) -> DeviceError:
        """Make the error for an answer that makes no sense; the next question has a new connection."""
        return self._line.unexpected(question, answer, expected)

    def _accepted(self, question: _Question, answer: str) -> str:
        """:raises DeviceError: the answer is an error, or not the acknowledgement of a command."""
        if answer.startswith("ERROR") or (question.is_acknowledged and answer != "OK"):
            reason = answer.removeprefix("ERROR").strip().removeprefix("ERROR").strip() or "it gives no reason"
            raise DeviceError(f"{self} refused {question.text!r}: {reason}")
        return "" if question.is_acknowledged else answer


class _Question:
    """A query, whose name begins with `?`, or a command, to be acknowledged by OK: `#` asks for it."""

    def __init__(self, command: str) -> None:
        self.text = command.strip().removeprefix("#").strip()
        words = self.text.upper().split()
        if not words or "\r" in self.text or "\n" in self.text or not self.text.isascii():
            raise DeviceError(f"an IcePAP command is one line of ASCII, such as '?FPOS 1 2', came {command!r}")
        self._echo = words[0]
        self.is_query = "?" in self._echo
        self.is_acknowledged = not self.is_query and not self._echo.startswith(UNANSWERED)
        self.is_answered = self.is_query or self.is_acknowledged
        self.was_sent: float | None = None
        self.sent = f"#{self.text}" if self.is_acknowledged else self.text

    def answer_in(self, received: bytes) -> str | None:
        """Return the answer without the question, which the controller repeats before it, nor the `$` before several lines.

        None if it is the answer to something else, or noise.
        """
        echo, _, answer = received.decode("ascii", "replace").strip().partition(" ")
        if echo.upper() != self._echo or not received.isascii():
            return None
        first, several, rest = answer.strip().partition("$\n")
        return f"{rest}\n" if several else first
