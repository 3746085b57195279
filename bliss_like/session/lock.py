"""One process per session: a file lock that the kernel gives back when its holder dies, in whatever way.

The file is in the user's data directory, beside the data; a temporary directory may be emptied while the session is open.
What does not work: a Redis key with an expiry (stays behind until it expires), a pid in a file (pids come again), the
presence of a file (stays behind for good).
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
from datetime import datetime
from io import TextIOWrapper
from typing import Any

from bliss_like.data.server import user_directory
from bliss_like.errors import SessionError


class SessionLock:
    """Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, session_name: str) -> None:
        self.session_name = session_name
        self.path = user_directory() / "sessions" / f"{session_name}.lock"
        self._file: TextIOWrapper | None = None

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def acquire(self) -> None:
        """Take the lock.

        :raises SessionError: another process has it; or the lock file cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self.path.open("a+", encoding="utf-8")
        except OSError as error:
            raise SessionError(
                f"session '{self.session_name}': cannot write {self.path}: {error.strerror}; "
                "set $BLISS_LIKE_HOME to a directory of yours"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read(file)
            file.close()
            raise SessionError(self._refusal(holder)) from None
        file.truncate(0)
        json.dump(_myself(), file)
        file.flush()
        self._file = file
        _held.add(self)

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._file is not None:
            self._file.truncate(0)
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        _held.discard(self)

    def _refusal(self, holder: dict[str, Any]) -> str:
        if not holder:
            return f"session '{self.session_name}' is being opened by another process (it holds {self.path})"
        return (
            f"session '{self.session_name}' is already open: process {holder['pid']} on host {holder['host']} "
            f"(user {holder['user']}) since {holder['since']}. Use it there, or close it there first; "
            f"if it hangs: `kill {holder['pid']}` on {holder['host']}"
        )


_held: set[SessionLock] = set()


def _let_go_in_child() -> None:
    """A forked process must not keep the session after its parent has died."""
    for lock in list(_held):
        lock._let_go()


os.register_at_fork(after_in_child=_let_go_in_child)


def _myself() -> dict[str, Any]:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "user": getpass.getuser(), "since": since}


def _read(file: TextIOWrapper) -> dict[str, Any]:
    try:
        file.seek(0)
        holder = json.load(file)
    except ValueError:
        return {}  # locked, but not yet written
    return holder if isinstance(holder, dict) else {}
