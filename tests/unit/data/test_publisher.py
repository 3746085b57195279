"""A publisher whose store is slow, away or full at the wrong moment: the end is told, nothing hangs, nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.data import paths, publisher
from bliss_like.data.events import NodeKind
from bliss_like.data.publisher import Limits
from bliss_like.data.retention import Budget, Retention
from bliss_like.data.store import Append, MemoryStore, StreamStore
from bliss_like.data.structure import ScanStructure
from bliss_like.data.tree import Tree
from bliss_like.errors import BlissLikeError, PublishError, StoreUnavailable, UserAbort
from bliss_like.session.data_tree import GREENLETS
from tests.publishing import CONTAINER, PublishedScan
from tests.waiting import wait_until


class DifficultStore(MemoryStore):
    """Is away, or keeps whoever appends waiting, when a test says so; notes the keys that are appended together."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = self.is_away_for_fields = False
        self.gate, self.asked, self.refused = threading.Event(), threading.Event(), threading.Event()
        self.gate.set()
        self.batches: list[list[str]] = []

    def append(self, entries: Sequence[Append], **options: Any) -> None:
        self.asked.set()
        assert self.gate.wait(60)
        if self.is_away:
            self.refused.set()
            raise StoreUnavailable("away")
        super().append(entries, **options)
        self.batches.append([entry.key for entry in entries])

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        if self.is_away_for_fields:
            raise StoreUnavailable("away")
        super().set_fields(key, fields)


def structure_of(scan: PublishedScan, store: StreamStore) -> ScanStructure:
    return ScanStructure(store, scan.path).refresh()


def test_the_end_is_told_also_when_the_backlog_is_full() -> None:
    store = DifficultStore()
    scan = PublishedScan(Tree(store, limits=Limits(backlog=8, patience=0.01))).prepare()
    scan.publisher.flush()
    failures: list[Exception] = []
    scan.publisher.on_failure = failures.append
    store.is_away = True
    scan.emit(np.zeros(4))
    wait_until(lambda: failures)
    with pytest.raises(PublishError):
        scan.end("KILLED")
    store.is_away = False
    wait_until(lambda: structure_of(scan, store).end)


def test_points_that_cannot_be_encoded_end_the_scan_rather_than_hang_it() -> None:
    store = DifficultStore()
    scan = PublishedScan(Tree(store)).prepare()
    failures: list[Exception] = []
    scan.publisher.on_failure = failures.append
    scan.sinks["diode"].append("not a number")
    wait_until(lambda: failures)
    with pytest.raises(ValueError, match="not a number"):
        scan.publisher.flush()
    scan.end("KILLED")
    assert structure_of(scan, store).end


def test_a_server_that_goes_while_the_budget_is_counted_does_not_end_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Budget, "_PORTION", 16)
    store = DifficultStore()
    scan = PublishedScan(Tree(store)).prepare()
    store.is_away_for_fields = True
    scan.emit(np.zeros(4))
    scan.publisher.flush()
    store.is_away_for_fields = False
    scan.emit(np.zeros(4)).end()
    assert structure_of(scan, store).end
    assert store.get_fields(paths.BYTES)[scan.path.encode()].endswith(b"-64")
    assert store.get_fields(paths.BUDGET) == {b"total": b"64"}
    scan = PublishedScan(Tree(store)).prepare().emit([1.0])
    scan.publisher.flush()
    store.is_away_for_fields = True
    scan.end()


def test_neither_structure_nor_small_channels_wait_for_a_large_one() -> None:
    store = DifficultStore()
    image = np.zeros((1, 512, 128))  # an entry of its own
    channels = {"image": ("<f8", (512, 128)), "diode": ("<f8", ())}
    scan = PublishedScan(Tree(store, limits=Limits(batch=image.nbytes)), channels=channels)
    store.batches.clear()
    store.asked.clear()
    store.gate.clear()
    scan.emit(image, "image")
    assert store.asked.wait(60)
    scan.prepare()
    for _ in range(4):
        scan.emit(image, "image")
    scan.emit([1.0])
    store.gate.set()
    scan.publisher.flush()
    scan.end()
    image_key, diode_key, structure_key = scan.sinks["image"].key, scan.sinks["diode"].key, paths.scan(scan.path)
    assert store.batches[0] == [image_key]
    assert sum(image_key in batch for batch in store.batches) == 5
    assert structure_key in store.batches[1]
    assert any(diode_key in batch for batch in store.batches[:3])
    assert structure_key in store.batches[-1]  # the end


