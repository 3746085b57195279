"""What writers say of scans is walked: after the end of the scan, each time once, at a cost that does not grow."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bliss_like.data import awaited, saving
from bliss_like.data.events import EventType, SavedScan
from bliss_like.data.node import Event, ScanNode, get_node, get_session_node
from bliss_like.data.saving import WriterStatus, tell_saved
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from bliss_like.data.watch import ScansObserver, ScansWatcher
from bliss_like.errors import SavingError
from tests.contract.test_walk import listening
from tests.publishing import PublishedScan, run_scan
from tests.saved_files import tell_status
from tests.waiting import wait_until

NEXUS = {"data_writer": "nexus"}


def say_saved(store: StreamStore, scan: PublishedScan) -> SavedScan:
    event = SavedScan(scan.path, file=f"/data/{scan.number}.h5", entries=(f"/{scan.number}.1",), writer="nexus")
    tell_saved(store, event, 60)
    return event


def say_failed(store: StreamStore, scan: PublishedScan) -> None:
    tell_saved(store, SavedScan(scan.path, "FAILED", error="disk full", writer="nexus"), 60)


def of_scans(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.type.name, event.node.name) for event in events if event.type.name in ("END_SCAN", "SAVED_SCAN")]


def node_of(scan: PublishedScan, store: StreamStore) -> ScanNode:
    node = get_node(scan.path, store)
    assert isinstance(node, ScanNode)
    return node


def test_what_is_said_while_it_is_walked(store: StreamStore, tree: Tree) -> None:
    with listening(get_session_node("eh1", store)) as events:
        first, second = run_scan(tree, info=NEXUS), run_scan(tree, info=NEXUS)
        wait_until(lambda: len(of_scans(events)) == 2)
        said = say_saved(store, second)
        wait_until(lambda: len(of_scans(events)) == 3)
        say_failed(store, first)
        wait_until(lambda: len(of_scans(events)) == 4)
        say_saved(store, first)
        wait_until(lambda: len(of_scans(events)) == 5)
    assert of_scans(events)[2:] == [("SAVED_SCAN", "2_loopscan"), *[("SAVED_SCAN", "1_loopscan")] * 2]
    saved = [event.data for event in events if event.type is EventType.SAVED_SCAN and event.data]
    assert saved[0].data == said
    assert [(each.data.state, each.description) for each in saved] == [
        ("SAVED", ""),
        ("FAILED", "disk full"),
        ("SAVED", ""),
    ]


def test_past_scans_have_been_saved_in_the_past(store: StreamStore, tree: Tree) -> None:
    for number in range(5):
        scan = run_scan(tree, info=NEXUS)
        if number != 3:
            say_saved(store, scan)
    events = list(get_session_node("eh1", store).walk_events(wait=False))
    of_each = [[what for what, name in of_scans(events) if name.startswith(str(n))] for n in range(1, 6)]
    assert of_each == [["END_SCAN", "SAVED_SCAN"]] * 3 + [["END_SCAN"]] + [["END_SCAN", "SAVED_SCAN"]]


def test_a_walk_of_what_is_new_hears_of_the_file_of_a_scan_before(store: StreamStore, tree: Tree) -> None:
    before, failed, saved = (run_scan(tree, info=NEXUS) for _ in range(3))
    say_saved(store, saved)
    say_failed(store, failed)
    with listening(get_session_node("eh1", store), "walk_on_new_events") as events:
        say_saved(store, before)
        say_saved(store, failed)
        wait_until(lambda: len(events) == 2)
    assert sorted(of_scans(events)) == [("SAVED_SCAN", "1_loopscan"), ("SAVED_SCAN", "2_loopscan")]


def test_a_walk_of_one_scan_ends_with_its_end_or_with_its_file(store: StreamStore, tree: Tree) -> None:
    scan = PublishedScan(tree, info=NEXUS).prepare().emit([1.0])
    found: dict[bool, list[Event]] = {}

    def walk(until_saved: bool) -> None:
        found[until_saved] = list(node_of(scan, store).walk_events("scan", until_saved=until_saved))

    threads = [threading.Thread(target=walk, args=[until_saved]) for until_saved in (False, True)]
    for thread in threads:
        thread.start()
    scan.end()
    threads[0].join(30)
    assert [event.type.name for event in found[False]] == ["PREPARED_SCAN", "END_SCAN"] and threads[1].is_alive()
    say_failed(store, scan)
    threads[1].join(30)
    assert [event.type.name for event in found[True]] == ["PREPARED_SCAN", "END_SCAN", "SAVED_SCAN"]
    say_saved(store, scan)
    walk(True)  # afterwards
    assert [event.data.description for event in found[True] if event.data] == ["", "disk full", ""]
    assert of_scans(list(node_of(run_scan(tree), store).walk_events(until_saved=True))) == [("END_SCAN", "2_loopscan")]


def test_waiting_for_files_that_never_come_does_not_cost_more_with_every_scan(
    store: StreamStore, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaited, "AT_ONCE", 3)
    asked: list[int] = []
    read = store.read

    def count(after: Any, **options: Any) -> Any:
        asked.append(sum("bl1:saved" in key for key in after))
        return read(after, **options)

    monkeypatch.setattr(store, "read", count)
    with listening(get_session_node("eh1", store)) as events:
        scans = [run_scan(tree, 1, info=NEXUS) for _ in range(12)]
        wait_until(lambda: len(of_scans(events)) == 12)
        asked.clear()
        wait_until(lambda: asked and asked[-1] == 3)
        say_saved(store, scans[0])  # given up
        say_saved(store, scans[-1])
        wait_until(lambda: len(of_scans(events)) == 13)
    assert of_scans(events)[-1] == ("SAVED_SCAN", "12_loopscan")


def test_of_scans_without_a_writer_nothing_is_waited_for(store: StreamStore, tree: Tree) -> None:
    for info in ({}, {"data_writer": "null"}, {"data_writer": "nexus", "save": False}):
        scan = run_scan(tree, info=info)
        assert of_scans(list(node_of(scan, store).walk_events(until_saved=True))) == [("END_SCAN", scan.path[-10:])]
        with pytest.raises(SavingError, match=f"scan {scan.path}: no writer was asked to save it"):
            node_of(scan, store).wait_saved(10)


def test_a_scan_node_knows_and_waits(store: StreamStore, tree: Tree) -> None:
    scan = run_scan(tree, info=NEXUS)
    node = node_of(scan, store)
    assert node.saved is None
    with pytest.raises(
        TimeoutError, match=r"not saved within 0.05 s; no writer of eh1 lives. `bliss-like recover eh1`"
    ):
        node.wait_saved(0.05)
    tell_status(store, WriterStatus("eh1", "here", 12, "1", 0.0, troubles={"": "disk full: /data"}))
    with pytest.raises(TimeoutError, match=r"writer of session eh1 \(pid 12 on here\) lives: disk full: /data"):
        node.wait_saved(0.05)
    say_failed(store, scan)
    with pytest.raises(SavingError, match=f"not saved: disk full. When that is mended: bliss-like recover {scan.path}"):
        node.wait_saved(1)
    event = say_saved(store, scan)
    assert node.saved == event == node.wait_saved(1) == saving.saved(store, [scan.path])[0]


def test_an_observer_is_told(store: StreamStore, tree: Tree) -> None:
    told: list[tuple[str, str]] = []

    class Observer(ScansObserver):
        def on_scan_finished(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
            told.append((scan_db_name, scan_info["state"]))

        def on_scan_saved(self, scan_db_name: str, saved: SavedScan) -> None:
            told.append((scan_db_name, saved.file))

    watcher = ScansWatcher("eh1", store)
    watcher.set_observer(Observer())
    with watcher.watch():
        scan = run_scan(tree, info=NEXUS)
        say_saved(store, scan)
        wait_until(lambda: len(told) == 2)
    assert told == [(scan.path, "DONE"), (scan.path, "/data/1.h5")]
