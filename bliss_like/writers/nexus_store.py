"""Reads scans back from our NeXus files: what `/12.1/writer` says of them, and their points by slices of the datasets."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from bliss_like.data.codec import Array, from_json
from bliss_like.data.events import EndScan, NewNode, NodeKind
from bliss_like.data.saved_store import SavedState, SavedStore
from bliss_like.data.scan_info_schema import known_at_start
from bliss_like.errors import DataError
from bliss_like.hdf5.reading import open_to_read

with contextlib.suppress(ImportError):  # it registers filters that images may be compressed with
    import hdf5plugin  # noqa: F401

WRITER = "writer"
"""Group of an entry in which the writer notes what is needed to rebuild the scan."""


def open_entry(file: str, entry: str = "") -> SavedStore:
    """Return a scan of a file as a store.

    :param entry: e.g. `/12.1`; `/12.2` is the same scan; it may be left out where the file has one scan only.
    :raises DataError: the file is gone or none of ours, or has no such entry.
    """
    if not entry:
        there = entries(file)
        if len(there) != 1:
            raise DataError(f"{file}: it has the scans {', '.join(there) or '(none)'}: say which, e.g. {file}::12.1")
        entry = there[0]
    return SavedStore(NexusRecord(file, "/" + entry.strip("/")))


def entries(file: str) -> list[str]:
    """Return the entries of a file that scans can be rebuilt from, one of each, as `/12.1`, the lowest number first.

    :raises DataError: the file is gone, or no HDF5 file.
    """
    with _opened(file) as h5:
        ours = {name for name in h5 if isinstance(h5.get(name, getlink=True), h5py.HardLink) and _is_ours(h5[name])}
    firsts = [name for name in ours if name == (first := _first_of(name)) or first not in ours]
    return [f"/{name}" for name in sorted(firsts, key=_by_number)]


def _is_ours(entry: Any) -> bool:
    return isinstance(entry, h5py.Group) and f"{WRITER}/nodes" in entry


def _first_of(name: str) -> str:
    """Return the entry with which the scan of an entry begins: further ones are of its further top masters."""
    return f"{name.partition('.')[0]}.1"


def _by_number(name: str) -> tuple[float, str]:
    try:
        return float(name.partition(".")[0]), name
    except ValueError:
        return float("inf"), name


@contextlib.contextmanager
def _opened(file: str) -> Iterator[Any]:
    """Open a file for as long as it is read, whoever writes it meanwhile.

    :raises DataError: it is gone, or something in it cannot be read.
    """
    try:
        with open_to_read(file) as h5:
            yield h5
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file here (any more): was it moved, is its disk mounted?") from None
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        if not os.path.exists(file):
            raise DataError(f"{file}: the file went away while it was read") from error
        raise DataError(f"{file}: it cannot be read: {error}") from error


class NexusRecord:
    """One scan in a NeXus file; see `SavedRecord`."""

    def __init__(self, file: str, entry: str) -> None:
        self.file, self.entry = file, entry
        self._channels: dict[str, Mapping[str, Any]] = {}
        """What the file says of each channel, by db_name."""

    def state(self) -> SavedState:
        with _opened(self.file) as h5:
            note = self._note(h5)
            info = _json(note, "scan_info", {})
            nodes = [_node(document) for document in _json(note, "nodes", [])]
            channels = _json(note, "channels", [])
            end = _json(note, "end", None)
            prepared = "channels" in info or any(self._length(h5, channel) for channel in channels)
        scan = next((node for node in nodes if not node.scan), None)
        if scan is None:
            raise DataError(
                f"{self.file}::{self.entry}: expected the node of the scan in {WRITER}/nodes, it is not there"
            )
        self._channels = {f"{scan.path}:{channel['name']}": channel for channel in channels}
        scan = NewNode(scan.path, scan.kind, scan.info or known_at_start(info))
        return SavedState(scan, [node for node in nodes if node.scan], info, prepared, _end(end, scan.path))

    def lengths(self, channels: Sequence[str]) -> list[int]:
        with _opened(self.file) as h5:
            return [self._length(h5, self._channels.get(path, {})) for path in channels]

    @staticmethod
    def _length(h5: Any, channel: Mapping[str, Any]) -> int:
        path = channel.get("shapes") or channel.get("path", "")
        return len(h5[path]) if path and path in h5 else 0

    def points(self, channel: str, start: int, stop: int) -> Array | list[Array]:
        known = self._channels[channel]
        with _opened(self.file) as h5:
            data = h5[known["path"]]
            if known.get("shapes"):
                return _shaped(data, h5[known["shapes"]], start, stop)
            points = _points(data, start, stop)
            if known.get("shape") and h5py.check_string_dtype(data.dtype):
                return [np.array(from_json(str(point).encode()), dtype=np.str_) for point in points]
            return points

    def _note(self, h5: Any) -> Any:
        place = f"{self.entry}/{WRITER}"
        if place not in h5:
            raise DataError(
                f"{self.file}: no scan can be rebuilt from {self.entry}: it has no {WRITER}/nodes, or is not there"
            )
        return h5[place]


def _json(note: Any, name: str, default: Any) -> Any:
    if name not in note:
        return default
    text = note[name][()]
    return from_json(text.encode() if isinstance(text, str) else bytes(text)) if len(text) else default


def _node(document: Mapping[str, Any]) -> NewNode:
    return NewNode(document["path"], NodeKind(document["kind"]), document.get("info", {}), document.get("scan", ""))


def _end(document: Mapping[str, Any] | None, scan: str) -> EndScan | None:
    if not document:
        return None
    info, error = document.get("info", {}), document.get("error", {})
    return EndScan(scan, document["state"], document["lengths"], info, error)


def _points(data: Any, start: int, stop: int) -> Array | list[Array]:
    """Return a slice of a dataset in the types that channels have."""
    if h5py.check_string_dtype(data.dtype):
        return np.array(data.asstr()[start:stop], dtype=np.str_)
    if h5py.check_vlen_dtype(data.dtype):
        return [np.asarray(point) for point in data[start:stop]]
    values: Array = data[start:stop]
    return values


def _shaped(data: Any, shapes: Any, start: int, stop: int) -> list[Array]:
    """Return points whose values lie one after the other, in the shapes noted beside them."""
    if h5py.check_vlen_dtype(data.dtype):
        return [np.reshape(data[index], shape) for index, shape in enumerate(shapes[start:stop], start)]
    sizes = np.prod(shapes[:stop], axis=1, dtype=np.int64)
    ends = np.cumsum(sizes)
    first = int(ends[start] - sizes[start])
    values = data[first : int(ends[-1])]
    return [
        np.reshape(values[end - size - first : end - first], shape)
        for end, size, shape in zip(ends[start:], sizes[start:], shapes[start:stop], strict=True)
    ]
