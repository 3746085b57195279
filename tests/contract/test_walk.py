"""Walking a tree of nodes: order, each once, from before the beginning, the middle and after the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from bliss_like.data.events import EventType, NodeKind
from bliss_like.data.node import DataNode, Event, StopHandler, get_node, get_session_node
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.waiting import wait_until


def short(event: Event) -> tuple[str, str]:
    return event.type.name, event.node.db_name.removeprefix(CONTAINER + ":")


def whole_scan(number: int) -> list[tuple[str, str]]:
    scan = f"{number}_loopscan"
    return [
        ("NEW_NODE", scan),
        ("NEW_NODE", f"{scan}:timer"),
        ("NEW_NODE", f"{scan}:timer:diode"),
        ("PREPARED_SCAN", scan),
        ("NEW_DATA", f"{scan}:timer:diode"),
        ("END_SCAN", scan),
    ]


@contextmanager
def listening(node: DataNode, walk: str = "walk_events", **filters: object) -> Iterator[list[Event]]:
    """Walk in a thread; the list grows while the context is open and is complete afterwards."""
    events: list[Event] = []
    started, handler = threading.Event(), StopHandler()

    def run() -> None:
        events.extend([])
        for event in getattr(node, walk)(stop_handler=handler, started_event=started, **filters):
            events.append(event)

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(30)
    try:
        yield events
    finally:
        handler.stop()
        thread.join(30)


def ended(events: list[Event], nscans: int = 1) -> None:
    wait_until(lambda: sum(event.type is EventType.END_SCAN for event in events) == nscans)


def test_a_listener_may_start_before_the_session_exists(store: StreamStore, tree: Tree) -> None:
    with listening(get_session_node("eh1", store)) as events:
        run_scan(tree)
        ended(events)
    assert [short(event) for event in events] == [("NEW_NODE", "eh1:tmp"), ("NEW_NODE", CONTAINER), *whole_scan(1)]
    assert events[-2].data and events[-2].data.data.tolist() == [0.0, 1.0, 2.0]


def test_in_the_middle_of_a_scan_nothing_is_lost_or_twice(store: StreamStore, tree: Tree) -> None:
    scan = PublishedScan(tree).prepare().emit([0.0, 1.0])
    scan.publisher.flush()
    with listening(get_session_node("eh1", store), include_filter=["scan", "channel"]) as events:
        wait_until(lambda: any(event.type is EventType.NEW_DATA for event in events))
        scan.emit([2.0]).emit([3.0]).end()
        ended(events)
    points = [event.data for event in events if event.type is EventType.NEW_DATA]
    assert np.concatenate([data.data for data in points if data]).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert [data.first_index for data in points if data][:2] == [0, 2]
    assert short(events[-1]) == ("END_SCAN", "1_loopscan")


def test_after_the_end_the_same_events_come(store: StreamStore, tree: Tree) -> None:
    run_scan(tree)
    run_scan(tree)
    events = list(get_session_node("eh1", store).walk_events(wait=False))
    by_scan = [[short(event) for event in events if f"{n}_loopscan" in event.node.db_name] for n in (1, 2)]
    assert by_scan == [whole_scan(1), whole_scan(2)]


def test_points_wait_for_prepared_and_the_end_for_points(store: StreamStore, tree: Tree) -> None:
    scan = PublishedScan(tree, channels={"a": ("<f8", ()), "b": ("<i4", (3,))})
    scan.emit([1.0], "a")  # emitted in prepare()
    scan.prepare()
    for i in range(50):
        scan.emit([float(i)], "a").emit(np.full((2, 3), i), "b")
    scan.end()
    events = list(get_session_node("eh1", store).walk_events(wait=False))
    names = [event.type.name for event in events]
    assert names.index("PREPARED_SCAN") < names.index("NEW_DATA") and names[-1] == "END_SCAN"
    lengths = {event.node.name: 0 for event in events if event.type is EventType.NEW_DATA}
    for event in events:
        if event.type is EventType.NEW_DATA and event.data:
            assert event.data.first_index == lengths[event.node.name]
            lengths[event.node.name] += len(event.data.data)
    assert lengths == {"timer:a": 51, "timer:b": 100}


def test_a_scan_that_never_was_prepared_still_ends(store: StreamStore, tree: Tree) -> None:
    error = {"type": "RuntimeError", "message": "no beam", "traceback": "..."}
    PublishedScan(tree).end("KILLED", error)
    *_, last = get_session_node("eh1", store).walk_events(wait=False)
    assert short(last) == ("END_SCAN", "1_loopscan")
    assert last.data and last.data.description == "RuntimeError: no beam" and last.data.data == error
    assert last.node.info["state"] == "KILLED"


def test_include_filter_hides_but_follows(store: StreamStore, tree: Tree) -> None:
    run_scan(tree)
    session = get_session_node("eh1", store)
    assert [short(event) for event in session.walk_events("scan", wait=False)] == [
        ("NEW_NODE", "1_loopscan"),
        ("PREPARED_SCAN", "1_loopscan"),
        ("END_SCAN", "1_loopscan"),
    ]
    assert [node.name for node in session.walk("channel", wait=False)] == ["timer:diode"]
    assert [node.name for node in session.walk(lambda node: "op" in node.name, wait=False)] == ["1_loopscan"]
    assert [node.type for node in session.walk(filter=["scan", "channel"], wait=False)] == ["scan", "channel"]


def test_filters_are_checked(store: StreamStore) -> None:
    session = get_session_node("eh1", store)
    with pytest.raises(ValueError, match="include_filter: expected kinds of nodes .*'scans'"):
        list(session.walk("scans", wait=False))
    with pytest.raises(ValueError, match="not both"):
        list(session.walk("scan", filter="scan", wait=False))
    with pytest.raises(ValueError, match="session name 'eh1:tmp'"):
        get_session_node("eh1:tmp", store)


def test_excluded_children_are_not_followed(store: StreamStore, tree: Tree) -> None:
    run_scan(tree)
    session = get_session_node("eh1", store)
    names = [node.name for node in session.walk(exclude_children=["scan"], wait=False)]
    assert names == ["tmp", "scans", "1_loopscan"]
    names = [node.name for node in session.walk(exclude_children=lambda node: node.name == "timer", wait=False)]
    assert names == ["tmp", "scans", "1_loopscan", "timer"]


def test_excluding_only_what_is_there(store: StreamStore, tree: Tree) -> None:
    run_scan(tree)
    with listening(get_session_node("eh1", store), exclude_existing_children="scan") as events:
        run_scan(tree)
        ended(events)
    assert [short(event) for event in events if "1_loopscan" in event.node.db_name] == [("NEW_NODE", "1_loopscan")]
    assert [short(event) for event in events if "2_loopscan" in event.node.db_name] == whole_scan(2)


def test_walk_on_new_events_is_truly_only_new(store: StreamStore, tree: Tree) -> None:
    run_scan(tree)
    running = PublishedScan(tree).prepare().emit([0.0, 1.0])
    running.publisher.flush()
    with listening(get_session_node("eh1", store), "walk_on_new_events") as events:
        running.emit([2.0]).end()
        run_scan(tree)
        ended(events, 2)
    assert [short(event) for event in events if "1_" in event.node.db_name] == []
    old = [event for event in events if "2_" in event.node.db_name]
    assert [short(event)[0] for event in old] == ["NEW_DATA", "END_SCAN"]
    assert old[0].data and (old[0].data.first_index, old[0].data.data.tolist()) == (2, [2.0])
    assert [short(event) for event in events if "3_" in event.node.db_name] == whole_scan(3)


def test_walk_on_new_events_of_a_session_that_does_not_exist(store: StreamStore, tree: Tree) -> None:
    with listening(get_session_node("eh1", store), "walk_on_new_events") as events:
        run_scan(tree)
        ended(events)
    assert [short(event) for event in events][2:] == whole_scan(1)


@pytest.mark.parametrize("include_last", [True, False])
def test_walk_from_last(store: StreamStore, tree: Tree, include_last: bool) -> None:
    run_scan(tree)
    run_scan(tree)
    session, names = get_session_node("eh1", store), []
    started, handler = threading.Event(), StopHandler()

    def run() -> None:
        arguments = {"include_last": include_last, "started_event": started, "stop_handler": handler}
        names.extend(node.name for node in session.walk_from_last("scan", **arguments))

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(30)  # also without the last one
    run_scan(tree)
    wait_until(lambda: get_node(f"{CONTAINER}:3_loopscan", store) is not None)
    threading.Timer(0.3, handler.stop).start()
    thread.join(30)
    assert names == (["2_loopscan", "3_loopscan"] if include_last else ["3_loopscan"])


def test_walking_a_scan_ends_with_it(store: StreamStore, tree: Tree) -> None:
    scan = run_scan(tree)
    node = get_node(scan.path, store)
    assert node is not None
    assert [short(event) for event in node.walk_events()] == whole_scan(1)[1:]
    assert [short(event)[0] for event in node.walk_events("scan")] == ["PREPARED_SCAN", "END_SCAN"]


def test_walking_a_channel_gives_its_points_only(store: StreamStore, tree: Tree) -> None:
    scan = PublishedScan(tree, channels={"a": ("<f8", ()), "b": ("<f8", ())}).prepare()
    scan.emit([1.0], "a").emit([2.0], "b").end()
    node = get_node(f"{scan.path}:timer:b", store)
    assert node is not None
    assert [(event.type.name, event.data and event.data.data.tolist()) for event in node.walk_events()] == [
        ("NEW_DATA", [2.0])
    ]


def test_references_come_as_nodes(store: StreamStore, tree: Tree) -> None:
    scan = run_scan(tree)
    group = PublishedScan(tree, name="group", kind=NodeKind.SCAN_GROUP, channels={"scans": ("<U0", ())})
    group.prepare().emit([scan.path], "scans").end()
    session = get_session_node("eh1", store)
    new_data = [event for event in session.walk_events("node_ref_channel", wait=False) if event.data]
    assert new_data[0].data and new_data[0].data.data == [get_node(scan.path, store)]
    assert new_data[0].node.get(0, -1) == [get_node(scan.path, store)]  # type: ignore[attr-defined]
    assert [node.db_name for node in session.walk("scan_group", wait=False)] == [group.path]


def test_a_wrong_session_gives_nothing(store: StreamStore) -> None:
    assert list(get_session_node("nowhere", store).walk_events(wait=False)) == []


def test_a_thousand_past_scans_are_walked_in_order(store: StreamStore, tree: Tree) -> None:
    for _ in range(200):
        run_scan(tree)
    session = get_session_node("eh1", store)
    numbers = [node.info["scan_nb"] for node in session.walk("scan", wait=False)]
    assert numbers == list(range(1, 201))
    events = list(session.walk_events(wait=False))
    assert sum(event.type is EventType.END_SCAN for event in events) == 200
    assert len(events) == 2 + 200 * len(whole_scan(1))
