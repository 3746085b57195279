"""The events of scans as lines of JSON, lossless: what is published, with points as base64 of their bytes, or as numbers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from bliss_like.data.codec import to_json
from bliss_like.data.events import WireEvent
from bliss_like.errors import ExportError

from .documents import EventExporter, from_document
from .target import Target

ARRAYS = ("base64", "list")


class JsonLinesExporter(EventExporter):
    """:param arrays: `base64`, or `list`: numbers that people can read, in `values`; complex ones are [real, imaginary]."""

    suffix = ".jsonl"

    def __init__(self, target: Target, *, template: str = "", arrays: str = "base64") -> None:
        if arrays not in ARRAYS:
            raise ExportError(f"jsonl: arrays: expected one of {', '.join(ARRAYS)}, got {arrays!r}")
        super().__init__(target, template=template)
        self._arrays = arrays

    def encode(self, document: dict[str, Any]) -> bytes:
        raw = document.pop("data", None)
        if raw is not None and self._arrays == "base64":
            document["data"] = base64.b64encode(raw).decode()
        elif raw is not None:
            values = np.frombuffer(raw, document["dtype"])
            if values.dtype.kind == "c":
                values = values.view(values.real.dtype).reshape(-1, 2)
            document["values"] = values.reshape(*document["shape"], *values.shape[1:]).tolist()
        return to_json(document) + b"\n"


def read_events(lines: Iterable[bytes]) -> Iterator[WireEvent]:
    """Yield the events of a file that was written as base64.

    :raises DataError: a line is no event.
    """
    for line in lines:
        document = json.loads(line)
        if document["event"] == "FORMAT":
            continue
        if "data" in document:
            document["data"] = base64.b64decode(document["data"])
        yield from_document(document)
