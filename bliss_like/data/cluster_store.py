"""Streams in a Redis Cluster: each call goes to the node that has the key, calls with several keys to several nodes.

The keys of one scan share a slot, so that what a scan appends is still one transaction and what it stores one read. A
listener follows several slots, and no command reads two of them: it waits in one blocking read a slot, each on a
connection of its own, and keeps those that had nothing to say for the next time (docs/decisions/0006-cluster.md).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from bliss_like.errors import StoreUnavailable

from .cluster_keys import ClusterKeys
from .cluster_read import MOVING, Cursors, WaitingRead, Watches
from .cluster_topology import Topology, key_slot
from .codec import Fields
from .redis_store import RedisStore, SlotElsewhere
from .store import FIRST, Append, Entry, Id

T = TypeVar("T")
_REDIRECTIONS = 16
_FEW = 8
"""Streams in more new slots than these are asked for first, without waiting: most of them have something."""


class ClusterStore:
    """A `StreamStore` on a Redis Cluster; may be used from several threads and greenlets."""

    def __init__(self, url: str) -> None:
        self.address = url
        """Where another process finds it; with the password."""
        self._topology = Topology(url)
        self._local = threading.local()
        self.keys = ClusterKeys(self)
        """Small values that processes share."""

    def __repr__(self) -> str:
        return f"ClusterStore({self.url})"

    @property
    def url(self) -> str:
        """Where the cluster is, without the password."""
        return self._topology.url

    def check(self) -> None:
        """Return when a node answers and knows the others.

        :raises StoreUnavailable: none does.
        """
        self._topology.refresh()

    # -- streams -------------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Append], *, expire: Mapping[str, float] = {}, again: bool = False) -> None:
        keys = dict.fromkeys([*(entry.key for entry in entries), *expire])
        for slot, some in _by_slot(keys).items():
            try:
                self._append(slot, some, entries, expire, again)
            except SlotElsewhere:  # it is moving: some keys are here, some there
                for key in some:
                    self._append(slot, [key], entries, expire, again)

    def _append(
        self, slot: int, keys: list[str], entries: Sequence[Append], expire: Mapping[str, float], again: bool
    ) -> None:
        """Store what is for these keys of one slot; for several of them raise SlotElsewhere while the slot moves."""
        chosen = set(keys)
        mine = [entry for entry in entries if entry.key in chosen]
        lives = {key: expire[key] for key in keys if key in expire}
        # What was acknowledged may be gone with a lost node, so the publisher is to look before it sends again.
        self.at(slot, lambda node: node.append(mine, expire=lives, again=again), len(keys) > 1, insist=False)

    def read(self, after: Mapping[str, Id], *, timeout: float = 0, count: int = 1000) -> dict[str, list[Entry]]:
        if timeout <= 0:
            return self._read_now(after, count)
        groups = [Cursors(tuple((key, after[key]) for key in keys), count) for keys in _by_slot(after).values()]
        watches = self._watches
        if sum(group not in watches for group in groups) > _FEW and (found := self._read_now(after, count)):
            return found
        return WaitingRead(self._topology, groups, watches, self._read_now).wait(timeout)

    def _read_now(self, after: Mapping[str, Id], count: int) -> dict[str, list[Entry]]:
        def read(node: RedisStore, keys: Sequence[str]) -> list[list[Entry]]:
            groups = [{key: after[key] for key in some} for some in _by_slot(keys).values()]
            found = node.read_groups(groups, count=count)
            return [found.get(key, []) for key in keys]

        found = zip(after, self._each(list(after), read), strict=True)
        return {key: entries for key, entries in found if entries}

    def range(self, key: str, first: Id = FIRST, last: Id | None = None, count: int | None = None) -> list[Entry]:
        return self.at(key_slot(key), lambda node: node.range(key, first, last, count))

    def last_before(self, key: str, last: Id) -> Entry | None:
        return self.at(key_slot(key), lambda node: node.last_before(key, last))

    def last_entries(self, keys: Sequence[str]) -> list[Entry | None]:
        return self._each(keys, RedisStore.last_entries)

    def last_ids(self, keys: Sequence[str]) -> list[Id | None]:
        return self._each(keys, RedisStore.last_ids)

    def first_ids(self, keys: Sequence[str]) -> list[Id | None]:
        return self._each(keys, RedisStore.first_ids)

    def exist(self, keys: Sequence[str]) -> list[bool]:
        return self._each(keys, RedisStore.exist)

    def trim(self, bounds: Mapping[str, Id]) -> None:
        self._for_each(list(bounds), lambda node, keys: node.trim({key: bounds[key] for key in keys}))

    def drop_entries(self, key: str, ids: Sequence[Id]) -> None:
        self.at(key_slot(key), lambda node: node.drop_entries(key, ids))

    # -- keys and hashes ---------------------------------------------------------------------------------------

    def delete(self, keys: Sequence[str]) -> None:
        self._for_each(keys, RedisStore.delete)

    def expire(self, keys: Iterable[str], seconds: float) -> None:
        self._for_each(list(keys), lambda node, some: node.expire(some, seconds))

    def get_fields(self, key: str) -> Fields:
        return self.at(key_slot(key), lambda node: node.get_fields(key))

    def set_fields(self, key: str, fields: Mapping[str, str | int]) -> None:
        self.at(key_slot(key), lambda node: node.set_fields(key, fields))

    def drop_fields(self, key: str, names: Sequence[str]) -> None:
        self.at(key_slot(key), lambda node: node.drop_fields(key, names))

    def increment(self, key: str, field: str, by: int = 1) -> int:
        return self.at(key_slot(key), lambda node: node.increment(key, field, by))

    # -- the nodes ---------------------------------------------------------------------------------------------

    def at(self, slot: int, call: Callable[[RedisStore], T], several_keys: bool = False, *, insist: bool = True) -> T:
        """Call for the node that has a slot, and follow the slot where it went.

        :param several_keys: then SlotElsewhere is raised while the slot moves: its keys are to be asked for one by one.
        :param insist: call again for the node that took over from a lost one.
        """
        node = self._topology.node(slot)
        for _ in range(_REDIRECTIONS):
            try:
                return call(node)
            except SlotElsewhere as elsewhere:
                if several_keys and not elsewhere.moved:
                    raise
                node = self._follow(slot, node, elsewhere)
            except StoreUnavailable:
                self._topology.lost(node)
                taker = self._topology.node(slot)
                if taker is node or not insist:
                    raise
                node = taker
        raise StoreUnavailable(
            f"Redis Cluster {self.url}: its nodes send each other the keys of slot {slot}, on and on"
        )

    def masters(self) -> list[RedisStore]:
        """Return all nodes that have slots."""
        return self._topology.masters()

    def _follow(self, slot: int, node: RedisStore, elsewhere: SlotElsewhere) -> RedisStore:
        if elsewhere.address is None:
            time.sleep(MOVING)
            return self._topology.node(slot)
        if elsewhere.moved:
            return self._topology.moved(slot, node, elsewhere.address)
        return self._topology.asking(node, elsewhere.address)

    def _each(self, keys: Sequence[str], call: Callable[[RedisStore, Sequence[str]], list[T]]) -> list[T]:
        """Return the answer for each key: one call a node; key by key where that does not go."""
        nodes: dict[RedisStore, list[str]] = {}
        for key in keys:
            nodes.setdefault(self._topology.node(key_slot(key)), []).append(key)
        answers: dict[str, T] = {}
        for node, some in nodes.items():
            try:
                answers.update(zip(some, call(node, some), strict=True))
            except (SlotElsewhere, StoreUnavailable):
                for key in some:
                    answers[key] = self.at(key_slot(key), lambda other, key=key: call(other, [key])[0])  # type: ignore[misc]
        return [answers[key] for key in keys]

    def _for_each(self, keys: Sequence[str], call: Callable[[RedisStore, Sequence[str]], None]) -> None:
        def run(node: RedisStore, some: Sequence[str]) -> list[None]:
            call(node, some)
            return [None] * len(some)

        self._each(keys, run)

    @property
    def _watches(self) -> Watches:
        """Reads of this thread that are under way, though nobody waits for them at the moment."""
        if getattr(self._local, "pid", None) != os.getpid():
            self._local.watches, self._local.pid = {}, os.getpid()
        watches: Watches = self._local.watches
        return watches


def _by_slot(keys: Iterable[str]) -> dict[int, list[str]]:
    slots: dict[int, list[str]] = {}
    for key in keys:
        slots.setdefault(key_slot(key), []).append(key)
    return slots
