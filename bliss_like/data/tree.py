"""The tree of nodes, from the side of who adds to it: containers, scan numbers, scans, and what the store may keep."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bliss_like.errors import DataError, SavingError

from . import paths
from .channel_buffer import ChannelBuffer
from .codec import decode_event, encode_event
from .events import NewNode, NodeKind
from .publisher import Limits, StreamPublisher
from .retention import Budget, Retention
from .saving import is_done_with, saved
from .scan_info import to_be_saved
from .store import Append, Id, StreamStore
from .structure import ScanStructure
from .threads import THREADS, Tasks

_BRIEF = ("name", "scan_nb", "title", "type", "save", "data_writer")
"""What the list of scans says of one without looking into it."""


class Tree:
    """Adds sessions, containers and scans to a store; a `DataTree` for the engine.

    :param tasks: how publishers run beside the scan; greenlets in an acquisition, threads elsewhere.
    """

    def __init__(
        self,
        store: StreamStore,
        *,
        tasks: Tasks = THREADS,
        limits: Limits = Limits(),
        retention: Retention = Retention(),
    ) -> None:
        self.store = store
        self.limits = limits
        self.retention = retention
        self._tasks = tasks
        self._announced: set[str] = set()
        self._next_sweeps: dict[str, float] = {}
        self._budget = Budget(store, retention.max_bytes)

    def next_scan_number(self, container: str, *, saved: bool = True, above: int = 0) -> int:
        """Take a scan number below `container`; no two processes get the same, and a restart does not start again.

        :param above: a number that is taken already, on disk: the new one is greater.
        """
        self.add_container(container)
        field = "last_scan_number" if saved else "last_unsaved_number"
        number = self.store.increment(paths.node(container), field)
        if number == 1:  # the first one ever, or the server has forgotten the containers, too
            self._announced.clear()
            self.add_container(container)
        return number if number > above else self.store.increment(paths.node(container), field, above + 1 - number)

    def add_container(self, path: str, info: Mapping[str, Any] | None = None) -> None:
        """Announce a session (a path of one name) or a container, and those above it that are not there yet."""
        if path in self._announced:
            return
        parent = paths.parent(path)
        if parent:
            self.add_container(parent)
        paths.check_name(paths.name(path))
        if b"kind" not in self.store.get_fields(paths.node(path)):
            kind = NodeKind.CONTAINER if parent else NodeKind.SESSION
            self._announce(NewNode(path, kind, {"name": paths.name(path), **(info or {})}))
            self.store.set_fields(paths.node(path), {"kind": kind})
        self._announced.add(path)

    def open_scan(self, path: str, kind: NodeKind, info: Mapping[str, Any]) -> StreamPublisher:
        """Announce a scan (and the containers above it that are not there yet) and return its publisher.

        :param info: what is known of the scan before it is prepared.
        :raises DataError: a scan of that name is there already.
        :raises SavingError: it is to be saved, and the store is full of points that are, too.
        """
        container = paths.parent(path)
        self.add_container(container)
        paths.check_name(paths.name(path), "scan")
        self._sweep(container)
        if self.store.exist([paths.scan(path)])[0]:
            raise DataError(f"scan {path}: it is there already; a scan is published once")
        needs_writer = to_be_saved(info)
        channels: dict[str, ChannelBuffer] = {}
        budget = self._budget.watch(path, channels.values(), to_be_saved=needs_writer)
        if self._budget.check() and needs_writer:
            raise SavingError(f"scan {path}: not begun, as {budget}")
        retention = replace(self.retention, seconds=self.retention.lifetime(info))
        publisher = StreamPublisher(self.store, path, tasks=self._tasks, limits=self.limits, retention=retention)
        publisher.channels, publisher.budget = channels, budget
        brief = {key: info[key] for key in _BRIEF if key in info}
        try:
            publisher.publish(NewNode(path, kind, info))
            publisher.flush()
            self._announce(NewNode(path, kind, brief))
        except BaseException as error:  # also when the user has had enough of waiting
            publisher.abandon(error)
            raise
        return publisher

    def renew(self, scan: str) -> None:
        """Let the time of a scan in the store begin anew: another one refers to it."""
        structure = ScanStructure(self.store, scan).refresh()
        keys = [paths.data(node.path, scan) for node in structure.channels()]
        is_saved = is_done_with(saved(self.store, [scan])[0])
        seconds = self.retention.seconds if is_saved else self.retention.lifetime(structure.info)
        self.store.expire([paths.scan(scan), paths.saved(scan), *keys], seconds)

    def _announce(self, event: NewNode) -> None:
        self.store.append([Append(paths.children(paths.parent(event.path)), None, encode_event(event))])

    def _sweep(self, container: str) -> None:
        """Take entries of scans that have expired out of the list of children, a few at a time.

        Where none have, it is not looked again for a thousandth of the time that they stay.
        """
        now = time.monotonic()
        if now < self._next_sweeps.get(container, 0.0):
            return
        key = paths.children(container)
        scans: list[tuple[Id, str]] = []
        for entry_id, fields in self.store.range(key, count=20):
            event = decode_event(fields)
            if isinstance(event, NewNode) and event.kind.is_scan:
                scans.append((entry_id, event.path))
        there = self.store.exist([paths.scan(scan) for _, scan in scans])
        gone = [scan for scan, alive in zip(scans, there, strict=True) if not alive]
        if not gone:
            self._next_sweeps[container] = now + self.retention.seconds / 1000
        self.store.drop_entries(key, [entry_id for entry_id, _ in gone])
        self.store.delete([paths.saving(path) for _, path in gone])
        self._budget.forget([path for _, path in gone])
