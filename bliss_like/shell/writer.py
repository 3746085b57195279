"""`bliss-like writer SESSION`: save the scans of a session, on any machine that sees its server and its files.

A session starts one by itself, which this is, too; one that is started by hand before is used instead.
"""

from __future__ import annotations

import argparse
import datetime
import logging
import signal
import sys
import threading
from types import FrameType
from typing import Any

NOT_RUNNING = 3


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("writer", help="save the scans of a session, as its own writer does")
    parser.add_argument("session_name", metavar="SESSION", nargs="?", help="whose scans")
    parser.add_argument(
        "--status", action="store_true", help="say which writers are at work, of all sessions or of this one"
    )
    parser.add_argument("--of", metavar="PID", type=int, default=0, help=argparse.SUPPRESS)  # the session's process
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.status:
        return show_status(chosen.session_name)
    if not chosen.session_name:
        print("bliss-like writer: of which session? bliss-like writer SESSION", file=sys.stderr)
        return 2
    return write(chosen.session_name, chosen.of)


def write(session: str, parent: int = 0) -> int:
    """Save the scans of a session until Ctrl-C or a SIGTERM; return the exit code.

    :param parent: pid of the process of the session that has started it, if one has.
    :raises SavingError: it has a writer already.
    """
    from bliss_like.data.redis_store import connect
    from bliss_like.writers.process import Until, serve

    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stdout)
    serve(session, connect(), stopped=ended.is_set, until=Until(parent=parent))
    return 0


def show_status(session: str | None) -> int:
    """Print what the writers say of themselves; return 3 when there is none."""
    from bliss_like.data.node import sessions_list
    from bliss_like.data.redis_store import connect
    from bliss_like.data.saving import WriterStatus, doing, writer_status

    store = connect()
    names = [session] if session else [node.name for node in sessions_list(store)]
    living = [status for status in (writer_status(store, name) for name in names) if status is not None]

    def line(status: WriterStatus) -> str:
        since = datetime.datetime.fromtimestamp(status.since, datetime.UTC).astimezone().isoformat(" ", "seconds")
        return f"{status}, version {status.version}, since {since}:\n  {doing(store, status)}"

    for status in living:
        print(line(status))
    if not living:
        print(f"No writer of {f'session {session}' if session else 'any session'} is at work.")
    return 0 if living else NOT_RUNNING
