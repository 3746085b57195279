"""Small shared values while the slots of a cluster move: still all of a change or none."""

from __future__ import annotations

import threading

import pytest

from bliss_like.data.cluster_store import ClusterStore
from bliss_like.data.cluster_topology import key_slot
from bliss_like.data.key_store import Is
from tests.cluster import LoopbackCluster


def test_a_change_of_several_keys_waits_for_a_slot_on_its_way(redis_cluster: LoopbackCluster) -> None:
    keys = ClusterStore(redis_cluster.url).keys
    slot = key_slot("{t}")
    keys.run(("SET", "a{t}", 1), ("SET", "b{t}", 1))
    target = next(node for node in redis_cluster.nodes if node is not redis_cluster.master_of(slot))
    source = redis_cluster.begin_to_move(slot, target)
    redis_cluster.move_keys(slot, source, target, count=1)
    done: list[object] = []

    def change() -> None:
        done.append(keys.run(("SET", "a{t}", 2), ("SET", "b{t}", 2)))
        done.append(keys.run(("SET", "a{t}", 3), ("SET", "b{t}", 3), when=[Is("b{t}", b"2")]))

    thread = threading.Thread(target=change)
    thread.start()
    redis_cluster.move_keys(slot, source, target)
    redis_cluster.end_move(slot, source, target)
    thread.join(60)
    assert done == [[b"OK", b"OK"]] * 2
    assert (keys.read("a{t}"), keys.read("b{t}")) == (b"3", b"3")


def test_one_key_is_followed_while_its_slot_moves(redis_cluster: LoopbackCluster) -> None:
    keys = ClusterStore(redis_cluster.url).keys
    slot = key_slot("{t}")
    keys.run(("SET", "a{t}", 1))
    target = next(node for node in redis_cluster.nodes if node is not redis_cluster.master_of(slot))
    source = redis_cluster.begin_to_move(slot, target)
    redis_cluster.move_keys(slot, source, target)
    assert keys.read("a{t}") == b"1"
    assert keys.run(("INCR", "a{t}"), ("INCR", "a{t}")) == [2, 3]
    assert keys.run(("INCR", "a{t}"), when=[Is("a{t}", b"3")]) == [4] and keys.read("a{t}") == b"4"
    assert keys.run(("SET", "new{t}", 1), when=[Is("new{t}", None)]) == [b"OK"] and keys.read("new{t}") == b"1"
    redis_cluster.end_move(slot, source, target)
    assert keys.read("a{t}") == b"4" and keys.names("") == ["a{t}", "new{t}"]


def test_keys_of_several_slots(redis_cluster: LoopbackCluster) -> None:
    keys = ClusterStore(redis_cluster.url).keys
    with pytest.raises(ValueError, match="keys 'a', 'b': what is changed in one step must be in one slot"):
        keys.run(("SET", "a", 1), ("SET", "b", 1))
    assert keys.read("a") is None
