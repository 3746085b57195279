"""What is typed and shown at the prompt, in a text file of each day, as long as somebody wants that: `log_stdout`.

Nobody waits for the disk: what it does not take is kept until it does, within limits, and that is told once.
"""

from __future__ import annotations

import datetime
import logging
import os
import threading
from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from gevent.hub import get_hub

from bliss_like.data.process import this_process
from bliss_like.errors import SavingError

from . import disk
from .failures import told
from .kept import Kept
from .logbook_text import plain

if TYPE_CHECKING:
    from .session import Session

PERIOD = 0.5
"""Seconds after which what was shown is written."""
MOST_AT_ONCE = 4 << 20
"""Characters that are taken from a command that lets nobody else run; what comes then is not in the file, which says so."""
MOST_WAITING = 16 << 20
"""Bytes that wait for the disk at most; the same is true of what comes then."""
MOST_OPEN = 10_000
"""Characters of a line that has no end yet: of one that is shown again and again, its last state."""
PATIENCE = 3.0
"""Seconds that the end of a session waits for the disk."""

_MISSING = "[here something is missing: it was too much, or the disk did not take it]\n"

_log = logging.getLogger(__name__)


class Transcript:
    """Writes `<session>_<date>.log` in a directory: what was typed, below each command what was shown, without escape codes.

    It goes on in later sessions of that name, until it is ended.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._kept: Kept[str] = Kept("log_stdout", "", of=session.name)
        self.path: Path | None = None
        """The file, that of the day on which the last command was typed; None while nothing is written."""
        self._appender = _Appender()
        self._loop = get_hub().loop
        self._shown: deque[str] = deque()
        """What is to be written yet; any thread adds to it."""
        self._size = 0
        self._is_planned = False
        self._lock = threading.Lock()  # held for operations on these only

    # -- on and off ----------------------------------------------------------------------------------------------------

    def begin(self, directory: str | os.PathLike[str]) -> Path:
        """Write from now on, and in later sessions; return the file.

        :raises SavingError: nothing can be written there.
        """
        path = self._open(Path(directory).expanduser().absolute())
        self._kept.change(lambda _: str(path.parent))
        return path

    def resume(self) -> Path | None:
        """Go on where an earlier session has written, if none has ended that; return the file.

        :raises SavingError: nothing can be written there any more.
        """
        kept = self._kept.get()
        return self._open(Path(kept)) if kept else None

    def end(self) -> None:
        """Write no more, nor in later sessions."""
        self._kept.change(lambda _: "")
        self.close("log_stdout(False)")

    def close(self, why: str = "the session is closed") -> None:
        """Write what there is to be written, and no more."""
        if self.path is not None:
            self._hand_on(whole=True)
            self._put(f"\n# {_now():%Y-%m-%d %H:%M:%S} {why}\n")
            self.flush()
            self.path, self._appender = None, _Appender()

    def _open(self, directory: Path) -> Path:
        path = self._path_in(directory)
        if self.path is None or self.path.parent != directory:
            disk.look(str(directory), partial(_try, path))
            self.close(f"goes on in {directory}")
            self.path, self._loop = path, get_hub().loop
            process = this_process()
            self._put(
                f"# {_now():%Y-%m-%d %H:%M:%S%z} session {self._session.name}, "
                f"process {process['pid']} on {process['host']}\n"
            )
        return self.path

    def _path_in(self, directory: Path) -> Path:
        return directory / f"{self._session.name}_{_now():%Y-%m-%d}.log"

    # -- what is written -----------------------------------------------------------------------------------------------

    def command(self, number: int, text: str) -> None:
        """Note what was typed at a prompt; what is shown from now on belongs to it."""
        if self.path is not None:
            self._hand_on(whole=True)
            self.path = self._path_in(self.path.parent)
            head = f"{_now():%Y-%m-%d %H:%M:%S} {self._session.name.upper()} [{number}]: "
            self._put("\n" + head + plain(text).replace("\n", "\n" + " " * len(head)) + "\n")

    def shown(self, text: str) -> None:
        """Note what is shown; any thread may. It costs next to nothing."""
        if self.path is None:
            return
        with self._lock:
            room = max(0, MOST_AT_ONCE - self._size)
            self._size += len(text)
            self._shown.append(text[:room])
            is_planned, self._is_planned = self._is_planned, True
        if not is_planned:
            self._loop.run_callback_threadsafe(gevent.spawn_later, PERIOD, self._hand_on)

    def flush(self, patience: float = PATIENCE) -> None:
        """Return when what has come is written, or after so many seconds."""
        self._hand_on()
        self._appender.flush(patience)

    def _hand_on(self, whole: bool = False) -> None:
        """Have written what was shown: whole lines, those that have no end yet only if nothing is to come for them."""
        with self._lock:
            text, is_too_much = "".join(self._shown), self._size > MOST_AT_ONCE
            self._shown.clear()
            self._is_planned = False
            lines, newline, rest = (text, "", "") if whole or is_too_much else text.rpartition("\n")
            if rest:
                self._shown.append(rest if len(rest) < MOST_OPEN else rest[max(0, rest.rfind("\r")) :][-MOST_OPEN:])
            self._size = len(rest)
        written = plain(lines + newline)
        self._put((f"{written}\n" if written else "") + (_MISSING if is_too_much else ""))

    def _put(self, text: str) -> None:
        if self.path is not None and text:
            self._appender.put(self.path, text)


class _Appender:
    """Appends to files, in a thread of the hub's pool, one text after the other."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Path, bytes]] = deque()
        """Added to here, taken by the thread, which leaves what it could not write."""
        self._added = self._written = 0
        self._is_missing = self._has_failed = False
        self._task: gevent.Greenlet[..., None] | None = None

    def put(self, path: Path, text: str) -> None:
        data = text.encode(errors="backslashreplace")
        if self._added - self._written + len(data) > MOST_WAITING:
            self._is_missing = True
        else:
            data = _MISSING.encode() + data if self._is_missing else data
            self._is_missing = False
            self._added += len(data)
            self._waiting.append((path, data))
        self._go_on()

    def flush(self, patience: float) -> None:
        self._go_on()
        if self._task is not None:
            self._task.join(patience)

    def _go_on(self) -> None:
        if self._waiting and (self._task is None or self._task.ready()):
            self._task = gevent.spawn(self._run)

    def _run(self) -> None:
        while self._waiting:
            path, _ = self._waiting[0]
            try:
                disk.look(str(path.parent), self._write)
                self._has_failed = False
            except (OSError, SavingError) as error:
                self._say(path, error)
                return

    def _write(self) -> None:
        while self._waiting:
            path, data = self._waiting[0]
            file = os.open(path, _APPEND, 0o666)
            try:
                while data:
                    count = os.write(file, data)
                    self._written += count
                    data = data[count:]
                    self._waiting[0] = path, data
            finally:
                os.close(file)
            self._waiting.popleft()

    def _say(self, path: Path, error: Exception) -> None:
        if not self._has_failed:
            why = disk.reason(error) if isinstance(error, OSError) else told(error)
            _log.warning("log_stdout: cannot write to %s; what is shown is kept until it works again: %s", path, why)
        self._has_failed = True


_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


def _try(path: Path) -> None:
    """:raises SavingError: a file cannot be written."""
    disk.make_directory(path.parent)
    try:
        os.close(os.open(path, _APPEND, 0o666))
    except OSError as error:
        raise disk.NoPlace(f"cannot write to {path}: {disk.reason(error)}") from error


def _now() -> datetime.datetime:
    return datetime.datetime.now().astimezone()
