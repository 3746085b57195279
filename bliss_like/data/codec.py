"""Events to the fields of stream entries and back: pure, versioned by the key prefix, readable from any language.

Points are one field `d` of raw little-endian bytes, C order, whose dtype and shape stand in the NewNode of the channel;
a channel with a variable dimension adds `s`, the shape of these points in JSON. Strings are one field `j`, a JSON list.
Everything else is one field `j`, a JSON object. JSON has no NaN: a float that is not finite becomes `{"$float": "nan"}`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.errors import DataError

from .events import EndScan, NewNode, NodeKind, PreparedScan, SavedScan, ScanInfoUpdate

Fields = dict[bytes, bytes]
Array = np.ndarray[Any, Any]
StructureEvent = NewNode | ScanInfoUpdate | PreparedScan | EndScan | SavedScan

_NAMES: dict[type, str] = {
    NewNode: "NEW_NODE",
    ScanInfoUpdate: "SCAN_INFO",
    PreparedScan: "PREPARED_SCAN",
    EndScan: "END_SCAN",
    SavedScan: "SAVED_SCAN",
}

_HALF = re.compile("[\ud800-\udfff]")
"""One of a pair of surrogates without the other."""


def encode_event(event: StructureEvent) -> Fields:
    """Return the fields of an event that carries no points."""
    document: dict[str, Any] = {"event": _NAMES[type(event)], "path": event.path, "info": event.info}
    if isinstance(event, NewNode):
        document |= {"kind": event.kind, "scan": event.scan}
    elif isinstance(event, EndScan):
        document |= {"state": event.state, "lengths": event.lengths, "error": event.error}
    elif isinstance(event, SavedScan):
        document |= {"state": event.state, "file": event.file, "entries": event.entries}
        document |= {"error": event.error, "writer": event.writer}
    return {b"j": to_json(document)}


def decode_event(fields: Mapping[bytes, bytes]) -> StructureEvent:
    """Return the event of an entry.

    :raises DataError: the entry is not one of ours, or of a kind that this version does not know.
    """
    try:
        document = from_json(fields[b"j"])
        name, path, info = document["event"], document["path"], document["info"]
        match name:
            case "NEW_NODE":
                return NewNode(path, NodeKind(document["kind"]), info, document["scan"])
            case "SCAN_INFO":
                return ScanInfoUpdate(path, info)
            case "PREPARED_SCAN":
                return PreparedScan(path, info)
            case "END_SCAN":
                return EndScan(path, document["state"], document["lengths"], info, document["error"])
            case "SAVED_SCAN":
                file, entries = document["file"], tuple(document["entries"])
                return SavedScan(path, document["state"], file, entries, document["error"], document["writer"], info)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"expected an event of a scan, got an entry with fields {dict(fields)!r:.200}") from error
    raise DataError(f"unknown event {name!r}: written by a newer version? This one knows {', '.join(_NAMES.values())}")


def encode_points(blocks: Sequence[Array], shape: tuple[int, ...]) -> Fields:
    """Return the fields of one entry.

    :param blocks: consecutive ones of one dtype and shape of points: shape (npoints, *shape).
    :param shape: that of the channel, -1 where variable.
    """
    if blocks[0].dtype.kind == "U":
        return {b"j": to_json([text for block in blocks for text in block.tolist()])}
    fields = {b"d": b"".join(map(_raw, blocks))}
    if -1 in shape:
        fields[b"s"] = to_json(list(blocks[0].shape[1:]))
    return fields


def _raw(block: Array) -> memoryview:
    """Return the block's memory, little-endian and in C order; not copied if it is so already."""
    if block.dtype.byteorder == ">":
        block = block.astype(block.dtype.newbyteorder("<"))
    return np.ascontiguousarray(block).data


def decode_points(fields: Mapping[bytes, bytes], npoints: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """Return the block, shape (npoints, *shape); read-only, as it lies on the bytes received."""
    if b"j" in fields:
        return np.array(from_json(fields[b"j"]), dtype=np.str_)
    if b"s" in fields:
        shape = tuple(from_json(fields[b"s"]))
    return np.frombuffer(fields[b"d"], dtype=dtype).reshape(npoints, *shape)


def to_json(value: object) -> bytes:
    """Return `value` as JSON. Halves of surrogate pairs, which no file and no terminal takes, are written out: `\\ud800`.

    :raises TypeError: something in it is no JSON type, nor becomes one; the message says where it is.
    """
    try:
        text = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    except TypeError as error:
        where = _place_of_misfit(value)
        raise TypeError(f"{where}: {error}" if where else str(error)) from None
    except ValueError:
        text = json.dumps(_finite(value), separators=(",", ":"))
    if "\\ud" in text:
        whole = json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
        text = _HALF.sub(lambda half: f"\\\\u{ord(half[0]):04x}", whole)
    return text.encode()


def from_json(text: bytes) -> Any:
    return json.loads(text, object_hook=_restore if b'"$float"' in text else None)


def _plain(value: object) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"expected JSON types, numpy scalars or arrays, got {type(value).__name__} {value!r}")


def _place_of_misfit(value: Any, place: str = "") -> str:
    """Return where in `value` something is that JSON cannot hold, e.g. `info.instrument.slits`."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        try:
            json.dumps(item, default=_plain)
        except TypeError:
            return _place_of_misfit(item, f"{place}.{key}" if place else str(key))
    return place


def _finite(value: Any) -> Any:
    """Copy `value` with every float that JSON cannot hold written as `{"$float": ...}`."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, (str, int, bool, type(None))):
        return value
    return _finite(_plain(value))


def _restore(document: dict[str, Any]) -> Any:
    return float(document["$float"]) if document.keys() == {"$float"} else document
