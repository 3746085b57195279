"""The writer that a session has started: it is looked after, named when it dies or hangs, and replaced.

A greenlet looks after it a few times a second, and whoever needs it looks, too: in a plain script greenlets do not run
while nothing is waited for. Its process is started in the thread of the session, which gevent wants.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import gevent

import bliss_like
from bliss_like.data.process import is_stopped
from bliss_like.data.saving import LIFE, WriterStatus, doing, living_writer
from bliss_like.data.server import user_directory
from bliss_like.data.store import StreamStore
from bliss_like.errors import SavingError, StoreUnavailable

_log = logging.getLogger(__name__)

_LOOK = 0.25
"""Seconds between two looks."""
_LONGEST_START = 30.0
"""Seconds after which a writer that has never said anything is taken for hanging."""
_LONGEST_SILENCE = 10.0
"""The same of one whose word has run out: HDF5 may keep it busy for seconds with thousands of objects, as may a loaded
machine. One that is held by a signal is not waited for."""
_DEATHS, _PERIOD = 4, 60.0
"""A writer that dies more often than this in so many seconds is not started again by itself."""
_AGAIN = 10.0
"""Seconds after which it is tried once more if a scan wants it."""
_LONGEST_END = 5.0
"""Seconds that a writer is given to close its files."""
_LOG_BYTES = 1 << 20
"""Size beyond which a log is put aside when a writer is started."""


class WriterProcess:
    """The writer of a session, wherever it runs.

    :param environment: what it is to find in its environment beside ours.
    """

    def __init__(self, session: str, store: StreamStore, environment: dict[str, str]) -> None:
        self._session, self._store, self._environment = session, store, environment
        self.log = user_directory() / f"writer-{session}.log"
        self._log_began = 0
        """Where in it the last one that was started begins."""
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = self._seen_at = self._outage_until = 0.0
        self._deaths: deque[float] = deque(maxlen=_DEATHS)
        self._is_starting = False
        self._ending = ""
        """How the last one ended."""
        self._guard: gevent.Greenlet[[], None] | None = None

    def begin(self) -> None:
        """Start it beside everything else, and look after it from now on."""
        if self._guard is None:
            self._guard = gevent.spawn(self._look_again_and_again)

    def look(self) -> WriterStatus | None:
        """Return what the living writer says; when there is none, one is on its way.

        :raises SavingError: it dies again and again.
        :raises StoreUnavailable: the server does not answer.
        """
        try:
            status = living_writer(self._store, self._session)
        except StoreUnavailable:
            self._outage_until = time.monotonic() + 2 * LIFE  # the server may have forgotten a writer that lives
            raise
        self._note_death()
        if status is not None and not status.gives_way:
            self._seen_at = time.monotonic()
            return status
        if self._process is None and not self._is_starting:
            self._is_starting = True  # greenlets run while a process is started
            try:
                self._start()
            except OSError as error:
                raise SavingError(
                    f"the writer of session {self._session} cannot be started: {error}; its log would be {self.log}: is "
                    f"that directory writable? $BLISS_LIKE_HOME names another one"
                ) from error
            finally:
                self._is_starting = False
        elif self._process is not None and self._hangs(self._process):
            self._end(self._process)
        return None

    def close(self) -> None:
        """End the one that was started here; its files are closed. What is not saved is taken up by the next one."""
        while self._is_starting:
            gevent.sleep(0.01)
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.kill()
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(_LONGEST_END)
        except subprocess.TimeoutExpired:
            _log.error("%s does not end within %.0f s; it is killed", self._name(process), _LONGEST_END)
            process.kill()
            process.wait()

    def told(self) -> str:
        """Return its state in a line."""
        try:
            status = living_writer(self._store, self._session)
        except StoreUnavailable as error:
            return str(error)
        if status is None:
            return f"no writer lives; {self._ending or 'it is started with the next scan'}"
        return f"pid {status.pid} on {status.host}, {doing(self._store, status)}"

    # -- one after the other -------------------------------------------------------------------------------------------

    def _look_again_and_again(self) -> None:
        while True:
            try:
                self.look()
            except (SavingError, StoreUnavailable):
                pass  # who wants a scan saved is told
            gevent.sleep(_LOOK)

    def _start(self) -> None:
        now = time.monotonic()
        if len(self._deaths) == _DEATHS and now - self._deaths[0] < _PERIOD and now - self._deaths[-1] < _AGAIN:
            raise SavingError(
                f"the writer of session {self._session} dies again and again ({self._ending}). Remove the cause, and it is "
                f"started again {_AGAIN:.0f} s later; or run it by hand where you see it: bliss-like writer {self._session}; "
                f'or go on without files: SCAN_SAVING.writer = "null"{self._tail()}'
            )
        home = str(Path(bliss_like.__file__).parents[1])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, **self._environment, "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-m", "bliss_like.shell.main", "writer", self._session, "--of", str(os.getpid())]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.old"))
        with self.log.open("ab") as log:
            self._log_began = log.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # Ctrl-C at the prompt is not for it
            )
        self._started_at, self._seen_at = now, 0.0

    def _note_death(self) -> None:
        """Name a writer that has ended by itself, once."""
        process = self._process
        if process is None or process.poll() is None:
            return
        self._process = None
        code = process.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._ending = f"pid {process.pid} on {socket.gethostname()}, {how}"
        self._deaths.append(time.monotonic())
        if living_writer(self._store, self._session) is None or code < 0:
            _log.error(
                "the writer of session %s has died (%s); another one is started and goes on where it was%s",
                self._session,
                self._ending,
                self._tail(),
            )

    def _hangs(self, process: subprocess.Popen[bytes]) -> bool:
        now = time.monotonic()
        if now < self._outage_until:
            return False
        if not self._seen_at:
            return now - self._started_at > _LONGEST_START
        return now - self._seen_at > (LIFE / 2 if is_stopped(process.pid) else _LONGEST_SILENCE)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End one that hangs; whoever looks next starts another one."""
        silent = LIFE + time.monotonic() - (self._seen_at or self._started_at)
        _log.error("%s hangs: it has said nothing for %.0f s; it is killed and replaced", self._name(process), silent)
        self._process = None  # greenlets that look, too, run while it ends
        self._ending = f"pid {process.pid} on {socket.gethostname()}, it was hanging"
        self._deaths.append(time.monotonic())
        process.kill()
        process.wait()

    def _name(self, process: subprocess.Popen[bytes]) -> str:
        return f"the writer of session {self._session} (pid {process.pid} on {socket.gethostname()})"

    def _tail(self) -> str:
        """Return what the last one has complained of at its end, and where all of it is."""
        try:
            written = self.log.read_bytes()[self._log_began :].decode(errors="replace")
        except OSError:
            written = ""
        complaints = [line for line in written.splitlines() if line.strip() and " INFO " not in line][-5:]
        if not complaints:
            return f"; its log: {self.log}"
        return f"; the end of its log, {self.log}:\n" + "\n".join(f"    {line}" for line in complaints)
