"""Past scans, the newest first: those that the server has, then those that only their files have."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bliss_like.errors import BlissLikeError, NodeNotFound, UsageError

from . import paths, saved
from .codec import decode_event
from .events import NewNode
from .node import ScanNode, get_node
from .store import Id, StreamStore

if TYPE_CHECKING:
    from .catalogue_results import ScanRecord

_log = logging.getLogger(__name__)
_UID = re.compile(r"[0-9a-f]{6,32}")
_RANGE = re.compile(r"(\d+)-(\d+)")

Key = int | str
"""What people call a scan: its number, its name (`ascan`, `12_ascan`), its uid or the beginning of it, its db_name."""


_session = ""


def use_session(name: str) -> None:
    """Look for scans in this session first, whose numbers are meant from now on; empty: in all. Done by the session."""
    global _session
    _session = name


class PastScans:
    """Scans of a session, in one server and in the catalogue.

    :param session: its name; empty for all sessions.
    :raises StoreUnavailable: (when it is asked) the server cannot be reached.
    """

    def __init__(self, store: StreamStore, session: str = "") -> None:
        self._store, self._session = store, session

    def __iter__(self) -> Iterator[ScanNode]:
        """Yield all scans, those that run too."""
        seen: set[str] = set()
        for new in self._announced():
            if self._store.exist([paths.scan(new.path)])[0]:
                seen.add(new.path)
                yield ScanNode(self._store, new.path, new.kind)
        yield from self._from_files(_recorded(self._session), seen)

    def find(self, key: Key) -> Iterator[ScanNode]:
        """Yield the scans that are called so; only saved ones have a number."""
        seen: set[str] = set()
        is_uid = isinstance(key, str) and _UID.fullmatch(key) is not None
        for new in self._announced():
            if (is_uid or _is_called(new, key)) and self._store.exist([paths.scan(new.path)])[0]:
                node = ScanNode(self._store, new.path, new.kind)
                if _is_called(new, key) or str(_uid(node)).startswith(str(key)):
                    seen.add(new.path)
                    yield node
        yield from self._from_files(_recorded(self._session, key), seen)

    def _announced(self) -> list[NewNode]:
        """Return what the lists of children say, the newest scan first; some may be gone."""
        found: list[tuple[Id, NewNode]] = []
        containers, known = [self._session], {self._session}
        while containers:
            for entry_id, fields in self._store.range(paths.children(containers.pop())):
                new = decode_event(fields)
                if isinstance(new, NewNode) and new.kind.is_scan:
                    found.append((entry_id, new))
                elif isinstance(new, NewNode) and new.path not in known:
                    known.add(new.path)
                    containers.append(new.path)
        return [new for _, new in sorted(found, key=lambda item: item[0], reverse=True)]

    @staticmethod
    def _from_files(records: Iterator[ScanRecord], seen: set[str]) -> Iterator[ScanNode]:
        for record in records:
            if record.db_name in seen or not (record.file and record.entry):
                continue
            try:
                store = saved.open_saved(record.file, record.entry)
            except BlissLikeError as error:
                _log.warning("scan %s cannot be read from its file: %s", record.db_name, error)
                continue
            seen.add(store.scan)
            yield ScanNode(store, store.scan, store.kind)


def scans_named(words: Iterable[str], store: StreamStore, session: str = "") -> list[ScanNode]:
    """Return scans, each once: by what `named_scan` takes, a range `12-20`, or a file with all that are in it.

    :raises NodeNotFound: there is none.
    :raises DataError: a file cannot be read.
    """
    found: dict[str, ScanNode] = {}
    for word in words:
        for node in _named(word, store, session):
            found.setdefault(f"{node.db_name} {getattr(node.store, 'uid', '')}", node)
    return list(found.values())


def nodes_of(scan: Any) -> list[ScanNode]:
    """Return the nodes of a scan, a node, a number, a name..., or of several.

    In a session numbers are those of its scans, and names are looked for there first.

    :raises UsageError: that is no scan.
    :raises NodeNotFound: neither the store nor the catalogue has it.
    """
    if isinstance(scan, str | int) and not isinstance(scan, bool):
        try:
            return scans_named([str(scan)], known_store(), _session)
        except NodeNotFound:
            if not _session or re.match(r"\d+(-\d+)?\Z", str(scan)):
                raise
            return scans_named([str(scan)], known_store())
    if isinstance(scan, ScanNode):
        return [scan]
    if isinstance(found := getattr(scan, "node", None), ScanNode):
        return [found]
    if isinstance(scan, Iterable) and not isinstance(scan, bytes):
        return [node for one in scan for node in nodes_of(one)]
    raise UsageError(f"expected a scan, its node, number, name, uid or file, or several of them; got {scan!r}")


def named_scan(text: str, store: StreamStore, session: str = "") -> ScanNode:
    """Return the newest scan that is called so: `12`, `ascan`, a uid, a db_name, `data.h5::12.1`.

    Replays are not meant, but by their db_name.

    :raises NodeNotFound: there is none.
    :raises DataError: the file cannot be read, or has several scans and it is not said which.
    """
    file, _, entry = text.partition("::")
    if saved.is_readable(file):
        opened = saved.open_saved(file, entry)
        return ScanNode(opened, opened.scan, opened.kind)
    node = get_node(text, store) if ":" in text else None
    if not isinstance(node, ScanNode):
        called = PastScans(store, session).find(int(text) if text.isdigit() else text)
        node = next((node for node in called if "replay_of" not in node.info), None)
    if node is None:
        of_session = f" of session {session}" if session else ""
        raise NodeNotFound(
            f"no scan {text!r}{of_session}, neither in the store nor in the catalogue: expected a number, a name, a uid, a "
            f"db_name, or a file and entry like data.h5::12.1"
        )
    return node


def known_store() -> StreamStore:
    """Return the store of the server; an empty one if there is no server: files are then all there is."""
    from . import server

    if server.is_configured() or server.status():
        from .redis_store import connect

        return connect()
    from .store import MemoryStore

    return MemoryStore()


def is_file(word: str) -> bool:
    """Whether a word names a file rather than a scan."""
    return saved.is_readable(word.partition("::")[0]) or os.path.isfile(word)


def _named(word: str, store: StreamStore, session: str) -> Iterator[ScanNode]:
    if is_file(word) and "::" not in word:
        yield from (named_scan(f"{word}::{entry}", store) for entry in saved.entries(word))
    elif span := _RANGE.fullmatch(word):
        yield from _numbered(int(span[1]), int(span[2]), store, session)
    else:
        yield named_scan(word, store, session)


def _numbered(first: int, last: int, store: StreamStore, session: str) -> Iterator[ScanNode]:
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


def _is_called(new: NewNode, key: Key) -> bool:
    name = paths.name(new.path)
    if isinstance(key, int):
        return name.partition("_")[0] == str(key)
    return key in (new.path, name, new.info.get("name"), new.info.get("type"))


def _uid(node: ScanNode) -> str:
    try:
        return str(node.info.get("uid", ""))
    except NodeNotFound:  # its time was over between the two looks
        return ""


def _recorded(session: str, key: Key | None = None) -> Iterator[ScanRecord]:
    """Yield what the catalogue has of a session, or of it by that name, the newest first."""
    from . import catalogue  # its results are read by what is here

    try:
        yield from catalogue.search(session=session) if key is None else catalogue.called(key, session)
    except BlissLikeError as error:
        _log.warning("the catalogue cannot be asked for scans: %s", error)
