"""The event vocabulary: what a scan publishes is exactly what a walker yields.

A scan publishes, in this order::

    NewNode(scan)  NewNode(master or channel)*  PreparedScan  NewData*  EndScan

with `ScanInfoUpdate` anywhere between. All but `NewData` share one stream, hence are totally ordered; `EndScan` carries
the final length of every channel, so that a reader knows when it has seen all points without trusting the order of
independent streams.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Info = Mapping[str, Any]
"""What is known about a node: JSON types and numpy scalars or arrays, which become JSON types on the wire."""


class EventType(enum.IntEnum):
    """The kinds of events that a walker yields; the numbers are those of BLISS."""

    NEW_NODE = 1
    NEW_DATA = 2
    END_SCAN = 3
    PREPARED_SCAN = 4
    SAVED_SCAN = 5

    def __str__(self) -> str:
        return f"event.{self.name}"


class NodeKind(enum.StrEnum):
    """What a node of the tree is; the only list of kinds."""

    SESSION = "session"
    CONTAINER = "container"
    SCAN = "scan"
    SCAN_GROUP = "scan_group"
    CHANNEL = "channel"
    NODE_REF_CHANNEL = "node_ref_channel"
    IMAGE = "lima"
    """Images: of each point a reference to the file that has it, or, of a scan without files, the last images themselves."""

    @property
    def is_scan(self) -> bool:
        return self in (NodeKind.SCAN, NodeKind.SCAN_GROUP)

    @property
    def is_channel(self) -> bool:
        return self in (NodeKind.CHANNEL, NodeKind.NODE_REF_CHANNEL, NodeKind.IMAGE)


@dataclass(frozen=True, slots=True)
class NewNode:
    """A node appeared in the tree.

    :param path: its db_name.
    :param scan: db_name of the scan that it belongs to; empty for sessions, containers and for scans themselves.
    :param info: complete for channels (dtype, shape, unit, fullname); for scans, what is known before preparation.
    """

    path: str
    kind: NodeKind
    info: Info = field(default_factory=dict)
    scan: str = ""


@dataclass(frozen=True, slots=True)
class ScanInfoUpdate:
    """Keys of the scan's info took new values: dicts are merged key by key, else the last one wins."""

    path: str
    info: Info


@dataclass(frozen=True, slots=True)
class PreparedScan:
    """All devices of the scan are prepared; `info` is what became known by that."""

    path: str
    info: Info = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class NewData:
    """Consecutive points of one channel.

    :param path: db_name of the channel.
    :param first_index: index of the first point in `values`, counted from the start of the scan.
    :param values: shape (npoints, *shape of the channel), of the channel's dtype; strings for references to nodes
        and to images.
    """

    path: str
    first_index: int
    values: np.ndarray[Any, Any]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, NewData)
            and (self.path, self.first_index) == (other.path, other.first_index)
            and self.values.dtype == other.values.dtype
            and np.array_equal(self.values, other.values)
        )


@dataclass(frozen=True, slots=True)
class EndScan:
    """The scan is over and its state final.

    :param state: name of the final `ScanState`.
    :param lengths: number of points of every channel, by db_name.
    :param info: what became known at the end (end time, positions, state).
    :param error: `{"type", "message", "traceback"}` of the first error; empty when there was none.
    """

    path: str
    state: str
    lengths: Mapping[str, int]
    info: Info = field(default_factory=dict)
    error: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SavedScan:
    """A writer is done with the scan, which it says after the end of the scan, and again if it has more to say.

    :param state: "SAVED", or "FAILED" with an `error`; a scan that failed may be saved later on.
    :param file: absolute path; `entries` are in it, e.g. `["/12.1"]`.
    :param writer: name of the format, e.g. "nexus".
    """

    path: str
    state: str = "SAVED"
    file: str = ""
    entries: tuple[str, ...] = ()
    error: str = ""
    writer: str = ""
    info: Info = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The file, and the first entry in it, as commands take them: `data.h5::12.1`."""
        entry = next(iter(self.entries), "").strip("/")
        return f"{self.file}::{entry}" if entry else self.file


WireEvent = NewNode | ScanInfoUpdate | PreparedScan | NewData | EndScan | SavedScan
"""Everything that is published."""
