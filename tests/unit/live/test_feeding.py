"""Callbacks on past scans, and on those of a session in another process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bliss_like.data import catalogue, past
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, SavedScan, WireEvent
from bliss_like.data.node import get_node
from bliss_like.data.process import identity
from bliss_like.data.saving import tell_saved
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import NodeNotFound, UsageError
from bliss_like.live import LiveCallback, LiveScan, LiveTable, feed
from bliss_like.live.feeding import _Audience, events_of_session
from bliss_like.live.table import Kind
from tests.publishing import PublishedScan
from tests.saved_files import forget, save
from tests.waiting import wait_until


@pytest.fixture
def tree() -> Tree:
    return Tree(MemoryStore())


class Noted(LiveCallback):
    """Keeps the scans that have ended; their points too."""

    ended: list[LiveScan]

    def __init__(self) -> None:
        super().__init__()
        self.ended = []

    def finish(self, scan: LiveScan) -> None:
        self.ended.append(scan)


def published(tree: Tree, npoints: int = 5, **info: Any) -> PublishedScan:
    return PublishedScan(tree, info=info).prepare().emit(range(npoints))


def test_a_past_scan_is_fed_whole_and_in_order(tree: Tree) -> None:
    scan = published(tree).end()
    events: list[WireEvent] = []
    noted = Noted()
    feed(get_node(scan.path, tree.store), noted, {"all": events.append})
    assert [type(event) for event in events if not isinstance(event, NewData)] == [NewNode] * 3 + [
        PreparedScan,
        EndScan,
    ]
    assert [each.channel("diode").values.tolist() for each in noted.ended] == [[0, 1, 2, 3, 4]]  # type: ignore[union-attr]
    assert noted.ended[0].info["title"] == "loopscan"


def test_several_one_after_the_other_with_a_class_for_each(tree: Tree) -> None:
    made: list[LiveCallback] = []

    class Own(Noted):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    nodes = [get_node(published(tree).end().path, tree.store) for _ in range(2)]
    feed(nodes, Own)
    assert [len(one.ended) for one in made] == [1, 1]  # type: ignore[attr-defined]


def test_a_sequence_with_its_scans_each_once(tree: Tree, caplog: pytest.LogCaptureFixture) -> None:
    scans = [published(tree, 60, scan_nb=2).end(), published(tree, 3, scan_nb=3).end()]
    sequence = PublishedScan(tree, "two", {"scans": ("<U0", ())}, NodeKind.SCAN_GROUP, info={"is_scan_sequence": True})
    sequence.prepare().emit([scan.path for scan in scans], "scans").emit(["eh1:tmp:scans:77_gone"], "scans").end()
    told: list[WireEvent] = []
    lines: list[str] = []
    begin_and_end = {"new_node": told.append, "end_scan": told.append}
    feed(
        [get_node(sequence.path, tree.store), get_node(scans[0].path, tree.store)],
        begin_and_end,
        LiveTable(out=lines.append),
    )
    assert [
        (type(event).__name__, event.path) for event in told if not isinstance(event, NewNode) or not event.scan
    ] == [
        ("NewNode", sequence.path),
        *(pair for scan in scans for pair in (("NewNode", scan.path), ("EndScan", scan.path))),
        ("EndScan", sequence.path),
    ]
    assert "its scan eh1:tmp:scans:77_gone is nowhere any more" in caplog.text
    rows = [line for line in lines if getattr(line, "kind", None) is Kind.ROW]
    assert len(rows) == 63  # all of them, though they come at once


def test_in_a_session_numbers_are_those_of_its_scans(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path))
    for number, session in enumerate(("eh1", "eh2")):  # the one of eh2 is newer
        told = {"session_name": session, "uid": f"{number:032x}", "start_timestamp": 1e9 + number}
        scan = PublishedScan(tree, name=f"scan_of_{session}", container=f"{session}:tmp:scans", info=told)
        scan.prepare().emit(range(5)).end()
        event = save(tree.store, scan.path, tmp_path / f"{session}.h5")
        catalogue.record(tmp_path, get_node(scan.path, tree.store).info, event)  # type: ignore[union-attr]
    noted = Noted()
    feed(1, noted)
    past.use_session("eh1")
    try:
        feed(1, noted)
        feed("scan_of_eh2", noted)
        with pytest.raises(NodeNotFound, match="no scan '2' of session eh1"):
            feed(2, noted)
    finally:
        past.use_session("")
    assert [scan.path.partition(":")[0] for scan in noted.ended] == ["eh2", "eh1", "eh2"]


def test_also_from_its_file(tree: Tree, tmp_path: Path) -> None:
    scan = published(tree).end()
    file = tmp_path / "data.h5"
    save(tree.store, scan.path, file)
    forget(tree.store, scan.path)
    noted = Noted()
    feed(str(file), noted)
    feed(f"{file}::{scan.number}.1", noted)
    assert [one.length for one in noted.ended] == [5, 5]


def test_that_it_was_saved_is_told(tree: Tree) -> None:
    scan = published(tree).end()
    tell_saved(tree.store, SavedScan(scan.path, file="/data/a.h5"), 60)
    events: list[WireEvent] = []
    feed(get_node(scan.path, tree.store), events.append)
    assert isinstance(events[-1], SavedScan)


def test_an_error_hurts_no_other_and_is_raised_at_the_end(tree: Tree) -> None:
    def fail(event: WireEvent) -> None:
        calls.append(event)
        raise ValueError("bad")

    calls, noted = list[WireEvent](), Noted()
    nodes = [get_node(published(tree).end().path, tree.store) for _ in range(2)]
    with pytest.raises(ValueError, match="bad") as raised:
        feed(nodes, fail, noted)
    assert len(calls) == len(noted.ended) == 2
    assert "fail, at scan eh1:tmp:scans:1_loopscan" in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("scan", "callbacks", "message"),
    [
        (3.5, (print,), "expected a scan, its node, number, name, uid or file, or several of them; got 3.5"),
        ([], (), "expected at least one callback"),
        ([], (3,), "expected a function f\\(event\\)"),
    ],
)
def test_wrong_calls(scan: Any, callbacks: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        feed(scan, *callbacks)


def test_no_such_scan() -> None:
    with pytest.raises(NodeNotFound, match="no scan '12345'"):
        feed(12345, print)


# -- a session in another process ----------------------------------------------------------------------------------------


class Following:
    """Follows in a thread."""

    def __init__(self, tree: Tree) -> None:
        self.events: list[Any] = []
        self.ready, self.is_over = threading.Event(), threading.Event()
        self._task = threading.Thread(target=self._run, args=(tree,))
        self._task.start()

    def _run(self, tree: Tree) -> None:
        for event in events_of_session("eh1", self.is_over.is_set, self.ready, store=tree.store):
            self.events.append(event)

    def wait_for(self, condition: Callable[[Any], object]) -> None:
        wait_until(lambda: any(map(condition, self.events)))

    def stop(self) -> None:
        self.is_over.set()
        self._task.join()


@contextmanager
def following(tree: Tree) -> Iterator[Following]:
    one = Following(tree)
    try:
        assert one.ready.wait(30)
        yield one
    finally:
        one.stop()


def test_scans_that_run_are_joined_and_past_ones_left_out(tree: Tree) -> None:
    published(tree).end()
    running = published(tree)
    with following(tree) as follower:
        running.emit([5, 6]).end()
        new = published(tree, 2).end()
        follower.wait_for(lambda event: isinstance(event, EndScan) and event.path == new.path)
    nodes = [event for event in follower.events if isinstance(event, NewNode) and not event.scan]
    assert [node.path for node in nodes] == [running.path, new.path]
    assert nodes[0].info["state"] == "PREPARING"  # all that was known of it
    points = [event for event in follower.events if isinstance(event, NewData)]
    assert [value for event in points for value in event.values] == [0, 1, 2, 3, 4, 5, 6, 0, 1]


def test_scans_of_processes_that_died_do_not_run(tree: Tree) -> None:
    gone = {**identity(), "pid": 2**22 + 1}
    dead = published(tree, **gone)
    with following(tree) as follower:
        published(tree).end()
        follower.wait_for(lambda event: isinstance(event, EndScan))
    dead.end()
    assert dead.path not in [event.path for event in follower.events if isinstance(event, NewNode)]


def test_what_is_over_is_forgotten(tree: Tree) -> None:
    noted = Noted()
    audience = _Audience([noted], "follow", goes_on=True)
    with following(tree) as follower:
        published(tree, save=False).end()
        follower.wait_for(lambda event: isinstance(event, EndScan))
    for event in follower.events:
        audience.accept(event)
    assert len(noted.ended) == 1 and not audience._calls and not audience._scan_of
