"""Simulated boxes, each in a thread with a hub of its own, and reached over TCP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest
from sinstruments.simulator import BaseDevice, TCPServer

from tests.beam.io_box import IoBoxSimulator
from tests.beam.shutter_box import ShutterBox
from tests.proxy import Proxy


@contextmanager
def served(device: BaseDevice) -> Iterator[int]:
    """Serve a device on a free port of the loopback; yields the port."""
    ready = threading.Event()
    server: dict[str, Any] = {}

    def serve() -> None:
        tcp = TCPServer(
            device.name, lambda channel, transport: device.protocol(device, channel, transport), url=("127.0.0.1", 0)
        )
        server.update(tcp=tcp, hub=gevent.get_hub(), over=gevent.event.Event())
        tcp.start()
        ready.set()
        server["over"].wait()
        tcp.stop()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(10)
    try:
        yield server["tcp"].server_port
    finally:
        server["hub"].loop.run_callback_threadsafe(server["over"].set)
        thread.join(10)


@pytest.fixture
def shutter_box() -> Iterator[ShutterBox]:
    """Behind a proxy, `box.proxy`."""
    box = ShutterBox("shutter_box")
    with served(box) as port, Proxy(port) as proxy:
        box.proxy = proxy
        yield box


@pytest.fixture
def io_box() -> Iterator[IoBoxSimulator]:
    box = IoBoxSimulator("io_box")
    with served(box) as port:
        box.address = f"tcp://127.0.0.1:{port}"
        yield box
