"""The electronic logbook of a session: what people note, and what happened, in a file beside the data and wherever else it is to go.

Nobody waits for it, and nothing that goes wrong with it is more than a warning: a disk that is full or gone, a logbook of the
facility that does not answer.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from pydantic import Field, field_validator

from bliss_like.config.models import StrictModel
from bliss_like.errors import SessionError, UsageError, UserAbort

from . import disk
from .failures import named, told
from .logbook_text import COMMAND, COMMENT, ERROR, OUTPUT, PLOT, Entry, day_of, markdown, plain
from .transcript import Transcript

if TYPE_CHECKING:
    from bliss_like.scanning.subscriptions import Subscription, Subscriptions

    from .session import Session

FILE = "logbook.md"
MOST_WAITING = 10_000
"""Entries that wait for a disk at most; the oldest ones are lost then."""
MOST_TEXT = 1 << 16
"""Characters of one output that are kept: its last ones."""
KEPT = 30
"""Commands whose outputs are kept."""
PERIOD = 1.0
"""Seconds between two looks at the points of a scan, of which nothing is noted before its end."""
PATIENCE = 3.0
"""Seconds that the end of a session waits for the logbook."""

_log = logging.getLogger(__name__)

Callback = Callable[[Entry], object]


class LogbookConfig(StrictModel):
    """What YAML says in `logbook:`; `true` is all of it, `false` is no logbook, and without the key it has what people add.

    :param path: the file, or a directory for it; by default beside the data.
    :param commands: whether it has what is typed.
    :param scans: whether it has the beginnings and ends of scans.
    :param errors: whether it has the errors of commands.
    :param send_to: functions that are called with each entry, `package.module:function`.
    """

    path: str = ""
    commands: bool = True
    scans: bool = True
    errors: bool = True
    send_to: list[str] = Field(default_factory=list)

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if path and not Path(path).expanduser().is_absolute():
            raise ValueError(f"expected an absolute path, came {path!r}")
        return path

    @field_validator("send_to")
    @classmethod
    def _functions(cls, names: list[str]) -> list[str]:
        for name in names:
            if not all(name.partition(":")[::2]):
                raise ValueError(f"expected package.module:function, came {name!r}")
        return names


class Output:
    """What a command has printed."""

    def __init__(self, number: int, command: str) -> None:
        self.number, self.command = number, command
        self._pieces: deque[str] = deque()
        self._size = 0

    def add(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)
        while self._size > MOST_TEXT and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft())

    @property
    def text(self) -> str:
        return plain("".join(self._pieces)[-MOST_TEXT:])


class Logbook:
    """`current_session.logbook`: `subscribe(f)` lets a function have each entry, too."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.transcript = Transcript(session)
        """What is typed and shown, in a file of its own: `log_stdout`."""
        self._targets = [_Target(self._write, keeps=True)]
        self._from_config: dict[str, Callback] = {}
        self.outputs: deque[Output] = deque(maxlen=KEPT)
        """Of the last commands, the newest last; the one that runs is among them."""
        self._notes: Subscription | None = None
        self._last: tuple[Path, str] | None = None
        """File and heading of the entry that was written last."""

    # -- how it is configured ------------------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether there is a logbook."""
        return self._session.written.logbook is not False

    @property
    def _options(self) -> LogbookConfig:
        written = self._session.written.logbook
        if isinstance(written, LogbookConfig):
            return written
        return LogbookConfig() if written else LogbookConfig(commands=False, scans=False, errors=False)

    @property
    def path(self) -> Path:
        """The file, as it is now: it goes where the data go.

        :raises SessionError: where they go cannot be said.
        """
        if self._options.path:
            path = Path(self._options.path).expanduser()
            return path if path.suffix else path / FILE
        saving = self._session.scan_saving
        masters = saving.master_files  # directories of datasets are made by those who begin one
        return (Path(masters[-1]).parent if masters else Path(saving.get_path())) / FILE

    def configure(self, subscriptions: Subscriptions) -> None:
        """Note what the configuration says now, and nothing else."""
        wanted = self._options.scans and self.is_on
        if wanted and self._notes is None:
            from .scan_notes import ScanNotes  # takes its time to load

            self._notes = subscriptions.subscribe(ScanNotes(self), period=PERIOD)
        elif not wanted and self._notes is not None:
            subscriptions.unsubscribe(self._notes)
            self._notes = None
        for function in self._from_config.values():
            self.unsubscribe(function)
        self._from_config = {}
        for name in self._options.send_to:
            try:
                self._from_config[name] = self.subscribe(function_named(name))
            except Exception as error:  # noqa: BLE001  a module of somebody; the session goes on without it
                _log.error("session %s: logbook: send_to %s: %s", self._session.name, name, told(error))

    # -- entries -------------------------------------------------------------------------------------------------------

    def add(self, kind: str, text: str, scan_nb: int = 0, title: str = "") -> None:
        """Note something; it is written a little later."""
        if self.is_on:
            entry = Entry(time.time(), self._session.name, kind, text, scan_nb, title)
            for target in self._targets:
                target.put(entry)

    def comment(self, text: str) -> None:
        """:raises SessionError: the session has no logbook."""
        self._require()
        self.add(COMMENT, text)

    def plot(self, text: str) -> None:
        """Note a plot that is made of characters; errors as for `comment`."""
        self._require()
        self.add(PLOT, text)

    def add_text(self, text: str, title: str = "") -> None:
        """Note a text whose lines stand below each other as they are, a table; errors as for `comment`."""
        self._require()
        self.add(OUTPUT, text, title=title)

    def add_output(self, index: int = -1) -> None:
        """Note what a command has printed.

        :param index: -1 is the last one before this one, -2 the one before that; else the number of its prompt.
        :raises UsageError: there is no such command, or no more.
        :raises SessionError: the session has no logbook.
        """
        self._require()
        past = list(self.outputs)[:-1]
        found = past[index] if -len(past) <= index < 0 else None
        if index >= 0:
            found = next((output for output in past if output.number == index), None)
        if found is None:
            there = f"{past[0].number} to {past[-1].number}, or -1 to {-len(past)}" if past else "none so far"
            raise UsageError(f"no command {index} whose output is kept; there are {there}")
        self.add(OUTPUT, found.text or "(nothing)", title=found.command)

    @contextlib.contextmanager
    def command(self, number: int, text: str) -> Iterator[Output]:
        """The context in which a command runs; who has a terminal adds what it prints to the output."""
        self.transcript.command(number, text)
        output = Output(number, text)
        self.outputs.append(output)
        if self._options.commands and not text.lstrip().startswith("elog_"):
            self.add(COMMAND, text)
        try:
            yield output
        except UserAbort:
            if self._options.commands:
                self.add(ERROR, "interrupted")
            raise
        except Exception as error:
            if self._options.errors:
                self.add(ERROR, named(error))
            raise

    # -- who else wants them -------------------------------------------------------------------------------------------

    def subscribe(self, function: Callback) -> Callback:
        """Let a function have each entry from now on, in a greenlet of its own; return it.

        :raises UsageError: it cannot be called.
        """
        if not callable(function):
            raise UsageError(f"logbook: expected a function f(entry), got {function!r:.80}")
        self._targets.append(_Target(function))
        return function

    def unsubscribe(self, function: Callback) -> None:
        """:raises UsageError: it was not subscribed."""
        for target in self._targets[1:]:
            if target.call == function:
                self._targets.remove(target)
                return
        raise UsageError(f"logbook: {function!r:.80} is not subscribed")

    def flush(self, patience: float = PATIENCE) -> None:
        """Return when all entries are written, or after so many seconds."""
        for target in self._targets:
            target.go_on()
        gevent.joinall([target.task for target in self._targets if target.task is not None], timeout=patience)

    def close(self) -> None:
        """Let go of the session, when what there is to write is written."""
        self.transcript.close()
        self.flush()
        self._notes = None
        self.outputs.clear()
        self._from_config = {}
        self._targets = self._targets[:1]

    def _require(self) -> None:
        if not self.is_on:
            raise SessionError(f"session '{self._session.name}' has no logbook: its YAML file says logbook: false")

    # -- the file ------------------------------------------------------------------------------------------------------

    def _write(self, entry: Entry) -> None:
        path, mode = self.path, self._session.scan_saving.directory_mode
        disk.look(str(path.parent), partial(self._append, path, entry, mode))

    def _append(self, path: Path, entry: Entry, mode: str) -> None:
        disk.make_directory(path.parent, "" if path.parent.exists() else mode)
        heading = day_of(entry)
        is_new = not path.exists()
        with path.open("a", encoding="utf-8") as file:
            if is_new or self._last != (path, heading):
                file.write(f"{'' if is_new else chr(10)}## {heading}\n\n")
            file.write(markdown(entry))
        self._last = (path, heading)

    def __info__(self) -> str:
        if not self.is_on:
            return "no logbook: the session's YAML file says logbook: false"
        options = self._options
        noted = [name for name in ("commands", "scans", "errors") if getattr(options, name)]
        try:
            where = str(self.path)
        except SessionError as error:
            where = f"nowhere: {error}"
        return f"logbook  {where}\nhas      comments{''.join(f', {name}' for name in noted)}"


