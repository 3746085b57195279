"""Small shared values, the same on every store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from bliss_like.data.key_store import Is, KeyStore
from bliss_like.data.store import StreamStore
from bliss_like.errors import DataError, ForeignKeyError
from tests.waiting import wait_until


@pytest.fixture
def keys(store: StreamStore) -> KeyStore:
    return store.keys


def one(keys: KeyStore, *command: Any) -> Any:
    replies = keys.run(command)
    assert replies is not None and len(replies) == 1
    return replies[0]


def test_what_is_not_there_is_none(keys: KeyStore) -> None:
    assert keys.read("k") is None
    assert keys.run(("GET", "k"), ("HGET", "k", "f"), ("LPOP", "k"), ("HGETALL", "k")) == [None, None, None, []]
    assert keys.run() == []


def test_strings(keys: KeyStore) -> None:
    assert one(keys, "SET", "k", b"\x00\xff\r\n") == b"OK"
    assert keys.read("k") == b"\x00\xff\r\n"
    assert one(keys, "SET", "k", "other", "NX") is None
    assert one(keys, "SET", "k", "äöü", "XX") == b"OK"
    assert keys.read("k") == "äöü".encode()
    assert one(keys, "SET", "nothing", 1, "XX") is None
    assert keys.run(("INCR", "n{k}"), ("INCRBY", "n{k}", 4), ("GET", "n{k}")) == [1, 5, b"5"]
    with pytest.raises(DataError, match="integer"):
        keys.run(("INCR", "k"))
    assert one(keys, "SET", "f", 0.1) == b"OK" and keys.read("f") == b"0.1"


def test_an_empty_string_is_there(keys: KeyStore) -> None:
    keys.run(("SET", "k", b""))
    assert keys.read("k") == b"" and one(keys, "EXISTS", "k") == 1


def test_hashes(keys: KeyStore) -> None:
    assert one(keys, "HSET", "h", "a", 1, "b", b"\xff") == 2
    assert one(keys, "HSET", "h", "a", 2, "c", 3) == 1
    assert keys.read("h") == {b"a": b"2", b"b": b"\xff", b"c": b"3"}
    assert one(keys, "HSETNX", "h", "a", 9) == 0 and one(keys, "HSETNX", "h", "d", 9) == 1
    replies = keys.run(("HGET", "h", "d"), ("HEXISTS", "h", "x"), ("HLEN", "h"), ("HINCRBY", "h", "a", -3))
    assert replies == [b"9", 0, 4, -1]
    assert sorted(one(keys, "HKEYS", "h")) == [b"a", b"b", b"c", b"d"]
    assert one(keys, "HDEL", "h", "b", "x", "c", "d") == 3
    assert one(keys, "HGETALL", "h") == [b"a", b"-1"]


def test_lists(keys: KeyStore) -> None:
    assert one(keys, "RPUSH", "q", 3, 4) == 2
    assert one(keys, "LPUSH", "q", 2, 1) == 4
    assert keys.read("q") == [b"1", b"2", b"3", b"4"]
    assert one(keys, "LRANGE", "q", 1, 2) == [b"2", b"3"]
    assert one(keys, "LRANGE", "q", -2, -1) == [b"3", b"4"]
    assert one(keys, "LRANGE", "q", 3, 1) == [] and one(keys, "LRANGE", "q", -9, 99) == [b"1", b"2", b"3", b"4"]
    assert keys.run(("LPOP", "q"), ("RPOP", "q"), ("LLEN", "q")) == [b"1", b"4", 2]
    one(keys, "RPUSH", "q", 2, 2)
    assert one(keys, "LREM", "q", -1, 2) == 1 and keys.read("q") == [b"2", b"3", b"2"]
    assert one(keys, "LREM", "q", 1, 2) == 1 and keys.read("q") == [b"3", b"2"]
    assert one(keys, "LREM", "q", 0, 9) == 0


def test_sorted_sets(keys: KeyStore) -> None:
    assert one(keys, "ZADD", "z", 2, "b", 1, "a", 2, "ab") == 3
    assert keys.read("z") == [b"a", b"ab", b"b"]
    assert one(keys, "ZADD", "z", "NX", 0, "b", 3, "c") == 1
    assert one(keys, "ZRANGE", "z", 0, -1) == [b"a", b"ab", b"b", b"c"]
    assert one(keys, "ZADD", "z", 0.5, "b") == 0
    assert keys.run(("ZCARD", "z"), ("ZSCORE", "z", "b"), ("ZSCORE", "z", "x"), ("ZREM", "z", "a")) == [
        4,
        b"0.5",
        None,
        1,
    ]
    assert keys.read("z") == [b"b", b"ab", b"c"]


def test_what_is_emptied_is_gone(keys: KeyStore) -> None:
    keys.run(("HSET", "h", "a", 1))
    keys.run(("HDEL", "h", "a"))
    keys.run(("RPUSH", "q", 1))
    keys.run(("LPOP", "q"))
    assert keys.read("h") is None and keys.read("q") is None
    keys.run(("SET", "q", 1))
    assert keys.run(("DEL", "q"), ("UNLINK", "q"), ("EXISTS", "q")) == [1, 0, 0]


def test_keys_expire(keys: KeyStore) -> None:
    keys.run(("SET", "k", 1, "PX", 60_000))
    assert 0 < one(keys, "PTTL", "k") <= 60_000
    keys.run(("SET", "k", 1, "PX", 30))
    wait_until(lambda: keys.read("k") is None)
    keys.run(("HSET", "k", "a", 1))
    assert one(keys, "PTTL", "k") == -1 and one(keys, "PTTL", "nothing") == -2
    assert one(keys, "PEXPIRE", "k", 60_000) == 1 and one(keys, "PEXPIRE", "nothing", 60_000) == 0
    assert one(keys, "PERSIST", "k") == 1 and one(keys, "PTTL", "k") == -1
    keys.run(("SET", "s", 1, "PX", 60_000))
    keys.run(("SET", "s", 2, "KEEPTTL"))
    assert 50_000 < one(keys, "PTTL", "s") <= 60_000
    keys.run(("SET", "s", 3))
    assert one(keys, "PTTL", "s") == -1
    one(keys, "PEXPIRE", "s", 0)
    assert keys.read("s") is None


def test_conditions_on_a_string(keys: KeyStore) -> None:
    assert keys.run(("SET", "k", "old"), when=[Is("k", None)]) == [b"OK"]
    assert keys.run(("SET", "k", "new"), when=[Is("k", None)]) is None
    assert keys.run(("SET", "k", "new"), when=[Is("k", b"other")]) is None
    assert keys.read("k") == b"old"
    assert keys.run(("SET", "k", "new"), ("GET", "k"), ("DEL", "x{k}"), when=[Is("k", b"old")]) == [b"OK", b"new", 0]
    assert keys.run(when=[Is("k", b"new")]) == [] and keys.run(when=[Is("k", b"old")]) is None


def test_conditions_on_a_field(keys: KeyStore) -> None:
    assert keys.run(("HSET", "h", "a", b"\xff"), when=[Is("h", None, "a")]) == [1]
    assert keys.run(("HSET", "h", "a", 2), when=[Is("h", None, "a")]) is None
    assert keys.run(("HDEL", "h", "a"), when=[Is("h", b"\xff", "a"), Is("h", None, b"b")]) == [1]
    assert keys.read("h") is None


@pytest.mark.parametrize(
    ("make", "value", "others"),
    [
        (("SET", "k", ""), b"", [b"x", None, {b"a": b"1"}]),
        (("RPUSH", "k", 1, 2), [b"1", b"2"], [[b"2", b"1"], [b"1"], [b"1", b"2", b"3"], {b"1": b"2"}, None, b"1"]),
        (("ZADD", "k", 2, "b", 1, "a"), [b"a", b"b"], [[b"b", b"a"], None]),
        (("HSET", "k", "a", 1, "b", 2), {b"b": b"2", b"a": b"1"}, [{b"a": b"1"}, {b"a": b"1", b"c": b"2"}, None, []]),
    ],
)
def test_conditions_on_all_that_a_key_holds(keys: KeyStore, make: Any, value: Any, others: list[Any]) -> None:
    keys.run(make)
    assert keys.read("k") == value
    for other in others:
        assert keys.run(("DEL", "k"), when=[Is("k", other)]) is None
    assert keys.run(("DEL", "k"), when=[Is("k", value)]) == [1]


def test_nobody_sees_half_a_change_and_none_is_lost(keys: KeyStore) -> None:
    nthreads, nchanges = 3, 30
    halves = []

    def change() -> None:
        done = 0
        while done < nchanges:
            value = keys.read("{n}a")
            twin = keys.run(("GET", "{n}a"), ("GET", "{n}b"))
            halves.append(twin is None or twin[0] != twin[1])
            number = int(value or b"0") + 1  # type: ignore[arg-type]
            condition = Is("{n}a", value)
            done += keys.run(("SET", "{n}a", number), ("SET", "{n}b", number), when=[condition]) is not None

    run_together([change] * nthreads)
    assert keys.read("{n}a") == b"%d" % (nthreads * nchanges)
    assert not any(halves)


def run_together(actions: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_names(keys: KeyStore) -> None:
    for name in ("a:1", "a:2", "b:1", "a[*]?\\:3"):
        keys.run(("SET", name, 1))
    assert keys.names("a:") == ["a:1", "a:2"]
    assert keys.names("a[*]?\\") == ["a[*]?\\:3"]
    assert len(keys.names("")) == 4


def test_another_kind_of_value_is_named(keys: KeyStore) -> None:
    keys.run(("SET", "taken", 1))
    with pytest.raises(ForeignKeyError, match="'taken'"):
        keys.run(("RPUSH", "taken", 2))
    with pytest.raises(ForeignKeyError, match="'taken'"):
        keys.run(("RPUSH", "taken", 2), ("GET", "taken"), when=[Is("taken", b"1")])
    assert keys.read("taken") == b"1"
    assert keys.run(("DEL", "taken"), when=[Is("taken", None, "field")]) in (None, [1])


def test_a_command_that_no_store_knows(keys: KeyStore) -> None:
    with pytest.raises(DataError, match="FROBNICATE"):
        keys.run(("FROBNICATE", "k"))
