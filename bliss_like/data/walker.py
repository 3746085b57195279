"""Follow a tree of nodes: every event below one node, in a causal order, each exactly once.

A parent comes before its children, PREPARED_SCAN before the points of its scan, END_SCAN after them, SAVED_SCAN last.
XREAD gives no order across streams, hence: all of a scan but its points is one stream, points are asked for only once the
scan is prepared, and since END_SCAN is stored after the last point, reading the rest without waiting when it has come gives
all of them; what its writer says is asked for after that. Scans that are saved, or not to be saved, are left behind, and of
the others the last ones are waited for: the cost of waiting does not grow with the past.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from . import paths
from .awaited import Awaited
from .codec import StructureEvent, decode_event
from .events import EndScan, NewData, NewNode, PreparedScan, SavedScan, ScanInfoUpdate
from .patience import PATIENCE, Answer, patiently
from .scan_info import to_be_saved
from .store import FIRST, LAST_SEQUENCE, Entry, Id, StreamStore
from .structure import ChannelSpec, ScanStructure, merge_points, unfinished

_SCANS_AT_ONCE = 64
_SLICE = 0.2
_READ_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Points(NewData):
    """NewData as read; `expired` points before these are no more in the store."""

    expired: int = 0


WalkEvent = NewNode | PreparedScan | ScanInfoUpdate | Points | EndScan | SavedScan


@dataclass
class _Followed:
    """A scan that has not ended."""

    structure: ScanStructure
    channels: dict[str, ChannelSpec] = field(default_factory=dict)
    """Channels whose points are followed, by key."""
    seen: dict[str, int] = field(default_factory=dict)
    """Index of the next point, by key."""


@dataclass
class Depth:
    """How far down a walker looks: what nobody asks for is not read."""

    structure: bool = True
    """Masters, channels, PREPARED_SCAN and END_SCAN of scans."""
    points: bool = True
    saved: bool = True
    """SAVED_SCAN of scans."""


class Walker:
    """Yields the events below `root`; see the module for their order.

    :param prune: called with each new node and whether it was there when the walk began; True stops there: the node
        itself is yielded, what is below it is not.
    :param note_existing: find out what is there when the walk begins, which `prune` is told; else all counts as new.
    :param until_saved: a walk of a single scan that a writer was asked to save ends with SAVED_SCAN, not with END_SCAN.
    :param patience: seconds for which a server that goes away is waited for. A walk that has failed may be gone on with.
    """

    def __init__(
        self,
        store: StreamStore,
        root: str,
        *,
        depth: Depth | None = None,
        prune: Callable[[NewNode, bool], bool] | None = None,
        note_existing: bool = False,
        until_saved: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        self._store, self._root = store, root
        self._note, self._until_saved, self._patience = note_existing, until_saved, patience
        self._depth = depth or Depth()
        self._prune = prune or (lambda node, existing: False)
        self._children: dict[str, Id] = {}
        """Cursors of the lists of children that are followed, by key."""
        self._seen_nodes: set[str] = set()
        """Containers: two processes may announce the same one. A scan is announced once."""
        self._scans: dict[str, _Followed] = {}
        """Scans that are followed, by the key of their structure."""
        self._awaited = Awaited()
        self._waiting: deque[tuple[NewNode, bool]] = deque()
        """Scans found and not yet looked into."""
        self._start_ids: dict[str, Id] = {}
        """Last ids of the lists of children when the walk began, by key."""
        self._single_scan = False
        self._started = False
        self._stopped: Callable[[], bool] = lambda: False

    # -- where to start -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with all that is there."""
        scan = self._scan_of_root()
        if scan:
            self._single_scan = True
            self._follow_scan(scan)
        else:
            if self._note:
                self._note_existing(self._root)
            self._follow_container(self._root)
        self._started = True  # a walk that has failed before begins again

    def _note_existing(self, container: str) -> None:
        entries = self._store.range(paths.children(container))
        if entries:
            self._start_ids[paths.children(container)] = entries[-1][0]
        for path in {node.path for node in (decode_event(fields) for _, fields in entries) if _is_container(node)}:
            self._note_existing(path)

    def start_now(self, *, running: bool = False) -> None:
        """Begin with what is new from this moment; nothing that is there already is yielded.

        :param running: but scans that have not ended, from their beginning.
        """
        self.start()
        scans: list[NewNode] = []
        while True:
            found = self._store.read(self._children, count=10_000)
            for key, entries in found.items():
                self._children[key] = entries[-1][0]
                for entry in entries:
                    node = decode_event(entry[1])
                    if not isinstance(node, NewNode) or node.path in self._seen_nodes:
                        continue
                    if not node.kind.is_scan:
                        self._seen_nodes.add(node.path)
                    if self._prune(node, True):
                        continue
                    if node.kind.is_scan:
                        scans.append(node)
                    else:
                        self._follow_container(node.path)
            if not found:
                break
        left = set(unfinished(self._store, [scan.path for scan in scans]))
        if self._depth.saved:
            self._awaited.add_unsaved(self._store, [scan for scan in scans if scan.path not in left])
        if running:
            self._waiting.extend((scan, False) for scan in scans if scan.path in left)
            return
        for path in left:
            self._follow_scan(path)
        for key in list(self._scans):
            self._catch_up(key)

    def _catch_up(self, key: str) -> None:
        """Move the cursors of a running scan to its present end."""
        scan = self._scans[key]
        scan.structure.refresh()
        if scan.structure.end:
            del self._scans[key]
            self._await_saved(scan)
            return
        if scan.structure.prepared:
            self._follow_points(scan)
            for data_key, last in zip(scan.channels, self._store.last_ids(list(scan.channels)), strict=True):
                scan.seen[data_key] = sum(last) if last else 0

    def _scan_of_root(self) -> str:
        candidates = paths.scan_candidates(self._root)
        there = self._store.exist([paths.scan(path) for path in candidates])
        return next((path for path, exists in zip(candidates, there, strict=True) if exists), "")

    @property
    def doors(self) -> Mapping[str, Id]:
        """Streams, and how far they were read, in which something appears as soon as there is more than points to yield."""
        return {**self._children, **{key: scan.structure.cursor for key, scan in self._scans.items()}}

    # -- the loop --------------------------------------------------------------------------------------------------

    def events(self, *, wait: bool = True, stopped: Callable[[], bool] = lambda: False) -> Iterator[WalkEvent]:
        """Yield events until there are no more (`wait=False`), the walked scan has ended, or `stopped()`.

        A server that goes away is waited for.
        :raises StoreUnavailable: it stayed away for a minute, or was away when the walk was stopped.
        """
        if not self._started:
            self.start()
        self._stopped = stopped
        while not stopped():
            yield from self._open_waiting()
            busy = bool(self._waiting)
            found = self._read(_SLICE if wait and not busy else 0)
            self._awaited.give_up_the_oldest(found)
            for key in sorted(found, key=self._rank):
                yield from self._accept(key, found[key])
            if self._single_scan and not (self._scans or self._awaited.cursors):
                return
            if not (found or self._waiting or wait):
                return

    def _read(self, timeout: float) -> dict[str, list[Entry]]:
        cursors = {**self._children, **self._awaited.cursors}
        for key, scan in self._scans.items():
            cursors[key] = scan.structure.cursor
            cursors.update(
                {data_key: (seen - 1, LAST_SEQUENCE) if seen else FIRST for data_key, seen in scan.seen.items()}
            )
        if not cursors:
            time.sleep(timeout)
            return {}
        count = self._count(self._scans.values())
        return self._ask(lambda: self._store.read(cursors, timeout=timeout, count=count))

    @staticmethod
    def _count(scans: Iterable[_Followed]) -> int:
        """How many entries of each stream to ask for, so that images are not read by the gigabyte."""
        nbytes = sum(spec.entry_size for scan in scans for spec in scan.channels.values())
        return max(1, min(1000, _READ_BYTES // max(nbytes, 1)))

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        return patiently(question, self._stopped, self._patience)

    def _rank(self, key: str) -> int:
        return 0 if key in self._children else 1 if key in self._scans else 2

    def _accept(self, key: str, entries: list[Entry]) -> Iterator[WalkEvent]:
        if key in self._children:
            yield from self._accept_children(key, entries)
        elif key in self._scans:
            yield from self._accept_structure(key, entries)
        elif key in self._awaited.cursors:
            yield from self._awaited.accept(key, entries)
            if self._single_scan:
                self._awaited.cursors.clear()
        else:
            for scan in self._scans.values():
                if key in scan.seen:
                    yield from self._accept_points(scan, key, entries)
                    break

    # -- containers ------------------------------------------------------------------------------------------------

    def _follow_container(self, path: str) -> None:
        self._children[paths.children(path)] = FIRST

    def _accept_children(self, key: str, entries: list[Entry]) -> Iterator[WalkEvent]:
        for entry_id, fields in entries:
            self._children[key] = entry_id
            node = decode_event(fields)
            if not isinstance(node, NewNode) or node.path in self._seen_nodes:
                continue
            existing = entry_id <= self._start_ids.get(key, FIRST)
            if node.kind.is_scan:
                self._waiting.append((node, existing))
                continue
            self._seen_nodes.add(node.path)
            yield node
            if not self._prune(node, existing):
                self._follow_container(node.path)

    # -- scans -----------------------------------------------------------------------------------------------------

    def _open_waiting(self) -> Iterator[WalkEvent]:
        some = list(islice(self._waiting, _SCANS_AT_ONCE))
        there = self._ask(lambda: self._store.exist([paths.scan(node.path) for node, _ in some])) if some else []
        for (node, existing), alive in zip(some, there, strict=True):
            self._waiting.popleft()
            if not alive:
                continue  # its time in the store is over
            yield node
            if self._depth.structure and not self._prune(node, existing):
                self._follow_scan(node.path)

    def _follow_scan(self, path: str) -> None:
        self._scans[paths.scan(path)] = _Followed(ScanStructure(self._store, path))

    def _accept_structure(self, key: str, entries: list[Entry]) -> Iterator[WalkEvent]:
        scan = self._scans[key]
        for entry_id, fields in entries:
            event = decode_event(fields)
            scan.structure.accept(event)
            if isinstance(event, EndScan):
                yield from self._finish(key, scan, event)
                return
            scan.structure.cursor = entry_id  # behind which the end comes again if the server goes away meanwhile
            if isinstance(event, NewNode) and event.path != scan.structure.path:
                if event.path != self._root and self._is_below(event.path, event.scan):
                    yield event
            elif isinstance(event, (PreparedScan, ScanInfoUpdate)) and self._covers(scan):
                yield event
        if scan.structure.prepared:
            self._follow_points(scan)

    def _follow_points(self, scan: _Followed) -> None:
        if not self._depth.points:
            return
        for node in scan.structure.channels():
            if self._is_below(node.path, node.scan):
                spec = ChannelSpec.of(node)
                scan.channels.setdefault(spec.key, spec)
                scan.seen.setdefault(spec.key, 0)

    def _is_below(self, path: str, scan: str) -> bool:
        """Whether a node is below the root, and not below a pruned node of its scan."""
        if not (path == self._root or paths.is_below(path, self._root)):
            return False
        followed = self._scans[paths.scan(scan)].structure
        above = path
        while (above := paths.parent(above)) != scan:
            if len(above) < len(self._root):
                break
            node = followed.nodes.get(above)
            if node and self._prune(node, False):
                return False
        return True

    def _accept_points(self, scan: _Followed, key: str, entries: list[Entry]) -> Iterator[Points]:
        spec = scan.channels[key]
        for first, values in merge_points(entries, spec):
            if first > scan.seen[key]:
                yield from self._recall(scan, key, first)
            yield Points(spec.path, first, values, first - scan.seen[key])
            scan.seen[key] = first + len(values)

    def _recall(self, scan: _Followed, key: str, stop: int) -> Iterator[Points]:
        """Yield points that the store has no more from the file of the scan, as far as it has one, and them."""
        spec = scan.channels[key]
        saved = self._ask(scan.structure.saved)
        while saved and (seen := scan.seen[key]) < stop:
            after = {key: (seen - 1, LAST_SEQUENCE) if seen else FIRST}
            for first, values in merge_points(saved.read(after, count=self._count([scan])).get(key, []), spec):
                yield Points(spec.path, first, values[: stop - first])
                scan.seen[key] = min(first + len(values), stop)
                if scan.seen[key] == stop:
                    return
            if scan.seen[key] == seen:
                return

    def _finish(self, key: str, scan: _Followed, end: EndScan) -> Iterator[WalkEvent]:
        """Yield the rest of the points and the end: END_SCAN was stored after the last point."""
        self._follow_points(scan)
        while scan.seen:
            behind = {
                data_key: (seen - 1, LAST_SEQUENCE) if seen else FIRST
                for data_key, seen in scan.seen.items()
                if seen < end.lengths.get(scan.channels[data_key].path, 0)
            }
            found = self._ask(partial(self._store.read, behind, count=self._count([scan]))) if behind else {}
            if not found:
                break
            for data_key, entries in found.items():
                yield from self._accept_points(scan, data_key, entries)
        for data_key, spec in scan.channels.items():
            length = end.lengths.get(spec.path, 0)
            if scan.seen[data_key] < length:
                yield from self._recall(scan, data_key, length)
            if (seen := scan.seen[data_key]) < length:
                yield Points(spec.path, length, spec.no_points(), length - seen)
        del self._scans[key]
        if self._covers(scan):
            self._await_saved(scan)
            yield end

    def _await_saved(self, scan: _Followed) -> None:
        if self._depth.saved and to_be_saved(scan.structure.info) and (self._until_saved or not self._single_scan):
            self._awaited.add(scan.structure.path)

    def _covers(self, scan: _Followed) -> bool:
        """Whether the scan itself is at or below the root, rather than above it."""
        return not self._single_scan or scan.structure.path == self._root


def _is_container(event: StructureEvent) -> bool:
    return isinstance(event, NewNode) and not event.kind.is_scan
