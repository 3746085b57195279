"""A TCP proxy that does to a device's connection what networks and devices do: cuts, silence, delays, garbage.

::

    with Proxy(simulator.port) as proxy:
        driver = Driver(proxy.address)
        proxy.drop()
        driver.ask(...)

It runs in threads of its own with real sockets, so that a client which blocks its process can be tested too. An answer is
what the device sends at once; what a fault counts are answers.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from bliss_like.backends.line import Line
from tests.waiting import wait_until_cooperative

Fault = Callable[[bytes], Iterator[bytes]]
"""The pieces that are passed on for one answer."""


class Proxy:
    """Listens on a free port of the loopback and passes on to `port`, except for what a test asks it to spoil."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._faults: deque[Fault] = deque()
        self._answers_pass = threading.Event()
        self._requests_pass = threading.Event()
        self.release()
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self.requests: list[bytes] = []
        """What clients have sent, in order, as it came."""
        self.passed = 0
        """How many pieces of answers clients have got."""
        self.accepted = 0
        """How many connections clients have made."""
        self.delay = 0.0
        """Seconds by which each answer is late."""
        self.cut_at_request: bytes | None = None
        """Cut the connection when a request holds this, before the device sees it."""
        self.cut_after_request: bytes | None = None
        """When a request holds this, give it to the device, and cut the connection instead of passing on the answer."""
        self.drop_after_request: bytes | None = None
        """When a request holds this, give it to the device, and lose the answer."""
        self.port = 0
        self.accept()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def is_connected(self) -> bool:
        """Whether a client has a connection."""
        return bool(self._pairs)

    # -- of the connection ---------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """End all connections; new ones are accepted."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _close(*pair)

    def refuse(self) -> None:
        """End all connections, and refuse new ones until `accept`."""
        _close(self._listener)
        self._listening.join(30)
        self.cut()

    def accept(self) -> None:
        """Accept connections, at the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self._listener.getsockname()[1]
        self._listening = self._spawn(self._listen, self._listener)

    def hold(self) -> None:
        """Keep all answers back until `release`; requests are passed on."""
        self._answers_pass.clear()

    def freeze(self) -> None:
        """Keep everything back both ways until `release`, connections left open; new ones are accepted, and as silent."""
        self._requests_pass.clear()
        self._answers_pass.clear()

    def release(self) -> None:
        """Pass on what was kept back, late, and what comes after it."""
        self._requests_pass.set()
        self._answers_pass.set()

    def say(self, data: bytes) -> None:
        """Send to the clients what the device did not say."""
        with self._lock:
            for client, _ in self._pairs:
                client.sendall(data)

    # -- of the next answers -------------------------------------------------------------------------------------------

    def spoil_next(self, change: Callable[[bytes], bytes], answers: int = 1) -> None:
        """Change the next answers: `spoil_next(lambda answer: answer[:3])`; called again, those that come after."""
        self._faults.extend([lambda answer: iter((change(answer),))] * answers)

    def garble(self, answers: int = 1, noise: bytes = b"\x00\xff#!\xfe \x07noise\r\n") -> None:
        """Send noise instead of them."""
        self.spoil_next(lambda answer: noise, answers)

    def drop(self, answers: int = 1) -> None:
        """Lose them."""
        self._faults.extend([lambda answer: iter(())] * answers)

    def halve(self, answers: int = 1) -> None:
        """Pass the first half of each and lose the rest."""
        self.spoil_next(lambda answer: answer[: len(answer) // 2], answers)

    def repeat(self, answers: int = 1) -> None:
        """Pass each twice."""
        self._faults.extend([lambda answer: iter((answer, answer))] * answers)

    def split(self, answers: int = 1, pause: float = 0.005) -> None:
        """Pass them byte by byte, with pauses between."""

        def bytewise(answer: bytes) -> Iterator[bytes]:
            for i in range(len(answer)):
                yield answer[i : i + 1]
                self._closed.wait(pause)

        self._faults.extend([bytewise] * answers)

    def cut_at_answer(self) -> None:
        """End all connections when the next answer comes, and lose it."""

        def cut(answer: bytes) -> Iterator[bytes]:
            self.cut()
            return iter(())

        self._faults.append(cut)

    # -- the work ------------------------------------------------------------------------------------------------------

    def _spawn(self, work: Callable[..., None], *args: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                device = socket.create_connection(self._target, 5)
            except OSError:
                _close(client)
                continue
            device.settimeout(None)
            for one in (client, device):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.append((client, device))
            self._spawn(self._pump, client, device, self._pass_request)
            self._spawn(self._pump, device, client, self._pass_answer, self._count)

    def _count(self) -> None:
        self.passed += 1

    def _pump(
        self, source: socket.socket, sink: socket.socket, passed: Fault, sent: Callable[[], None] = lambda: None
    ) -> None:
        """Pass what comes from `source` until one side ends; then both are ended."""
        with suppress(OSError):
            while data := source.recv(65536):
                for piece in passed(data):
                    sink.sendall(piece)
                    sent()
        with self._lock:
            self._pairs = [pair for pair in self._pairs if source not in pair]
        _close(source, sink)

    def _pass_request(self, request: bytes) -> Iterator[bytes]:
        self.requests.append(request)
        self._requests_pass.wait()
        if self.cut_at_request and self.cut_at_request in request:
            self.cut_at_request = None
            raise ConnectionAbortedError
        if self.cut_after_request and self.cut_after_request in request:
            self.cut_after_request = None
            self.cut_at_answer()
        if self.drop_after_request and self.drop_after_request in request:
            self.drop_after_request = None
            self.drop()
        return iter((request,))

    def _pass_answer(self, answer: bytes) -> Iterator[bytes]:
        if self.delay:
            self._closed.wait(self.delay)
        self._answers_pass.wait()
        return self._faults.popleft()(answer) if self._faults else iter((answer,))

    def close(self) -> None:
        self._closed.set()
        self.release()
        self.refuse()
        for thread in self._threads:
            thread.join(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):  # wakes the thread that reads or accepts
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@contextmanager
def impatience(line: Line, moving: Proxy | None = None) -> Iterator[None]:
    """What is asked from now on, and not answered soon, is not waited for: also by a move, over the line of `moving`."""
    patience, line.timeout = line.timeout, 0.3
    asked = len(moving.requests) if moving else 0
    try:
        wait_until_cooperative(lambda: moving is None or len(moving.requests) > asked + 1)
        yield
    finally:
        line.timeout = patience
