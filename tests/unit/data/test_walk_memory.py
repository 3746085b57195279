"""A walk keeps nothing of the scans that it is done with."""

from __future__ import annotations

import gc
import sys
from typing import Any

import numpy as np
import pytest

from bliss_like.data import walker
from bliss_like.data.events import EventType
from bliss_like.data.node import get_session_node
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from tests.publishing import PublishedScan, run_scan

NSCANS = 20


def kept_by(walk: Any) -> str:
    """The names, as text, in all that hangs on a walk but the store and what it is walking at the moment."""
    known: set[int] = set()
    texts: list[str] = []
    waiting = [walk.gi_frame.f_locals, walk.gi_yieldfrom]
    while waiting:
        thing = waiting.pop()
        if id(thing) in known or isinstance(thing, (MemoryStore, type, type(sys))) or callable(thing):
            continue
        known.add(id(thing))
        if isinstance(thing, str):
            texts.append(thing)
        waiting += gc.get_referents(thing)
    return " ".join(texts)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("walk_events", {}), ("walk", {"include_filter": ["scan"]}), ("walk_events", {"include_filter": ["scan"]})],
)
def test_a_walk_does_not_grow_with_the_scans_it_has_seen(kind: str, options: dict[str, Any]) -> None:
    store = MemoryStore()
    tree = Tree(store)
    walk = getattr(get_session_node("eh1", store), kind)(**options)
    for number in range(NSCANS):
        name = f"scan_{number}_of_many"
        run_scan(tree, name=name)
        for item in walk:
            node, is_over = (item, True) if kind == "walk" else (item.node, item.type.name == "END_SCAN")
            if node.name.endswith(name) and is_over:
                break
    kept = kept_by(walk)
    assert [number for number in range(NSCANS - 1) if f"scan_{number}_of_many" in kept] == []


def test_a_late_listener_does_not_read_all_images_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walker, "_READ_BYTES", 1 << 20)
    store = MemoryStore()
    scan = PublishedScan(Tree(store), channels={"image": ("<u2", (256, 128)), "diode": ("<f8", ())}).prepare()
    for index in range(64):  # 4 MiB
        scan.emit(np.full((1, 256, 128), index), "image").emit([float(index)])
    scan.end()
    read, largest = store.read, [0]

    def weigh(*args: Any, **options: Any) -> Any:
        found = read(*args, **options)
        entries = [fields for entries in found.values() for _, fields in entries]
        largest[0] = max(largest[0], sum(len(value) for fields in entries for value in fields.values()))
        return found

    monkeypatch.setattr(store, "read", weigh)
    seen: dict[str, list[float]] = {"image": [], "diode": []}
    for event in get_session_node("eh1", store).walk_events(["channel"], wait=False):
        if event.type is EventType.NEW_DATA and event.data:
            seen[event.node.name.partition(":")[2]] += [float(point.flat[0]) for point in event.data.data]
    assert seen["image"] == seen["diode"] == list(range(64))
    assert largest[0] < 2 << 20
