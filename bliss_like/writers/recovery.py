"""Scans whose writer, session or server died, as people ask for them: which they are, and their files completed.

The code that writes is that of the writer, and so is the claim on the session: a living writer is left to its work.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bliss_like import __version__
from bliss_like.data.events import SavedScan
from bliss_like.data.process import is_gone
from bliss_like.data.saving import WriterStatus, progress, saved, tell_saved, unsaved_scans
from bliss_like.data.scan_info import to_be_saved
from bliss_like.data.store import StreamStore
from bliss_like.data.structure import ChannelSpec, ScanStructure
from bliss_like.errors import NodeNotFound, SavingError, StoreUnavailable

from .claim import Claim
from .scan_to_save import ScanToSave

_TURN = 0.5
PATIENCE = 10.0
"""Seconds for which a file that cannot be written is tried again."""
_LEFT = "a writer of the session has come meanwhile; it is left to that one"


@dataclass(frozen=True)
class Unsaved:
    """A scan that is to be saved and is not.

    :param npoints: of all channels together; `on_disk` of them were there when it was last told.
    :param running: it has not ended; `orphan`: it never will by itself, as its process was here and is no more.
    :param said: what its writer has said, why it is not saved; empty when nothing.
    """

    scan: str
    title: str
    npoints: int
    on_disk: int
    running: bool
    orphan: bool
    process: str
    said: str


def survey(store: StreamStore, session: str) -> list[Unsaved]:
    """Return the scans of a session that are to be saved and are not, the oldest first."""
    names = unsaved_scans(store, session)
    found = []
    for name, event in zip(names, saved(store, names), strict=True):
        try:
            structure = ScanStructure(store, name).refresh()
        except NodeNotFound:  # its time was over between the two looks
            continue
        if to_be_saved(structure.info):
            found.append(_look(store, structure, event))
    return found


def _look(store: StreamStore, structure: ScanStructure, event: SavedScan | None) -> Unsaved:
    info, end = structure.info, structure.end
    last = store.last_ids([ChannelSpec.of(node).key for node in structure.channels()])
    return Unsaved(
        structure.path,
        str(info.get("title", "")),
        sum(sum(each) for each in last if each),
        sum(progress(store, structure.path).values()),
        end is None,
        end is None and is_gone(info),
        f"process {info.get('pid')} on {info.get('host')}",
        event.error if event else "",
    )


@contextmanager
def in_place_of_writer(store: StreamStore, session: str) -> Iterator[Claim]:
    """Be the writer of a session while the context is open, or until one comes that saves also what is new: the claim is lost.

    :raises SavingError: a writer of it lives.
    """
    status = WriterStatus(session, socket.gethostname(), os.getpid(), __version__, time.time(), gives_way=True)
    claim = Claim(store, lambda: status)
    claim.take()
    try:
        yield claim
    finally:
        claim.give_back()


def recover(
    store: StreamStore,
    scans: Sequence[str],
    *,
    patience: float = PATIENCE,
    claim: Claim | None = None,
    told: Callable[[SavedScan], None] = lambda event: None,
) -> list[SavedScan]:
    """Complete the files of scans that have ended, with all of their points; return what became of each.

    :param scans: db_names.
    :param claim: of who is `in_place_of_writer`: when it is lost, the rest is left to the writer that has come. None: a writer of
        the session lives, which has failed with these scans or is in trouble: only success is told.
    :param patience: seconds for which a file that cannot be written (disk full, directory gone) is tried again.
    :param told: called with each result as soon as it is known.
    """
    results = []
    for scan in scans:
        results.append(_recover(store, scan, patience, claim))
        told(results[-1])
    return results


def _recover(store: StreamStore, scan: str, patience: float, claim: Claim | None) -> SavedScan:
    try:
        structure = ScanStructure(store, scan).refresh()
        work = ScanToSave(store, scan, tells_failure=claim is not None)
    except NodeNotFound as error:
        return SavedScan(scan, "FAILED", error=str(error))
    if structure.end is None:
        return SavedScan(scan, "FAILED", error="it has not ended")
    if work.is_over:
        return SavedScan(scan, "FAILED", error="no writer was asked to save it")
    well_at = time.monotonic()
    while not work.is_over:
        if claim is not None and claim.lost:
            work.abandon()
            return SavedScan(scan, "FAILED", work.filename, error=_LEFT, writer=work.format)
        try:
            more, trouble = work.advance(time.monotonic() + _TURN), work.trouble or work.refusal
        except StoreUnavailable as error:
            more, trouble = False, str(error)
        now = time.monotonic()
        if not trouble:
            well_at = now
        elif now - well_at > patience:
            work.abandon()
            return SavedScan(scan, "FAILED", work.filename, error=trouble, writer=work.format)
        if not (more or work.is_over):
            time.sleep(min(0.1, max(0.0, work.retry_at - now)))
    return work.said or saved(store, [scan])[0] or SavedScan(scan, "FAILED", error="it is no more in the store")


def give_up(store: StreamStore, scan: str, seconds: float) -> None:
    """Say that nobody waits for the file of a scan any more: its points may go as those of scans that are saved.

    :raises SavingError: it is saved, or is no scan that was to be.
    """
    event = saved(store, [scan])[0]
    structure = ScanStructure(store, scan).refresh()
    if not to_be_saved(structure.info) or (event and event.state == "SAVED"):
        raise SavingError(
            f"scan {scan}: {f'it is saved, in {event.file}' if event else 'no writer was asked to save it'}"
        )
    error = event.error if event else "nobody has tried"
    tell_saved(store, SavedScan(scan, "FAILED", error=error, info={"given_up": True}), seconds)
