"""What a writer does when its format or its disk fail, on a store in memory."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data import catalogue, paths, saving
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, SavedScan
from bliss_like.data.saving import progress, saved, writer_status
from bliss_like.data.store import Append, Entry, Id, MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import DataError, FileLostError, SavingError, StoreUnavailable
from bliss_like.writers import claim, process
from bliss_like.writers.entry import CatalogueEntry
from bliss_like.writers.formats import find_format, formats
from bliss_like.writers.process import Until, serve
from bliss_like.writers.recovery import in_place_of_writer, recover
from tests.publishing import PublishedScan
from tests.saved_files import tell_status
from tests.unit.writers import faulty
from tests.waiting import wait_until

pytestmark = pytest.mark.real_time
INFO = {"data_writer": "faulty", "filename": "/data/d.h5", "uid": "0" * 32}
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def _format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    info = tmp_path / "faulty-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[bliss_like.writers]\nfaulty = tests.unit.writers.faulty:Faulty\nbroken = tests.unit.writers.absent:Broken\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(faulty, "disk", {})
    monkeypatch.setattr(faulty, "abandoned", [])
    yield
    find_format.cache_clear()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def scan(store: MemoryStore) -> Callable[..., PublishedScan]:
    """Publishes a scan that is to be saved."""
    return lambda **info: PublishedScan(Tree(store), info={**INFO, **info}).prepare()


@contextmanager
def writer(store: MemoryStore, until: Until = Until()) -> Iterator[threading.Thread]:
    ended = threading.Event()
    thread = threading.Thread(target=partial(serve, "eh1", store, stopped=ended.is_set, until=until))
    thread.start()
    try:
        yield thread
    finally:
        ended.set()
        thread.join(60)
        assert not thread.is_alive()


def said(store: MemoryStore, scan: PublishedScan) -> SavedScan:
    wait_until(lambda: saved(store, [scan.path])[0])
    event = saved(store, [scan.path])[0]
    assert event is not None
    return event


def fails(
    monkeypatch: pytest.MonkeyPatch, scan: PublishedScan, call: str, error: Exception, times: int = 10**9
) -> None:
    """Let the calls of one method fail for one scan, that many times."""
    left = [times]

    def fail(path: str, method: str) -> None:
        if (path, method) == (scan.path, call) and left[0]:
            left[0] -= 1
            raise error

    monkeypatch.setattr(faulty, "fail", fail)


def test_all_that_a_scan_publishes_comes_once_and_in_order(
    store: MemoryStore, scan: Callable[..., PublishedScan]
) -> None:
    with writer(store):
        running = scan()
        running.emit([1.0, 2.0])
        running.publisher.flush()
        wait_until(lambda: progress(store, running.path) == {running.sinks["diode"].path: 2})
        running.emit([3.0]).end()
        event = said(store, running)
    assert (event.state, event.file, event.entries, event.info) == ("SAVED", "/d.h5", ("/1.1",), {"ended": True})
    events = faulty.disk[running.path]
    kinds = [NewData if isinstance(each, NewData) else type(each) for each in events]
    assert kinds == [NewNode, NewNode, NewNode, PreparedScan, NewData, NewData, EndScan]
    first = events[0]
    assert isinstance(first, NewNode) and first.path == running.path and first.info["uid"] == INFO["uid"]
    points = [each.values for each in events if isinstance(each, NewData)]
    assert np.concatenate(points).tolist() == [1, 2, 3]


@pytest.mark.parametrize("call", ["open", "accept", "flush", "close"])
def test_a_call_that_fails_for_a_time_is_made_again_and_nothing_is_lost(
    call: str, store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    ill, well = scan().emit([1.0]), scan().emit([1.0])
    fails(monkeypatch, ill, call, FULL, times=2)
    with writer(store):
        ill.emit([2.0]).end()
        well.end()
        assert said(store, well).state == "SAVED"
        assert said(store, ill).state == "SAVED"
    points = [each.values for each in faulty.disk[ill.path] if isinstance(each, NewData)]
    assert np.concatenate(points).tolist() == [1, 2]
    assert isinstance(faulty.disk[ill.path][-1], EndScan)


def test_a_file_that_is_lost_is_written_anew(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = scan().emit([1.0, 2.0])
    channel = running.sinks["diode"].path
    with writer(store):
        wait_until(lambda: progress(store, running.path) == {channel: 2})
        fails(monkeypatch, running, "flush", FileLostError("/data/d.h5: was deleted"), times=1)
        running.emit([3.0])
        running.publisher.flush()
        wait_until(lambda: progress(store, running.path) == {channel: 3})
        assert faulty.abandoned == [running.path]
        running.end()
        assert said(store, running).state == "SAVED"
    kinds = [type(each) for each in faulty.disk[running.path]]
    assert kinds[:4] == [NewNode, NewNode, NewNode, PreparedScan] and kinds.count(PreparedScan) == 1
    points = [each.values for each in faulty.disk[running.path] if isinstance(each, NewData)]
    assert np.concatenate(points).tolist() == [1, 2, 3]


def test_what_is_in_the_way_is_told_and_other_scans_go_on(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = scan().emit([1.0])
    fails(monkeypatch, ill, "flush", FULL)
    with writer(store):
        wait_until(lambda: (status := writer_status(store, "eh1")) and status.trouble)
        status = writer_status(store, "eh1")
        assert (
            status is not None and status.trouble == f"scan {paths.name(ill.path)}: /data/d.h5: No space left on device"
        )
        assert status.trouble_with(ill.path) == "/data/d.h5: No space left on device"
        assert status.trouble_with("eh1:2_other") == ""
        assert status.behind == 8
        assert said(store, scan().emit([1.0]).end()).state == "SAVED"
        assert saved(store, [ill.path]) == [None]
        monkeypatch.setattr(faulty, "fail", lambda path, call: None)
        ill.end()
        assert said(store, ill).state == "SAVED"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (SavingError("another scan is there"), "another scan is there"),
        (KeyError("x"), "format faulty failed with KeyError: 'x'"),
    ],
)
def test_a_scan_that_cannot_be_saved_says_so_and_the_next_one_is(
    error: Exception, told: str, store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    ill = scan().emit([1.0])
    fails(monkeypatch, ill, "accept", error)
    with writer(store):
        event = said(store, ill)  # which has not ended
        assert (event.state, event.error, event.file, event.writer) == ("FAILED", told, "/data/d.h5", "faulty")
        assert faulty.abandoned == [ill.path]
        assert said(store, scan().emit([1.0]).end()).state == "SAVED"
        ill.end()
    monkeypatch.setattr(faulty, "fail", lambda path, call: None)
    with writer(store, Until(saved=True)) as again:
        again.join(60)
    assert said(store, ill).state == "SAVED"


def test_formats_that_are_not_there(store: MemoryStore, scan: Callable[..., PublishedScan]) -> None:
    assert {"broken", "faulty", "nexus", "null"} <= set(formats())
    unknown, broken = scan(data_writer="faultless").end(), scan(data_writer="broken").end()
    with writer(store):
        assert "data_writer 'faultless': no such format; there are: broken, faulty" in said(store, unknown).error
        assert "data_writer 'broken': its package cannot be imported" in said(store, broken).error


def test_scans_that_are_not_to_be_saved_are_left_alone(store: MemoryStore, scan: Callable[..., PublishedScan]) -> None:
    not_to_be_saved = [scan(data_writer="null").end(), PublishedScan(Tree(store)).end()]
    with writer(store, Until(saved=True)) as thread:
        thread.join(60)
        assert not thread.is_alive()
    assert saved(store, [each.path for each in not_to_be_saved]) == [None, None]


def test_a_scan_that_runs_comes_before_those_that_were_left(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    left = [scan().emit([1.0] * 5).end() for _ in range(20)]
    running = scan().emit([1.0])
    running.publisher.flush()
    monkeypatch.setattr(faulty, "fail", lambda path, call: order.append(path) if call == "open" else None)
    with writer(store, Until(saved=True)):
        wait_until(lambda: order)
        running.end()
        for each in [*left, running]:
            assert said(store, each).state == "SAVED"
    assert order == [running.path, *(each.path for each in left)]


def test_scans_in_trouble_that_were_left_do_not_keep_the_others_for_ever(
    store: MemoryStore,
    scan: Callable[..., PublishedScan],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ill = [scan().emit([1.0]).end() for _ in range(5)]
    well = scan().emit([1.0]).end()
    tried: list[str] = []

    def fail(path: str, call: str) -> None:
        if call == "open":
            tried.append(path)
        elif path != well.path:
            raise FULL

    monkeypatch.setattr(faulty, "fail", fail)
    monkeypatch.setattr(process, "_OLD_PATIENCE", 0.05, raising=False)
    with writer(store):
        assert said(store, well).state == "SAVED"
        wait_until(lambda: tried.count(ill[-1].path) > 1)
        monkeypatch.setattr(faulty, "fail", lambda path, call: None)
        for each in ill:
            assert said(store, each).state == "SAVED"
    assert sum("it is tried again" in message for message in caplog.messages) == len(ill)


def test_a_scan_that_was_left_and_is_saved_by_somebody_else_is_not_begun(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (scan().emit([1.0]).end() for _ in range(3))
    opened: list[str] = []

    def save(path: str, call: str) -> None:
        if call == "open":
            opened.append(path)
            saving.tell_saved(store, SavedScan(second.path, "SAVED", "/elsewhere.h5"), 60)

    monkeypatch.setattr(faulty, "fail", save)
    with writer(store, Until(saved=True)) as thread:
        thread.join(60)
    assert said(store, second).file == "/elsewhere.h5"
    assert opened == [first.path, third.path]


def test_a_writer_that_waits_for_the_catalogue_has_made_room_for_the_next(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entering, may_enter = threading.Event(), threading.Event()

    def record(*row: object) -> None:
        entering.set()
        may_enter.wait(60)

    monkeypatch.setattr(catalogue, "record", record)
    monkeypatch.setattr("bliss_like.writers.entry._PATIENCE", 60.0)
    left = scan(base_path=str(tmp_path)).end()
    with writer(store, Until(saved=True)) as thread:
        assert said(store, left).state == "SAVED"
        assert entering.wait(30)
        wait_until(lambda: writer_status(store, "eh1") is None)
        assert thread.is_alive()
        may_enter.set()


def test_a_writer_that_comes_while_scans_are_recovered_takes_over(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [scan().emit([1.0]).end() for _ in range(2)]
    results: list[SavedScan] = []
    fails(monkeypatch, left[0], "flush", FULL)
    monkeypatch.setattr(claim, "BEAT", 0.02)

    def complete() -> None:
        with in_place_of_writer(store, "eh1") as ours:
            results.extend(recover(store, [each.path for each in left], patience=60, claim=ours))

    recovering = threading.Thread(target=complete)
    recovering.start()
    wait_until(lambda: writer_status(store, "eh1"))
    with writer(store):
        assert said(store, scan().emit([1.0]).end()).state == "SAVED"
        recovering.join(60)
        assert ["it is left to that one" in each.error for each in results] == [True, True]
        monkeypatch.setattr(faulty, "fail", lambda path, call: None)
        for each in left:
            assert said(store, each).state == "SAVED"


def test_a_session_has_one_writer_and_one_that_was_silent_gives_way(
    store: MemoryStore, scan: Callable[..., PublishedScan], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[Exception] = []

    def serve_and_fail() -> None:
        try:
            serve("eh1", store)
        except SavingError as error:
            failures.append(error)

    monkeypatch.setattr(claim, "BEAT", 0.02)
    for module in (claim, saving):
        monkeypatch.setattr(module, "LIFE", 60.0)
    thread = threading.Thread(target=serve_and_fail)
    thread.start()
    wait_until(lambda: writer_status(store, "eh1"))
    with pytest.raises(SavingError, match=r"the writer of session eh1 \(pid \d+ on .*\) is there already"):
        serve("eh1", store)
    status = writer_status(store, "eh1")
    assert status is not None
    running = scan().emit([1.0])
    wait_until(lambda: progress(store, running.path))
    tell_status(store, type(status)("eh1", "elsewhere", 1, "1", time.time()))  # as one that found it silent would
    thread.join(60)
    assert "another one has taken over" in str(failures[0])
    assert faulty.abandoned == [running.path]
    other = writer_status(store, "eh1")
    assert other is not None and other.host == "elsewhere"


class _Leaving(MemoryStore):
    """Is gone as soon as a test says so."""

    is_gone = False

    def read(self, after: Mapping[str, Id], *, timeout: float = 0, count: int = 1000) -> dict[str, list[Entry]]:
        if self.is_gone:
            raise StoreUnavailable("gone")
        return super().read(after, timeout=timeout, count=count)


def test_the_writer_of_a_dead_session_does_not_wait_for_ever_for_a_server_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = _Leaving()
    running = PublishedScan(Tree(store), info=INFO).prepare().emit([1.0])
    monkeypatch.setattr(process, "ALONE", 0.2)
    with writer(store, Until(parent=-1)) as thread:  # nobody's child
        wait_until(lambda: progress(store, running.path))
        store.is_gone = True
        thread.join(60)
        assert not thread.is_alive()
    assert isinstance(faulty.disk[running.path][-1], NewData)


class _CutOnce:
    """A store as a writer sees it over a line that is cut at one call, before it gets there or before its answer comes back."""

    def __init__(self, store: MemoryStore, call: int, is_done: bool) -> None:
        self._store, self._call, self._is_done = store, call, is_done
        self.keys = store.keys
        self.calls = 0
        self.is_watched = False
        """Whether calls count."""

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._store, name)

        def ask(*args: Any, **options: Any) -> Any:
            self.calls += self.is_watched
            if self.calls != self._call or not self.is_watched:
                return answer(*args, **options)
            if self._is_done:
                answer(*args, **options)
            raise StoreUnavailable("cut")

        return ask


def _saves_all(store: MemoryStore, line: Any) -> list[PublishedScan]:
    """Have a writer save scans that were left, one that runs, and one that begins; return those that are not right."""
    tree, turns = Tree(store), 0

    def begun() -> PublishedScan:
        scan = PublishedScan(tree, info=INFO).prepare().emit([1.0])
        scan.publisher.flush()
        return scan

    scans = [begun().emit([2.0]).end(), begun().emit([2.0]).end(), begun()]

    def stopped() -> bool:
        nonlocal turns
        line.is_watched = False
        turns += 1
        if turns == 4:
            scans.append(begun())
        if turns in (8, 12):
            scans[2 if turns == 8 else 3].emit([2.0]).end()
        is_over = turns > 12 and None not in saved(store, [scan.path for scan in scans])
        line.is_watched = True
        return is_over or turns > 200

    serve("eh1", line, stopped=stopped)
    return [scan for scan in scans if not _is_whole(store, scan)]


def _is_whole(store: MemoryStore, scan: PublishedScan) -> bool:
    event, events = saved(store, [scan.path])[0], faulty.disk.get(scan.path, [])
    points = [value for each in events if isinstance(each, NewData) for value in each.values]
    return event is not None and event.state == "SAVED" and points == [1, 2] and isinstance(events[-1], EndScan)


@pytest.mark.parametrize("is_done", [False, True])
def test_a_line_that_is_cut_at_any_call_costs_no_scan(is_done: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PACE", 0.001)
    monkeypatch.setattr(process, "_IDLE", 0.001)
    call = 0
    while True:
        call += 1
        store = MemoryStore()
        line = _CutOnce(store, call, is_done)
        assert _saves_all(store, line) == [], f"cut at call {call}"
        if line.calls < call:
            break
    assert call > 50


class _Refusing(MemoryStore):
    """Takes nothing as long as a test says so."""

    is_full = False
    refused = 0

    def append(self, entries: Sequence[Append], *, expire: Mapping[str, float] = {}, again: bool = False) -> None:
        self._refuse()
        super().append(entries, expire=expire, again=again)

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        self._refuse()
        super().set_fields(key, fields)

    def _refuse(self) -> None:
        if self.is_full:
            self.refused += 1
            raise DataError("it is full")


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_server_that_takes_nothing_for_a_time_is_told_again(has_ended: bool) -> None:
    store = _Refusing()
    scan = PublishedScan(Tree(store), info=INFO).prepare().emit([1.0])
    scan.publisher.flush()
    if has_ended:
        scan.end()
    store.is_full = True
    with writer(store):
        wait_until(lambda: store.refused > 1)
        if has_ended:
            assert [event.error for event in recover(store, [scan.path], patience=0.1)] == ["it is full"]
        store.is_full = False
        if not has_ended:
            wait_until(lambda: progress(store, scan.path))
            scan.end()
        assert said(store, scan).state == "SAVED"


def test_a_scan_stays_where_it_began_in_the_catalogue(tmp_path: Path) -> None:
    place = {"filename": str(tmp_path / "a.h5"), "base_path": str(tmp_path), "uid": "1" * 32, "scan_nb": 7}
    entry = CatalogueEntry("eh1:7_test")
    entry.accept(NewNode("eh1:7_test", NodeKind.SCAN, {**place, "start_timestamp": 1.0}))
    elsewhere = {"filename": "/elsewhere/b.h5", "base_path": "/elsewhere", "uid": "x", "scan_nb": 8}
    entry.accept(EndScan("eh1:7_test", "DONE", {}, elsewhere))
    entry.enter()
    (found,) = catalogue.find(uid="1" * 32)
    assert (found.file, found.number) == (place["filename"], 7)
