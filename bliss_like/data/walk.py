"""Walks as people ask for them: filters by kind or function, nodes in place of names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from bliss_like.errors import NodeNotFound, StoreUnavailable

from . import paths
from .awaited import AT_ONCE
from .events import EndScan, EventType, NewNode, NodeKind, PreparedScan, SavedScan
from .patience import patiently
from .scan_info import to_be_saved
from .walker import Depth, Points, Walker, WalkEvent

if TYPE_CHECKING:
    from .node import DataNode

NodeFilter = str | Sequence[str] | Callable[["DataNode"], bool] | None
"""A kind, several kinds, or a function of the node; None lets all pass."""

_ALL_KINDS = frozenset(NodeKind)
_CHANNELS = frozenset(kind for kind in NodeKind if kind.is_channel)
_INSIDE_SCANS = _CHANNELS | {NodeKind.CONTAINER}
_SCANS = frozenset(kind for kind in NodeKind if kind.is_scan)


class EventData(NamedTuple):
    """What an event carries.

    NEW_DATA: `data` are the new points, shape (npoints, *shape), or scan nodes for a node_ref_channel; the first of them
    has `first_index`; `expired` points before it are no more in the store; `description` is the info of the channel.
    END_SCAN: `description` is "" or "<type>: <message>" of the first error, `data` its type, message and traceback.
    SAVED_SCAN: `data` is a `SavedScan`: its `state`, `file`, `entries` and `error`; `description` is that error, or "".
    """

    first_index: int = 0
    data: Any = None
    description: Any = ""
    block_size: int = 0
    expired: int = 0


class Event(NamedTuple):
    """Something happened to a node; unpacks as `event, node, data`."""

    type: EventType
    node: DataNode
    data: EventData | None


class StopHandler:
    """Ends a walk from another thread or greenlet."""

    def __init__(self) -> None:
        self._stopped = False

    def stop(self) -> None:
        """Make the walk return; one that waits does so within 0.2 s."""
        self._stopped = True

    def __call__(self) -> bool:
        return self._stopped


class Selection:
    """Which nodes a filter lets pass."""

    def __init__(self, given: NodeFilter, what: str) -> None:
        self.kinds: frozenset[NodeKind] = _ALL_KINDS
        self._function: Callable[[DataNode], bool] | None = None
        if callable(given):
            self._function = given
        elif given is not None:
            self.kinds = frozenset(_kind(name, what) for name in ([given] if isinstance(given, str) else given))

    def __call__(self, node: DataNode) -> bool:
        return self._function(node) if self._function else node.type in self.kinds


def _kind(name: str, what: str) -> NodeKind:
    try:
        return NodeKind(name)
    except ValueError:
        raise ValueError(f"{what}: expected kinds of nodes ({', '.join(NodeKind)}), got {name!r}") from None


def one_filter(include_filter: NodeFilter, filter: NodeFilter) -> NodeFilter:
    """Return the filter that was given by one of its two names.

    :raises ValueError: both were given.
    """
    if include_filter is not None and filter is not None:
        raise ValueError("walk: give include_filter or filter (its older name), not both")
    return include_filter if filter is None else filter


class Walk:
    """One walk below a node.

    :param make: makes a node of a NewNode and the node of its scan.
    """

    def __init__(
        self,
        root: DataNode,
        make: Callable[[NewNode, DataNode | None], DataNode],
        include: NodeFilter,
        exclude_children: NodeFilter = None,
        exclude_existing_children: NodeFilter = None,
    ) -> None:
        self._root, self._make = root, make
        self._include = Selection(include, "include_filter")
        self._exclude = Selection(exclude_children, "exclude_children") if exclude_children else None
        self._exclude_existing = (
            Selection(exclude_existing_children, "exclude_existing_children")
            if exclude_existing_children
            else self._exclude
        )
        self._nodes: dict[str, DataNode] = {root.db_name: root}
        self._to_be_saved: dict[str, DataNode] = {}
        """Nodes of the last scans of which their writer is still to say something."""
        self._stopped: Callable[[], bool] = _never
        self._looks_into_scans = True

    def events(
        self,
        *,
        wait: bool = True,
        stop: Callable[[], bool] | None = None,
        started: Any = None,
        only_new: bool = False,
        until_saved: bool = False,
    ) -> Iterator[Event]:
        """Yield the events that pass, from all that is there or from now on."""
        walker = self._walker(points=True, until_saved=until_saved)
        walker.start_now() if only_new else walker.start()
        if started is not None:
            started.set()
        yield from self._events(walker, wait, stop)

    def of(self, events: Iterable[WalkEvent]) -> Iterator[Event]:
        """Yield those of some events below the node that pass, as people see them."""
        for event in events:
            yield from self._translate(event)

    def nodes(
        self, *, wait: bool = True, stop: Callable[[], bool] | None = None, started: Any = None
    ) -> Iterator[DataNode]:
        """Yield the nodes that pass, those that are there and then those that appear."""
        walker = self._walker(points=False)
        walker.start()
        if started is not None:
            started.set()
        yield from self._new_nodes(walker, wait, stop)

    def nodes_from_last(
        self, *, include_last: bool, wait: bool, stop: Callable[[], bool] | None, started: Any
    ) -> Iterator[DataNode]:
        """Yield the last node that is there and passes, then those that appear."""
        walker = self._walker(points=False)
        walker.start()
        last = None
        for last in self._new_nodes(walker, False, stop):
            pass
        if started is not None:
            started.set()
        if include_last and last is not None:
            yield last
        if wait:
            yield from self._new_nodes(walker, True, stop)

    def _new_nodes(self, walker: Walker, wait: bool, stop: Callable[[], bool] | None) -> Iterator[DataNode]:
        for event in self._events(walker, wait, stop):
            if event.type is EventType.NEW_NODE:
                yield event.node

    def _events(self, walker: Walker, wait: bool, stop: Callable[[], bool] | None) -> Iterator[Event]:
        self._stopped = stop or _never
        try:
            for event in walker.events(wait=wait, stopped=self._stopped):
                yield from self._translate(event)
        except StoreUnavailable:
            if not self._stopped():
                raise

    def _walker(self, *, points: bool, until_saved: bool = False) -> Walker:
        kinds = self._include.kinds
        depth = Depth(
            structure=bool(kinds & (_INSIDE_SCANS | _SCANS if points else _INSIDE_SCANS)),
            points=points and bool(kinds & _CHANNELS),
            saved=points and bool(kinds & _SCANS),
        )
        self._looks_into_scans = depth.structure
        return Walker(
            self._root.store,
            self._root.db_name,
            depth=depth,
            prune=self._prune,
            note_existing=self._exclude_existing is not self._exclude,
            until_saved=until_saved,
        )

    def _prune(self, new: NewNode, existing: bool) -> bool:
        exclude = self._exclude_existing if existing else self._exclude
        return exclude is not None and exclude(self._node_of(new))

    def _node_of(self, new: NewNode) -> DataNode:
        node = self._nodes.get(new.path)
        if node is None:
            node = self._make(new, self._nodes.get(new.scan))
            if self._looks_into_scans or not new.kind.is_scan:  # else nothing more is heard of it
                self._nodes[new.path] = node
            if self._looks_into_scans and new.kind.is_scan and to_be_saved(new.info):
                self._to_be_saved[new.path] = node
                if len(self._to_be_saved) > 2 * AT_ONCE:
                    del self._to_be_saved[next(iter(self._to_be_saved))]
        return node

    def _translate(self, event: WalkEvent) -> Iterator[Event]:
        match event:
            case NewNode():
                node = self._node_of(event)
                if self._include(node):
                    yield Event(EventType.NEW_NODE, node, None)
            case Points(path=path, first_index=first, values=values, expired=expired):
                node = self._known(path)
                if self._include(node):
                    points = patiently(partial(node.as_data, values), self._stopped)
                    yield Event(EventType.NEW_DATA, node, EventData(first, points, node.info, len(values), expired))
            case PreparedScan(path=path):
                node = self._known(path)
                if self._include(node):
                    yield Event(EventType.PREPARED_SCAN, node, None)
            case EndScan(path=path, error=error):
                node = self._known(path)
                if self._include(node):
                    text = f"{error['type']}: {error['message']}" if error else ""
                    yield Event(EventType.END_SCAN, node, EventData(data=dict(error), description=text))
                self._forget(path)
            case SavedScan(path=path, error=reason):
                kept = self._to_be_saved.get(path) if reason else self._to_be_saved.pop(path, None)
                with suppress(NodeNotFound):  # its time in the store is over
                    node = kept or self._known(path)
                    if self._include(node):
                        yield Event(EventType.SAVED_SCAN, node, EventData(data=event, description=reason))
                self._forget(path)

    def _known(self, path: str) -> DataNode:
        """Return the node of an event; one whose NEW_NODE was before the walk is looked up."""
        if path not in self._nodes:
            self._nodes[path] = patiently(partial(self._root.lookup, path), self._stopped)
        return self._nodes[path]

    def _forget(self, scan: str) -> None:
        for path in [path for path in self._nodes if path == scan or paths.is_below(path, scan)]:
            del self._nodes[path]


def _never() -> bool:
    return False
