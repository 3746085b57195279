"""Fixtures that several directories of tests share. Servers are private, reached by unix sockets, and always stopped."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bliss_like.data.server import HOME_VARIABLE, EmbeddedServer
from tests.cluster import LoopbackCluster
from tests.waiting import wait_until

_COUNT = itertools.count()

settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("soak", max_examples=400, deadline=None)
settings.load_profile("quick")


@pytest.fixture(scope="session", autouse=True)
def _home_of_the_run() -> Iterator[None]:
    """What tests keep, and the servers that they start by asking for a setting, is not that of the user's sessions."""
    with pytest.MonkeyPatch.context() as patch:
        for home in _short_directory():
            patch.setenv(HOME_VARIABLE, str(home))
            patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
            yield
            EmbeddedServer(home).stop()


@pytest.fixture(scope="session")
def _data_of_the_run() -> Iterator[Path]:
    yield from _short_directory()


@pytest.fixture(autouse=True)
def _nothing_is_saved(_data_of_the_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of tests start no writer unless they say so, and have a place of their own for images and files."""
    monkeypatch.setenv("BLISS_LIKE_WRITER", "null")
    monkeypatch.setenv("BLISS_LIKE_DATA", f"{_data_of_the_run}/{next(_COUNT)}")


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A temporary directory whose path leaves room for the name of a unix socket (pytest's own may not)."""
    yield from _short_directory()


def _short_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="bl-", dir="/tmp"))
    try:
        yield directory
    finally:
        wait_until(lambda: _is_removed(directory))


def _is_removed(directory: Path) -> bool:
    """Remove a directory; a writer whose session has died may write there once more."""
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()


@pytest.fixture(scope="session")
def _server_of_the_run() -> Iterator[EmbeddedServer]:
    for home in _short_directory():
        server = EmbeddedServer(home, ephemeral=True)
        server.ensure()
        yield server
        server.stop()


@pytest.fixture
def redis_server(_server_of_the_run: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> EmbeddedServer:
    """An empty server that `redis_url()` names, in this process and in those that the test starts."""
    _command(_server_of_the_run, "FLUSHALL")
    monkeypatch.setenv("BLISS_LIKE_REDIS", _server_of_the_run.url)
    return _server_of_the_run


@pytest.fixture(scope="session")
def _cluster_of_the_run() -> Iterator[LoopbackCluster]:
    cluster = LoopbackCluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def redis_cluster(_cluster_of_the_run: LoopbackCluster, monkeypatch: pytest.MonkeyPatch) -> LoopbackCluster:
    """An empty, whole cluster of three nodes that `redis_url()` names."""
    wait_until(_cluster_of_the_run.is_whole, timeout=60)
    _cluster_of_the_run.clear()
    monkeypatch.setenv("BLISS_LIKE_REDIS", _cluster_of_the_run.url)
    return _cluster_of_the_run


class RestartableServer:
    """A server with its data on disk, for tests of what happens when it goes and comes back."""

    def __init__(self, home: Path) -> None:
        self._server = EmbeddedServer(home, ephemeral=True)
        self.url = self._server.url
        self.start()

    def start(self) -> None:
        self._server.ensure()
        status = self._server.status()
        assert status is not None
        self.pid = status.pid

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: self._server.status() is None)

    def freeze(self) -> None:
        """Let it answer nothing, its connections left open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)


@pytest.fixture
def server_that_can_be_restarted(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestartableServer]:
    """A server of this test alone that `redis_url()` names; `start`, `stop`, `kill`, `freeze` and `thaw` it."""
    server = RestartableServer(short_directory)
    monkeypatch.setenv("BLISS_LIKE_REDIS", server.url)
    yield server
    server.thaw()
    server.stop()


def _command(server: EmbeddedServer, *words: str) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(server.socket))
        connection.sendall(" ".join(words).encode() + b"\r\n")
        assert connection.recv(100).startswith(b"+OK")


@pytest.fixture(autouse=True)
def _no_session_left_open() -> Iterator[None]:
    """A session that a test leaves open would fail the tests after it instead."""
    yield
    session = sys.modules.get("bliss_like.session")
    if session is not None and session.current_session:
        left = session.current_session.name
        session.current_session.close()
        pytest.fail(f"the test left session {left} open")
