"""Ports for servers that are told where to listen."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_ours = random.SystemRandom()  # tests that set the seed must not all get the same ones
_given: set[int] = set()
_reserved = (Path(tempfile.gettempdir()) / f"bl-ports-{os.getuid()}").open("ab")
"""Its byte n is locked by the process of tests that has port n, until that ends."""

BELOW_OTHERS = range(10_000, 20_000)
"""Below those that the system gives to whoever asks for any: one of these may be taken, for a connection of somebody else,
before the server that it is meant for listens there."""


def free_port(among: range = BELOW_OTHERS, companion: int = 0) -> int:
    """Return a port that is free for TCP and UDP, and is given to nobody else while this process lives.

    A server listens there some time later, and may be down for a while; tests run side by side.

    :param companion: the port that is so much above must be free, too.
    """
    while True:
        port = _ours.choice(among)
        if port not in _given and _is_free(port) and (not companion or _is_free(port + companion)) and _reserve(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _reserve(port: int) -> bool:
    try:
        fcntl.lockf(_reserved, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _given.add(port)
    return True
