"""A format that fails when a test says so; what was brought to its disk is in `disk`."""

from __future__ import annotations

from bliss_like.data.events import EndScan, NewData, NewNode, SavedScan, WireEvent

disk: dict[str, list[WireEvent]] = {}
"""Events by db_name of the scan."""
abandoned: list[str] = []


def fail(scan: str, call: str) -> None:
    """Called before anything is done with the names of scan and method; a test puts another one in its place."""


class Faulty:
    def __init__(self, scan: NewNode) -> None:
        self.scan, self.taken = scan, list[WireEvent]()
        self._call("open")
        disk[scan.path] = []

    def accept(self, event: WireEvent) -> None:
        self._call("accept")
        self.taken.append(event)

    def flush(self) -> dict[str, int]:
        self._call("flush")
        disk[self.scan.path] += self.taken
        self.taken = []
        points = (event for event in disk[self.scan.path] if isinstance(event, NewData))
        return {event.path: event.first_index + len(event.values) for event in points}

    def close(self) -> SavedScan:
        self._call("close")
        self.flush()
        state = {"ended": isinstance(disk[self.scan.path][-1], EndScan)}
        return SavedScan(self.scan.path, file="/d.h5", entries=("/1.1",), writer="faulty", info=state)

    def abandon(self) -> None:
        abandoned.append(self.scan.path)

    def _call(self, method: str) -> None:
        fail(self.scan.path, method)
