"""The file beside a growing file: who writes it, and the one change that is just being made in it.

`.NAME.journal` is locked (flock) as long as somebody writes NAME. It begins with a line of JSON that says who. A change that
overwrites what readers see is recorded in it before it is made: whoever opens the file next finishes what was begun.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import socket
import struct
import time
from collections.abc import Sequence

from bliss_like.errors import SavingError

Runs = Sequence[tuple[int, bytes]]
"""Offsets in the file, and the bytes that belong there."""

_LINE, _NOTE, _PLACE = 448, 448, 512
"""Bytes for who writes; where it is noted how much of the file is in use; where the record is."""
_HEAD = struct.Struct("<8s16sQ")
_RUN = struct.Struct("<QQ")
_LENGTHS = struct.Struct("<8sQQ")
_MAGIC = b"bljrnl1\n"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LARGE = 1 << 20


class Journal:
    """The journal of a file that is open for writing."""

    def __init__(self, file: str) -> None:
        """Take the journal.

        :raises SavingError: another process has it; it is named.
        :raises OSError: the directory cannot be written.
        """
        self._path = journal_path(file)
        self._fd = _locked(self._path, file)
        self._recorded = False
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        os.pwrite(self._fd, (json.dumps(who) + "\n").encode().ljust(_LINE), 0)

    def note(self, end: int, claimed: int) -> None:
        """Write down how much of the file is in use, and how long it claims to be."""
        os.pwrite(self._fd, _LENGTHS.pack(_MAGIC, end, claimed), _NOTE)

    def noted(self, claimed: int) -> int | None:
        """Return how much of a file is in use that claims to be so long; None: this is the journal of another one."""
        note = os.pread(self._fd, _LENGTHS.size, _NOTE).ljust(_LENGTHS.size, b"\0")
        magic, end, length = _LENGTHS.unpack(note)
        return end if magic == _MAGIC and length == claimed else None

    def record(self, runs: Runs) -> None:
        """Write down what is going to be overwritten. When this fails, nothing is recorded."""
        payload = b"".join(part for start, data in runs for part in (_RUN.pack(start, len(data)), data))
        head = _HEAD.pack(_MAGIC, hashlib.blake2b(payload, digest_size=16).digest(), len(payload))
        self._recorded = True
        try:
            write_all(self._fd, head + payload, _PLACE)
        except OSError:
            self.clear()
            raise

    def recorded(self) -> list[tuple[int, bytes]]:
        """Return what was recorded, in the order in which it was; nothing if it is not whole."""
        data = os.pread(self._fd, os.fstat(self._fd).st_size, _PLACE)
        if len(data) < _HEAD.size:
            return []
        magic, digest, length = _HEAD.unpack_from(data)
        payload = data[_HEAD.size : _HEAD.size + length]
        if magic != _MAGIC or len(payload) < length or hashlib.blake2b(payload, digest_size=16).digest() != digest:
            return []
        runs, place = [], 0
        while place < length:
            start, size = _RUN.unpack_from(payload, place)
            place += _RUN.size + size
            runs.append((start, payload[place - size : place]))
        self._recorded = True
        return runs

    def clear(self) -> None:
        """Forget what was recorded: it is done."""
        if self._recorded:
            # Overwriting needs no room, and is done or not; a record without its first bytes is none.
            os.pwrite(self._fd, bytes(len(_MAGIC)), _PLACE)
            if os.fstat(self._fd).st_size > _LARGE:
                os.ftruncate(self._fd, _PLACE)
            self._recorded = False

    def forget(self) -> None:
        """Drop whatever another writer has left."""
        os.pwrite(self._fd, bytes(_PLACE - _NOTE + len(_MAGIC)), _NOTE)
        self._recorded = False

    def close(self, remove: bool = True) -> None:
        """Give it free; it is removed if there is nothing in it that somebody needs."""
        if self._fd >= 0:
            try:
                if remove and os.path.samestat(os.fstat(self._fd), os.stat(self._path)):
                    os.unlink(self._path)
            except OSError:
                pass  # it is in nobody's way, and the next writer takes it
            finally:
                os.close(self._fd)
                self._fd = -1


def journal_path(file: str) -> str:
    """Return the path of the journal of a file."""
    directory, name = os.path.split(file)
    return os.path.join(directory, f".{name}.journal")


def write_all(fd: int, data: bytes | bytearray | memoryview, start: int) -> None:
    """Write, also where the system takes only a part at once."""
    written = os.pwrite(fd, data, start)
    while written < len(data):
        written += os.pwrite(fd, memoryview(data)[written:], start + written)


def _locked(path: str, file: str) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(fd, file)
            # Its last holder may have removed it after it was opened here.
            if os.path.exists(path) and os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _lock(fd: int, file: str) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise SavingError(
            f"{file}: expected that nobody else writes it, but {_holder(fd)} does: wait until it has ended, or save elsewhere"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _holder(fd: int) -> str:
    try:
        who = json.loads(os.pread(fd, _LINE, 0))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(who["since"]))
        return f"process {who['pid']} on {who['host']} (since {since})"
    except (ValueError, KeyError, TypeError):
        return "another process"
