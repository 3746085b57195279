"""What is looked up on disk before a scan: whether it can be written, how much room there is, which numbers are taken.

File servers may hang: all of it is done in a thread, and waited for `PATIENCE` seconds.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import gevent
from gevent.event import AsyncResult
from gevent.hub import get_hub

from bliss_like.errors import SavingError

PATIENCE = 10.0
"""Seconds that a file server may take to answer."""

T = TypeVar("T")


class NoPlace(SavingError):
    """Files cannot be made where they are to go; who asks for it says how they go elsewhere."""


_hanging: dict[str, AsyncResult[None]] = {}
"""What nobody waits for any more, by directory: a server that hangs gets one thread, not one for every scan."""


def look(directory: str, function: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return what a function finds on a disk; other greenlets run meanwhile.

    :raises SavingError: there is no answer in time.
    """
    before = _hanging.get(directory)
    if before is not None and not before.ready():
        raise NoPlace(f"{directory}: its file server still does not answer; is it mounted, and up?")
    answer: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            answer.append(function())
        except Exception as error:  # noqa: BLE001  raised again in the greenlet that asks
            failures.append(error)

    task = get_hub().threadpool.spawn(run)
    try:
        with gevent.Timeout(patience, NoPlace(_no_answer(directory, patience))):
            task.get()
    except NoPlace:
        _hanging[directory] = task
        raise
    if failures:
        raise failures[0]
    return answer[0]


def _no_answer(directory: str, patience: float) -> str:
    return (
        f"{directory}: its file server has not answered within {patience:g} s, so nothing was started; is it mounted, and "
        "up?"
    )


def make_directory(path: Path, mode: str = "") -> None:
    """Make a directory and those above it that are not there.

    :param mode: permissions of those that are made, in octal; empty: as the umask says.
    :raises NoPlace: it cannot be made.
    """
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        try:
            each.mkdir(exist_ok=True)
            if mode:
                each.chmod(int(mode, 8))
        except OSError as error:
            raise NoPlace(f"cannot make {each}: {reason(error)}") from error
    if not path.is_dir():
        raise NoPlace(f"cannot save in {path}: it is no directory; move it away")


def make_new(paths: Iterable[Path], mode: str = "") -> Path:
    """Make the first directory that is not there yet; return it. Nobody else gets the same.

    :param mode: as for `make_directory`.
    :raises SavingError: it cannot be made, or all are there.
    """
    path = Path()
    for path in paths:
        make_directory(path.parent, mode)
        try:
            path.mkdir()
            if mode:
                path.chmod(int(mode, 8))
        except FileExistsError:
            continue
        except OSError as error:
            raise NoPlace(f"cannot make {path}: {reason(error)}") from error
        return path
    raise SavingError(f"{path} is there already, and so are all before it; choose another name")


def check_writable(path: Path, file: Path, try_it: bool) -> None:
    """:param try_it: write something, what permissions say is not all of it.
    :raises SavingError: nothing can be written in a directory, or not to the file in it.
    """
    if try_it:
        try:
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise NoPlace(f"cannot write in {path}: {reason(error)}") from error
    elif not os.access(path, os.W_OK | os.X_OK):
        raise NoPlace(f"cannot write in {path}: no permission any more, or it is mounted for reading only")
    if not os.path.lexists(file):
        return
    if not file.is_file():
        what = "a directory" if file.is_dir() else "no regular file"
        raise SavingError(f"cannot save in {file}: it is {what}; move it away, or change SCAN_SAVING.data_filename")
    if not os.access(file, os.R_OK | os.W_OK):
        raise SavingError(
            f"cannot write to {file}: it belongs to {_owner(file)}, and its permissions are "
            f"{file.stat().st_mode & 0o777:03o}; change them, or SCAN_SAVING.data_filename"
        )


def reason(error: OSError) -> str:
    """Return what is in the way."""
    if isinstance(error, PermissionError):
        owner = _owner(Path(error.filename).parent) if isinstance(error.filename, str) else "somebody else"
        return f"no permission, the directory belongs to {owner}; ask them for it"
    text = error.strerror or str(error)
    return f"{text}; is the disk mounted, and the path right?"


def _owner(path: Path) -> str:
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return f"{path.owner()}, group {path.group()}"
    except (OSError, KeyError):
        return "somebody unknown here"


def free_bytes(path: Path) -> int:
    """Return the room for the files of this user; of a directory that is to be made, where it is going to be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def is_volatile(path: Path) -> bool:
    """Tell whether a directory is one of those that are emptied when the computer starts."""
    temporary = {Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve(), Path("/dev/shm")}  # noqa: S108
    return any(path.resolve().is_relative_to(each) for each in temporary)


# -- numbers -----------------------------------------------------------------------------------------------------------


@dataclass
class _Seen:
    """A file or directory as this process has seen it last.

    :param read_at: its time of modification when all was read.
    :param probed: the same when only one number was looked for, and which.
    """

    identity: tuple[int, int]
    read_at: int
    number: int
    probed: tuple[int, int] | None = None


class Numbers:
    """Knows the highest number in one file or directory, and looks again only as far as it has to.

    What has not changed is not looked at; of what has changed, only whether the next number is there: this process knows
    those that it has taken itself (`take`). If it is, somebody else writes there too, and all is read again.

    :param read_all: returns the highest number.
    :param has: tells whether a number is there.
    """

    def __init__(self, path: Path, read_all: Callable[[], int], has: Callable[[int], bool]) -> None:
        self._path = path
        self._read_all = read_all
        self._has = has
        self._seen: _Seen | None = None
        self._lock = threading.Lock()

    def last(self, above: int = 0) -> int:
        """Return the highest number, 0 when there is none.

        :param above: a number that is taken elsewhere: the one after it is the one to look for.
        :raises OSError: it cannot be read.
        """
        with self._lock:
            try:
                found = self._path.stat()
            except FileNotFoundError:
                self._seen = None
                return 0
            identity, mtime, seen = (found.st_dev, found.st_ino), found.st_mtime_ns, self._seen
            if seen is None or seen.identity != identity:
                seen = _Seen(identity, mtime, self._read_all())
            elif mtime != seen.read_at:
                probe = (mtime, max(seen.number, above) + 1)
                if seen.probed != probe and self._has(probe[1]):
                    seen = _Seen(identity, mtime, max(seen.number, self._read_all()))
                seen.probed = probe
            self._seen = seen
            return seen.number

    def take(self, number: int) -> None:
        """Note a number that this process is going to write."""
        with self._lock:
            if self._seen is not None:
                self._seen.number = max(self._seen.number, number)


def last_of(known: Sequence[Numbers]) -> int:
    """Return the highest number of all."""
    last, before = max((numbers.last() for numbers in known), default=0), -1
    while last != before:
        before, last = last, max((numbers.last(last) for numbers in known), default=0)
    return last


def numbers_of_images(directory: Path, pattern: re.Pattern[str], path_of: Callable[[int], Path]) -> Numbers:
    """:param path_of: returns the directory that has the images of a scan."""

    def read_all() -> int:
        found = ((match, entry) for entry in os.scandir(directory) if (match := pattern.fullmatch(entry.name)))
        return max((int(match[1]) for match, entry in found if _has_something(Path(entry.path))), default=0)

    return Numbers(directory, read_all, lambda number: _has_something(path_of(number)))


def _has_something(path: Path) -> bool:
    try:
        return path.is_dir() and any(path.iterdir())
    except PermissionError:
        return True
