"""A TCP proxy that does to a connection what networks and firmware do: between a driver and its simulator, in tests.

::

    with Proxy("127.0.0.1", simulator.port) as proxy:
        driver = Driver("127.0.0.1", proxy.port)
        proxy.drop()
        driver.ask(...)

It runs in threads of its own, so that it works for whatever the driver is made of. An answer is what the server sends at
once; what a fault counts are answers.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Self

Fault = Callable[[bytes], Iterator[bytes]]
"""What is passed on for one answer."""


class Proxy:
    """Listens on `port`, a free one of the loopback, and passes everything to and from one server."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self.connections: set[socket.socket] = set()
        """Both ends of what passes through."""
        self._lost: Callable[[bytes], bool] | None = None
        self._faults: deque[Fault] = deque()
        self._flows = threading.Event()
        self._flows.set()
        self._closed = threading.Event()
        self._delay = 0.0
        self._threads: list[threading.Thread] = []
        self.port = 0
        self.requests: list[bytes] = []
        """What clients have sent, in order, as it came."""
        self.accepted = 0
        """How many connections clients have made."""
        self.accept()

    # -- faults --------------------------------------------------------------------------------------------------------

    def delay(self, seconds: float) -> None:
        """Let each answer from now on come that much later; 0 for none."""
        self._delay = seconds

    def drop(self, answers: int = 1) -> None:
        """Lose the next answers."""
        self._add(answers, lambda answer: iter(()))

    def drop_if(self, question: Callable[[bytes], bool]) -> None:
        """Lose the answer to the next request for which this is true."""
        self._lost = question

    def garble(self, answers: int = 1, noise: bytes = b"\x00\xff#!\xfe \x07noise\r\n") -> None:
        """Send noise instead of the next answers."""
        self._add(answers, lambda answer: iter((noise,)))

    def halve(self, answers: int = 1) -> None:
        """Pass the first half of the next answers and lose the rest."""
        self._add(answers, lambda answer: iter((answer[: len(answer) // 2],)))

    def split(self, answers: int = 1, pause: float = 0.005) -> None:
        """Pass the next answers byte by byte, with pauses between."""

        def bytewise(answer: bytes) -> Iterator[bytes]:
            for i in range(len(answer)):
                yield answer[i : i + 1]
                self._closed.wait(pause)

        self._add(answers, bytewise)

    def repeat(self, answers: int = 1) -> None:
        """Pass the next answers twice."""
        self._add(answers, lambda answer: iter((answer, answer)))

    def cut(self) -> None:
        """Break all connections; new ones are accepted."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def cut_at_answer(self) -> None:
        """Break all connections when the next answer comes, and lose it."""

        def cut(answer: bytes) -> Iterator[bytes]:
            self.cut()
            return iter(())

        self._add(1, cut)

    def freeze(self) -> None:
        """Pass nothing either way, connections left open; new ones are accepted, and as silent."""
        self._flows.clear()

    def thaw(self) -> None:
        """Pass what was held back, and flow again."""
        self._flows.set()

    def refuse(self) -> None:
        """Break all connections, and refuse new ones until `accept`."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        self.cut()

    def accept(self) -> None:
        """Take connections (again, after `refuse`), on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._spawn(self._serve, self._listener)

    def _add(self, answers: int, fault: Fault) -> None:
        self._faults.extend([fault] * answers)

    # -- what passes ---------------------------------------------------------------------------------------------------

    def _spawn(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.accepted += 1
                try:
                    server = socket.create_connection(self._server, 5)
                except OSError:
                    client.close()
                    continue
                server.settimeout(None)
                for connection in (client, server):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.connections.add(connection)
                self._spawn(self._pump, client, server, self._request)
                self._spawn(self._pump, server, client, self._answer)

    def _pump(self, source: socket.socket, sink: socket.socket, passed: Fault) -> None:
        """Pass what comes from `source` until one side ends; then both are ended."""
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                self._flows.wait()
                for piece in passed(received):
                    sink.sendall(piece)
        for connection in (source, sink):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.discard(source)
        source.close()

    def _request(self, request: bytes) -> Iterator[bytes]:
        self.requests.append(request)
        if self._lost is not None and self._lost(request):
            self._lost = None
            self.drop()
        return iter((request,))

    def _answer(self, answer: bytes) -> Iterator[bytes]:
        self._closed.wait(self._delay)
        return self._faults.popleft()(answer) if self._faults else iter((answer,))

    def close(self) -> None:
        self._closed.set()
        self.thaw()
        self.refuse()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
