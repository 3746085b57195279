"""The file under HDF5: what HDF5 writes stays in memory until a commit brings it to disk, all or nothing.

How a reader that comes at any moment, with any program, finds a whole file:

- What is new is written first, to places that no reader knows of. (How far the file goes, they do: `superblock.Claim`.)
- What is overwritten goes to the journal, then to its place: first values, then the indices of chunks, then the headers that say
  how long a dataset is, last the superblock.
- Most is in the oldest forms of HDF5's structures, which have no check sums: what makes the rest of a block valid stands before it, so
  it is written from its end to its beginning, the first word of every change by itself. The old index of chunks loses entries
  to others when it is split, also under a reader who is on his way through it. So it is used where one node will do, and a
  newer form where there may be more chunks: an array that only grows. Its blocks have check sums, and are written at once.
- Texts of many attributes and datasets share a heap, of which a reader remembers what he has read. So what was committed is
  never added to: HDF5 is shown full heaps.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from .journal import Journal, write_all
from .overlay import Bytes, Overlay
from .superblock import SIZE, Claim, with_length

_WORD = 8
_LARGE = 1 << 12
"""Bytes from which on something new is written at once instead of being kept."""
_CHUNK_INDEX = b"TREE\x01"
_HEAP = b"GCOL\x01"
_ARRAY = {b"EADB": 1, b"EASB": 2, b"EAIB": 3, b"EAHD": 4}
"""Blocks of the newer index, an array that is extended and never rearranged, in the order in which they refer to each other."""
_SUMMED = (*_ARRAY, b"OHDR", b"OCHK")
_OBJECT = struct.Struct("<HHIQ")
"""Head of an object in a heap: its number, references to it, nothing, its bytes. Number 0 is the room that is left."""


class TransactionalFile:
    """A binary file as h5py's driver for Python objects wants it: `seek tell readinto write truncate flush`.

    :param fd: of the file, open for reading and writing; it is closed by `close`.
    :param end: bytes of it that are in use; readers know of nothing behind.
    """

    def __init__(self, fd: int, journal: Journal, end: int) -> None:
        self._fd, self._journal = fd, journal
        self._overlay = Overlay()
        self.claim = Claim(fd)
        self._place = 0
        self._end = self.known_end = end
        self._flushing = False
        self._metadata: set[int] = set()
        self._unfinished: list[tuple[int, bytes]] = []
        self._dead = False
        self.has_heaps = False
        """Whether HDF5 has written texts since `has_heaps` was last set."""
        if end:  # HDF5 is to go on behind what is in use, not behind what is claimed
            self._overlay.put(0, with_length(os.pread(fd, SIZE, 0), end))

    # -- what h5py calls ------------------------------------------------------------------------------------------------

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + (self._end if whence == os.SEEK_END else self._place if whence == os.SEEK_CUR else 0)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, view: memoryview) -> int:
        view = memoryview(view).cast("B")
        start = self._place
        self._place += len(view)
        if not self._overlay.covers(start, start + len(view)):
            got = os.preadv(self._fd, [view], start)
            if got < len(view):
                view[got:] = bytes(len(view) - got)
            if view[: len(_HEAP)] == _HEAP:
                _fill_heap(view)
        self._overlay.read_into(start, view)
        return len(view)

    def write(self, data: memoryview) -> int:
        start, length = self._place, len(data)
        self._place += length
        self._end = max(self._end, self._place)
        if not self._dead and not self._written_at_once(start, data):
            self._overlay.put(start, bytes(data))
            self.has_heaps |= bytes(data[: len(_HEAP)]) == _HEAP
            if self._flushing:
                self._metadata.add(start)
            else:
                self._metadata.discard(start)
        return length

    def truncate(self, size: int) -> int:
        self._overlay.cut(size, max(size, self._end))
        self._end = size
        return size

    def flush(self) -> None:
        """Nothing: only a commit changes what is on disk."""

    # -- what the growing file calls ------------------------------------------------------------------------------------

    def expect(self, nbytes: int) -> None:
        """Make room in time for values that are to come."""
        self.claim.expect(nbytes, self._end)

    def write_points(self, start: int, blocks: Sequence[memoryview], hidden: bool) -> None:
        """Write values, without copying them.

        :param hidden: no reader knows of this place, so that they can go to disk at once.
        :raises OSError: disk full, ...; some of them may be written.
        """
        if not hidden:
            self._overlay.put(start, b"".join(blocks))
            return
        for first in range(0, len(blocks), 512):
            some = blocks[first : first + 512]
            length = sum(map(len, some))
            if os.pwritev(self._fd, some, start) < length:
                write_all(self._fd, b"".join(some), start)
            start += length

    def commit(self, flush: Callable[[], object]) -> None:
        """Bring all that was written to disk.

        :param flush: makes HDF5 write what it has in memory: structures, whereas it writes values at once.
        :raises OSError: disk full, ...; all is kept, and the next commit tries again.
        """
        self._finish()
        self._flushing = True
        try:
            flush()
        finally:
            self._flushing = False
        self.claim.reach(self._end)
        blocks = [
            (start, with_length(bytes(data), self.claim.length) if start == 0 else data)
            for start, data in self._overlay.in_order()
        ]
        for start, data in blocks:
            if start + len(data) > self.known_end:
                skipped = max(0, self.known_end - start)
                write_all(self._fd, memoryview(data)[skipped:], start + skipped)
        self._journal.note(self._end, self.claim.length)
        changes = self._changes((start, data) for start, data in blocks if start < self.known_end)
        if changes:
            self._journal.record(changes)
            self._unfinished = changes
            self._finish()
        self.known_end = self._end
        self._overlay, self._metadata = Overlay(), set()

    def is_at(self, path: str) -> bool:
        """Whether the file is still the one of that name: it may have been moved, or its disk taken away."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(path))
        except OSError:
            return False

    def is_lost(self, path: str) -> bool:
        """Whether it will not come back to that name: it was deleted, or another one has its place."""
        try:
            return os.fstat(self._fd).st_nlink == 0 or (os.path.lexists(path) and not self.is_at(path))
        except OSError:
            return True

    def abandon(self) -> None:
        """Write nothing any more, whatever HDF5 does."""
        self._dead = True

    def close(self) -> None:
        """Close the file and give its journal free, which stays if there is something to be finished."""
        self._dead = True
        whole = not self._unfinished
        try:
            if whole and self.known_end:
                self.claim.drop(self.known_end)
        except OSError:
            whole = False
        finally:
            os.close(self._fd)
            self._fd = -1
            self._journal.close(remove=whole)

    # -- how it is done -------------------------------------------------------------------------------------------------

    def _written_at_once(self, start: int, data: memoryview) -> bool:
        if start < self.known_end or len(data) < _LARGE:
            return False
        try:
            write_all(self._fd, data, start)
        except OSError:
            return False  # HDF5 could not bear it: it is kept, and the commit meets the error
        self._overlay.cut(start, start + len(data))
        return True

    def _finish(self) -> None:
        """Write to its place what is recorded, also what an earlier commit could not."""
        if self._unfinished:
            apply(self._fd, self._unfinished)
            self._journal.clear()
            self._unfinished = []

    def _changes(self, blocks: Iterable[tuple[int, Bytes]]) -> list[tuple[int, bytes]]:
        """Return what is to be overwritten, in the order in which it is."""
        found: list[tuple[int, list[tuple[int, bytes]]]] = []
        for start, data in blocks:
            new = bytes(data[: self.known_end - start])
            old = os.pread(self._fd, len(new), start).ljust(len(new), b"\0")
            if runs := _runs(old, new, start):
                found.append((self._rank(start, new), runs))
        found.sort(key=lambda change: change[0])
        return [run for _, runs in found for run in runs]

    def _rank(self, start: int, data: bytes) -> int:
        if data.startswith(_CHUNK_INDEX):
            return 1 + 255 - data[5]  # its level: the root first, from which a reader comes
        if data[:4] in _ARRAY:
            return _ARRAY[data[:4]]
        return 0 if start not in self._metadata else 1000 if start else 2000


