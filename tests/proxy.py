"""A TCP proxy that does to a device's connection what networks and devices do: cuts, silence, delays, garbage.

It runs in threads of its own with real sockets, so that a client which blocks its process can be tested too.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Change = Callable[[bytes], bytes]


class Proxy:
    """Listens on a free port of the loopback and passes on to `port`, except for what a test asks it to spoil."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._changes: list[Change] = []
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._answers_pass = threading.Event()
        self._answers_pass.set()
        self.requests = bytearray()
        """All that the clients have sent."""
        self.connections = 0
        """How many connections were accepted."""
        self.delay = 0.0
        """Seconds by which each answer is late."""
        self.cut_at_request: bytes | None = None
        """Cut the connection when a request holds this, before the device sees it."""
        self.cut_after_request: bytes | None = None
        """When a request holds this, give it to the device, and cut the connection instead of passing on the answer."""
        self._cut_now = False
        self.port = 0
        self.accept()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    # -- faults

    def cut(self) -> None:
        """End all connections; new ones are accepted."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            _close(*pair)

    def refuse(self) -> None:
        """End all connections, and refuse new ones until `accept`."""
        _close(self._listener)
        self._listening.join(10)
        self.cut()

    def accept(self) -> None:
        """Accept connections, at the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = self._listener.getsockname()[1]
        self._listening = threading.Thread(target=self._listen, args=(self._listener,), daemon=True)
        self._listening.start()

    def hold(self) -> None:
        """Keep all answers back until `release`; requests are passed on."""
        self._answers_pass.clear()

    def release(self) -> None:
        """Pass on the answers that were kept back, late, and those after them."""
        self._answers_pass.set()

    def spoil_next(self, change: Change) -> None:
        """Change what next comes from the device: `spoil_next(lambda answer: answer[:3])`; called again, what comes after."""
        self._changes.append(change)

    def say(self, data: bytes) -> None:
        """Send to the clients what the device did not say."""
        with self._lock:
            for client, _ in self._pairs:
                client.sendall(data)

    # -- the work

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
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
            for pump in (self._pass_requests, self._pass_answers):
                threading.Thread(target=pump, args=(client, device), daemon=True).start()

    def _pass_requests(self, client: socket.socket, device: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                self.requests += data
                if self.cut_at_request and self.cut_at_request in data:
                    self.cut_at_request = None
                    break
                if self.cut_after_request and self.cut_after_request in data:
                    self.cut_after_request, self._cut_now = None, True
                device.sendall(data)
        _close(client, device)

    def _pass_answers(self, client: socket.socket, device: socket.socket) -> None:
        with suppress(OSError):
            while data := device.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                self._answers_pass.wait()
                if self._cut_now:
                    self._cut_now = False
                    break
                if self._changes:
                    data = self._changes.pop(0)(data)
                client.sendall(data)
        _close(client, device)

    def close(self) -> None:
        self.release()
        self.refuse()

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
