"""The first bytes of an HDF5 file, as far as they say how long it is.

A reader notes that length when it opens the file, and takes for broken whatever points behind it. So a growing file claims to
be longer than it is: what a commit adds lies within the length that earlier readers have noted. The claim is a hole at the
end of the file; `close` removes it.
"""

from __future__ import annotations

import os
import threading
import time

from bliss_like.errors import SavingError

GRACE = 0.1
"""Seconds for which a reader may go by what it has just read."""
SIZE = 96
_SIGNATURE = b"\x89HDF\r\n\x1a\n\0"  # and its version, 0
_PLACE = slice(40, 48)
"""Where the length stands. Source: HDF5 File Format Specification, II.A."""
_LEAST, _MOST, _SECONDS = 64 << 20, 4 << 30, 10
"""Bytes that are claimed at least and at most, and seconds for which they are to last."""


def read_superblock(fd: int, path: str) -> bytes:
    """Return the superblock.

    :raises SavingError: this is no HDF5 file, or one of another form.
    """
    head = os.pread(fd, SIZE, 0)
    if not head.startswith(_SIGNATURE[:8]):
        raise SavingError(
            f"{path}: expected an HDF5 file to go on with, got something else: move it away, or save elsewhere"
        )
    if not head.startswith(_SIGNATURE) or head[13] != 8 or len(head) < SIZE:
        raise SavingError(
            f"{path}: expected an HDF5 file with a superblock of version 0, got version {head[8]}: another program has made it; "
            "move it away, or save elsewhere"
        )
    return head


def length_in(superblock: bytes) -> int:
    return int.from_bytes(superblock[_PLACE], "little")


def with_length(superblock: bytes, length: int) -> bytes:
    return superblock[: _PLACE.start] + length.to_bytes(8, "little") + superblock[_PLACE.stop :]


class Claim:
    """The length that the superblock on disk says, and the size of the file, which is never less.

    A reader asks for the size first: it grows a moment before the length.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size
        self.length = length_in(os.pread(fd, SIZE, 0)) if self._size else 0
        self._ahead = _LEAST
        self.expected = 0
        """Bytes that are to come and for which no room was made."""
        self._last_end, self._last_time = self.length, time.monotonic()

    def reach(self, end: int) -> None:
        """Claim more when `end` comes near to the length, or is behind it: then those are waited for who know the old one.

        :raises OSError: the file cannot be that large.
        """
        if end > self._size or (self._size == self.length and self.length - end < max(self._ahead, self.expected) // 2):
            self._grow(end)
        if not self.length:  # nobody knows of a new file
            self.length = self._size
        if self._size == self.length:
            return
        wait, late = self._last_time + GRACE - time.monotonic(), end > self.length
        if wait > 0 and not late:
            return
        _sleep(wait)
        os.pwrite(self._fd, self._size.to_bytes(8, "little"), _PLACE.start)
        self.length = self._size
        if late:
            _sleep(GRACE)

    def expect(self, nbytes: int, end: int) -> None:
        """Make room for so many bytes in time, if there is not enough behind `end`: so that nobody is waited for later."""
        self.expected += nbytes
        if self._size == self.length and end + self.expected > self.length > 0:
            self._grow(end)

    def drop(self, end: int) -> None:
        """Say the truth."""
        os.pwrite(self._fd, end.to_bytes(8, "little"), _PLACE.start)
        os.ftruncate(self._fd, end)
        self.length = self._size = end

    def _grow(self, end: int) -> None:
        now = time.monotonic()
        rate = (end - self._last_end) / max(GRACE, now - self._last_time)
        self._ahead = int(min(max(_LEAST, rate * _SECONDS, self.expected), _MOST))
        self.expected = 0
        try:
            os.ftruncate(self._fd, end + self._ahead)
        except OSError:  # a quota, or a limit
            self._ahead = 0
            if end > self._size:  # never less than is claimed
                os.ftruncate(self._fd, end)
        self._size = max(self._size, end + self._ahead)
        self._last_end, self._last_time = end, now


def _sleep(seconds: float) -> None:
    # A greenlet that let others run here would hold what they may want: this waits in a patched process, too.
    if seconds > 0:
        threading.Event().wait(seconds)
