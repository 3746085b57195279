"""A device that answers lines of text, in threads of its own."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Device(socketserver.ThreadingTCPServer):
    """`ECHO x` is answered `x`, `COUNT` how often it was asked so, `SLEEP s` after s seconds, `QUIET` never."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.port = self.server_address[1]
        self.seen: list[str] = []
        self.greeting = b""

    def answer(self, request: str) -> bytes:
        self.seen.append(request)
        match request.split(" ", 1):
            case ["ECHO", text]:
                return text.encode() + b"\r\n"
            case ["COUNT"]:
                return b"%d\r\n" % self.seen.count("COUNT")
            case ["SLEEP", seconds]:
                time.sleep(float(seconds))
                return b"slept %s\r\n" % seconds.encode()
            case ["BLOCK", size]:
                return b"x" * int(size)
            case ["BYTES"]:
                return b"\xff\xfe\r\n"
            case ["TWICE"]:
                return b"one\r\ntwo\r\n"
            case ["QUIET" | "STOP"]:
                return b""
            case _:
                return b"ERROR\r\n"


class _Client(socketserver.StreamRequestHandler):
    server: Device

    def handle(self) -> None:
        self.wfile.write(self.server.greeting)
        for line in self.rfile:
            try:
                self.wfile.write(self.server.answer(line.decode().rstrip("\r\n")))
            except OSError:
                return


@contextmanager
def running_device() -> Iterator[Device]:
    with Device() as device:
        serving = threading.Thread(target=device.serve_forever, args=(0.02,))
        serving.start()
        yield device
        device.shutdown()
        serving.join(30)
