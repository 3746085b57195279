"""The scans that a command line names: numbers, ranges, names, uids, files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bliss_like.errors import NodeNotFound, UsageError

if TYPE_CHECKING:
    from bliss_like.data.node import ScanNode
    from bliss_like.data.store import StreamStore

SCAN = "a number (12), a range (12-20), a name (ascan, 12_ascan), a uid, a db_name, or a file (data.h5, data.h5::12.1)"

_RANGE = re.compile(r"(\d+)-(\d+)")


def scans_named(words: Sequence[str], session: str = "") -> list[ScanNode]:
    """Return scans in the order of the words, each once; of several that are called so, the newest.

    :raises NodeNotFound: there is none.
    :raises DataError: a file cannot be read.
    """
    store = known_store()
    found: dict[str, ScanNode] = {}
    for word in words:
        for node in _named(word, store, session):
            found.setdefault(f"{node.db_name} {getattr(node.store, 'uid', '')}", node)
    return list(found.values())


def known_store() -> StreamStore:
    """Return the store of the server, an empty one if there is no server: files are then all there is."""
    from bliss_like.data import server

    if server.is_configured() or server.status():
        from bliss_like.data.redis_store import connect

        return connect()
    from bliss_like.data.store import MemoryStore

    return MemoryStore()


def is_file(word: str) -> bool:
    """Whether a word names a file rather than a scan."""
    from bliss_like.data import saved

    return saved.is_readable(word.partition("::")[0]) or os.path.isfile(word)


def _named(word: str, store: StreamStore, session: str) -> Iterator[ScanNode]:
    from bliss_like.data import saved
    from bliss_like.data.past import named_scan

    if is_file(word) and "::" not in word:
        yield from (named_scan(f"{word}::{entry}", store) for entry in saved.entries(word))
    elif span := _RANGE.fullmatch(word):
        yield from _numbered(int(span[1]), int(span[2]), store, session)
    else:
        yield named_scan(word, store, session)


def _numbered(first: int, last: int, store: StreamStore, session: str) -> Iterator[ScanNode]:
    from bliss_like.data.past import named_scan

    if first > last:
        raise UsageError(f"scans {first}-{last}: expected a range that begins with the lower number")
    there = False
    for number in range(first, last + 1):
        try:
            node = named_scan(str(number), store, session)
        except NodeNotFound:  # some numbers of a range may well be of scans that were not saved
            continue
        there = True
        yield node
    if not there:
        raise NodeNotFound(f"scans {first}-{last}: there is none of them, neither on the server nor in the catalogue")
