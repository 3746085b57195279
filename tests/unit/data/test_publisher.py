"""A publisher whose store is slow, away or full at the wrong moment: the end is told, nothing hangs, nothing is left behind."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from bliss_like.data import paths
from bliss_like.data.events import NewNode, NodeKind
from bliss_like.data.publisher import Limits
from bliss_like.data.retention import Budget, Retention
from bliss_like.data.store import Append, MemoryStore, StreamStore
from bliss_like.data.structure import ScanStructure
from bliss_like.data.tree import Tree
from bliss_like.errors import PublishError, StoreUnavailable
from tests.publishing import CONTAINER, PublishedScan
from tests.waiting import wait_until


class DifficultStore(MemoryStore):
    """Is away, or keeps whoever appends waiting, when a test says so; notes the keys that are appended together."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = self.is_away_for_fields = False
        self.gate, self.asked = threading.Event(), threading.Event()
        self.gate.set()
        self.batches: list[list[str]] = []

    def append(self, entries: Sequence[Append], **options: Any) -> None:
        self.asked.set()
        assert self.gate.wait(10)
        if self.is_away:
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
