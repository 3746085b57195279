"""Save scans as the writer does, in one go and without a process."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from bliss_like.data import paths, saving
from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.codec import to_json
from bliss_like.data.events import SavedScan
from bliss_like.data.points import StoredPoints
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import ChannelSpec, ScanStructure


def save(store: StreamStore, scan: str, file: Path, entry: str = "") -> SavedScan:
    """Save a scan, as far as it is, and say so in the store."""
    structure = ScanStructure(store, scan).refresh()
    entry = entry or f"/{structure.info['scan_nb']}.1"
    channels = []
    with h5py.File(file, "a", libver="v108", locking=False) as h5:
        for node in structure.channels():
            spec = ChannelSpec.of(node)
            place = f"{entry}/measurement/{paths.name(node.path)}"
            points = StoredPoints(store, spec, structure)
            values = points.between(0, len(points))
            if place in h5:
                del h5[place]
            if spec.dtype.kind == "U":
                h5.create_dataset(place, data=np.array(values, object), dtype=h5py.string_dtype())
            elif -1 in spec.shape:
                data = h5.create_dataset(place, len(values), dtype=h5py.vlen_dtype(spec.dtype))
                for index, point in enumerate(values):
                    data[index] = point
            else:
                h5[place] = values
            channels.append({"name": node.path[len(scan) + 1 :], "path": place})
        end = structure.end
        documents = {
            "scan_info": structure.info,
            "nodes": [
                {"path": node.path, "kind": node.kind, "scan": node.scan, "info": node.info}
                for node in [structure.scan, *structure.nodes.values()]
                if node
            ],
            "channels": channels,
            "end": end and {"state": end.state, "lengths": end.lengths, "info": end.info, "error": end.error},
        }
        for name, document in documents.items():
            if f"{entry}/writer/{name}" in h5:
                del h5[f"{entry}/writer/{name}"]
            if document:
                h5[f"{entry}/writer/{name}"] = to_json(document).decode()
    event = SavedScan(scan, "SAVED", str(file), (entry,), writer="nexus")
    if end:
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
