"""Lines to devices that answer requests, over TCP or a unix socket: one request at a time, each with its own answer.

The rules: an answer that comes late never answers another request, so a line on which anything went wrong is reopened
before it is used again; and a request that may have been executed is never sent a second time, so it is sent only over
a connection that is found alive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import gevent

from bliss_like.backends import outage
from bliss_like.backends.connection import Connection
from bliss_like.backends.outage import Outage
from bliss_like.backends.turns import Turns
from bliss_like.devices.logs import DEVICE
from bliss_like.devices.silence import Awaited
from bliss_like.errors import DeviceError, NotConnectedError

LONGEST = 1 << 24
"""Bytes after which what has no end is no answer."""

TOGETHER = 50
"""Requests that `ask_many` sends before it reads: more could fill the buffers of both sides, and none would go on."""

MOST_SHOWN, SHOWN = 120, 100
"""Bytes of a request or an answer that a message has; of what is longer, its beginning."""

Text = TypeVar("Text", str, bytes, str | bytes)
Value = TypeVar("Value")


class Line:
    """A connection to one device, opened at the first request and again whenever it has to be.

    `ask` and `ask_many` for requests and answers that end with a terminator; for others put `write`, `write_exactly`,
    `read_line` and `read_exactly` together in an `exchange`. What a device does wrong is a DeviceError, and a
    NotConnectedError when the connection is refused or lost.
    """

    def __init__(
        self,
        address: str,
        terminator: bytes = b"\n",
        timeout: float = 3.0,
        *,
        name: str = "",
        answer_terminator: bytes | None = None,
        pipelined: bool = True,
        drain: float = 0.0,
        on_open: Callable[[Line], object] | None = None,
    ) -> None:
        """Nothing is opened yet.

        :param address: `tcp://host:port` or `unix:///path`.
        :param timeout: seconds for opening the line, and for each answer that is not given its own.
        :param name: the device, for messages.
        :param answer_terminator: where it is another one than that of requests.
        :param pipelined: the device takes requests before it has answered those before.
        :param drain: if > 0: after anything that went wrong read the line until nothing came for `drain` seconds, and keep it.
            Answers must not be later than that. For what is behind a terminal server: there they survive a reopening.
        :param on_open: called after each opening, before anything else is asked: to log in, to read a greeting.
        :raises ValueError: `address` is none.
        """
        self._connection = Connection(address)
        self.address = address
        self.name = name
        self.logger = logging.getLogger(DEVICE + (name or address))
        self.terminator = terminator
        self.answer_terminator = terminator if answer_terminator is None else answer_terminator
        self.timeout = timeout
        self._pipelined = pipelined
        self._drain = drain
        self._on_open = on_open
        self._turns = Turns()
        self._thread: Any = None
        self._received = bytearray()
        self._in_doubt = False
        self._request = b""
        self._outage = Outage()
        self._owed: dict[str, Callable[[], Any]] = {}
        self._persisting: Any = None

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name else self.address

    def __repr__(self) -> str:
        return f"<Line {self}: {'open' if self.is_open else 'not open'}>"

    @property
    def is_open(self) -> bool:
        return self._connection.is_open

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, request: Text, timeout: float | None = None) -> Text:
        """Send a request, and return its answer without the terminator; bytes are answered with bytes, text with text.

        :raises NotConnectedError: the line cannot be opened, or was cut; the message says if the request was sent.
        :raises DeviceError: no answer within `timeout` seconds, half an answer, or none that is text.
        """
        with self.exchange():
            self.write(request)
            return self._like(request, self.read_line(timeout))

    def ask_for(self, kind: Callable[[str], Value], request: str, timeout: float | None = None) -> Value:
        """Return the answer made by `kind`: `ask_for(float, "P?")`.

        :raises DeviceError: as `ask` does, and when `kind` raises a ValueError: then the line is reopened too.
        """
        with self.exchange():
            answer = self.ask(request, timeout)
            try:
                return kind(answer)
            except ValueError as error:
                raise self.unexpected(request, answer, f"{error}") from None

    def ask_many(self, requests: Sequence[Text], timeout: float | None = None) -> list[Text]:
        """Send several requests in one round trip, and return their answers in order.

        :param timeout: seconds for each answer, after the one before.
        :raises DeviceError, NotConnectedError: as `ask` does; then no answer is returned.
        """
        together = TOGETHER if self._pipelined else 1
        answers: list[Text] = []
        with self.exchange():
            for first in range(0, len(requests), together):
                batch = requests[first : first + together]
                self.write_exactly(b"".join(map(self._encoded, batch)))
                for request in batch:
                    self._request = self._encoded(request)
                    answers.append(self._like(request, self.read_line(timeout)))
        return answers

    def unexpected(self, request: str | bytes, answer: str | bytes, expected: str) -> DeviceError:
        """Make the error for an answer that makes no sense; the next request has a new line."""
        self._doubt()
        return DeviceError(f"{self}: {_short(request)} was answered {_short(answer)}: {expected}")

    def insist(self, what: str, action: Callable[[], Value]) -> Value:
        """Do what must be done in the end, and may be done twice: stop a motor.

        When it fails because of the line, or is killed, it raises; but it is done as soon as the device answers again,
        before anything else is asked. A device that refuses is not asked again.

        :param what: what is done, such as "stopping table_x"; the same thing is owed once.
        :param action: asks this line.
        """
        try:
            return action()
        except BaseException as error:
            if not self._is_refusal(error):
                self._owed[what] = action
                error.add_note(f"{self}: {what} is tried again until it answers.")
                self._persist()
            raise

    # -- pieces of requests and answers --------------------------------------------------------------------------------

    @contextmanager
    def exchange(self) -> Iterator[None]:
        """Have the line alone for several writes and reads that belong together. If left by an exception it is reopened.

        :raises NotConnectedError: it cannot be opened; nothing was sent.
        """
        if self._turns.is_mine:
            yield
            return
        self._check_thread()
        with self._turns, Awaited(f"an answer of {self}"):
            try:
                self._prepare()
                yield
            except BaseException:
                self._doubt()
                raise
            self._outage.over()

    def write(self, request: str | bytes) -> None:
        """Send a request that has no answer, or whose answer is read by `read_line` or `read_exactly`."""
        self.write_exactly(self._encoded(request))

    def write_exactly(self, data: bytes) -> None:
        """Send bytes as they are, without a terminator."""
        with self.exchange():
            self._request = data
            self.logger.debug("%s < %s", self, _short(data))
            try:
                self._connection.send(data, self.timeout)
            except OSError as error:
                raise self._lost(error) from None

    def read_line(self, timeout: float | None = None) -> bytes:
        """Return what comes before the next terminator.

        :raises DeviceError: it does not come within `timeout` seconds.
        """
        with self.exchange():
            seen = 0
            deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
            while (end := self._received.find(self.answer_terminator, seen)) < 0:
                seen = max(0, len(self._received) - len(self.answer_terminator) + 1)
                self._receive(deadline)
            return self._take(end, len(self.answer_terminator))

    def read_exactly(self, size: int, timeout: float | None = None) -> bytes:
        """Return the next `size` bytes.

        :raises DeviceError: they do not come within `timeout` seconds.
        """
        with self.exchange():
            deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
            while len(self._received) < size:
                self._receive(deadline)
            return self._take(size)

    def close(self) -> None:
        """Close the line, and forget what is still owed; a request opens it again."""
        self._owed.clear()
        if self._persisting is not None:
            self._persisting.kill(block=False)
            self._persisting = None
        self._outage.over()
        self._disconnect()
        self._thread = None

    # -- opening and reopening -----------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        """Have a connection on which nothing is under way."""
        self._outage.refuse(str(self))
        if self.is_open and not self._in_doubt:
            self._look_whether_alive()
        if self._in_doubt:
            self._in_doubt = False
            self._drain_line()
        if not self.is_open:
            self._open()
        for what in list(self._owed):
            self._settle(what)

    def _open(self) -> None:
        self._thread = gevent.get_hub()
        try:
            self._connection.open(self.timeout)
        except OSError as error:
            self._outage.begin(str(error), now=True)
            raise NotConnectedError(f"{self} cannot be reached: {error}. Nothing was sent") from None
        self.logger.debug("%s is open", self)
        if self._on_open is not None:
            try:
                self._on_open(self)
            except BaseException:
                self._disconnect()
                raise

    def _look_whether_alive(self) -> None:
        """Close the line if its other end is gone; doubt it if it has sent what nobody asked for."""
        try:
            self._received += self._connection.already_there()
        except OSError as error:
            self.logger.debug("%s: %s", self, error)
            self._disconnect()
        if self._received:
            self.logger.warning("%s sent what nobody asked for: %s", self, _short(self._received))
            self._doubt()

    def _drain_line(self) -> None:
        """Read until the line is silent, or close it if it never is."""
        self._received.clear()
        deadline = time.monotonic() + max(self.timeout, 3 * self._drain)
        try:
            while time.monotonic() < deadline:
                self.logger.debug("%s > %s, too late", self, _short(self._connection.receive(self._drain)))
        except TimeoutError:
            return
        except OSError as error:
            self.logger.debug("%s: %s", self, error)
        self._disconnect()

    def _doubt(self) -> None:
        """Whatever comes from now on answers nothing that is asked from now on."""
        if not self._drain or not self.is_open:
            self._disconnect()
        else:
            self._in_doubt = True

    def _disconnect(self) -> None:
        self._connection.close()
        self._received.clear()
        self._in_doubt = False

    def _check_thread(self) -> None:
        if self._thread is not None and self._thread is not gevent.get_hub():
            raise DeviceError(f"{self} belongs to another thread, whose greenlets use it. Ask it from there")

    # -- what is owed --------------------------------------------------------------------------------------------------

    def _settle(self, what: str) -> None:
        action = self._owed.pop(what)
        try:
            action()
        except BaseException as error:
            if not self._is_refusal(error):
                self._owed[what] = action
                self._persist()
                raise
            self.logger.error("%s, owed since the line was lost, was refused: %s", what, error)
        else:
            self.logger.info("%s answers again: %s was done", self, what)

    def _is_refusal(self, error: BaseException) -> bool:
        """Whether it was answered, over a line that is good."""
        return isinstance(error, Exception) and self.is_open and not self._in_doubt

    def _persist(self) -> None:
        if not self._persisting:
            self._persisting = gevent.spawn(self._settle_in_the_end)

    def _settle_in_the_end(self) -> None:
        while self._owed:
            try:
                with self.exchange():
                    pass
            except (DeviceError, gevent.Timeout) as error:
                self.logger.debug("%s", error)
                gevent.sleep(outage.REST)

    # -- bytes ---------------------------------------------------------------------------------------------------------

    def _receive(self, deadline: float) -> None:
        try:
            came = self._connection.receive(deadline - time.monotonic())
        except OSError as error:
            raise self._lost(error) from None
        self.logger.debug("%s > %s", self, _short(came))
        self._received += came
        if len(self._received) > LONGEST:
            self._doubt()
            raise DeviceError(f"{self}: {_short(self._request)} was answered by {LONGEST} bytes that have no end")

    def _lost(self, error: OSError) -> DeviceError:
        """Make the error for a request that was sent, or half sent, and not answered."""
        half = f"; what came was {_short(self._received)}" if self._received else ""
        asked = _short(self._request.removesuffix(self.terminator))
        if isinstance(error, TimeoutError):
            self._outage.begin(f"no answer to {asked}")
            self._doubt()
            kind = DeviceError if half else NotConnectedError
            return kind(f"{self} did not answer {asked} in time{half}. It may have been executed")
        self._outage.begin(str(error))
        self._disconnect()
        return NotConnectedError(f"{self} was lost after {asked} was sent: {error}{half}. It may have been executed")

    def _take(self, size: int, over: int = 0) -> bytes:
        taken = bytes(self._received[:size])
        del self._received[: size + over]
        return taken

    def _encoded(self, request: str | bytes) -> bytes:
        try:
            data = request.encode("ascii") if isinstance(request, str) else request
        except UnicodeEncodeError:
            raise ValueError(f"{self}: a request must be ASCII text, or bytes; got {request!r}") from None
        if self.terminator and self.terminator in data:
            terminator = _short(self.terminator)
            raise ValueError(f"{self}: a request must not hold its terminator {terminator}; got {_short(request)}")
        return data + self.terminator

    def _like(self, request: Text, answer: bytes) -> Text:
        if isinstance(request, bytes):
            return answer
        try:
            return answer.decode("utf-8")
        except UnicodeDecodeError:
            raise self.unexpected(request, answer, "that is no text") from None


def _short(data: str | bytes | bytearray) -> str:
    """Return text or bytes for a message, in quotes; what cannot be printed is escaped."""
    shown, end = (data, "") if len(data) <= MOST_SHOWN else (data[:SHOWN], f"... ({len(data)} characters)")
    return ascii(bytes(shown) if isinstance(shown, bytearray) else shown).removeprefix("b") + end
