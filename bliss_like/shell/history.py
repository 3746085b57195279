"""What was typed in a session, kept in a file; when that has grown, it is put aside, and the last entries stay."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from prompt_toolkit.history import FileHistory

LARGEST = 1_000_000
"""Bytes; a larger file is put aside when a session begins."""
KEPT = 1000
"""Entries that stay then."""

_log = logging.getLogger(__name__)


class SessionHistory(FileHistory):
    """The history of one session. Entries of several lines come back whole; a line that begins with a space is not kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path
        self._has_failed = False
        with self._tolerant():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._archive()

    def append_string(self, string: str) -> None:
        if not (string.startswith(" ") and "\n" not in string):
            super().append_string(string)

    def store_string(self, string: str) -> None:
        with self._tolerant(), self._locked() as file:
            os.write(file, _entry(string))  # at once: nobody sees half of it

    def load_history_strings(self) -> list[str]:
        with self._tolerant():
            return list(super().load_history_strings())
        return []

    def _archive(self) -> None:
        """Put the file aside if it has grown, and begin another one with its last entries."""
        if not self._path.exists() or self._path.stat().st_size <= LARGEST:
            return
        with self._locked():
            newest_first = list(super().load_history_strings())
            self._path.rename(self._free_name())
            with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as new:
                new.write(b"".join(map(_entry, reversed(newest_first[:KEPT]))))

    def _free_name(self) -> Path:
        now = datetime.now().astimezone()
        names = (f"{self._path.name}.{now:%Y-%m-%d}{end}" for end in ("", f"_{now:%H%M%S}", f"_{now:%H%M%S.%f}"))
        return next(path for path in map(self._path.with_name, names) if not path.exists())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file, for oneself and at its end; another process may have put it aside meanwhile."""
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._path.exists() and os.fstat(file).st_ino == self._path.stat().st_ino:
                    yield file
                    return
            finally:
                os.close(file)

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        """Go on without a file where there can be none: a full disk is no reason not to take a command."""
        try:
            yield
        except OSError as error:
            if not self._has_failed:
                self._has_failed = True
                _log.warning("what is typed is not kept: %s: %s", self._path, error.strerror or error)


def _entry(string: str) -> bytes:
    lines = "".join(f"+{line}\n" for line in string.split("\n"))
    return f"\n# {datetime.now().astimezone():%Y-%m-%d %H:%M:%S.%f}\n{lines}".encode(errors="replace")
