"""Ports for servers that are told where to listen."""

from __future__ import annotations

import random
import socket

_ours = random.SystemRandom()  # tests that set the seed must not all get the same ones


def free_port() -> int:
    """Return a port that is free for TCP and UDP, below those that the system gives to whoever asks for any.

    One of those may be taken, for a connection of somebody else, before the server that it is meant for listens there.
    """
    while True:
        port = _ours.randint(10000, 20000)  # above are those of tests/cluster.py
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