def test_strings_do_not_fill_the_backlog_for_ever() -> None:
    scan = PublishedScan(Tree(MemoryStore()), channels={"labels": ("<U0", (2,))}).prepare()
    for _ in range(10):
        scan.sinks["labels"].append(np.array(["a", "b"]))
    scan.publisher.flush()
    assert scan.publisher.backlog == 0


def test_a_scan_that_publishes_nothing_for_a_long_time_does_not_expire() -> None:
    """On a machine that is away for as long it does, but not each time."""

    def is_kept() -> bool:
        store = MemoryStore()
        scan = PublishedScan(Tree(store, retention=Retention(seconds=0.4))).prepare().emit([1.0])
        scan.publisher.flush()
        witness = [Append("witness", None, {b"j": b"{}"})]
        for _ in range(2):
            store.append(witness, expire={"witness": 0.5})
            wait_until(lambda: not store.exist(["witness"])[0])
        is_there = store.exist([paths.scan(scan.path), scan.sinks["diode"].key])
        with suppress(BlissLikeError):
            scan.emit([2.0]).end()
        return is_there == [True, True]

    assert any(is_kept() for _ in range(10))


def test_a_server_that_comes_back_without_the_structure_is_noticed() -> None:
    store = DifficultStore()
    scan = PublishedScan(Tree(store))
    scan.publisher.flush()
    store.is_away = True
    scan.prepare()
    assert store.refused.wait(60)
    store.delete([paths.scan(scan.path)])
    store.is_away = False
    with pytest.raises(PublishError, match="came back without entries 0 to 2 of bl1:scan:"):
        scan.publisher.flush()


@pytest.mark.parametrize(("error", "state"), [(StoreUnavailable, "KILLED"), (UserAbort, "USER_ABORTED")])
def test_a_scan_whose_opening_fails_is_ended(
    error: type[BaseException], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply to the announcement is lost, or not waited for: readers may know the scan."""
    store = MemoryStore()
    tree = Tree(store)
    tree.next_scan_number(CONTAINER)
    append = store.append

    def lose_the_reply(entries: Sequence[Append], **options: Any) -> None:
        append(entries, **options)
        if entries[0].key == paths.children(CONTAINER):
            raise error("lost")

    monkeypatch.setattr(store, "append", lose_the_reply)
    nthreads = threading.active_count()
    with pytest.raises(error):
        tree.open_scan(f"{CONTAINER}:1_loopscan", NodeKind.SCAN, {"name": "loopscan"})
    structure = ScanStructure(store, f"{CONTAINER}:1_loopscan")
    wait_until(lambda: structure.refresh().end)
    assert structure.info["state"] == state
    wait_until(lambda: threading.active_count() == nthreads)


def test_an_empty_block_is_no_entry() -> None:
    store = MemoryStore()
    scan = PublishedScan(Tree(store)).prepare().emit([]).emit([1.0]).emit([])
    scan.publisher.flush()
    scan.emit([]).end()
    assert [entry_id for entry_id, _ in store.range(scan.sinks["diode"].key)] == [(0, 1)]


def test_who_flushes_before_the_sender_awakes_does_not_wait_while_points_are_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "_GATHER", 60.0)
    monkeypatch.setattr(publisher, "_GATHER_AT_MOST", 60.0)
    with gevent.Timeout(30):
        scan = PublishedScan(Tree(MemoryStore(), tasks=GREENLETS)).prepare()
        scan.emit([1.0])
        scan.publisher.flush()
        scan.end()
