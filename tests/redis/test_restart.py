"""The server goes and comes back in the middle of a scan: points wait, follow in order, none lost, none twice."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from bliss_like.data import redis_store, server
from bliss_like.data.events import EventType
from bliss_like.data.node import get_node, get_session_node
from bliss_like.data.publisher import Limits
from bliss_like.data.redis_store import RedisStore, connect
from bliss_like.data.tree import Tree
from bliss_like.errors import PublishError, StoreUnavailable
from tests.conftest import RestartableServer
from tests.publishing import PublishedScan
from tests.waiting import wait_until


@pytest.fixture
def store(server_that_can_be_restarted: RestartableServer) -> RedisStore:
    return RedisStore(server_that_can_be_restarted.url)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_nothing_is_lost_or_twice(store: RedisStore, server_that_can_be_restarted: RestartableServer, end: str) -> None:
    server = server_that_can_be_restarted
    seen: list[float] = []
    ended = threading.Event()

    def listen() -> None:
        for event in get_session_node("eh1", RedisStore(server.url)).walk_events(["scan", "channel"]):
            if event.data and event.type is EventType.NEW_DATA:
                assert event.data.first_index == len(seen)
                seen.extend(event.data.data.tolist())
            elif event.type is EventType.END_SCAN:
                ended.set()
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    scan = PublishedScan(Tree(store)).prepare()
    emit = scan.sinks["diode"].append
    for value in range(3000):
        emit(float(value))
        if value == 1000:
            wait_until(lambda: len(seen) > 100)
            getattr(server, end)()
        if value == 2000:
            server.start()
    scan.end()
    assert ended.wait(30)
    assert seen == list(range(3000))
    node = get_node(scan.path, store)
    assert node is not None and node.get_data("diode").tolist() == list(range(3000))  # type: ignore[attr-defined]


def test_past_the_set_time_publishing_fails_and_what_is_stored_stays(
    store: RedisStore, server_that_can_be_restarted: RestartableServer
) -> None:
    scan = PublishedScan(Tree(store, limits=Limits(patience=0.3))).prepare().emit([1.0, 2.0])
    scan.publisher.flush()
    failures: list[Exception] = []
    scan.publisher.on_failure = failures.append
    server_that_can_be_restarted.kill()
    scan.emit([3.0])
    wait_until(lambda: failures)
    assert isinstance(failures[0], PublishError)
    with pytest.raises(PublishError, match=r"no Redis server for 0.3 s; 8 bytes of points .*bliss-like server start"):
        scan.emit([4.0])
    server_that_can_be_restarted.start()
    node = get_node(scan.path, store)
    assert node is not None and node.get_data("diode").tolist() == [1.0, 2.0]  # type: ignore[attr-defined]
    scan.end("KILLED")  # the server is back: what waited follows, then the end
    assert node.get_data("diode").tolist() == [1.0, 2.0, 3.0]  # type: ignore[attr-defined]
    assert node.info["state"] == "KILLED"


def test_a_server_that_comes_back_empty_is_noticed(
    store: RedisStore, server_that_can_be_restarted: RestartableServer, short_directory: Path
) -> None:
    scan = PublishedScan(Tree(store)).prepare().emit(np.zeros(10))
    scan.publisher.flush()
    failures: list[Exception] = []
    scan.publisher.on_failure = failures.append
    server_that_can_be_restarted.kill()
    shutil.rmtree(short_directory / "appendonlydir")
    scan.emit([1.0])
    server_that_can_be_restarted.start()
    wait_until(lambda: failures)
    assert "came back without entries 0 to 9" in str(failures[0])


def test_the_embedded_server_of_a_session_is_started_again(
    short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLISS_LIKE_REDIS", raising=False)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    store = connect(revive=True)
    try:
        scan = PublishedScan(Tree(store)).prepare().emit([1.0])
        scan.publisher.flush()
        status = server.status()
        assert status is not None
        os.kill(status.pid, signal.SIGKILL)
        scan.emit([2.0]).end()
        node = get_node(scan.path, store)
        assert node is not None and node.get_data("diode").tolist() == [1.0, 2.0]  # type: ignore[attr-defined]
    finally:
        server.stop()


def test_no_server_at_start_says_how_to_start_one(short_directory: object) -> None:
    with pytest.raises(StoreUnavailable, match=r"nowhere.sock: no answer .*bliss-like server start.*BLISS_LIKE_REDIS"):
        RedisStore(f"unix://{short_directory}/nowhere.sock").check()


def test_a_server_that_is_silent_counts_as_lost(
    server_that_can_be_restarted: RestartableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = server_that_can_be_restarted
    monkeypatch.setattr(redis_store, "_SILENCE", 3.0)
    store = RedisStore(server.url)
    scan = PublishedScan(Tree(store, limits=Limits(patience=0.5))).prepare().emit([1.0])
    scan.publisher.flush()
    assert store.read({"nothing": (0, 0)}, timeout=3.2) == {}  # waiting is not silence
    failures: list[Exception] = []
    scan.publisher.on_failure = failures.append
    server.freeze()
    scan.emit([2.0])
    wait_until(lambda: failures)
    assert isinstance(failures[0], PublishError)
    server.thaw()
    scan.end("KILLED")
    node = get_node(scan.path, store)
    assert node is not None and node.get_data("diode").tolist() == [1.0, 2.0]  # type: ignore[attr-defined]


def test_the_password_is_never_shown() -> None:
    with pytest.raises(StoreUnavailable) as error:
        RedisStore("redis://user:secret@127.0.0.1:1").check()
    assert "secret" not in str(error.value) and "user:***@" in str(error.value)
