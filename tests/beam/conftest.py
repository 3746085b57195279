"""Simulated boxes, each in a thread with a hub of its own, and reached over TCP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.controllers.simulated.servers.io_box import IoBoxServer
from bliss_like.controllers.simulated.servers.lines import Answer, serve
from bliss_like.controllers.simulated.servers.shutter_box import ShutterBox
from tests.proxy import Proxy


@contextmanager
def served(answer: Answer) -> Iterator[int]:
    """Serve a box on a free port of the loopback; yields the port."""
    ready = threading.Event()
    thread_of_box: dict[str, Any] = {}

    def run() -> None:
        over = Event()
        server = serve(answer)
        thread_of_box.update(hub=gevent.get_hub(), over=over, port=server.server_port)
        ready.set()
        over.wait()
        server.stop()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    yield thread_of_box["port"]
    thread_of_box["hub"].loop.run_callback_threadsafe(thread_of_box["over"].set)
    thread.join(30)


@pytest.fixture
def shutter_box() -> ShutterBox:
    return ShutterBox()


@pytest.fixture
def shutter_proxy(shutter_box: ShutterBox) -> Iterator[Proxy]:
    """What the shutter box is behind."""
    with served(shutter_box.answer) as port, Proxy(port) as proxy:
        yield proxy


@pytest.fixture
def io_box() -> IoBoxServer:
    return IoBoxServer(travel_time=0.02)


@pytest.fixture
def io_proxy(io_box: IoBoxServer) -> Iterator[Proxy]:
    """What the box of inputs and outputs is behind."""
    with served(io_box.answer) as port, Proxy(port) as proxy:
        yield proxy
