"""Points that are to be saved and are on no disk yet stay in the store; scans wait rather than lose them."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from bliss_like.data import paths
from bliss_like.data.events import EndScan, NodeKind, SavedScan
from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.publisher import Limits
from bliss_like.data.retention import Budget, Retention
from bliss_like.data.saving import progress, tell_progress, tell_saved
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from bliss_like.errors import PointExpired, SavingError
from tests.publishing import PublishedScan, run_scan
from tests.waiting import wait_until

NEXUS = {"data_writer": "nexus"}
KIB = {"x": ("<f8", (128,))}
"""A channel of which each point has 1 KiB."""


@pytest.fixture(autouse=True)
def _looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budget, "_PORTION", 1 << 10)


def points_of(scan: PublishedScan, store: StreamStore, name: str = "diode") -> np.ndarray[object, np.dtype[np.float64]]:
    node = get_node(scan.path, store)
    assert isinstance(node, ScanNode)
    points: np.ndarray[object, np.dtype[np.float64]] = node.get_data(name)
    return points


def test_a_finished_scan_keeps_its_points_until_it_is_saved(store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(max_bytes=100_000))
    unsaved = run_scan(tree, 10_000, info=NEXUS)
    other = run_scan(tree, 5_000)
    run_scan(tree, 1)
    assert len(points_of(unsaved, store)) == 10_000
    with pytest.raises(PointExpired):
        points_of(other, store)
    tell_saved(store, SavedScan(unsaved.path, "FAILED", error="disk full"), 60)
    run_scan(tree, 5_000)
    assert len(points_of(unsaved, store)) == 10_000
    tell_saved(store, SavedScan(unsaved.path, file="/data/1.h5"), 60)
    run_scan(tree, 5_000)
    with pytest.raises(PointExpired):
        points_of(unsaved, store)


def test_past_the_budget_scans_that_are_to_be_saved_are_refused(store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(max_bytes=50_000))
    unsaved = run_scan(tree, 10_000, info=NEXUS)
    message = f"not begun, as the store is full of points that .* is {unsaved.path}. `bliss-like recover` saves them"
    with pytest.raises(SavingError, match=message):
        run_scan(tree, info=NEXUS)
    run_scan(tree)  # one that is not to be saved is welcome, and its points go first
    tell_saved(store, SavedScan(unsaved.path, "FAILED", info={"given_up": True}), 60)
    run_scan(tree, info=NEXUS)


def test_a_running_scan_loses_only_what_is_on_disk_and_waits_for_the_writer(store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(max_bytes=40 << 10), limits=Limits(backlog=8 << 10, batch=4 << 10))
    scan = PublishedScan(tree, channels=KIB, info=NEXUS).prepare()
    emitted = [0]

    def emit() -> None:
        for value in range(200):
            scan.emit(np.full((1, 128), value), "x")
            emitted[0] = value + 1

    emitter = threading.Thread(target=emit)
    emitter.start()
    wait_until(lambda: scan.publisher.budget and scan.publisher.budget.excess)
    path = scan.sinks["x"].path
    seen = 0
    while emitter.is_alive():
        stored = [entry_id for entry_id, _ in store.range(paths.data(path, scan.path))]
        assert stored[0][0] <= seen, "points that were on no disk are gone"
        assert emitted[0] <= seen + 40 + 4 + 8 + 4  # the budget, what is beyond it when it is looked, the backlog
        seen = min(sum(stored[-1]), seen + 11)
        tell_progress(store, scan.path, {path: seen})
        emitter.join(0.02)
    scan.end()
    assert scan.sinks["x"].length == 200
    first = store.first_ids([paths.data(path, scan.path)])[0]
    assert first is not None and 0 < first[0] <= seen
    node = get_node(path, store)
    assert node is not None and node[199][0] == 199 and node[first[0]][0] == first[0]  # type: ignore[index]


@pytest.mark.parametrize("state", ["USER_ABORTED", "DONE"])
def test_a_scan_that_is_held_back_can_be_ended(state: str, store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(max_bytes=10 << 10), limits=Limits(backlog=20 << 10, batch=1 << 10))
    scan = PublishedScan(tree, channels=KIB, info=NEXUS).prepare()
    for value in range(30):
        scan.emit(np.full((1, 128), value), "x")
    wait_until(lambda: scan.publisher.budget and scan.publisher.budget.excess)
    if state == "DONE":
        scan.publisher.flush(last=True)
    scan.end(state)
    assert points_of(scan, store, "x")[:, 0].tolist() == list(range(30))


def test_the_store_keeps_images_that_are_on_no_disk(store: StreamStore) -> None:
    tree = Tree(store, limits=Limits(images=4 << 10))
    for info, first_kept in ((NEXUS, 0), ({}, 26)):
        scan = PublishedScan(tree, channels={}, info=info).prepare()
        path = f"{scan.path}:timer:image"
        sink = scan.publisher.open_channel(path, np.dtype("<f8"), (1024, 32), NodeKind.IMAGE)  # an entry each
        sink._keep = 4
        for value in range(30):
            sink.append(np.full((1024, 32), value))
        scan.publisher.flush()
        assert store.first_ids([paths.data(path, scan.path)]) == [(first_kept, 1)]
        if info:
            tell_progress(store, scan.path, {path: 10})
            sink.append(np.zeros((1024, 32)))
            scan.publisher.flush()
            assert store.first_ids([paths.data(path, scan.path)]) == [(10, 1)]
        scan.publisher.publish(EndScan(scan.path, "DONE", {path: sink.length}))
        scan.publisher.close()


def test_a_scan_that_is_to_be_saved_outlives_the_others(store: StreamStore) -> None:
    tree = Tree(store, retention=Retention(seconds=0.3, unsaved_seconds=60))
    unsaved, other = run_scan(tree, info=NEXUS), run_scan(tree)
    tell_progress(store, unsaved.path, {unsaved.sinks["diode"].path: 3})
    tree.renew(unsaved.path)
    wait_until(lambda: get_node(other.path, store) is None)
    assert points_of(unsaved, store).tolist() == [0.0, 1.0, 2.0]
    tell_saved(store, SavedScan(unsaved.path, file="/data/1.h5"), 0.3)
    wait_until(lambda: get_node(unsaved.path, store) is None)
    run_scan(tree)  # sweeps what is gone
    assert progress(store, unsaved.path) == {}