class _Target:
    """Somebody who has the entries, one after the other, in a greenlet of its own.

    :param keeps: whether an entry that it did not take is offered again, with the next one.
    """

    def __init__(self, call: Callback, keeps: bool = False) -> None:
        self.call, self._keeps = call, keeps
        self._waiting: deque[Entry] = deque(maxlen=MOST_WAITING)
        self._has_failed = False
        self.task: gevent.Greenlet[..., None] | None = None

    def put(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self.go_on()

    def go_on(self) -> None:
        """Offer what waits."""
        if self._waiting and (self.task is None or self.task.ready()):
            self.task = gevent.spawn(self._run)

    def _run(self) -> None:
        while self._waiting:
            entry = self._waiting.popleft()
            try:
                self.call(entry)
                self._has_failed = False
            except Exception as error:  # noqa: BLE001  whatever is wrong with a logbook, the beamline goes on
                self._say(error)
                if self._keeps:
                    self._waiting.appendleft(entry)
                    return

    def _say(self, error: Exception) -> None:
        if not self._has_failed:
            lost = "entries are kept until it works again" if self._keeps else "this entry is lost to it"
            _log.warning("logbook: %s; %s", told(error), lost)
        self._has_failed = True


def function_named(name: str) -> Any:
    """Return what `package.module:function` names; whatever a module raises when it is imported, comes from here."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)
