"""The conversation with an IcePAP over TCP: one question at a time, and never the answer to another one.

The official client has a line of its own, which this one replaces, because that one takes the first piece of an answer
for the whole (`?FPOS 12` when `00` is still on its way, and `00` then answers the next question), waits on a new connection
for what was asked on the broken one, and does so with a lock of threads in its hands: the second greenlet that asks stops
the process for ever. Here a connection on which anything went wrong, be it that the greenlet was killed, is closed, so
that nothing late can arrive on the next one.
"""

from __future__ import annotations

import logging
import time

from gevent import socket
from gevent.lock import RLock

from bliss_like.errors import DeviceError, NotConnectedError

_log = logging.getLogger(__name__)

LONGEST_ANSWER = 1 << 20
"""Bytes; whatever sends more than that without an end is no IcePAP."""

UNANSWERED = ("PROG", "*PROG", "RESET", ":")
"""Commands that the firmware does not acknowledge (`:` is a broadcast)."""


class IcePAPLine:
    """Opens the connection when something is asked, and anew after anything has gone wrong with it.

    A query that was met by a broken connection or by noise is asked once more; a command is never sent twice.
    `send_cmd`, `host`, `port`, `timeout` and `multiline_answer` are what the official client expects of its line.
    """

    def __init__(self, owner: str, host: str, port: int, timeout: float) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self.where = f"{owner} at {host}:{port}"
        self.openings = 0
        """How often a connection was opened; when it has changed, the controller may have been restarted."""
        self.last_exchange = ("", "")
        self.multiline_answer = False
        self._socket: socket.socket | None = None
        self._lock = RLock()
        self._failure: tuple[float, str] | None = None

    def is_connected(self) -> bool:
        return self._socket is not None

    def close(self) -> None:
        """Close the connection; the next question opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    disconnect = close

    def connect(self) -> None:
        """See to it that there is a connection.

        :raises NotConnectedError: there is none within `timeout`.
        """
        asked = time.monotonic()
        with self._lock:
            self._open(asked, self.timeout, "")

    def send_cmd(self, cmd: str) -> list[str] | None:
        """Ask as the client does: return the words of the answer, or its lines; None for no more than an acknowledgement."""
        answer = self.ask(cmd)
        self.multiline_answer = "\n" in answer
        return (answer.splitlines() if self.multiline_answer else answer.split()) or None

    def ask(self, command: str, timeout: float | None = None) -> str:
        """Send a query or a command; return the answer without the question, nothing for an acknowledged command.

        :param timeout: seconds for the connection, and for the answer; absent: `self.timeout`.
        :raises NotConnectedError: no answer, or none that belongs to the question.
        :raises DeviceError: the controller refuses.
        """
        timeout = self.timeout if timeout is None else timeout
        asked = time.monotonic()
        question = _Question(command)
        with self._lock:
            for again in (False, True):
                self._open(asked, timeout, question.text)
                try:
                    answer = self._exchange(question, timeout)
                    break
                except TimeoutError:
                    problem = f"{self.where} did not answer {question.text!r} within {timeout:g} s"
                    raise NotConnectedError(problem + question.doubt) from None
                except (OSError, _NoAnswer) as error:
                    problem = f"{self.where}, asked {question.text!r}: {error}"
                    if again or not question.is_query:
                        raise NotConnectedError(problem + question.doubt) from None
                    _log.warning("%s; asked again over a new connection", problem)
            self.last_exchange = (question.text, answer)
        return self._accepted(question, answer)

    def _open(self, asked: float, timeout: float, command: str) -> None:
        """Have a connection on which nothing is left from before."""
        if self._socket is not None and self._is_clean(self._socket):
            return
        self.close()
        purpose = f" to ask {command!r}" if command else ""
        if self._failure is not None and self._failure[0] > asked:  # while this one waited for the lock: no second wait
            raise NotConnectedError(f"{self.where} cannot be reached{purpose}: {self._failure[1]}")
        try:
            connection = socket.create_connection((self.host, self.port), timeout)
        except OSError as error:
            reason = f"no connection within {timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            self._failure = (time.monotonic(), f"{reason}. Is it switched on, and are `host` and `port` right?")
            raise NotConnectedError(f"{self.where} cannot be reached{purpose}: {self._failure[1]}") from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._failure = None
        self.openings += 1

    @staticmethod
    def _is_clean(connection: socket.socket) -> bool:
        """Whether the other side has not closed it, and nothing but the end of a line is left in it."""
        connection.settimeout(0)
        try:
            left: bytes = connection.recv(8192)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return left != b"" and not left.strip()

    def _exchange(self, question: _Question, timeout: float) -> str:
        """Send, and receive what answers; whatever goes wrong, the connection is closed.

        :raises OSError, _NoAnswer: it went wrong.
        """
        try:
            return self._send_and_receive(question, time.monotonic() + timeout)
        except BaseException:  # also a kill or a gevent.Timeout: the answer may still come, and nobody waits for it
            self.close()
            raise

    def _send_and_receive(self, question: _Question, deadline: float) -> str:
        connection = self._socket
        if connection is None:
            raise ConnectionError("the connection was closed meanwhile")
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        connection.sendall(question.sent)
        received = b""
        while question.is_answered and not _is_whole(received):
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            piece = connection.recv(8192)
            if not piece:
                raise ConnectionResetError("the controller closed the connection")
            received += piece
            if len(received) > LONGEST_ANSWER:
                raise _NoAnswer(received)
        return question.answer_in(received)

    def _accepted(self, question: _Question, answer: str) -> str:
        """:raises DeviceError: the answer is an error, or not the acknowledgement of a command."""
        if answer.startswith("ERROR") or (question.is_acknowledged and answer != "OK"):
            reason = answer.removeprefix("ERROR").strip().removeprefix("ERROR").strip() or "it gives no reason"
            raise DeviceError(f"{self.where} refused {question.text!r}: {reason}")
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
        self.sent = f"{'#' if self.is_acknowledged else ''}{self.text}\r".encode("ascii")
        self.doubt = "" if self.is_query else "; whether it was carried out is not known"

    def answer_in(self, received: bytes) -> str:
        """Return the answer without the echo of the question, which comes before it, nor the `$` around several lines.

        :raises _NoAnswer: it is the answer to something else, or noise.
        """
        if not self.is_answered:
            return ""
        try:
            echo, _, answer = received.decode("ascii").lstrip().partition(" ")
        except UnicodeDecodeError:
            raise _NoAnswer(received) from None
        if echo.upper().strip() != self._echo:
            raise _NoAnswer(received)
        answer = answer.strip()
        if answer.startswith("$"):
            lines = answer.strip("$").strip("\r\n").splitlines()
            return "\n".join(line.rstrip() for line in lines) + "\n"
        return answer.partition("\n")[0].strip()


class _NoAnswer(Exception):
    """What came does not answer the question."""

    def __init__(self, received: bytes) -> None:
        shown = received if len(received) <= 80 else received[:80] + b"..."
        super().__init__(f"{shown!r} came, which is no answer to it")


def _is_whole(received: bytes) -> bool:
    """Whether an answer is all there: one line, or several between two `$`."""
    first, newline, rest = received.partition(b"\n")
    if not newline or not first.rstrip().endswith(b"$"):
        return bool(newline)
    return any(line.strip() == b"$" for line in rest.split(b"\n"))
