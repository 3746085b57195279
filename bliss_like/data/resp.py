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


class Push(list[Any]):
    """What the server says without being asked, e.g. `[b"invalidate", [key, ...]]`."""


class ErrorReply(str):
    """A refusal."""


class Messages:
    """Messages of RESP3, one after the other, out of bytes as they arrive; each byte is looked at once."""

    def __init__(self) -> None:
        self._bytes = b""
        self._at = 0
        self._open: list[tuple[list[Any], int]] = []
        """Arrays of which not all has arrived, one in the other, each with the number of its items."""

    def feed(self, data: bytes) -> None:
        self._bytes, self._at = self._bytes[self._at :] + data, 0

    @property
    def is_empty(self) -> bool:
        """Whether no message has arrived in part."""
        return self._at == len(self._bytes) and not self._open

    def __iter__(self) -> Messages:
        return self

    def __next__(self) -> Any:
        while True:
            start = self._at
            try:
                item, size = self._item()
            except EOFError:
                self._at = start
                raise StopIteration from None
            if size > 0:
                self._open.append((item, size))
                continue
            while self._open:
                items, size = self._open[-1]
                items.append(item)
                if len(items) < size:
                    break
                item, _ = self._open.pop()
            else:
                return item

    def _item(self) -> tuple[Any, int]:
        """Take what is no array, or the head of an array; return it and how many items are to follow."""
        kind, line = self._take_line()
        if kind in b"+,(":
            return line, 0
        if kind == b"-":
            return ErrorReply(line.decode(errors="replace")), 0
        if kind == b":":
            return int(line), 0
        if kind in b"_#":
            return (line == b"t" if line else None), 0
        size = int(line)
        if size < 0:
            return None, 0
        if kind in b"$=":
            return self._take(size), 0
        if kind == b"!":
            return ErrorReply(self._take(size).decode(errors="replace")), 0
        if kind in b"%|":
            return [], 2 * size
        if kind in b"*~>":
            return (Push() if kind == b">" else []), size
        raise ValueError(f"no message of RESP3: {kind + line!r}")

    def _take_line(self) -> tuple[bytes, bytes]:
        end = self._bytes.find(b"\r\n", self._at)
        if end < 0:
            raise EOFError
        line = self._bytes[self._at : end]
        self._at = end + 2
        return line[:1], line[1:]

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if len(self._bytes) < end + 2:
            raise EOFError
        taken = self._bytes[self._at : end]
        self._at = end + 2
        return taken
