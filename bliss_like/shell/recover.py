"""`bliss-like recover [SESSION|SCAN...]`: complete the files of scans whose writer, session or server died.

All that was published is still in the data server, and goes into the files that it was meant for, by the writer's own code.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bliss_like.errors import DataError, SavingError

if TYPE_CHECKING:
    from bliss_like.data.events import SavedScan
    from bliss_like.data.store import StreamStore
    from bliss_like.writers.claim import Claim
    from bliss_like.writers.recovery import Unsaved

UNSAVED = 1
_ABOUT = """
Without a name: all sessions. Scans whose process died are ended first; those of another host only with --end, as nobody here
can know. The exit code is 1 if something is left that is not saved, else 0.
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("recover", help="complete the files of scans after a crash", epilog=_ABOUT)
    parser.add_argument("names", metavar="SESSION|SCAN", nargs="*", help="a session, or the db_name of a scan")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="only say which scans are not saved, and why")
    what.add_argument("--give-up", action="store_true", help="never mind the files of these scans: their points may go")
    parser.add_argument("--end", action="store_true", help="end these scans, whose process is known to be dead")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """:raises DataError: there is no such session or scan."""
    from bliss_like.data.redis_store import connect

    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.ERROR, stream=sys.stderr)
    if (chosen.end or chosen.give_up) and not chosen.names:
        raise DataError("recover --end and --give-up need names: of a session, or of scans; see recover --list")
    store = connect()
    sessions = _sessions(store, chosen.names)
    if chosen.give_up:
        return _give_up(store, sessions)
    left = 0
    for session, scans in sessions.items():
        left += _list(store, session, scans) if chosen.list else Recovery(store, session, scans, chosen.end).run()
    if not left:
        print("Nothing is left to be saved.")
    return UNSAVED if left else 0


def _sessions(store: StreamStore, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the scans asked for by session; none: all of the session."""
    from bliss_like.data.node import sessions_list

    known = [node.name for node in sessions_list(store)]
    sessions: dict[str, list[str]] = {} if names else {name: [] for name in known}
    for name in names:
        session = name.partition(":")[0]
        if session not in known:
            raise DataError(
                f"recover {name}: expected a session or the db_name of a scan; the data server knows the sessions "
                f"{', '.join(known) or '(none)'}"
            )
        scans = sessions.setdefault(session, [])
        if name != session:
            scans.append(name)
    return sessions


def _unsaved(store: StreamStore, session: str, scans: Iterable[str]) -> list[Unsaved]:
    """:raises DataError: a scan is not one of those that are not saved."""
    from bliss_like.data.saving import saved
    from bliss_like.writers.recovery import survey

    found = {each.scan: each for each in survey(store, session)}
    chosen = []
    for scan in scans:
        if scan in found:
            chosen.append(found[scan])
        elif (event := saved(store, [scan])[0]) is not None and event.state == "SAVED":
            print(f"{scan}: is saved in {event.place}")
        else:
            raise DataError(
                f"recover {scan}: no scan of that name is left to be saved; see bliss-like recover --list {session}"
            )
    return chosen if scans else list(found.values())


def _state(each: Unsaved) -> str:
    if each.orphan:
        return f"not ended, {each.process} is dead"
    if each.running:
        return f"not ended, {each.process} may be alive"
    return f"ended, not saved{f': {each.said}' if each.said else ''}"


def _list(store: StreamStore, session: str, scans: Sequence[str]) -> int:
    from bliss_like.data.saving import living_writer

    found = _unsaved(store, session, scans)
    if found:
        writer = living_writer(store, session)
        at_work = f"the {writer} is at work" + (f": {writer.trouble}" if writer.trouble else "") if writer else ""
        print(f"Session {session}: {len(found)} not saved; {at_work or 'no writer lives'}")
        _print_table(
            [
                (each.scan, each.title, f"{each.on_disk} of {each.npoints} points on disk", _state(each))
                for each in found
            ]
        )
    return len(found)


def _give_up(store: StreamStore, sessions: dict[str, list[str]]) -> int:
    from bliss_like.data.retention import Retention
    from bliss_like.writers.recovery import give_up

    for session, scans in sessions.items():
        for each in _unsaved(store, session, scans):
            if each.running:
                print(f"{each.scan}: {_state(each)}; it is left alone")
                continue
            give_up(store, each.scan, Retention().seconds)
            print(f"{each.scan}: given up, {each.npoints} points will go with time")
    return 0


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Recovery:
    """Of one session: orphans are ended, files completed, each said in a line."""

    def __init__(self, store: StreamStore, session: str, scans: Sequence[str], end: bool) -> None:
        self._store, self._session, self._scans, self._end = store, session, scans, end

    def run(self) -> int:
        """Return how many scans are left."""
        from bliss_like.data.orphans import end_orphan
        from bliss_like.writers.recovery import in_place_of_writer

        to_do, left = [], 0
        for each in _unsaved(self._store, self._session, self._scans):
            if not each.running or end_orphan(self._store, each.scan, surely=self._end):
                to_do.append(each)
            else:
                left += 1
                self._say(each.scan, f"not ended: {each.process} may be alive; if it is not: recover --end {each.scan}")
        if not to_do:
            return left
        try:
            with in_place_of_writer(self._store, self._session) as claim:
                return left + self._complete(to_do, claim)
        except SavingError as alive:
            return left + self._beside(to_do, str(alive))

    def _beside(self, to_do: list[Unsaved], alive: str) -> int:
        """While a writer lives: complete only what it has given up, or cannot write."""
        from bliss_like.data.saving import living_writer

        writer = living_writer(self._store, self._session)
        its = [each for each in to_do if not (each.said or (writer and writer.trouble))]
        if its:
            print(f"Session {self._session}: {alive.partition(',')[0]}; it saves {len(its)} of these scans by itself")
        return len(its) + self._complete([each for each in to_do if each not in its], None)

    def _complete(self, to_do: list[Unsaved], claim: Claim | None) -> int:
        from bliss_like.writers.recovery import recover

        def tell(event: SavedScan) -> None:
            done = event.state == "SAVED"
            was = "ended and completed" if event.path in orphans else "completed"
            self._say(event.path, f"{was} in {event.place}" if done else f"cannot be completed: {event.error}")

        orphans = {each.scan for each in to_do if each.running}
        results = recover(self._store, [each.scan for each in to_do], claim=claim, told=tell)
        return sum(event.state != "SAVED" for event in results)

    def _say(self, scan: str, what: str) -> None:
        print(f"{scan}: {what}", flush=True)
