"""What writers and those who wait for them tell each other through the store: who lives, what is on disk, what is not.

A writer says every `BEAT` seconds that it lives, and is believed for `LIFE` seconds. Of each scan it says how far it is
(`bl1:saving:{scan}`), and at the end where it is (`bl1:saved:{scan}`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from bliss_like.errors import SavingError

from . import paths
from .codec import decode_event, encode_event, from_json
from .events import EndScan, NewNode, SavedScan
from .key_store import Value
from .process import is_gone
from .scan_info import to_be_saved
from .store import FIRST, Append, StreamStore
from .walker import Depth, Walker

BEAT, LIFE = 0.5, 2.0
"""Seconds between two signs of life, and seconds for which one is good."""
UNSAVED_SECONDS = 7 * 24 * 3600.0
"""For which a scan that is to be saved stays in the store after its last sign of life, until it is."""


@dataclass(frozen=True)
class WriterStatus:
    """What the writer of a session says of itself.

    :param since: when it was started, seconds since the epoch.
    :param scan: db_name of the scan that it is writing, empty if none; `file` is where it writes.
    :param behind: bytes of points that are published and not yet on disk.
    :param troubles: what keeps it from writing, by db_name of the scan, e.g. "disk full: ..."; under "" what concerns all.
    :param gives_way: it saves what was left and nothing new (`bliss-like recover`), until a writer of the session comes.
    """

    session: str
    host: str
    pid: int
    version: str
    since: float
    scan: str = ""
    file: str = ""
    behind: int = 0
    troubles: Mapping[str, str] = field(default_factory=dict)
    gives_way: bool = False

    @property
    def trouble(self) -> str:
        """The first of its troubles; empty when it has none."""
        return next((f"scan {paths.name(scan)}: {told}" if scan else told for scan, told in self.troubles.items()), "")

    def trouble_with(self, scan: str) -> str:
        """Return what keeps it from writing that scan."""
        return self.troubles.get(scan) or self.troubles.get("", "")

    def __str__(self) -> str:
        return f"writer of session {self.session} (pid {self.pid} on {self.host})"


def writer_status(store: StreamStore, session: str) -> WriterStatus | None:
    """Return what the living writer of a session says; None: there is none."""
    return status_in(store.keys.read(paths.writer(session)))


def status_in(value: Value | None) -> WriterStatus | None:
    """Return what a writer has said in those words; None: there are none."""
    if not isinstance(value, bytes):
        return None
    known = {each.name for each in fields(WriterStatus)}
    return WriterStatus(**{key: item for key, item in from_json(value).items() if key in known})


def living_writer(store: StreamStore, session: str) -> WriterStatus | None:
    """Return what the writer of a session says, unless it is seen from here that it has died meanwhile."""
    status = writer_status(store, session)
    return None if status is None or is_gone({"host": status.host, "pid": status.pid}) else status


def doing(store: StreamStore, status: WriterStatus) -> str:
    """Return what a writer is at, in words; a scan that was saved since it said so is none any more."""
    if status.trouble:
        return status.trouble
    if not status.scan or is_done_with(saved(store, [status.scan])[0]):
        return "waits for scans"
    behind = f", {status.behind / 1e6:.1f} MB behind" if status.behind >= 50_000 else ""
    return f"writes {paths.name(status.scan)} to {status.file}{behind}"


def tell_progress(store: StreamStore, scan: str, lengths: Mapping[str, int]) -> None:
    """Say how many points of each channel (by db_name) are on disk."""
    if lengths:
        store.set_fields(paths.saving(scan), {path[len(scan) + 1 :]: length for path, length in lengths.items()})


def progress(store: StreamStore, scan: str) -> dict[str, int]:
    """Return how many points of each channel (by db_name) are on disk."""
    return {
        f"{scan}:{channel.decode()}": int(length) for channel, length in store.get_fields(paths.saving(scan)).items()
    }


def tell_saved(store: StreamStore, event: SavedScan, seconds: float) -> None:
    """Say that a scan is saved, or that it failed.

    :param seconds: for which a saved scan stays in the store from now on; one that is not, stays as long as it would have.
    """
    key = paths.saved(event.path)
    done = is_done_with(event)
    store.append([Append(key, None, encode_event(event))], expire={key: seconds if done else UNSAVED_SECONDS})
    last = store.last_entries([paths.scan(event.path)])[0] if done else None
    end = decode_event(last[1]) if last else None
    if isinstance(end, EndScan):
        data = [paths.data(channel, event.path) for channel in end.lengths]
        store.expire([paths.scan(event.path), paths.saving(event.path), *data], seconds)


def is_done_with(event: SavedScan | None) -> bool:
    """Return whether nobody waits for the scan any more after this was said of it: it is saved, or given up."""
    return event is not None and (event.state == "SAVED" or bool(event.info.get("given_up")))


def saved(store: StreamStore, scans: Sequence[str]) -> list[SavedScan | None]:
    """Return what was last said of each scan; None: nothing yet."""
    return [_event(entry) for entry in store.last_entries([paths.saved(scan) for scan in scans])]


def wait_saved(store: StreamStore, scan: str, timeout: float) -> SavedScan | None:
    """Return what is said of a scan as soon as something is; None after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    last = FIRST
    event: SavedScan | None = None
    while event is None and (left := deadline - time.monotonic()) > 0:
        for entry in store.read({paths.saved(scan): last}, timeout=left).get(paths.saved(scan), []):
            last, event = entry[0], _event(entry)
    return event


def wait_until_saved(store: StreamStore, scan: str, info: Mapping[str, Any], timeout: float) -> SavedScan:
    """Return where a scan of that info is on disk, as soon as that is said.

    :raises SavingError: it is not to be saved, or could not be; the message says why.
    :raises TimeoutError: nothing was said.
    """
    event = saved(store, [scan])[0]
    if event is None and not to_be_saved(info):
        raise SavingError(f"scan {scan}: no writer was asked to save it")
    event = event or wait_saved(store, scan, timeout)
    session = scan.partition(":")[0]
    if event is None:
        status = living_writer(store, session)
        state = (
            f"the {status} lives: {status.trouble or 'it is still at it'}"
            if status
            else f"no writer of {session} lives"
        )
        raise TimeoutError(
            f"scan {scan}: not saved within {timeout:g} s; {state}. `bliss-like recover {session}` completes it"
        )
    if event.state != "SAVED":
        raise SavingError(f"scan {scan}: not saved: {event.error}. When that is mended: bliss-like recover {scan}")
    return event


def unsaved_scans(store: StreamStore, session: str) -> list[str]:
    """Return the db_names of those scans of a session that are to be saved and are not, the oldest first.

    Also those that are running.
    """
    walker = Walker(store, session, depth=Depth(structure=False, points=False, saved=False))
    nodes = [node for node in walker.events(wait=False) if isinstance(node, NewNode) and node.kind.is_scan]
    names = [node.path for node in nodes if to_be_saved(node.info)]
    unsaved: list[str] = []
    for first in range(0, len(names), 500):
        some = names[first : first + 500]
        unsaved += [name for name, event in zip(some, saved(store, some), strict=True) if not is_done_with(event)]
    return unsaved


def _event(entry: object) -> SavedScan | None:
    if not entry:
        return None
    event = decode_event(entry[1])  # type: ignore[index]
    return event if isinstance(event, SavedScan) else None
