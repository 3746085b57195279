"""An observer is told what happens to the scans of a session."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from bliss_like.data.events import NodeKind
from bliss_like.data.node import DataNode
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from bliss_like.data.watch import ScansObserver, ScansWatcher
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.waiting import wait_until


class Recording(ScansObserver):
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_scan_created(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        self.calls.append(("created", scan_db_name, scan_info["scan_nb"]))

    def on_child_created(self, scan_db_name: str, node: DataNode) -> None:
        self.calls.append(("child", scan_db_name, node.name))

    def on_scan_started(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        self.calls.append(("started", scan_db_name, scan_info["prepared"]))

    def on_scalar_data_received(self, scan_db_name: str, channel_name: str, index: int, data_bunch: Any) -> None:
        self.calls.append(("scalar", scan_db_name, channel_name, index, data_bunch.tolist()))

    def on_ndim_data_received(
        self, scan_db_name: str, channel_name: str, dim: int, index: int, data_bunch: Any
    ) -> None:
        self.calls.append(("ndim", scan_db_name, channel_name, dim, index, data_bunch.shape))

    def on_scan_finished(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
        self.calls.append(("finished", scan_db_name, scan_info["state"]))


def watcher(store: StreamStore, observer: ScansObserver) -> ScansWatcher:
    watcher = ScansWatcher("eh1", store)
    watcher.set_observer(observer)
    return watcher


def test_a_whole_scan(store: StreamStore, tree: Tree) -> None:
    run_scan(tree)
    observer = Recording()
    with watcher(store, observer).watch():
        scan = PublishedScan(tree, channels={"diode": ("<f8", ()), "camera": ("<u2", (2, 3))}).prepare()
        scan.emit([1.0, 2.0]).emit(np.zeros((1, 2, 3)), "camera").end()
        wait_until(lambda: observer.calls and observer.calls[-1][0] == "finished")
    path = f"{CONTAINER}:2_loopscan"
    assert observer.calls[:5] == [
        ("created", path, 2),
        ("child", path, "timer"),
        ("child", path, "timer:diode"),
        ("child", path, "timer:camera"),
        ("started", path, True),
    ]
    assert sorted(observer.calls[5:7]) == [
        ("ndim", path, "timer:camera", 2, 0, (1, 2, 3)),
        ("scalar", path, "timer:diode", 0, [1.0, 2.0]),
    ]
    assert observer.calls[7:] == [("finished", path, "DONE")]


def test_existing_scans_and_groups_on_request(store: StreamStore, tree: Tree) -> None:
    scan = run_scan(tree)
    group = PublishedScan(tree, name="group", kind=NodeKind.SCAN_GROUP, channels={"scans": ("<U0", ())})
    group.prepare().emit([scan.path], "scans").end()
    run_scan(tree)
    for groups, numbers in ((False, [1, 3]), (True, [1, 2, 3])):
        observer = Recording()
        each = watcher(store, observer)
        each.set_exclude_existing_scans(False)
        each.set_watch_scan_group(groups)
        with each.watch():
            wait_until(lambda: [call[0] for call in observer.calls].count("finished") == len(numbers))  # noqa: B023
        assert [call[2] for call in observer.calls if call[0] == "created"] == numbers


def test_an_observer_that_fails_is_logged_and_the_watch_goes_on(store: StreamStore, tree: Tree, caplog: Any) -> None:
    class Failing(Recording):
        def on_scan_started(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
            raise ValueError("a bug of the user")

    observer = Failing()
    with watcher(store, observer).watch():
        run_scan(tree)
        wait_until(lambda: observer.calls and observer.calls[-1][0] == "finished")
    assert "a bug of the user" in caplog.text


def test_a_watcher_may_watch_again(store: StreamStore, tree: Tree) -> None:
    tree.add_container(CONTAINER)
    finished: list[str] = []

    class Observer(ScansObserver):
        def on_scan_finished(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
            finished.append(scan_db_name)

    watcher = ScansWatcher("eh1", store)
    watcher.set_observer(Observer())
    for number in (1, 2):
        with watcher.watch():
            run_scan(tree)
            wait_until(partial(lambda expected: len(finished) == expected, number))
