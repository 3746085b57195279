"""Serves a simulated instrument that answers lines of text, behind a TCP port."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

from gevent import socket
from gevent.server import StreamServer

_log = logging.getLogger(__name__)

Answer = Callable[[str], str]
"""Gets a request, and returns its answer, both without the end of the line."""


def serve(answer: Answer, port: int = 0, host: str = "127.0.0.1") -> StreamServer:
    """Start to listen, and return the server; it lives in the hub of the calling thread.

    :param port: 0: any that is free; it is `server.server_port`.
    """

    def handle(client: socket.socket, address: object) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, client.makefile("rwb") as lines:
            for line in lines:
                lines.write(f"{answer(line.decode('ascii', 'replace').strip())}\n".encode())
                lines.flush()

    server = StreamServer((host, port), handle)
    server.start()
    return server


def run(description: str, answer: Answer, port: int) -> None:
    """Serve as a program does, until it is killed; `--host` and `--port` say where."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    server = serve(answer, arguments.port, arguments.host)
    _log.info("%s listens on %s:%d", description, arguments.host, server.server_port)
    server.serve_forever()
