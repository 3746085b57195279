"""A byte stream to a TCP port or a unix socket that can be opened again and again; gevent's sockets in any process."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import socket

_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
"""Linux has it; the kernel forgets it again after a while."""

_AT_ONCE = 65536
"""Bytes read at most by one call."""


class Connection:
    """All its methods but `close` raise an OSError when something is wrong: TimeoutError or ConnectionError mostly."""

    def __init__(self, address: str) -> None:
        """:param address: `tcp://host:port` or `unix:///path`.

        :raises ValueError: it is none.
        """
        self._place = _place(address)
        self._socket: Any = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def open(self, timeout: float) -> None:
        with gevent.Timeout(timeout, TimeoutError(f"no connection within {timeout:g} s")):
            if isinstance(self._place, tuple):
                connection = socket.create_connection(self._place)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            else:
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(self._place)
        self._socket = connection

    def send(self, data: bytes, timeout: float) -> None:
        self._opened(timeout).sendall(data)

    def receive(self, timeout: float) -> bytes:
        """Wait for some bytes; there is at least one."""
        if timeout <= 0:
            raise TimeoutError("timed out")
        connection = self._opened(timeout)
        self._acknowledge_at_once(connection)
        came: bytes = connection.recv(_AT_ONCE)
        if not came:
            raise ConnectionError("the other end closed the connection")
        return came

    def _acknowledge_at_once(self, connection: Any) -> None:
        """Many a device sends its second answer when the first one was acknowledged, for which Linux takes 40 ms."""
        if _QUICKACK is not None and isinstance(self._place, tuple):
            connection.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def already_there(self) -> bytes:
        """What has come, without waiting; nothing if the connection is alive and silent."""
        try:
            came: bytes = self._opened(0).recv(_AT_ONCE)
        except BlockingIOError:
            return b""
        if not came:
            raise ConnectionError("the other end closed the connection")
        return came

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _opened(self, timeout: float) -> Any:
        if self._socket is None:
            raise ConnectionError("the connection is closed")
        self._socket.settimeout(timeout)
        return self._socket


def _place(address: str) -> tuple[str, int] | str:
    parts = urlsplit(address)
    try:
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        parts = parts._replace(scheme="")
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return parts.path
    raise ValueError(
        f"the address of a line must be tcp://host:port or unix:///path, got {address!r}. "
        "A serial line needs a terminal server, such as ser2net or socat"
    )
