"""The publisher: blocks, order, back-pressure, and who may not publish."""

from __future__ import annotations

import re
import threading
from contextlib import nullcontext, suppress

import numpy as np
import pytest

from bliss_like.data.events import EndScan, NewData
from bliss_like.data.node import get_node
from bliss_like.data.publisher import Limits
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from bliss_like.data.walker import Walker
from bliss_like.errors import DataError
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.waiting import wait_until


def test_points_emitted_while_the_line_is_busy_become_blocks(tree: Tree, store: StreamStore) -> None:
    scan = PublishedScan(tree).prepare()
    for value in range(5000):
        scan.sinks["diode"].append(float(value))
    scan.end()
    entries = store.range(scan.sinks["diode"].key)
    assert sum(entry_id[1] for entry_id, _ in entries) == 5000
    assert len(entries) < 2500
    node = get_node(scan.path, store)
    assert node is not None and node.get_data("diode").tolist() == list(range(5000))  # type: ignore[attr-defined]


def test_many_threads_may_emit(tree: Tree, store: StreamStore) -> None:
    names = [f"c{i}" for i in range(8)]
    scan = PublishedScan(tree, channels=dict.fromkeys(names, ("<f8", ()))).prepare()
    threads = [
        threading.Thread(target=lambda sink=scan.sinks[name]: [sink.append(float(i)) for i in range(2000)])
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scan.end()
    node = get_node(scan.path, store)
    assert node is not None
    for name in names:
        assert node.get_data(name).tolist() == list(range(2000))  # type: ignore[attr-defined]


def test_memory_is_bounded_and_nothing_is_lost(store: StreamStore) -> None:
    tree = Tree(store, limits=Limits(backlog=1 << 20, batch=256 << 10))
    scan = PublishedScan(tree, channels={"image": ("<u2", (256, 256))}).prepare()
    largest = 0
    for i in range(100):  # 12.8 MiB through 1 MiB
        scan.sinks["image"].append(np.full((256, 256), i, "<u2"))
        largest = max(largest, scan.publisher.backlog)
    scan.end()
    assert largest <= (1 << 20) + 256 * 256 * 2
    node = get_node(scan.path, store)
    assert node is not None and node.get_data("image")[:, 0, 0].tolist() == list(range(100))  # type: ignore[attr-defined]


def test_scan_numbers_go_on_in_another_process(store: StreamStore) -> None:
    assert [run_scan(Tree(store)).number for _ in range(3)] == [1, 2, 3]
    assert Tree(store).next_scan_number(CONTAINER, saved=False) == 1


def test_a_scan_is_published_once(tree: Tree) -> None:
    scan = run_scan(tree)
    with pytest.raises(DataError, match=f"scan {scan.path}: it is there already"):
        tree.open_scan(scan.path, scan.kind, {})


@pytest.mark.parametrize("is_known", [True, False])
def test_points_that_the_store_refuses_are_not_counted_at_the_end(
    is_known: bool, tree: Tree, store: StreamStore
) -> None:
    """Whether that is known before its end is told, or only afterwards."""
    scan = PublishedScan(tree).prepare().emit([1.0, 2.0])
    scan.publisher.flush()
    scan.sinks["diode"].append(np.zeros(3))  # a point without the shape of the others
    scan.sinks["diode"].append(3.0)
    if is_known:
        with pytest.raises(ValueError, match="inhomogeneous"):
            scan.publisher.flush()
    scan.publisher.publish(EndScan(scan.path, "KILLED", {scan.sinks["diode"].path: 4}, {}))
    with nullcontext() if is_known else suppress(ValueError):
        scan.publisher.close()
    wait_until(lambda: isinstance(list(Walker(store, scan.path).events(wait=False))[-1], EndScan))
    node = get_node(scan.path, store)
    assert node is not None and node.get_data("diode").tolist() == [1, 2]  # type: ignore[attr-defined]
    events = list(Walker(store, scan.path).events(wait=False))
    end = events[-1]
    assert isinstance(end, EndScan) and end.lengths == {scan.sinks["diode"].path: 2}


def test_data_of_an_unknown_channel_is_refused(tree: Tree) -> None:
    scan = PublishedScan(tree)
    with pytest.raises(DataError, match="channel nowhere: it was not opened"):
        scan.publisher.publish(NewData("nowhere", 0, np.zeros(1)))
    scan.end()


@pytest.mark.parametrize("name", ["1_a b", "1_a\0", "1_\udc80"])
def test_names_that_would_break_the_tree_are_refused(name: str, tree: Tree) -> None:
    with pytest.raises(ValueError, match=re.escape(f"scan name {name!r}")):
        tree.open_scan(f"{CONTAINER}:{name}", "scan", {})  # type: ignore[arg-type]
