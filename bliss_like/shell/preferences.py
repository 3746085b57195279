"""What a user prefers at the prompt, from one session to the next: a small file in the user's directory."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path

_log = logging.getLogger(__name__)


class Preferences:
    """Switches by their names, kept in a file; where there can be none, they hold as long as the shell is open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._switches: dict[str, bool] = {}
        try:
            read = json.loads(path.read_text())
        except (OSError, ValueError):  # not there yet, or spoilt
            return
        if isinstance(read, dict):
            self._switches = {str(name): value for name, value in read.items() if isinstance(value, bool)}

    def get(self, name: str, otherwise: bool) -> bool:
        return self._switches.get(name, otherwise)

    def set(self, name: str, value: bool) -> None:
        self._switches[name] = value
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            new.write_text(json.dumps(self._switches))
            new.replace(self._path)
        except OSError as error:
            _log.warning("%s: %s; what was switched holds until the shell is left", self._path, error.strerror)
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
