"""Nodes of the data tree, for anyone: a plain script, a thread, a notebook, an acquisition.

The tree, with the kind of each node::

    session                        session        get_session_node("eh1")
      tmp                          container
        scans                      container
          12_ascan                 scan           .info  .state  .get_data("diode")
            axis                   container      one per acquisition object
              roby                 channel        len(node)  node[3]  node[2:8]  node.get(0, -1)
              timer                container
                ...
          13_sequence_of_scans     scan_group
            GroupingMaster         container
              scans                node_ref_channel   .get(0, -1) gives scan nodes
              scan_numbers         channel

Channels are in `channel_node`; the images of a camera, whose node has the kind `lima`, in `image_node`.

A node is a name in a store: it may be made before it exists, and asks the store when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from bliss_like.errors import NodeNotFound

from . import paths
from .codec import Array, decode_event
from .events import NewNode, NodeKind, SavedScan
from .lifecycle import ScanState
from .node_curves import NodeCurves
from .scan_data import ScanData
from .store import StreamStore
from .structure import ScanStructure
from .walk import Event, EventData, NodeFilter, StopHandler, Walk, one_filter

if TYPE_CHECKING:
    from .channel_node import ChannelNode
    from .walker import WalkEvent

# -- ways to get a node ------------------------------------------------------------------------------------------------


def get_session_node(name: str, store: StreamStore | None = None) -> DataNode:
    """Return the node of a session, which need not exist yet: listening before the session starts is fine.

    :raises ValueError: the name holds a colon: it is the db_name of something below a session, see `get_node`.
    """
    paths.check_name(name, "session")
    return DataNode(store or _default_store(), name, NodeKind.SESSION)


def get_node(db_name: str, store: StreamStore | None = None) -> DataNode | None:
    """Return the node of that db_name, from its file if it is of a scan that the store has no more; None if there is none."""
    store = store or _default_store()
    scans = paths.scan_candidates(db_name)
    there = store.exist([paths.scan(path) for path in scans])
    scan = next((path for path, exists in zip(scans, there, strict=True) if exists), None)
    if scan is None:
        kind = store.get_fields(paths.node(db_name)).get(b"kind")
        if kind:
            return DataNode(store, db_name, NodeKind(kind.decode()))
        from .saved import find_saved  # that reads by nodes

        saved = next((saved for path in scans if (saved := find_saved(path, store))), None)
        return get_node(db_name, saved) if saved else None
    try:
        structure = ScanStructure(store, scan).refresh()
    except NodeNotFound:  # its time was over between the two looks
        return None
    if db_name == scan and structure.scan:
        return ScanNode(store, scan, structure.scan.kind, structure)
    node = structure.nodes.get(db_name)
    return _make(store, node, structure) if node else None


def get_nodes(*db_names: str, store: StreamStore | None = None) -> list[DataNode | None]:
    """Return the node of each db_name; None where there is none in the store."""
    store = store or _default_store()
    return [get_node(db_name, store) for db_name in db_names]


def sessions_list(store: StreamStore | None = None) -> list[DataNode]:
    """Return the nodes of all sessions that ever published."""
    return list(DataNode(store or _default_store(), "", NodeKind.CONTAINER).children())


def _default_store() -> StreamStore:
    from .redis_store import connect

    return connect()


def _make(store: StreamStore, new: NewNode, structure: ScanStructure | None = None) -> DataNode:
    if new.kind.is_scan:
        return ScanNode(store, new.path, new.kind, structure)
    if new.kind.is_channel:
        from .channel_node import channel_node  # it derives its classes from those that are here

        return channel_node(store, new, structure)
    return DataNode(store, new.path, new.kind, new, structure or (ScanStructure(store, new.scan) if new.scan else None))


# -- nodes ---------------------------------------------------------------------------------------------------------


class DataNode:
    """A session or a container, and what all nodes have."""

    def __init__(
        self,
        store: StreamStore,
        db_name: str,
        kind: NodeKind,
        new: NewNode | None = None,
        structure: ScanStructure | None = None,
    ) -> None:
        self.db_name = db_name
        self.type = kind
        self.store = store
        self.structure = structure
        """Of the scan that the node is, or is in."""
        self._new = new

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.db_name!r} ({self.type})>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataNode) and other.db_name == self.db_name

    def __hash__(self) -> int:
        return hash(self.db_name)

    @property
    def name(self) -> str:
        return paths.name(self.db_name)

    @property
    def parent(self) -> DataNode | None:
        """The node above; None for a session."""
        above = paths.parent(self.db_name)
        return get_node(above, self.store) if above else None

    @property
    def exists(self) -> bool:
        return get_node(self.db_name, self.store) is not None

    @property
    def info(self) -> dict[str, Any]:
        """What is known about the node, as it is now."""
        if self._new is None:
            for new in _children_of(self.store, paths.parent(self.db_name)):
                if new.path == self.db_name:
                    self._new = new
        return dict(self._new.info) if self._new else {}

    @property
    def scan(self) -> ScanNode | None:
        """The scan that this node is in, or is itself; None above the scans."""
        if self.structure is None:
            return None
        new = self.structure.scan or self.structure.refresh().scan
        return ScanNode(self.store, new.path, new.kind, self.structure) if new else None

    def children(self) -> Iterator[DataNode]:
        """Yield the nodes directly below, in the order in which they appeared."""
        if self.structure:
            for new in self.structure.refresh().nodes.values():
                if paths.parent(new.path) == self.db_name:
                    yield _make(self.store, new, self.structure)
            return
        for new in _children_of(self.store, self.db_name):
            if not new.kind.is_scan or self.store.exist([paths.scan(new.path)])[0]:
                yield _make(self.store, new)

    # -- walking -------------------------------------------------------------------------------------------------

    def walk(
        self,
        include_filter: NodeFilter = None,
        exclude_children: NodeFilter = None,
        exclude_existing_children: NodeFilter = None,
        wait: bool = True,
        stop_handler: Callable[[], bool] | None = None,
        started_event: Any = None,
        filter: NodeFilter = None,
    ) -> Iterator[DataNode]:
        """Yield the nodes below this one: those that are there, then those that appear.

        :param include_filter: which nodes to yield; the others are followed all the same.
        :param exclude_children: nodes that are yielded, but not followed further down.
        :param exclude_existing_children: the same for nodes that are there when the walk begins; by default the same.
        :param wait: False ends the walk when all that is there was yielded.
        :param stop_handler: a `StopHandler`, or any function that tells whether to end.
        :param started_event: its `set()` is called when nothing new can be missed any more.
        :param filter: the same as `include_filter`, as it was once called.
        """
        walk = self._walk(one_filter(include_filter, filter), exclude_children, exclude_existing_children)
        yield from walk.nodes(wait=wait, stop=stop_handler, started=started_event)

    def walk_events(
        self,
        include_filter: NodeFilter = None,
        exclude_children: NodeFilter = None,
        exclude_existing_children: NodeFilter = None,
        wait: bool = True,
        stop_handler: Callable[[], bool] | None = None,
        started_event: Any = None,
        filter: NodeFilter = None,
        until_saved: bool = False,
    ) -> Iterator[Event]:
        """Yield what happened below this node, then what happens; arguments as for `walk`.

        A parent comes before its children, every node and point once, PREPARED_SCAN before the points of its scan,
        END_SCAN after them. Then SAVED_SCAN, each time its writer says something of it. Walking a scan, or something in it,
        ends with END_SCAN.

        :param until_saved: walking a scan that a writer was asked to save ends with SAVED_SCAN instead.
        """
        walk = self._walk(one_filter(include_filter, filter), exclude_children, exclude_existing_children)
        yield from walk.events(wait=wait, stop=stop_handler, started=started_event, until_saved=until_saved)

    def walk_on_new_events(
        self,
        include_filter: NodeFilter = None,
        exclude_children: NodeFilter = None,
        exclude_existing_children: NodeFilter = None,
        stop_handler: Callable[[], bool] | None = None,
        started_event: Any = None,
    ) -> Iterator[Event]:
        """Yield only what happens from now on; of a scan that runs now, only its new points and its end, of one that is
        being saved only SAVED_SCAN."""
        walk = self._walk(include_filter, exclude_children, exclude_existing_children)
        yield from walk.events(stop=stop_handler, started=started_event, only_new=True)

    def walk_from_last(
        self,
        include_filter: NodeFilter = None,
        exclude_children: NodeFilter = None,
        include_last: bool = True,
        wait: bool = True,
        stop_handler: Callable[[], bool] | None = None,
        started_event: Any = None,
    ) -> Iterator[DataNode]:
        """Yield the last node that is there and passes the filter, then those that appear.

        :param include_last: False leaves out the one that is there.
        """
        walk = self._walk(include_filter, exclude_children)
        yield from walk.nodes_from_last(include_last=include_last, wait=wait, stop=stop_handler, started=started_event)

    # -- for walks -----------------------------------------------------------------------------------------------

    def as_data(self, values: Array) -> Any:
        """Return new points as an event carries them."""
        return values

    def walk_of(self, events: Iterable[WalkEvent], include_filter: NodeFilter = None) -> Iterator[Event]:
        """Yield events that are known already as `walk_events` does."""
        return self._walk(include_filter).of(events)

    def lookup(self, db_name: str) -> DataNode:
        """Return a node that must be there.

        :raises NodeNotFound: it is not.
        """
        node = get_node(db_name, self.store)
        if node is None:
            raise NodeNotFound(f"node {db_name}: not in the store; its time there is over")
        return node

    def _walk(self, include: NodeFilter, exclude: NodeFilter = None, exclude_existing: NodeFilter = None) -> Walk:
        """Return a walk below this node, in its file if it is of a scan whose time in the store is over.

        :raises NodeNotFound: it is not there either.
        """
        root: DataNode = self
        if self.structure is not None and not self.store.exist([paths.scan(self.structure.path)])[0]:
            root = get_node(self.db_name, self.structure.require_saved()) or self
        return Walk(root, root._make, include, exclude, exclude_existing)

    def _make(self, new: NewNode, scan: DataNode | None) -> DataNode:
        return _make(self.store, new, scan.structure if isinstance(scan, ScanNode) else None)


class ScanNode(NodeCurves, DataNode):
    """A scan, or a group or sequence of scans."""

    def __init__(
        self, store: StreamStore, db_name: str, kind: NodeKind, structure: ScanStructure | None = None
    ) -> None:
        super().__init__(store, db_name, kind)
        self.structure: ScanStructure = structure or ScanStructure(store, db_name)

    @property
    def scan(self) -> ScanNode:
        return self

    @property
    def info(self) -> dict[str, Any]:
        """The scan's `scan_info` as published so far.

        :raises NodeNotFound: its time in the store is over.
        """
        return dict(self.structure.refresh().info)

    @property
    def state(self) -> ScanState:
        return ScanState[str(self.info.get("state", "IDLE"))]

    @property
    def exists(self) -> bool:
        return self.store.exist([paths.scan(self.db_name)])[0]

    @property
    def saved(self) -> SavedScan | None:
        """What its writer has last said of it: where it is on disk, or why it is not; None: nothing yet."""
        from .saving import saved

        return saved(self.store, [self.db_name])[0]

    def wait_saved(self, timeout: float = 60.0) -> SavedScan:
        """Return where the scan is on disk, as soon as its writer says so; `timeout` in seconds.

        :raises SavingError: it is not to be saved, or could not be; the message says why.
        :raises TimeoutError: its writer has said nothing.
        """
        from .saving import wait_until_saved

        return wait_until_saved(self.store, self.db_name, self.info, timeout)

    def channels(self) -> list[ChannelNode]:
        """Return the channels of the scan, in the order of its chain."""
        from .channel_node import channel_node

        structure = self.structure.refresh()
        return [channel_node(self.store, new, structure) for new in structure.channels()]

    @overload
    def get_data(self, key: None = None) -> ScanData: ...
    @overload
    def get_data(self, key: object) -> Any: ...
    def get_data(self, key: object = None) -> Any:
        """Return the points of a channel by full name, short name or pattern; without a key, a mapping of all.

        :param key: may be a counter or an axis, too.
        :raises KeyError: no channel of that name, or several.
        :raises PointExpired: some of the points are no more in the store.
        """
        data = ScanData({node.name: node for node in self.channels()})
        return data if key is None else data[key]

    def __info__(self) -> str:
        from .tables import told

        return told(self)

    def to_numpy(self, channels: str | Sequence[str] | None = None) -> Array:
        """Return a structured array with a row per point and a field per channel; see `tables`."""
        from .tables import to_numpy

        return to_numpy(self, channels)

    def to_pandas(self, channels: str | Sequence[str] | None = None) -> Any:
        """Return a DataFrame with a row per point and a column per channel; see `tables`."""
        from .tables import to_pandas

        return to_pandas(self, channels)

    def to_xarray(self, channels: str | Sequence[str] | None = None) -> Any:
        """Return a Dataset with axes and times as coordinates; a mesh has the dimensions of its grid; see `tables`."""
        from .tables import to_xarray

        return to_xarray(self, channels)


def _children_of(store: StreamStore, container: str) -> Iterator[NewNode]:
    seen: set[str] = set()
    for _, fields in store.range(paths.children(container)):
        new = decode_event(fields)
        if isinstance(new, NewNode) and new.path not in seen:
            seen.add(new.path)
            yield new


__all__ = [
    "DataNode",
    "Event",
    "EventData",
    "ScanNode",
    "StopHandler",
    "get_node",
    "get_nodes",
    "get_session_node",
    "sessions_list",
]
