"""A past scan as if it ran: the same events, in the order and at the pace in which they came."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.events import EventType, NewData, NewNode, NodeKind
from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.replay import replay, replay_events, replay_into
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.data.watch import ScansObserver, ScansWatcher
from bliss_like.errors import UsageError
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.saved_files import drop_points, forget, save
from tests.waiting import wait_until

NPOINTS = 10
LABELS = [f"sample {index} µm" for index in range(NPOINTS)]


@pytest.fixture
def tree() -> Tree:
    return Tree(MemoryStore())


def node_of(scan: PublishedScan) -> ScanNode:
    node = get_node(scan.path, scan.tree.store)
    assert isinstance(node, ScanNode)
    return node


def timed(tree: Tree, seconds: float = 0.4) -> PublishedScan:
    """A scan of ten points, evenly over some time; its camera had an image at every second one."""
    channels: dict[str, tuple[str, tuple[int, ...]]] = {"elapsed_time": ("<f8", ()), "diode": ("<f8", ())}
    channels |= {"camera": ("<u2", (2, 3)), "samples": ("<f4", (-1,)), "label": ("<U1", ())}
    scan = PublishedScan(tree, "ascan", channels).prepare().emit(LABELS, "label")
    scan.emit(np.linspace(0, seconds, NPOINTS), "elapsed_time").emit(np.arange(float(NPOINTS)))
    scan.emit(np.arange(30).reshape(5, 2, 3), "camera")
    for index in range(NPOINTS):
        scan.sinks["samples"].append(np.arange(index % 3, dtype=np.float32))
    return scan.end(error={"type": "RuntimeError", "message": "no beam", "traceback": ""})


@pytest.fixture(params=["store", "file"])
def scan(request: pytest.FixtureRequest, tree: Tree, tmp_path: Path) -> ScanNode:
    published = timed(tree)
    if request.param == "file":
        save(tree.store, published.path, tmp_path / "data.h5")
        forget(tree.store, published.path)
    return node_of(published)


def test_all_events_come_again(scan: ScanNode) -> None:
    walked, replayed = list(scan.walk_events()), list(replay(scan, speed=None))
    for kind in EventType:
        nodes = [[event.node for event in events if event.type is kind] for events in (walked, replayed)]
        if kind is not EventType.NEW_DATA:
            assert nodes[0] == nodes[1]
    for channel in scan.channels():
        points = [event.data.data for event in replayed if event.node == channel and event.data]
        expected = channel.get(0, -1)
        if isinstance(expected, list):
            assert [p.tolist() for block in points for p in block] == [p.tolist() for p in expected]
        else:
            np.testing.assert_array_equal(np.concatenate(points), expected)
    assert replayed[-1].type is EventType.END_SCAN and replayed[-1].data
    assert replayed[-1].data.description == "RuntimeError: no beam"


def times_of_points(scan: ScanNode, speed: float) -> dict[str, list[tuple[float, int]]]:
    """Return when each block came, and how many points were there then, by name of the channel."""
    begin = time.monotonic()
    came: dict[str, list[tuple[float, int]]] = {}
    for event in replay_events(scan, speed=speed):
        if isinstance(event, NewData):
            name = event.path.rpartition(":")[2]
            came.setdefault(name, []).append((time.monotonic() - begin, event.first_index + len(event.values)))
    return came


def test_it_takes_its_time_and_points_come_together(scan: ScanNode) -> None:
    for _ in range(20):  # where the machine was away, they come all at once
        came = times_of_points(scan, speed=2)
        if len(came["diode"]) > 3:
            break
    assert len(came["diode"]) > 3 and came["diode"][-1][1] == NPOINTS
    assert 0.2 <= came["diode"][-1][0] < 20
    for seconds, npoints in came["diode"]:
        assert seconds >= (npoints - 1) / (NPOINTS - 1) * 0.2  # no point before its time
    for seconds, images in came["camera"]:
        assert seconds >= (2 * images - 1) / (NPOINTS - 1) * 0.2
    with pytest.raises(UsageError, match="speed: expected a number greater than 0, .* got 0"):
        next(replay_events(scan, speed=0))


def test_long_channels_come_in_turn(tree: Tree) -> None:
    scan = PublishedScan(tree, "timescan", {"epoch": ("<f8", ()), "a": ("<f8", ()), "b": ("<i4", ())}).prepare()
    scan.emit(1e9 + np.arange(5000), "epoch").emit(np.arange(5000.0), "a").emit(np.arange(2500), "b").end()
    blocks = [event for event in replay_events(node_of(scan), None) if isinstance(event, NewData)]
    assert [(block.path[-1], block.first_index) for block in blocks[:6]] == [
        ("h", 0), ("a", 0), ("b", 0), ("h", 1000), ("a", 1000), ("b", 500),
    ]  # fmt: skip
    assert sum(len(block.values) for block in blocks) == 12_500


def test_a_scan_is_published_again_for_any_listener(scan: ScanNode, tree: Tree) -> None:
    path = replay_into(tree, scan, speed=None)
    assert path == "replay:tmp:scans:_1_ascan"
    again = get_node(path, tree.store)
    assert isinstance(again, ScanNode) and again.state is scan.state
    assert [channel.name for channel in again.channels()] == [channel.name for channel in scan.channels()]
    assert again.get_data("diode").tolist() == scan.get_data("diode").tolist()
    assert again.get_data("label").tolist() == LABELS
    assert again.get_data("camera").tolist() == scan.get_data("camera").tolist()
    assert [point.tolist() for point in again.get_data("samples")] == [p.tolist() for p in scan.get_data("samples")]
    assert again.info["replay_of"] == {"uid": scan.info.get("uid", ""), "db_name": scan.db_name}
    assert (again.info["save"], again.info["title"]) == (False, "replay of 1 ascan")
    assert again.info["uid"] != scan.info.get("uid") and "filename" not in again.info
    assert replay_into(tree, scan, speed=None) == "replay:tmp:scans:_2_ascan"


class Seen(ScansObserver):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.diode: list[float] = []

    def on_scan_started(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        self.told.append(("started", scan_db_name))

    def on_scalar_data_received(self, scan_db_name: str, channel_name: str, index: int, data_bunch: Any) -> None:
        if channel_name.endswith("diode"):
            self.diode += list(data_bunch)

    def on_scan_finished(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        self.told.append(("finished", scan_db_name))


def test_a_watcher_sees_it_run(scan: ScanNode, tree: Tree) -> None:
    watcher, seen = ScansWatcher("theatre", tree.store), Seen()
    watcher.set_observer(seen)
    with watcher.watch():
        path = replay_into(tree, scan, speed=20, session="theatre")
        wait_until(lambda: len(seen.told) == 2)
    assert seen.told == [("started", path), ("finished", path)] and path.startswith("theatre:")
    assert seen.diode == list(range(NPOINTS))


def test_replayed_data_never_stand_among_real_ones(scan: ScanNode, tree: Tree) -> None:
    with pytest.raises(UsageError, match="expected another session to replay it in than its own, got 'eh1'"):
        replay_into(tree, scan, session="eh1")


def test_a_replay_that_is_stopped_or_fails_has_an_end(
    scan: ScanNode, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = itertools.count()
    path = replay_into(tree, scan, speed=10, stop_handler=lambda: next(calls) > 1)
    node = get_node(path, tree.store)
    assert isinstance(node, ScanNode) and node.state.name == "USER_ABORTED"

    def broken(path: str) -> None:
        monkeypatch.setattr(ChannelNode, "blocks", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        replay_into(tree, scan, speed=None, started=broken)
    node = get_node("replay:tmp:scans:_2_ascan", tree.store)
    assert isinstance(node, ScanNode) and node.state.name == "KILLED"
    assert list(node.walk_events())[-1].data.data["type"] == "ZeroDivisionError"  # type: ignore[union-attr]


def test_points_that_are_gone_are_counted(tree: Tree) -> None:
    scan = node_of(run_scan(tree, 3))
    drop_points(tree.store, scan.channels()[0])
    points = [event for event in replay_events(scan, None) if isinstance(event, NewData)]
    assert [(event.first_index, len(event.values), getattr(event, "expired", None)) for event in points] == [(3, 0, 3)]


def test_a_sequence_refers_to_its_scans(tree: Tree) -> None:
    first = run_scan(tree)
    sequence = (
        PublishedScan(tree, "seq", {"scans": ("<U0", ())}, NodeKind.SCAN_GROUP)
        .prepare()
        .emit([first.path], "scans")
        .end()
    )
    events = list(replay(node_of(sequence), None))
    (data,) = [event.data.data for event in events if event.type is EventType.NEW_DATA and event.data]
    assert [node.db_name for node in data] == [f"{CONTAINER}:1_loopscan"]
    assert isinstance(next(replay_events(node_of(sequence), None)), NewNode)
