"""What is known of one scan when it is saved: a fold over its events, without the points themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bliss_like.data import paths
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, ScanInfoUpdate, WireEvent
from bliss_like.data.images import ImageReference
from bliss_like.data.scan_info import merged
from bliss_like.errors import DataError

from .nexus_items import Run

MAX_RUNS = 10_000
"""Files, or pieces of them, that one dataset of images is made of; of more there are references only."""

_IDENTITY = ("scan_nb", "uid")


@dataclass
class ScanRecord:
    """One scan as far as it went."""

    scan: NewNode
    info: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NewNode] = field(default_factory=dict)
    """Masters and channels by db_name, in the order of their publication."""
    prepared: bool = False
    end: EndScan | None = None
    runs: dict[str, list[Run]] = field(default_factory=dict)
    """Of channels of images in files, where they are; no more than `MAX_RUNS`."""
    members: list[str] = field(default_factory=list)
    """Of a sequence, db_names of its scans."""
    remarks: list[str] = field(default_factory=list)
    """What a reader of the file has to know."""
    lengths: dict[str, int] = field(default_factory=dict)
    """Points that came, by channel."""
    version: int = 0
    """Grows with everything that changes what the file says of the scan, points aside."""

    def __post_init__(self) -> None:
        self.info = dict(self.scan.info)
        self.file = str(self.info["filename"])
        """Absolute path of the file; a copy of a scan may say where the first one is."""
        self.told = self.info
        """The info as the file has it: as of the announcement, the preparation, the end. It would grow with every change."""

    def accept(self, event: WireEvent) -> None:
        match event:
            case NewData(path=path):
                self._count(event)
                return
            case NewNode(scan=""):
                self.scan, self.info = event, dict(event.info)
            case NewNode(path=path):
                self.nodes[path] = event
            case ScanInfoUpdate(info=info):
                self._learn(info)
                self.version += "sequence_info" in info
                return
            case PreparedScan(info=info):
                self.prepared = True
                self._learn(info)
            case EndScan(info=info, state=state):
                self.end = event
                self._learn({**info, "state": state})
            case _:
                return
        self.take_stock()

    def _learn(self, info: Mapping[str, Any]) -> None:
        """Take in what is new; by what a scan is known, it stays known."""
        self.info = merged(self.info, info) | {key: self.scan.info[key] for key in _IDENTITY if key in self.scan.info}

    def take_stock(self) -> None:
        """Let the file say what is known by now."""
        self.told = self.info
        self.version += 1

    def _count(self, event: NewData) -> None:
        known = self.lengths.get(event.path, 0)
        end = event.first_index + len(event.values)
        if end <= known:
            return
        fresh = event.values[max(0, known - event.first_index) :]
        self.lengths[event.path] = end
        node = self.nodes.get(event.path)
        if node is None or event.values.dtype.kind != "U":
            return
        if node.kind is NodeKind.NODE_REF_CHANNEL:
            self.members += [str(path) for path in fresh]
            self.version += 1
        elif node.kind is NodeKind.IMAGE:
            self._follow(self.runs.setdefault(event.path, []), fresh)

    def _follow(self, runs: list[Run], uris: np.ndarray[Any, Any]) -> None:
        for uri in uris if len(runs) < MAX_RUNS else ():
            try:
                image = ImageReference.of(str(uri))
            except DataError:
                image = ImageReference("", "", 0)
            last = runs[-1] if runs else Run("", "", 0, 0)
            if (last.file, last.path, last.first + last.count) == (image.file, image.path, image.index) and last.count:
                runs[-1] = Run(last.file, last.path, last.first, last.count + 1)
            else:
                runs.append(Run(image.file, image.path, image.index, 1))
                self.version += len(runs) <= 2

    # -- parts of it

    @property
    def number(self) -> int:
        return int(self.info["scan_nb"])

    def masters(self) -> list[str]:
        """Return the db_names of the top masters."""
        return [path for path in self.nodes if paths.parent(path) == self.scan.path]

    def channels(self, above: str = "") -> list[NewNode]:
        """Return the channels, those below one master only if it is given."""
        return list(self._channels(above))

    def _channels(self, above: str) -> Iterator[NewNode]:
        for node in self.nodes.values():
            if node.kind.is_channel and paths.is_below(node.path, above):
                yield node

    def meta(self, node: NewNode) -> dict[str, Any]:
        """Return what the scan says of a channel."""
        found: dict[str, Any] = self.info.get("channels", {}).get(node.info.get("fullname"), {})
        return found

    @property
    def final_lengths(self) -> dict[str, int]:
        """Number of points of each channel by db_name: those that were published, or as many as came so far."""
        told = dict(self.end.lengths) if self.end else {}
        return {node.path: told.get(node.path, self.lengths.get(node.path, 0)) for node in self.channels()}
