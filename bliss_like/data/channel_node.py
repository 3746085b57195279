"""Channels of the data tree: arrays that grow while their scan runs, and those whose points are nodes."""

from __future__ import annotations

import operator
from types import EllipsisType
from typing import Any, SupportsIndex

from bliss_like.errors import PointNotYetThere, PointWontBeThere

from . import paths
from .codec import Array
from .events import NewNode, NodeKind
from .node import DataNode, get_node, get_nodes
from .points import StoredPoints
from .store import StreamStore
from .structure import ChannelSpec, ScanStructure


def channel_node(store: StreamStore, new: NewNode, structure: ScanStructure | None = None) -> ChannelNode:
    """Return the node of a channel, of the class that belongs to its kind."""
    if new.kind is NodeKind.NODE_REF_CHANNEL:
        return NodeRefChannel(store, new, structure)
    if new.kind is NodeKind.IMAGE:
        from .image_node import ImageNode  # it derives from what is here

        return ImageNode(store, new, structure)
    return ChannelNode(store, new, structure)


class ChannelNode(DataNode):
    """A channel: an array that grows while its scan runs."""

    def __init__(self, store: StreamStore, new: NewNode, structure: ScanStructure | None = None) -> None:
        super().__init__(store, new.path, new.kind, new)
        self.structure: ScanStructure = structure or ScanStructure(store, new.scan)
        self.spec = ChannelSpec.of(new)
        """What the store has to know to read it."""
        self._points = StoredPoints(store, self.spec, self.structure)

    @property
    def name(self) -> str:
        return str(self.info.get("fullname", self.short_name))

    fullname = name

    @property
    def short_name(self) -> str:
        return paths.name(self.db_name)

    @property
    def dtype(self) -> Any:
        return self.spec.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one point; -1 is a variable dimension."""
        return self.spec.shape

    @property
    def unit(self) -> str | None:
        return self.info.get("unit")

    @property
    def sealed(self) -> bool:
        """Whether the scan is over: no point comes any more."""
        return self._points.sealed

    @property
    def first_available(self) -> int:
        """Index of the oldest point that is still in the store; the length if there is none."""
        return self._points.first_available

    def __len__(self) -> int:
        """Number of points emitted so far, those that have expired included."""
        return len(self._points)

    def get(self, from_index: int | None = None, to_index: int | None = None) -> Any:
        """Return one point, or those from `from_index` to `to_index`, both included.

        :param from_index: None is the first point; alone, a negative index is the last point.
        :param to_index: a negative index is the last point so far.
        :returns: a point, None if it is not there (yet); or an array of shape (npoints, *shape), a list where the
            shape of the points differs.
        :raises PointExpired: some of these points are no more in the store.
        """
        start = from_index or 0
        if to_index is None:
            try:
                return self._points.point(max(start, -1))
            except (PointNotYetThere, PointWontBeThere):
                return None
        return self._points.between(max(start, 0), len(self) if to_index < 0 else to_index + 1)

    def blocks(self, start: int, stop: int) -> list[Array]:
        """Return the points from `start` to `stop`, excluded, as they were published: references are texts. Points of one
        block have one shape.

        :raises PointExpired: some of these points are no more in the store.
        """
        return self._points.blocks(start, stop)

    def get_as_array(self, from_index: int = 0, to_index: int | None = None) -> Any:
        """The same as `get`, one point also as an array of one."""
        return self.get(from_index, from_index if to_index is None else to_index)

    def __getitem__(self, key: SupportsIndex | slice | EllipsisType) -> Any:
        """Return a point or a slice, as an array would.

        :raises PointNotYetThere: the scan is still running.
        :raises PointWontBeThere: the scan is over and the channel shorter.
        :raises PointExpired: the point is no more in the store.
        """
        if key is Ellipsis:
            key = slice(None)
        if not isinstance(key, slice):
            return self._points.point(operator.index(key))
        start, stop, step = key.indices(len(self))
        if step < 0:
            raise IndexError(f"channel {self.db_name}: expected a slice with a positive step, got {step}")
        return self._points.between(start, stop)[::step]


class NodeRefChannel(ChannelNode):
    """A channel whose points are nodes: the scans of a sequence or group."""

    def get(self, from_index: int | None = None, to_index: int | None = None) -> Any:
        """As for a channel, with scan nodes in place of their names."""
        return self._resolved(super().get(from_index, to_index))

    def __getitem__(self, key: SupportsIndex | slice | EllipsisType) -> Any:
        return self._resolved(super().__getitem__(key))

    def db_names(self) -> Array:
        """Return the names of all nodes, which need not be there any more."""
        names: Array = super().get(0, -1)
        return names

    def as_data(self, values: Array) -> Any:
        return self._resolved(values)

    def _resolved(self, names: Any) -> Any:
        if names is None:
            return None
        if isinstance(names, str):
            return get_node(names, self.store)
        return get_nodes(*(str(name) for name in names), store=self.store)
