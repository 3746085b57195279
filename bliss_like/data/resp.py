"""Commands of Redis as the bytes that are sent (RESP), and entries of streams out of what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .codec import Fields
from .store import Entry, Id

_LARGE = 16 << 10


def pack(*parts: str | bytes | int | float) -> bytes:
    """Return a command in the Redis wire protocol (RESP)."""
    packed = [b"*%d\r\n" % len(parts)]
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode()
        packed.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(packed)


def pack_read(after: Mapping[str, Id], timeout: float, count: int) -> bytes:
    wait = ("BLOCK", max(1, int(timeout * 1000))) if timeout > 0 else ()
    return pack("XREAD", "COUNT", count, *wait, "STREAMS", *after, *(b"%d-%d" % last for last in after.values()))


def pack_append(key: str, entry_id: Id | None, fields: Fields) -> list[bytes]:
    """Return an XADD in parts; a large value is a part of its own, so that it is not copied once more."""
    raw_key = key.encode()
    raw_id = b"%d-%d" % entry_id if entry_id else b"*"
    sizes = (3 + 2 * len(fields), len(raw_key), raw_key, len(raw_id), raw_id)
    parts = [b"*%d\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % sizes]
    for name, value in fields.items():
        head = b"$%d\r\n%b\r\n$%d\r\n" % (len(name), name, len(value))
        if len(value) < _LARGE:
            parts.append(b"%b%b\r\n" % (head, value))
        else:
            parts += [head, value, b"\r\n"]
    return parts


def joined(parts: Sequence[bytes]) -> list[bytes]:
    """Return the same bytes in few parts, none of the large ones copied."""
    few: list[bytes] = []
    small: list[bytes] = []
    for part in parts:
        if len(part) < _LARGE:
            small.append(part)
        else:
            few += [b"".join(small), part]
            small = []
    return [*few, b"".join(small)] if small else few


def read_id(raw: bytes) -> Id:
    first, _, second = raw.partition(b"-")
    return int(first), int(second)


def read_entry(raw: Any) -> Entry:
    entry_id, fields = raw
    return read_id(entry_id), dict(zip(fields[::2], fields[1::2], strict=True))


def read_streams(reply: Any) -> dict[str, list[Entry]]:
    return {key.decode(): [read_entry(raw) for raw in entries] for key, entries in reply or ()}
