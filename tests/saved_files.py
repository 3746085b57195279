"""Save scans as the writer does, without a process, and let the store forget them."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

from bliss_like.data import paths, saving
from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.codec import to_json
from bliss_like.data.events import EndScan, NewNode, SavedScan
from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.replay import replay_events
from bliss_like.data.saving import WriterStatus
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import ScanStructure
from bliss_like.writers import ScanFile
from bliss_like.writers.nexus import open_scan


def begin_file(store: StreamStore, scan: str, file: Path) -> ScanFile:
    """Begin to save a scan: with all that there is of it so far, and not its end."""
    node = get_node(scan, store)
    assert isinstance(node, ScanNode)
    first, *events = replay_events(node, None)
    assert isinstance(first, NewNode)
    uid = first.info.get("uid") or hashlib.md5(scan.encode()).hexdigest()
    first = replace(first, info={**first.info, "uid": uid, "filename": str(file)})
    opened = open_scan(first)
    for event in [first, *events]:
        if not isinstance(event, EndScan):
            opened.accept(event)
    opened.flush()
    return opened


def save(store: StreamStore, scan: str, file: Path) -> SavedScan:
    """Save a scan, as far as it is; say so in the store if it has ended."""
    opened = begin_file(store, scan, file)
    end = ScanStructure(store, scan).refresh().end
    if end is None:
        return opened.close()
    opened.accept(end)
    event = opened.close()
    assert event.state == "SAVED", event.error
    saving.tell_saved(store, event, 60)
    return event


def forget(store: StreamStore, scan: str) -> None:
    """Let the time of a scan in the store be over; where it is saved stays known."""
    nodes = ScanStructure(store, scan).refresh().channels()
    store.delete([paths.scan(scan), *(paths.data(node.path, scan) for node in nodes)])


def drop_points(store: StreamStore, channel: ChannelNode, before: int | None = None) -> None:
    """Let a scan lose points, as when the store holds too much: those before an index, or all."""
    key = paths.data(channel.db_name, channel.structure.path)
    if before is None:
        store.delete([key])
    else:
        store.trim({key: (before, 0)})


def tell_status(store: StreamStore, status: WriterStatus) -> None:
    """Say that a writer lives, as it does every now and then."""
    store.keys.run(("SET", paths.writer(status.session), to_json(asdict(status)), "PX", int(saving.LIFE * 1000)))


def tell_end(store: StreamStore, status: WriterStatus) -> None:
    """Say that a writer lives no more."""
    store.keys.run(("DEL", paths.writer(status.session)))
