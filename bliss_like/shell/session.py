"""`bliss-like -s`: open a session, give it a prompt, close it."""

from __future__ import annotations

import gc
import logging
import sys
import time
from typing import TextIO

import gevent

from bliss_like.data.server import user_directory
from bliss_like.devices.logs import DEVICE
from bliss_like.errors import UserAbort
from bliss_like.live.look import wrapped
from bliss_like.session import Session, load_session

from .forks import forks_in_threads
from .interrupts import Interrupts
from .keyboard import Keyboard

INTERRUPTED = 130

PATIENCE = 3.0
"""Seconds after which a user is told what the setup of a session waits for."""
_PERIOD = 0.5
"""Seconds between two looks at that."""


def open_session(name: str, way_in: str = "") -> int:
    """Open session `name`, let the user work at its prompt, close it; return the exit code.

    :param way_in: what others type to join it, if they can.
    :raises BlissLikeError: the session does not exist or cannot be set up.
    """
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING, handlers=[_Stderr()])
    gevent.get_hub().NOT_ERROR += (UserAbort,)  # a background scan that is aborted is no crash to print
    interrupts, keyboard = Interrupts(), Keyboard()
    with interrupts.installed(), keyboard.hushed(), forks_in_threads():
        try:
            with keyboard.lent_to_input():
                session = interrupts.run(lambda: _set_up(name, way_in))
        except UserAbort:
            print(f"Interrupted before session {name} was open.", file=sys.stderr)
            return INTERRUPTED
        try:
            _prompt(session, interrupts, keyboard)
        finally:
            _close(session, interrupts)
    return 0


def _set_up(name: str, way_in: str) -> Session:
    session = load_session(name)
    session.way_in = way_in
    patience = gevent.spawn_later(PATIENCE, _tell_what_is_slow, session)
    try:
        session.setup(verbose=True)
    finally:
        patience.kill()
    return session


def _tell_what_is_slow(session: Session) -> None:
    while not session.being_made:  # it may have something else to do at this very moment
        gevent.sleep(_PERIOD)
    print(f"Session {session.name} waits for {', '.join(sorted(session.being_made))}. Ctrl-C gives up.", flush=True)


def _close(session: Session, interrupts: Interrupts) -> None:
    told = f"Session {session.name} is not closed yet. Ctrl-C gives up on what it waits for."
    patience = gevent.spawn_later(PATIENCE, print, told, flush=True)
    try:
        interrupts.run(session.close)
    except UserAbort:
        print(f"Session {session.name} is closed, but for what was interrupted.", file=sys.stderr)
    finally:
        patience.kill()


def _prompt(session: Session, interrupts: Interrupts, keyboard: Keyboard) -> None:
    from .light_help import light_help

    with light_help():
        from .repl import Repl

    gc.freeze()  # what is there now stays: collections while scans run need not look at it
    gc.enable()
    Repl(session, user_directory() / "history" / session.name, interrupts, keyboard).run()


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what sys.stderr is at that time: the prompt puts its own in place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.levelno < logging.WARNING:  # somebody debugs: what and when counts
            clock = time.strftime("%H:%M:%S", time.localtime(record.created))
            text = f"{clock}.{int(record.msecs):03d} {record.name.removeprefix(DEVICE)}: {record.getMessage()}"
        return wrapped(text) if self.stream.isatty() else text

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr
