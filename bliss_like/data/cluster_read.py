"""Wait for streams in several slots of a cluster at once: one blocking read a slot, whichever answers first.

A read that nobody answered stays under way when the call ends, and is found again by the next call for the same streams
and ids: in the usual loop of a listener, only the slot that had something is asked again.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from bliss_like.errors import StoreUnavailable

from .cluster_node import Watch
from .cluster_topology import Topology, key_slot
from .redis_store import SlotElsewhere
from .store import Entry, Id

MOVING = 0.02
"""Seconds between two tries while the keys of one slot are in two places."""
_HELD = 1.0
"""Seconds that a server holds a read; as long, at most, a listener learns nothing from a slot that begins to move."""
_OTHERS = 0.5
"""Seconds that the others are given to answer when a node is lost."""


class Cursors(NamedTuple):
    """The streams of one slot, the id after which each is read, and how many entries of it at most."""

    after: tuple[tuple[str, Id], ...]
    limit: int

    @property
    def slot(self) -> int:
        return key_slot(self.after[0][0])


Watches = dict[Cursors, Watch]


class WaitingRead:
    """One call that waits.

    :param kept: reads under way that nobody waits for; taken from and added to.
    :param read_now: how to read without waiting, from wherever the keys are.
    """

    def __init__(
        self,
        topology: Topology,
        groups: Iterable[Cursors],
        kept: Watches,
        read_now: Callable[[Mapping[str, Id], int], dict[str, list[Entry]]],
    ) -> None:
        self._topology, self._groups, self._kept, self._read_now = topology, tuple(groups), kept, read_now
        self._watches: Watches = {}
        self._failure: StoreUnavailable | None = None

    def wait(self, timeout: float) -> dict[str, list[Entry]]:
        """Return what came first; nothing after `timeout` s.

        :raises StoreUnavailable: a node is lost, and the others have nothing.
        """
        end = time.monotonic() + timeout
        self._close_forgotten()
        try:
            while True:
                self._ask()
                left = max(0.0, end - time.monotonic())
                found = self._collect(min(left, _OTHERS) if self._failure else left)
                if found:
                    return found
                if self._failure:
                    raise self._failure
                if time.monotonic() >= end:
                    return {}
        finally:
            self._keep()

    def _ask(self) -> None:
        for group in self._groups:
            if group in self._watches:
                continue
            if (kept := self._kept.pop(group, None)) is not None:
                self._watches[group] = kept
                continue
            try:
                node = self._topology.node(group.slot)
            except StoreUnavailable as error:
                self._failure = error
                return
            try:
                self._watches[group] = Watch(node, dict(group.after), _HELD, group.limit)
            except StoreUnavailable as error:
                self._topology.lost(node)
                self._failure = error

    def _collect(self, timeout: float) -> dict[str, list[Entry]]:
        poll = select.poll()
        groups: dict[int, Cursors] = {}
        for group, watch in self._watches.items():
            groups[watch.fileno()] = group
            poll.register(watch.fileno(), select.POLLIN)
        found: dict[str, list[Entry]] = {}
        for descriptor, _ in poll.poll(1000 * timeout):
            group = groups[descriptor]
            watch = self._watches.pop(group)
            try:
                found.update(self._take(group, watch))
            except StoreUnavailable as error:
                self._topology.lost(watch.store)
                self._failure = error
        self._give_up_overdue()
        return found

    def _take(self, group: Cursors, watch: Watch) -> dict[str, list[Entry]]:
        try:
            return watch.result()
        except SlotElsewhere as elsewhere:
            if elsewhere.moved and elsewhere.address:
                self._topology.moved(group.slot, watch.store, elsewhere.address)
                return {}
            time.sleep(MOVING)
            return self._read_now(dict(group.after), group.limit)

    def _give_up_overdue(self) -> None:
        patience = self._topology.answer_timeout
        for group, watch in list(self._watches.items()):
            if time.monotonic() > watch.until + patience:
                del self._watches[group]
                watch.close()
                self._topology.lost(watch.store)
                self._failure = StoreUnavailable(f"Redis server {watch.store.url}: no answer for {patience:g} s")

    def _keep(self) -> None:
        for group, watch in self._watches.items():
            if self._kept.setdefault(group, watch) is not watch:
                watch.close()

    def _close_forgotten(self) -> None:
        """End what was kept for a listener that is gone, or has gone on."""
        now = time.monotonic()
        for group in [group for group, watch in self._kept.items() if watch.until < now and group not in self._groups]:
            self._kept.pop(group).close()
