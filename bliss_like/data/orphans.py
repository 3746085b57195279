"""Scans whose process died before it could end them: they are ended by the next one, so that no listener waits for ever.

Whoever ends one, a writer, `recover` or the next session, notes it, so that its session tells the user, once.
"""

from __future__ import annotations

from collections.abc import Iterable

from . import paths
from .codec import encode_event
from .events import EndScan, NewNode
from .process import is_gone
from .store import Append, StreamStore
from .structure import ChannelSpec, ScanStructure, unfinished
from .walker import Depth, Walker

REMEMBERED = 30 * 24 * 3600.0
"""Seconds for which it is known that a scan died, and whether its user knows."""

LOGGED, TOLD = "logged", "told"
"""How the user of a scan that died came to know it: if it was logged only, it is still to be told at a prompt."""


def end_orphans(store: StreamStore, session: str) -> list[str]:
    """End the scans of a session whose process was on this host and is no more; return their db_names.

    They end KILLED, with the points that were stored.

    :raises StoreUnavailable: the server does not answer; it is not waited for.
    """
    walker = Walker(store, session, depth=Depth(structure=False, points=False, saved=False), patience=0)
    walker.start()
    found = walker.events(wait=False)
    scans = [event.path for event in found if isinstance(event, NewNode) and event.kind.is_scan]
    return [scan for scan in unfinished(store, scans) if end_orphan(store, scan)]


def end_orphan(store: StreamStore, scan: str, *, surely: bool = False) -> bool:
    """End a scan whose process was on this host and is no more; return whether that was so.

    :param surely: it is known that the process is no more, wherever it was.
    """
    structure = ScanStructure(store, scan).refresh()
    if structure.end or not (surely or is_gone(structure.info)):
        return False
    _end(store, structure)
    return True


def untold_deaths(store: StreamStore, session: str, how: str) -> list[str]:
    """Return the db_names of those scans of a session that died with their process, and whose user is to know of it.

    :param how: LOGGED: those of which nothing was logged or told yet; TOLD: also those that were logged.
    """
    fields = store.keys.read(paths.died(session))
    known = {how.encode(), TOLD.encode()}
    return [scan.decode() for scan, noted in fields.items() if noted not in known] if isinstance(fields, dict) else []


def note_told_deaths(store: StreamStore, session: str, scans: Iterable[str], how: str) -> None:
    """Have it noted that these were LOGGED, or TOLD."""
    store.keys.run(*(("HSET", paths.died(session), scan, how) for scan in scans))


def _end(store: StreamStore, structure: ScanStructure) -> None:
    _note_death(store, structure.path)  # before it is ended: then nobody would find it any more
    specs = [ChannelSpec.of(node) for node in structure.channels()]
    last = store.last_ids([spec.key for spec in specs])
    lengths = {spec.path: sum(end) if end else 0 for spec, end in zip(specs, last, strict=True)}
    info = structure.info
    message = f"process {info.get('pid')} on {info.get('host')} died before the end of the scan"
    error = {"type": "ProcessDied", "message": message, "traceback": ""}
    event = EndScan(structure.path, "KILLED", lengths, {"state": "KILLED", "end_reason": "FAILURE"}, error)
    end = Append(paths.scan(structure.path), (structure.cursor[0] + 1, 0), encode_event(event))
    store.append(
        [end], again=True
    )  # the next session and the writer may find it at the same time: the first one ends it


def _note_death(store: StreamStore, scan: str) -> None:
    key = paths.died(scan.partition(":")[0])
    store.keys.run(("HSETNX", key, scan, ""), ("PEXPIRE", key, int(REMEMBERED * 1000)))
