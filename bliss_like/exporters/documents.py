"""Events as documents of plain types, which JSON lines and msgpack share; the language-neutral form is in docs/exporting.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from bliss_like.data.codec import decode_event, encode_event, to_json
from bliss_like.data.events import NewData, NewNode, WireEvent
from bliss_like.data.walker import Points
from bliss_like.errors import DataError

from .fold import ScanFold
from .target import Target
from .templates import Template

FORMAT = {"event": "FORMAT", "name": "bliss_like.events", "version": 1}
"""The first document of a file."""

Array = np.ndarray[Any, Any]


def to_document(event: WireEvent) -> dict[str, Any]:
    """Return the document of an event; points are raw bytes under `data`, texts a list under `values`."""
    if not isinstance(event, NewData):
        # As it stands in the store: a float that is not finite is {"$float": ...}, as not every reader has those.
        document: dict[str, Any] = json.loads(encode_event(event)[b"j"])
        return document
    values = event.values
    document = {"event": "NEW_DATA", "path": event.path, "first_index": event.first_index}
    if isinstance(event, Points) and event.expired:
        document["expired"] = event.expired
    document |= {"dtype": values.dtype.newbyteorder("<").str, "shape": list(values.shape)}
    if values.dtype.kind == "U":
        return {**document, "dtype": "<U0", "values": values.tolist()}
    if values.dtype.hasobject:
        raise DataError(f"channel {event.path}: expected numbers or texts, got objects")
    return {**document, "data": np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()}


def from_document(document: Mapping[str, Any]) -> WireEvent:
    """Return the event of a document.

    :raises DataError: it is none.
    """
    if document.get("event") != "NEW_DATA":
        return decode_event({b"j": to_json(document)})
    shape = tuple(document["shape"])
    if "values" in document:
        values = np.array(document["values"], np.str_).reshape(shape)
    else:
        values = np.frombuffer(document["data"], np.dtype(document["dtype"])).reshape(shape)
    return Points(document["path"], document["first_index"], values, document.get("expired", 0))


class EventExporter:
    """Writes all events of scans, each as soon as it comes: into one file, or as many as the template makes names."""

    suffix = ""
    template = "{session}_{scan_nb}_{name}"

    def __init__(self, target: Target, *, template: str = "") -> None:
        self._target = target
        self._naming = Template(template or self.template, self.suffix)
        self._files: dict[str, BinaryIO] = {}
        """By name."""
        self._file_of: dict[str, BinaryIO] = {}
        """By db_name of scans and of what is in them."""

    def encode(self, document: dict[str, Any]) -> bytes:
        raise NotImplementedError

    def accept(self, event: WireEvent) -> None:
        if isinstance(event, NewNode) and event.kind.is_scan:
            self._file_of[event.path] = self._file(event)
        elif isinstance(event, NewNode) and event.scan in self._file_of:
            self._file_of[event.path] = self._file_of[event.scan]
        if event.path in self._file_of:
            self._file_of[event.path].write(self.encode(to_document(event)))

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def abandon(self) -> None:
        """Nothing is open but files of the target."""

    def _file(self, scan: NewNode) -> BinaryIO:
        name = "" if self._target.single else self._naming.name(ScanFold(scan))
        if name not in self._files:
            self._files[name] = self._target.create(name or f"events{self.suffix}")
            self._files[name].write(self.encode(dict(FORMAT)))
        return self._files[name]
