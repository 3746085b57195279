"""The events of scans as a stream of msgpack maps, lossless: what is published, with points as their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgpack

from bliss_like.data.events import WireEvent

from .documents import EventExporter, from_document


class MsgpackExporter(EventExporter):
    """An integer of an info beyond 64 bits, which msgpack has not, is `{"$int": "..."}`."""

    suffix = ".msgpack"

    def encode(self, document: dict[str, Any]) -> bytes:
        packed: bytes = msgpack.packb(document, default=_large)
        return packed


def read_events(file: BinaryIO) -> Iterator[WireEvent]:
    """Yield the events of a file.

    :raises DataError: one of its maps is no event.
    """
    for document in msgpack.Unpacker(file, object_hook=_restore, max_buffer_size=0):
        if document["event"] != "FORMAT":
            yield from_document(document)


def _large(value: object) -> Any:
    if isinstance(value, int):
        return {"$int": str(value)}
    raise TypeError(f"expected JSON types or bytes, got {type(value).__name__}")


def _restore(document: dict[str, Any]) -> Any:
    return int(document["$int"]) if document.keys() == {"$int"} else document
