"""The same calls on a scan that runs, on one that has ended, and on one that only its file has: the same answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.events import EventType, NodeKind
from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import NodeNotFound, PointExpired, PointWontBeThere
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.saved_files import drop_points, forget, save

CHANNELS: dict[str, tuple[str, tuple[int, ...]]] = {
    "diode": ("<f8", ()),
    "counts": ("<u4", ()),
    "open": ("|b1", ()),
    "phase": ("<c16", ()),
    "label": ("<U1", ()),
    "spectrum": ("<f4", (5,)),
    "image": ("<u2", (3, 4)),
    "samples": ("<i8", (-1,)),
    "scans": ("<U0", ()),
}
NPOINTS = 7


def values(name: str) -> Any:
    index = np.arange(NPOINTS)
    match name:
        case "label":
            return np.array([f"sample {number} µm" for number in index])
        case "scans":
            return np.array([f"{CONTAINER}:1_loopscan"] * NPOINTS)
        case "diode":
            return np.where(index == 3, np.nan, index / 3)
        case "phase":
            return index * 1j
        case "samples":
            return [np.arange(number % 3) for number in index]
    dtype, shape = CHANNELS[name]
    points = index.reshape(-1, *(1 for _ in shape)) + np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return points.astype(dtype)


class Case:
    """A scan in one of its states, as whoever looks at it finds it."""

    def __init__(self, tree: Tree, file: Path, state: str) -> None:
        run_scan(tree, 2)
        self.scan = PublishedScan(tree, "ascan", CHANNELS).prepare()
        for points in zip(*map(values, CHANNELS), strict=True):
            for name, point in zip(CHANNELS, points, strict=True):
                self.scan.sinks[name].append(point)
            self.scan.publisher.flush()
        self.state, self.file, store = state, file, tree.store
        if state != "live":
            self.scan.end(error={"type": "RuntimeError", "message": "no beam", "traceback": "line 1"})
        if state in ("expired", "dropped", "cut"):
            save(store, f"{CONTAINER}:1_loopscan", file)
            save(store, self.scan.path, file)
        if state == "expired":
            forget(store, self.scan.path)
        for number, name in enumerate(CHANNELS) if state in ("dropped", "cut") else ():
            node = get_node(f"{self.scan.path}:timer:{name}", store)
            assert isinstance(node, ChannelNode)
            drop_points(store, node, None if state == "dropped" else number % 6)

    def __getitem__(self, name: str) -> ChannelNode:
        node = get_node(f"{self.scan.path}:timer:{name}", self.scan.tree.store)
        assert isinstance(node, ChannelNode)
        return node

    @property
    def node(self) -> ScanNode:
        node = get_node(self.scan.path, self.scan.tree.store)
        assert isinstance(node, ScanNode)
        return node


@pytest.fixture(params=["live", "ended", "dropped", "cut", "expired"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return Case(Tree(MemoryStore()), tmp_path / "data.h5", request.param)


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert [point.tolist() for point in found] == [point.tolist() for point in expected]
        assert all(point.dtype == np.int64 for point in found)
    else:
        assert found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", [name for name in CHANNELS if name != "scans"])
def test_points(case: Case, name: str) -> None:
    node, expected = case[name], values(name)
    assert len(node) == NPOINTS and node.sealed is (case.state != "live")
    assert node.dtype == CHANNELS[name][0] and node.shape == CHANNELS[name][1]
    same(node.get(0, -1), expected)
    same(node[:], expected)
    same(case.node.get_data(name), expected)
    same(node[5:], expected[5:] if name != "samples" else [np.arange(2), np.arange(0)])
    same(node.get(2, 2), np.empty((1, 2), np.int64) * 0 + [0, 1] if name == "samples" else expected[2:3])
    np.testing.assert_array_equal(node[3], expected[3])
    np.testing.assert_array_equal(node[-1], expected[-1])
    assert type(node[1]) is type(expected[1])
    assert node.first_available == 0
    assert node.get(NPOINTS) is None and len(node[NPOINTS:]) == 0


def test_references_to_nodes(case: Case) -> None:
    nodes = case["scans"].get(0, -1)
    assert [type(node) for node in nodes] == [ScanNode] * NPOINTS
    assert nodes[0].get_data("diode").tolist() == [0.0, 1.0]


def test_what_a_scan_says_of_itself(case: Case) -> None:
    node = case.node
    assert (node.info["scan_nb"], node.info["title"], node.type) == (2, "ascan", NodeKind.SCAN)
    assert node.info["prepared"] and node.info["state"] == ("PREPARING" if case.state == "live" else "DONE")
    assert [channel.name for channel in node.channels()] == [f"timer:{name}" for name in CHANNELS]
    assert case["diode"].unit == "V"
    assert [child.db_name for child in node.children()] == [f"{case.scan.path}:timer"]
    assert node.parent is not None and node.parent.db_name == CONTAINER


def test_events(case: Case) -> None:
    events = list(case.node.walk_events(wait=False))
    names = [f"{case.scan.path}:timer", *(f"{case.scan.path}:timer:{name}" for name in CHANNELS)]
    assert [event.node.db_name for event in events if event.type is EventType.NEW_NODE] == names
    points = [event for event in events if event.type is EventType.NEW_DATA]
    found = np.concatenate([event.data.data for event in points if event.data and event.node.name == "timer:counts"])
    same(found, values("counts"))
    if case.state != "live":
        assert events[-1].type is EventType.END_SCAN and events[-1].data
        assert events[-1].data.description == "RuntimeError: no beam"
    kinds = [event.type for event in events]
    assert kinds.index(EventType.PREPARED_SCAN) < kinds.index(EventType.NEW_DATA)


@pytest.mark.parametrize("what", [forget, lambda store, scan: None], ids=["forgotten", "kept"])
def test_a_node_that_was_kept_outlives_its_time_in_the_store(
    tmp_path: Path, what: Callable[[MemoryStore, str], None]
) -> None:
    store = MemoryStore()
    scan = run_scan(Tree(store))
    node = get_node(scan.path, store)
    assert isinstance(node, ScanNode)
    data = node.get_data()
    save(store, scan.path, tmp_path / "data.h5")
    what(store, scan.path)
    assert data["diode"].tolist() == [0.0, 1.0, 2.0]
    assert node.info["end_time"] == "late" and node.state.name == "DONE"
    assert [event.type for event in node.walk_events()][-1] is EventType.END_SCAN
    with pytest.raises(PointWontBeThere):
        node.channels()[0][3]


def test_what_no_file_has_is_gone(tmp_path: Path) -> None:
    store = MemoryStore()
    scan = PublishedScan(Tree(store)).prepare().emit([0.0])
    scan.publisher.flush()
    scan.emit([1.0, 2.0]).end()
    node = get_node(scan.path, store)
    assert isinstance(node, ScanNode)
    save(store, scan.path, tmp_path / "data.h5")
    (tmp_path / "data.h5").unlink()
    drop_points(store, node.channels()[0], 1)
    assert node.channels()[0][1:].tolist() == [1.0, 2.0]
    with pytest.raises(PointExpired, match="points 0 to 2 were asked for; only those from 1 on"):
        node.channels()[0][:]
    forget(store, scan.path)
    assert get_node(scan.path, store) is None
    with pytest.raises(NodeNotFound, match=f"scan {scan.path}: not in the store, nor in a file that is known"):
        list(node.walk_events())
