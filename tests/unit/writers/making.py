"""Scans to be saved: told event by event, or run by the engine in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bliss_like.data.codec import from_json
from bliss_like.data.events import EndScan, NewData, NewNode, NodeKind, PreparedScan, SavedScan, WireEvent
from bliss_like.data.walker import Walker
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.writers import ScanFile
from bliss_like.writers.nexus import open_scan
from tests.unit.scanning.making import published

_numbers = itertools.count(1)


class Story:
    """The events of one scan, as a test tells them. Channels are below the top master `axis`, or one that is named.

    `channels`: by name below the master, dtype, shape, and more for the info of the node.
    """

    def __init__(
        self, file: Path | str, channels: Mapping[str, tuple[str, tuple[int, ...]]], number: int = 12, **info: Any
    ) -> None:
        self.path = f"eh1:tmp:scans:{number}_test"
        kind = NodeKind(info.pop("kind", "scan"))
        self.nodes = info.pop("nodes", {})
        uid = info.pop("uid", f"{next(_numbers):032x}")
        self.info = {"name": "test", "title": "a test", "scan_nb": number, "uid": uid, "filename": str(file)}
        self.info |= {"start_time": "2026-01-02T03:04:05+01:00", "start_timestamp": 5.0, "session_name": "eh1", **info}
        self.scan = NewNode(self.path, kind, self.info)
        self.channels = {
            f"{self.path}:{name if ':' in name else f'axis:{name}'}": spec for name, spec in channels.items()
        }
        self.lengths = dict.fromkeys(self.channels, 0)

    def begin(self) -> list[WireEvent]:
        """The announcements, and PREPARED_SCAN."""
        masters = dict.fromkeys(
            path[: len(self.path) + 1 + path[len(self.path) + 1 :].index(":")] for path in self.channels
        )
        events: list[WireEvent] = [self.scan]
        events += [NewNode(path, NodeKind.CONTAINER, {"name": path.rpartition(":")[2]}, self.path) for path in masters]
        for path, (dtype, shape) in self.channels.items():
            short = path.rpartition(":")[2]
            more = dict(self.nodes.get(short, {}))
            kind = NodeKind(more.pop("kind", "channel"))
            fullname = f"axis:{short}" if short.startswith("rob") else f"simulation:{short}"
            info = {
                "fullname": fullname,
                "dtype": dtype,
                "shape": list(shape),
                "unit": None,
                "reference": False,
                **more,
            }
            events.append(NewNode(path, kind, info, self.path))
        return [*events, PreparedScan(self.path, {"channels": {}})]

    def points(self, name: str, values: Any, first: int | None = None) -> NewData:
        """The next points of a channel, by its last name."""
        path = next(path for path in self.channels if path.rpartition(":")[2] == name)
        dtype = np.dtype(self.channels[path][0])
        array = np.asarray(values, None if dtype.kind == "U" else dtype)
        first = self.lengths[path] if first is None else first
        self.lengths[path] = first + len(array)
        return NewData(path, first, array)

    def end(self, state: str = "DONE", lengths: Mapping[str, int] | None = None, **info: Any) -> EndScan:
        told = {"end_time": "2026-01-02T03:05:05+01:00", "end_timestamp": 65.0, "end_reason": "SUCCESS", **info}
        return EndScan(self.path, state, {**self.lengths, **(lengths or {})}, told)


def save(events: Iterable[WireEvent], flush_each: bool = False) -> SavedScan:
    """Fold events into a file, in one go or with a flush after each."""
    first, *others = events
    assert isinstance(first, NewNode)
    file = open_scan(first)
    try:
        for event in [first, *others]:
            file.accept(event)
            if flush_each:
                file.flush()
        return file.close()
    except BaseException:
        file.abandon()
        raise


def fed(events: Iterable[WireEvent]) -> ScanFile:
    """Return a file that has accepted events and was not closed."""
    first, *others = events
    assert isinstance(first, NewNode)
    file = open_scan(first)
    for event in [first, *others]:
        file.accept(event)
    return file


@contextmanager
def opened(file: Path | str) -> Iterator[Any]:
    with h5py.File(file, "r", locking=False) as h5:
        yield h5


def text(dataset: Any) -> str:
    return str(dataset.asstr()[()])


def note(h5: Any, name: str, entry: str = "12.1") -> Any:
    """What the writer has noted of a scan."""
    return from_json(bytes(h5[f"{entry}/writer/{name}"][()]))


class FileSaver:
    """Tells scans of the engine where they are saved."""

    def __init__(self, file: Path | str, **info: Any) -> None:
        self.info = {"data_writer": "nexus", "filename": str(file), **info}

    def check(self, scan: Scan) -> None:
        """There is always room."""

    def last_number(self) -> int:
        return 0

    def describe(self, scan: Scan) -> dict[str, Any]:
        return dict(self.info)

    def beside(self, scan: Scan) -> AbstractContextManager[object]:
        return nullcontext()

    def wait(self, scan: Scan) -> None:
        """Tests save it themselves."""


def events_of(scan: Scan) -> list[WireEvent]:
    """All that a scan has published, as a writer gets it."""
    tree = environment.require_tree()
    walker = Walker(tree.store, scan.path)
    walker.start()
    others = [event for event in walker.events(wait=False) if not (isinstance(event, NewNode) and not event.scan)]
    return [published(scan)[0], *others]
