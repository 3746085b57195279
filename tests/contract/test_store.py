"""Append-only streams, in memory and in a real server."""

from __future__ import annotations

import threading
import time

import pytest

from bliss_like.data.store import FIRST, Append, StreamStore
from bliss_like.errors import DataError, ForeignKeyError
from tests.waiting import wait_until


def add(store: StreamStore, key: str, *indices: int, again: bool = False) -> None:
    store.append([Append(key, (i, 1), {b"d": b"%d" % i}) for i in indices], again=again)


def test_what_was_appended_is_read_in_order(store: StreamStore) -> None:
    add(store, "a", 0, 1, 2)
    assert store.read({"a": FIRST}) == {"a": [((i, 1), {b"d": b"%d" % i}) for i in range(3)]}
    assert store.read({"a": (1, 1)}) == {"a": [((2, 1), {b"d": b"2"})]}
    assert store.read({"a": (2, 1)}) == {}
    assert store.read({"a": FIRST}, count=1) == {"a": [((0, 1), {b"d": b"0"})]}


def test_an_id_that_is_not_greater_is_refused_but_left_alone_when_sent_again(store: StreamStore) -> None:
    add(store, "a", 0, 1)
    with pytest.raises(DataError, match="a"):
        add(store, "a", 1)
    add(store, "a", 0, 1, 2, again=True)
    assert [entry_id for entry_id, _ in store.range("a")] == [(0, 1), (1, 1), (2, 1)]


def test_ids_by_the_store_grow(store: StreamStore) -> None:
    store.append([Append("a", None, {b"d": b"x"}) for _ in range(5)])
    ids = [entry_id for entry_id, _ in store.range("a")]
    assert ids == sorted(set(ids)) and len(ids) == 5


def test_a_reader_waits_for_an_append_and_sees_all_of_it(store: StreamStore) -> None:
    found: list[object] = []
    a, b = "a{scan}", "b{scan}"  # one hash tag, as all keys of a scan have
    reader = threading.Thread(target=lambda: found.append(store.read({a: FIRST, b: FIRST, "c": FIRST}, timeout=30)))
    reader.start()
    store.append([Append(b, (1, 0), {b"d": b"1"}), Append(a, (1, 0), {b"d": b"1"})])
    reader.join(30)
    assert found == [{a: [((1, 0), {b"d": b"1"})], b: [((1, 0), {b"d": b"1"})]}]


def test_a_reader_gives_up_after_its_time(store: StreamStore) -> None:
    start = time.monotonic()
    assert store.read({"a": FIRST}, timeout=0.05) == {}
    assert time.monotonic() - start >= 0.045


def test_range_and_last_entries(store: StreamStore) -> None:
    add(store, "a", 0, 5, 9)
    assert [entry_id[0] for entry_id, _ in store.range("a", (5, 0))] == [5, 9]
    assert [entry_id[0] for entry_id, _ in store.range("a", FIRST, (5, 9))] == [0, 5]
    assert [entry_id[0] for entry_id, _ in store.range("a", count=1)] == [0]
    entry = store.last_before("a", (8, 0))
    assert entry and entry[0] == (5, 1)
    assert store.last_before("nothing", (8, 0)) is None
    last = store.last_entries(["a", "nothing"])
    assert last[0] and last[0][0] == (9, 1) and last[1] is None


def test_trimming_drops_the_oldest_and_keeps_the_last_id(store: StreamStore) -> None:
    add(store, "a", 0, 1, 2)
    store.trim({"a": (2, 0)})
    assert store.first_ids(["a", "nothing"]) == [(2, 1), None]
    store.trim({"a": (9, 0)})
    assert store.first_ids(["a"]) == [None]
    assert store.last_ids(["a", "nothing"]) == [(2, 1), None]


def test_entries_and_keys_can_be_dropped(store: StreamStore) -> None:
    add(store, "a", 0, 1, 2)
    store.drop_entries("a", [(1, 1)])
    assert [entry_id[0] for entry_id, _ in store.range("a")] == [0, 2]
    store.delete(["a", "nothing"])
    assert store.exist(["a"]) == [False]


def test_keys_expire(store: StreamStore) -> None:
    store.append([Append("a", (1, 0), {b"d": b""}), Append("b", (1, 0), {b"d": b""})], expire={"a": 0.02})
    wait_until(lambda: store.exist(["a", "b"]) == [False, True])
    store.expire(["b"], 0.02)
    wait_until(lambda: store.exist(["b"]) == [False])
    assert store.last_ids(["a"]) == [None]


def test_fields(store: StreamStore) -> None:
    store.set_fields("h", {"kind": "session", "n": 3})
    assert store.get_fields("h") == {b"kind": b"session", b"n": b"3"}
    store.drop_fields("h", ["n"])
    assert store.get_fields("h") == {b"kind": b"session"}
    assert store.get_fields("nothing") == {}


def test_no_two_callers_get_the_same_number(store: StreamStore) -> None:
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.extend(store.increment("h", "n") for _ in range(50))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 201))
    assert store.increment("h", "n", 10) == 210


def test_a_foreign_key_is_named(store: StreamStore) -> None:
    store.set_fields("taken", {"a": 1})
    with pytest.raises(ForeignKeyError, match=r"'taken'.*BLISS_LIKE_REDIS"):
        add(store, "taken", 1)
    add(store, "stream", 1)
    with pytest.raises(ForeignKeyError, match="'stream'"):
        store.get_fields("stream")
