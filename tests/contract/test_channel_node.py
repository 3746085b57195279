"""Reading a channel: one point, ranges, slices; what is still to come, there, and gone."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.events import EventType
from bliss_like.data.node import ScanNode, get_node, get_session_node
from bliss_like.data.retention import Retention
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from bliss_like.errors import BlissLikeError, NodeNotFound, PointExpired, PointNotYetThere, PointWontBeThere
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.waiting import wait_until


def channel(scan: PublishedScan, name: str = "diode") -> ChannelNode:
    node = get_node(f"{scan.path}:timer:{name}", scan.tree.store)
    assert isinstance(node, ChannelNode)
    return node


def test_points_by_index_range_and_slice(tree: Tree) -> None:
    scan = PublishedScan(tree).prepare()
    for first in range(0, 20, 4):  # five blocks
        scan.emit(np.arange(first, first + 4.0))
        scan.publisher.flush()
    node = channel(scan)
    assert len(node) == 20
    assert (node[0], node[7], node[-1], node[np.int64(3)]) == (0.0, 7.0, 19.0, 3.0)
    assert node[3:6].tolist() == [3.0, 4.0, 5.0]
    assert node[-2:].tolist() == [18.0, 19.0]
    assert node[2:12:3].tolist() == [2.0, 5.0, 8.0, 11.0]
    assert node[...].tolist() == list(range(20))
    assert node.get(0, -1).tolist() == list(range(20))
    assert node.get(2, 4).tolist() == [2.0, 3.0, 4.0]
    assert node.get_as_array(5).tolist() == [5.0]
    assert (node.get(), node.get(-1), node.get(25)) == (0.0, 19.0, None)
    assert node[30:].tolist() == [] and node.get(30, 40).tolist() == []
    with pytest.raises(IndexError, match="positive step"):
        node[::-1]


def test_a_channel_says_what_it_is(tree: Tree) -> None:
    scan = PublishedScan(tree, channels={"camera": ("<u2", (4, 5))})
    node = channel(scan, "camera")
    assert (node.dtype, node.shape, node.unit) == (np.uint16, (4, 5), "V")
    assert (node.name, node.short_name, node.type) == ("timer:camera", "camera", "channel")
    assert node.parent is not None and node.parent.db_name == f"{scan.path}:timer"
    assert node.scan is not None and node.scan.db_name == scan.path
    assert len(node) == 0 and node.get(0, -1).shape == (0, 4, 5)


def test_still_to_come_and_never_to_come(tree: Tree) -> None:
    scan = PublishedScan(tree).prepare().emit([1.0])
    scan.publisher.flush()
    node = channel(scan)
    with pytest.raises(PointNotYetThere, match="asked for point 1, it has so far 1 points"):
        node[1]
    scan.end()
    assert node.sealed
    with pytest.raises(PointWontBeThere, match="has ended with 1 points"):
        node[1]


@pytest.mark.parametrize("dtype", ["<f4", "<i8", "|b1", "<c16", ">f8"])
def test_types_survive(tree: Tree, dtype: str) -> None:
    values = np.array([0, 1, 1, 0]).astype(dtype)
    scan = PublishedScan(tree, channels={"x": (np.dtype(dtype).newbyteorder("<").str, ())}).prepare()
    scan.emit(values, "x").end()
    read = channel(scan, "x").get(0, -1)
    assert read.tolist() == values.tolist() and read.dtype == values.dtype.newbyteorder("<")


def test_points_of_variable_length(tree: Tree) -> None:
    scan = PublishedScan(tree, channels={"samples": ("<f8", (-1,))}).prepare()
    for length in (2, 2, 0, 3):
        scan.sinks["samples"].append(np.arange(float(length)))
    scan.end()
    node = channel(scan, "samples")
    assert [point.tolist() for point in node.get(0, -1)] == [[0.0, 1.0], [0.0, 1.0], [], [0.0, 1.0, 2.0]]
    assert node[3].tolist() == [0.0, 1.0, 2.0]
    assert node[0:2].shape == (2, 2)


def test_scan_nodes(tree: Tree, store: StreamStore) -> None:
    scan = PublishedScan(tree, channels={"a": ("<f8", ()), "b": ("<f8", ())}).prepare()
    scan.emit([1.0], "a").emit([2.0], "b").end()
    node = get_node(scan.path, store)
    assert isinstance(node, ScanNode)
    assert node.info["scan_nb"] == 1 and node.info["prepared"] and node.info["end_time"] == "late"
    assert node.state.name == "DONE"
    assert [child.db_name for child in node.children()] == [f"{scan.path}:timer"]
    assert [child.name for child in next(node.children()).children()] == ["timer:a", "timer:b"]
    assert node.get_data("a").tolist() == [1.0] and node.get_data("timer:b").tolist() == [2.0]
    assert set(node.get_data()) == {"timer:a", "timer:b"}
    with pytest.raises(KeyError, match="Ambiguous key 't.*:.' *.*|Ambiguous"):
        node.get_data("timer:*")
    with pytest.raises(KeyError, match="no channel 'c'; there are timer:a, timer:b"):
        node.get_data("c")
    assert node.parent is not None and node.parent.db_name == CONTAINER
    assert [child.db_name for child in node.parent.children()] == [scan.path]
    assert get_node("eh1:tmp:nothing", store) is None and get_node(scan.path + ":nothing", store) is None


def test_over_the_budget_the_oldest_finished_scan_loses_its_points_and_says_so(store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(max_bytes=100_000))
    first, second = run_scan(tree, 10_000), run_scan(tree, 5_000)
    third = run_scan(tree, 10)
    node = channel(first)
    assert len(node) == 10_000 and node.first_available == 10_000
    with pytest.raises(PointExpired, match=f"channel {node.db_name}: points 0 to 9999 .*only those from 10000 on"):
        node.get(0, -1)
    with pytest.raises(PointExpired):
        node[5]
    assert len(channel(second).get(0, -1)) == 5_000 and len(channel(third).get(0, -1)) == 10
    expired = [
        (event.data.first_index, event.data.expired, len(event.data.data))
        for event in get_session_node("eh1", store).walk_events("channel", wait=False)
        if event.type is EventType.NEW_DATA and event.data
    ]
    assert expired == [(10_000, 10_000, 0), (0, 0, 5_000), (0, 0, 10)]


def test_a_scan_larger_than_the_budget_loses_its_oldest_points(store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(max_bytes=20 << 20))
    scan = PublishedScan(tree, channels={"x": ("<f8", (1024,))}).prepare()
    for _ in range(50):
        scan.emit(np.zeros((128, 1024)), "x")  # 1 MiB each
    scan.end()
    node = channel(scan, "x")
    assert len(node) == 6400
    first = node.first_available
    assert 6400 - 36 * 128 < first < 6400  # the budget, and the portion after which it is looked at
    assert node[first].shape == (1024,)
    with pytest.raises(PointExpired, match=f"only those from {first} on"):
        node[first - 1]
    run_scan(tree)


def test_scans_expire_and_leave_the_tree(store: StreamStore) -> None:
    scan = run_scan(Tree(store, retention=Retention(seconds=2)))
    node = get_node(scan.path, store)
    assert node is not None
    wait_until(lambda: get_node(scan.path, store) is None)
    with pytest.raises(NodeNotFound, match=f"scan {scan.path}: not in the store"):
        list(node.walk_events())
    assert list(get_session_node("eh1", store).walk("scan", wait=False)) == []
    run_scan(Tree(store))  # sweeps what is gone
    assert [node.name for node in get_session_node("eh1", store).walk("scan", wait=False)] == ["2_loopscan"]
    container = get_node(CONTAINER, store)
    assert container is not None and [child.name for child in container.children()] == ["2_loopscan"]


def test_a_running_scan_does_not_expire(store: StreamStore) -> None:
    """Where the machine is away for as long as it is kept it does, but not each time."""

    def is_kept() -> bool:
        scan = PublishedScan(Tree(store, retention=Retention(seconds=0.4))).prepare()
        emitted = 0

        def is_gone_or_kept_for_long() -> bool:
            nonlocal emitted
            scan.emit([1.0])
            emitted += 1
            scan.publisher.flush()
            return emitted > 40 or get_node(scan.path, store) is None

        with suppress(BlissLikeError):
            wait_until(is_gone_or_kept_for_long, interval=0.025)
            if get_node(scan.path, store) is not None:
                assert emitted > 40 and len(channel(scan)) == emitted
                scan.end()
                return True
        return False

    assert any(is_kept() for _ in range(10))
