"""A server that goes away in the middle of a scan of a session: ridden out, or the devices are stopped and it is said why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.config import get_config
from bliss_like.data.events import EndScan, NewData
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.node import get_session_node
from bliss_like.data.publisher import Limits
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.tree import Tree
from bliss_like.errors import ForeignKeyError, PublishError
from bliss_like.scanning.subscriptions import Subscription
from bliss_like.session import load_session
from bliss_like.session.data_tree import GREENLETS
from tests.conftest import RestartableServer
from tests.places import scans_of
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]
PATIENCE = 0.5
"""Seconds without a server after which a scan is given up, where that is what is tested."""


@pytest.fixture
def names(
    server_that_can_be_restarted: RestartableServer,
    short_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[dict[str, Any]]:
    """A session; it waits for its server for as long as a busy machine may need to start it, or as the test says."""
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    store = RedisStore(server_that_can_be_restarted.url)
    config = get_config(PROJECT / "config")
    session = load_session("test_session", config)
    assert session.setup(tree=Tree(store, tasks=GREENLETS, limits=Limits(patience=getattr(request, "param", 60.0)))), (
        session.error_report
    )
    yield session.env_dict
    session.close()
    config.close()


def _npoints(event: NewData) -> int:
    return len(event.values)


def points_of(scan: Any) -> int:
    return min((channel.length for channel in scan.channels), default=0)


def test_a_restart_is_ridden_out(names: dict[str, Any], server_that_can_be_restarted: RestartableServer) -> None:
    told: list[Any] = []
    scan = names["loopscan"](500, 0.01, names["diodes"], run=False, subs=Subscription(told.append, lossless=True))
    task = gevent.spawn(scan.run)
    wait_until(lambda: gevent.sleep(0.001) or points_of(scan) > 20)
    server_that_can_be_restarted.kill()
    before = points_of(scan)
    wait_until(lambda: gevent.sleep(0.001) or points_of(scan) > before + 5)  # the scan goes on without a server
    server_that_can_be_restarted.start()
    task.get(timeout=30)
    assert scan.state is ScanState.DONE and scan.node.state is ScanState.DONE
    data = scan.get_data()
    assert {len(data[name]) for name in data} == {500}
    assert (data["elapsed_time"][1:] > data["elapsed_time"][:-1]).all()
    for channel in scan.channels:  # each point was told, once
        points = [event for event in told if isinstance(event, NewData) and event.path == channel.path]
        assert [event.first_index for event in points] == np.cumsum([0, *map(_npoints, points)])[:-1].tolist()
        assert np.concatenate([event.values for event in points]).tolist() == list(data[channel.fullname])


@pytest.mark.parametrize("names", [PATIENCE], indirect=True)
def test_past_the_set_time_devices_are_stopped_and_it_is_said_why(
    names: dict[str, Any], server_that_can_be_restarted: RestartableServer
) -> None:
    robz = names["robz"]
    told: list[Any] = []
    robz.velocity /= 20
    scan = names["ascan"](
        robz, 0, 9, 1, 0.01, names["diode"], run=False, subs=told.append
    )  # more than 30 s in one move
    task = gevent.spawn(scan.run)
    wait_until(lambda: gevent.sleep(0.001) or (robz.is_moving and robz.position > 0.05))
    server_that_can_be_restarted.kill()
    scan.add_comment("something to publish")
    task.join(30)
    assert isinstance(task.exception, PublishError)
    assert f"no Redis server for {PATIENCE} s" in str(task.exception)
    assert scan.state is ScanState.KILLED
    assert not robz.is_moving and robz.position < 9
    assert [event.state for event in told if isinstance(event, EndScan)] == ["KILLED"]
    server_that_can_be_restarted.start()
    wait_until(
        lambda: gevent.sleep(0.01) or scan.node.state is ScanState.KILLED
    )  # the end is told as soon as it can be
    assert len(scan.get_data("robz")) == points_of(scan) == 1


@pytest.mark.parametrize("slowness", [0.0, 0.3])
def test_a_channel_that_cannot_be_stored_ends_the_scan_and_that_is_told(
    slowness: float,
    names: dict[str, Any],
    server_that_can_be_restarted: RestartableServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the server says so after the last point."""
    append = RedisStore.append
    monkeypatch.setattr(RedisStore, "append", lambda *args, **how: (gevent.sleep(slowness), append(*args, **how)))
    path = f"{scans_of('test_session')}:1_loopscan"
    store = RedisStore(server_that_can_be_restarted.url)
    told: list[Any] = []
    store.set_fields(f"bl1:data:{{{path}}}:timer:diodes:diode", {"foreign": 1})
    with pytest.raises(ForeignKeyError, match="timer:diodes:diode"):
        names["loopscan"](3, 0.01, names["diode"], subs=told.append)
    lengths = {event.path: event.first_index + len(event.values) for event in told if isinstance(event, NewData)}
    assert isinstance(told[-1], EndScan)  # of the batch that failed, what the server has taken is not told
    assert all(length <= told[-1].lengths[path] for path, length in lengths.items())
    *_, end = get_session_node("test_session", store).walk_events("scan", wait=False)
    assert end.type.name == "END_SCAN" and end.data is not None
    assert end.data.description.startswith("ForeignKeyError") and end.node.info["state"] == "KILLED"
