"""Scans whose process died before it could end them: they are ended by the next one, so that no listener waits for ever."""

from __future__ import annotations

from . import paths
from .codec import encode_event
from .events import EndScan
from .node import get_session_node
from .process import is_gone
from .store import Append, StreamStore
from .structure import ChannelSpec, ScanStructure, unfinished


def end_orphans(store: StreamStore, session: str) -> list[str]:
    """End the scans of a session whose process was on this host and is no more; return their db_names.

    They end KILLED, with the points that were stored.
    """
    scans = get_session_node(session, store).walk(["scan", "scan_group"], wait=False)
    running = unfinished(store, [scan.db_name for scan in scans])
    orphans = [structure for path in running if is_gone((structure := ScanStructure(store, path).refresh()).info)]
    for structure in orphans:
        _end(store, structure)
    return [structure.path for structure in orphans]


def _end(store: StreamStore, structure: ScanStructure) -> None:
    specs = [ChannelSpec.of(node) for node in structure.channels()]
    last = store.last_ids([spec.key for spec in specs])
    lengths = {spec.path: sum(end) if end else 0 for spec, end in zip(specs, last, strict=True)}
    message = f"process {structure.info['pid']} on {structure.info['host']} died before the end of the scan"
    error = {"type": "ProcessDied", "message": message, "traceback": ""}
    event = EndScan(structure.path, "KILLED", lengths, {"state": "KILLED", "end_reason": "FAILURE"}, error)
    end = Append(paths.scan(structure.path), (structure.cursor[0] + 1, 0), encode_event(event))
    store.append(
        [end], again=True
    )  # the next session and the writer may find it at the same time: the first one ends it
