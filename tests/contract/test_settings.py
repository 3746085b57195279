"""Settings on every store: each kind, several in one step, and names."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from bliss_like.config.settings import (
    HashSetting,
    OrderedHashSetting,
    ParametersWardrobe,
    QueueSetting,
    SimpleSetting,
    pipeline,
    scan,
)
from bliss_like.data.key_store import KeyStore
from bliss_like.data.store import StreamStore
from bliss_like.errors import ForeignKeyError


@pytest.fixture
def keys(store: StreamStore) -> KeyStore:
    return store.keys


def test_each_kind(keys: KeyStore) -> None:
    simple, queue = SimpleSetting("s", keys, default_value=1), QueueSetting("q", keys)
    plain, ordered = HashSetting("h", keys, default_values={"d": 1}), OrderedHashSetting("o", keys)
    simple += 1
    queue.extend(["0001", None])
    queue[0] = "0002"
    for table in (plain, ordered):
        table.update(z=np.arange(3), a=float("inf"))
        table.update_item("a", lambda value: -value)
        assert table["z"].tolist() == [0, 1, 2] and table["a"] == float("-inf")
        assert table.pop("z").shape == (3,) and not table.compare_and_set("a", 1, 2)
    assert simple.get() == 2 and queue.get() == ["0002", None] and plain["d"] == 1
    ordered.update({key: key for key in "zyx"})
    assert list(ordered) == ["a", "z", "y", "x"]
    with pytest.raises(ForeignKeyError, match="setting:{s}"):
        QueueSetting("s", keys).get()


def test_a_long_list_and_a_large_dict_in_one_step(keys: KeyStore) -> None:
    queue, table = QueueSetting("q", keys), OrderedHashSetting("h", keys)
    queue.update(lambda values: range(10_000))
    table.update({f"key{i}": i for i in range(5_000)})
    assert queue.get() == list(range(10_000)) and list(table.values()) == list(range(5_000))
    queue[-1] = "last"
    assert queue[-2:] == [9998, "last"]


def test_several_in_one_step(keys: KeyStore) -> None:
    settings = [SimpleSetting(f"s{i}", keys) for i in range(5)]
    queue = QueueSetting("q", keys)
    with pipeline(*settings, queue):
        for i, setting in enumerate(settings):
            setting.set(i)
            queue.append(i)
    assert [setting.get() for setting in settings] == queue.get() == list(range(5))
    with pytest.raises(ZeroDivisionError), pipeline(queue):
        queue.clear()
        _ = 1 / 0
    assert len(queue) == 5
    assert list(scan("s[0-2]", connection=keys)) == ["s0", "s1", "s2"]


def test_parameters(keys: KeyStore) -> None:
    one = ParametersWardrobe("p", {"a": 1}, connection=keys)
    other = ParametersWardrobe("p", {"a": 1}, connection=keys)
    one.switch("x")
    one.a = 2
    one.add("b", [1])
    assert (other.a, other.b, other.instances) == (1, [1], ["default", "x"])
    other.switch("x")
    other.remove("x")
    assert one.current_instance == "default" and one.a == 1


def test_additions_at_the_same_time(keys: KeyStore) -> None:
    def add() -> None:
        counter, table = SimpleSetting("n", keys, default_value=0), OrderedHashSetting("h", keys)
        for _ in range(25):
            counter += 1
            table.update_item("n", lambda n: n + 1, 0)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert SimpleSetting("n", keys).get() == OrderedHashSetting("h", keys)["n"] == 75