def apply(fd: int, runs: Iterable[tuple[int, bytes]]) -> None:
    """Write changes to their places, the first word of each after the others; what has a check sum, at once."""
    for start, data in runs:
        if data.startswith(_SUMMED):
            # Where the system makes a writer wait, it does so when a page becomes dirty. So that happens before, as it could
            # be in the middle otherwise.
            write_all(fd, os.pread(fd, len(data), start), start)
            write_all(fd, data, start)
            continue
        if len(data) > _WORD:
            write_all(fd, data[_WORD:], start + _WORD)
        write_all(fd, data[:_WORD], start)


def _fill_heap(heap: memoryview) -> None:
    """Make one object more of the room that is left.

    Source: HDF5 File Format Specification, III.E.
    """
    place, last = 16, 0
    while place + _OBJECT.size <= len(heap):
        number, _, _, nbytes = _OBJECT.unpack_from(heap, place)
        if number == 0:
            if nbytes >= _OBJECT.size:
                _OBJECT.pack_into(heap, place, last + 1, 1, 0, nbytes - _OBJECT.size)
            return
        last = max(last, number)
        place += _OBJECT.size + -(-nbytes // _WORD) * _WORD


def _runs(old: bytes, new: bytes, start: int) -> list[tuple[int, bytes]]:
    """Return those words of a block that have changed, the last ones first, joined where they touch."""
    if old == new:
        return []
    size = -(-len(new) // _WORD) * _WORD
    differ = np.frombuffer(old.ljust(size, b"\0"), np.uint64) != np.frombuffer(new.ljust(size, b"\0"), np.uint64)
    edges = np.flatnonzero(np.diff(differ, prepend=False, append=False)).reshape(-1, 2) * _WORD
    if new.startswith(_SUMMED):
        return [(start, new)]
    return [(start + int(low), new[low:high]) for low, high in edges[::-1]]
