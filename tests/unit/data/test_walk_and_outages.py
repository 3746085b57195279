"""Walks while the server comes and goes: whatever the walk asks for at that moment, it goes on where it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bliss_like.data.events import EventType, NodeKind
from bliss_like.data.node import get_session_node
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.data.walk import StopHandler
from bliss_like.data.walker import Walker
from bliss_like.data.watch import ScansObserver, ScansWatcher
from bliss_like.errors import StoreUnavailable
from tests.publishing import CONTAINER, PublishedScan, run_scan

QUESTIONS = ("read", "exist", "last_ids", "last_entries", "range", "get_fields")


class LosingStore:
    """A store as seen over a bad line: every other call of each kind fails, from `lose` on."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._calls = dict.fromkeys(QUESTIONS, 0)
        self.is_bad = self.is_gone = False

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._store, name)
        if name not in QUESTIONS:
            return answer

        def ask(*args: Any, **options: Any) -> Any:
            self._calls[name] += self.is_bad
            if self.is_gone or self._calls[name] % 2:
                raise StoreUnavailable(f"{name}: away")
            return answer(*args, **options)

        return ask


def test_a_walk_rides_out_an_outage_at_every_question() -> None:
    store = MemoryStore()
    tree = Tree(store)
    scan = run_scan(tree, 3)
    group = PublishedScan(tree, channels={"scans": ("<U0", ())}, kind=NodeKind.SCAN_GROUP).prepare()
    group.emit([scan.path], "scans").end()
    line = LosingStore(store)
    walk = get_session_node("eh1", line).walk_events(wait=False)
    events = [next(walk)]
    line.is_bad = True
    events += walk
    expected = list(get_session_node("eh1", store).walk_events(wait=False))
    assert [(event.type, event.node) for event in events] == [(event.type, event.node) for event in expected]
    data = [event.data.data for event in events if event.type is EventType.NEW_DATA and event.data]
    assert data[0].tolist() == [0.0, 1.0, 2.0] and [node.db_name for node in data[1]] == [scan.path]


def test_a_walk_that_has_failed_at_its_first_question_begins_again() -> None:
    store = MemoryStore()
    scan = run_scan(Tree(store))
    line = LosingStore(store)
    walker = Walker(line, scan.path, patience=0)
    line.is_gone = True
    with pytest.raises(StoreUnavailable):
        list(walker.events(wait=False))
    line.is_gone = False
    expected = list(Walker(store, scan.path).events(wait=False))
    assert [type(event) for event in walker.events(wait=False)] == [type(event) for event in expected]


def test_a_walk_that_waits_for_the_server_can_be_stopped() -> None:
    store = MemoryStore()
    run_scan(Tree(store))
    line, handler = LosingStore(store), StopHandler()
    walk = get_session_node("eh1", line).walk_events(stop_handler=handler)
    next(walk)
    line.is_gone = True
    threading.Timer(0.05, handler.stop).start()
    assert [event for event in walk if event.type is EventType.END_SCAN] == []


def test_an_observer_misses_nothing_in_an_outage() -> None:
    store = MemoryStore()
    tree = Tree(store)
    tree.next_scan_number(CONTAINER)
    line = LosingStore(store)
    told: list[str] = []
    over = threading.Event()

    class Observer(ScansObserver):
        def on_scan_created(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
            told.append("created")

        def on_scan_started(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
            told.append("started")

        def on_scan_finished(self, scan_db_name: str, scan_info: dict[str, Any]) -> None:
            told.append("finished")
            over.set()

    watcher = ScansWatcher("eh1", line)
    watcher.set_observer(Observer())
    with watcher.watch():
        line.is_bad = True
        run_scan(tree)
        assert over.wait(60)
    assert told == ["created", "started", "finished"]
