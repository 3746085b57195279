"""A format of one's own: a file of JSON lines for each scan, one line for each event."""

from __future__ import annotations

import json
import os
from typing import Any

from bliss_like.data.events import EndScan, NewData, NewNode, PreparedScan, SavedScan, ScanInfoUpdate, WireEvent
from bliss_like.errors import SavingError


class JsonLines:
    """One scan on its way into its file; begun anew after a writer has died, as its events come again."""

    def __init__(self, scan: NewNode) -> None:
        self.scan = scan
        self.path = f"{scan.info['filename']}.{scan.info['scan_nb']}.jsonl"
        if os.path.exists(self.path):
            with open(self.path) as before:
                if scan.info["uid"] not in before.readline():
                    raise SavingError(f"{self.path} is there, of another scan; move it away")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        self.file = open(self.path, "w")
        self.lengths: dict[str, int] = {}

    def accept(self, event: WireEvent) -> None:
        told: dict[str, Any] = {"event": type(event).__name__, "node": event.path}
        match event:
            case NewData(path, first, points):
                self.lengths[path] = first + len(points)
                told = {"event": "NewData", "node": path, "first": first, "points": points.tolist()}
            case NewNode(info=info) | PreparedScan(info=info) | ScanInfoUpdate(info=info) | EndScan(info=info):
                told["info"] = info
        self.file.write(json.dumps(told) + "\n")

    def flush(self) -> dict[str, int]:
        self.file.flush()
        return dict(self.lengths)

    def close(self) -> SavedScan:
        self.file.close()
        return SavedScan(self.scan.path, file=self.path, entries=("/",), writer="json_lines")

    def abandon(self) -> None:
        self.file.close()
