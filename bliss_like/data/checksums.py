"""Checksums of all files below a directory, in a manifest that `sha256sum --check` knows."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bliss_like.errors import DataError

MANIFEST = "SHA256SUMS"

_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True)
class Checked:
    """What was found below a directory; names are relative to it.

    :param same: how many files are as they were.
    :param new: files that are not in the manifest.
    """

    same: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        return not (self.changed or self.missing)


def write_manifest(directory: str | Path) -> int:
    """Write the checksums of all files below a directory, in place of those that were; return their number.

    :raises DataError: there is no such directory, or something in it cannot be read or written.
    """
    directory = _directory(directory)
    part = directory / f".{uuid.uuid4().hex}.part"
    try:
        lines = [_line(_checksum(directory / name), name) for name in _names(directory)]
        part.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
        os.replace(part, directory / MANIFEST)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{directory}: its checksums cannot be written: {error}") from error
    return len(lines)


def check_manifest(directory: str | Path) -> Checked:
    """Compare all files below a directory with its manifest.

    :raises DataError: it has none, or that cannot be read.
    """
    directory = _directory(directory)
    listed = read_manifest(directory)
    names = set(_names(directory))
    changed = [name for name in listed if name in names and _checksum(directory / name) != listed[name]]
    missing = [name for name in listed if name not in names]
    same = len(listed) - len(changed) - len(missing)
    return Checked(same, tuple(changed), tuple(missing), tuple(sorted(names - set(listed))))


def read_manifest(directory: Path) -> dict[str, str]:
    """Return the checksums by name.

    :raises DataError: there are none, or a line is none of `sha256sum`.
    """
    path = directory / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        raise DataError(f"{directory}: it has no {MANIFEST} yet") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise DataError(
                f"{path}:{number}: expected a checksum and a name, as sha256sum writes them, got {line!r:.80}"
            )
        found[_unescaped(match[3]) if match[1] else match[3]] = match[2]
    return found


def _directory(directory: str | Path) -> Path:
    if not Path(directory).is_dir():
        raise DataError(f"{directory}: expected a directory")
    return Path(directory)


def _names(directory: Path) -> Iterator[str]:
    """Yield the files below a directory, but for hidden ones, which are on their way, and the manifest."""
    for above, directories, files in os.walk(directory):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(files):
            path = Path(above) / name
            if not name.startswith(".") and name != MANIFEST and path.is_file():
                yield str(path.relative_to(directory))


def _checksum(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _line(checksum: str, name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "" if escaped == name else "\\"
    return f"{mark}{checksum}  {escaped}\n"


def _unescaped(name: str) -> str:
    return re.sub(r"\\([nr\\])", lambda found: {"n": "\n", "r": "\r", "\\": "\\"}[found[1]], name)
