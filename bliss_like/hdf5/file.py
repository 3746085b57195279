"""The growing file: groups and datasets of h5py, points that are appended, and commits."""

from __future__ import annotations

import errno
import os
import weakref
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import Any, Self

import h5py
from h5py import h5d, h5f, h5g, h5s, h5t

from bliss_like.errors import SavingError

from .chunks import Compression, lay_out, layout_of
from .dataset import GrowingDataset
from .journal import Journal
from .properties import access, dataset_creation, file_creation, group_creation, link_creation, newer_forms
from .superblock import length_in, read_superblock
from .transaction import TransactionalFile, apply

_MANY = 8 << 20
"""Bytes of points that wait in memory until they are written."""


class GrowingFile:
    """An HDF5 file that grows while others read it. All calls come from one thread.

    `h5` is its h5py.File: groups, attributes, links and datasets made there reach the disk with the next `commit`, all or
    none. Nothing but a commit changes what readers find.
    """

    def __init__(self, path: str, file: TransactionalFile, h5: Any) -> None:
        self.path = path
        self.h5 = h5
        """h5py.File. Do not close or flush it."""
        self._file = file
        self._datasets: dict[str, GrowingDataset] = {}
        self._waiting = 0
        self._full = False
        self._closed = False
        self._named = False
        """Whether the file has its name already."""
        # HDF5 closes at the very end of a process what is open, when its calls find no Python any more.
        self._abandon = weakref.finalize(self, _abandon, file, h5, os.getpid())

    @classmethod
    def open(cls, path: str, *, new: bool = False, links: int = 1000) -> Self:
        """Open a file to go on with it, or make a new one where there is none (its directories too).

        A commit that a killed writer has left half done is first completed or dropped.

        :param new: there must be none.
        :param links: about so many will be in the root of a new file; each takes 40 bytes from the beginning on.
        :raises FileExistsError: there is one, and it was to be `new`.
        :raises SavingError: another process writes it (it is named), or it is no HDF5 file.
        :raises OSError: no permission, disk full, ...
        """
        path = os.path.abspath(path)
        if new and os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        journal = Journal(path)
        try:
            if os.path.lexists(path) and not new:
                return cls._reopened(path, journal)
            return cls._made(path, journal, links)
        except BaseException:
            journal.close()
            raise

    @classmethod
    def _made(cls, path: str, journal: Journal, links: int) -> Self:
        """Make a file that is whole when it appears under its name."""
        directory, name = os.path.split(path)
        part = os.path.join(directory, f".{name}.part")
        journal.forget()
        with suppress(FileNotFoundError):
            os.unlink(part)  # who was killed may have left it as a second name of a file that has been moved since
        file = TransactionalFile(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), journal, 0)
        h5 = h5py.File(h5f.create(os.fsencode(path), h5f.ACC_TRUNC, file_creation(links), access(file)))
        made = cls(path, file, h5)
        try:
            made.commit()
            _rename_to_new(part, path)
            made._named = True
        except BaseException:
            made.abandon()
            os.unlink(part)
            raise
        return made

    @classmethod
    def _reopened(cls, path: str, journal: Journal) -> Self:
        fd = os.open(path, os.O_RDWR)
        try:
            end = length = length_in(read_superblock(fd, path))
            if (noted := journal.noted(length)) is not None:
                apply(fd, journal.recorded())
                end = noted
            journal.forget()
        except BaseException:
            os.close(fd)
            raise
        file = TransactionalFile(fd, journal, end)
        try:
            found = cls(path, file, h5py.File(h5f.open(os.fsencode(path), h5f.ACC_RDWR, access(file))))
        except OSError as error:
            file.close()
            raise SavingError(f"{path}: expected a sound HDF5 file to go on with: {error}") from error
        found._named = True
        return found

    @property
    def is_there(self) -> bool:
        """Whether readers find it under its name: it may have been moved, or its disk taken away."""
        return self._file.is_at(self.path)

    @property
    def is_lost(self) -> bool:
        """Whether it will not come back: it was deleted, or another file has its name. All that was in it is to be written anew."""
        return self._closed or (self._named and self._file.is_lost(self.path))

    def make_group(self, parent: Any, name: str, nx_class: str = "", links: int = 16) -> Any:
        """Make a group (h5py.Group) for about so many links; `name` may be a path, of which what is missing is made, too.

        Readers that are listing it are never disturbed by links that are added, as long as they find room.
        """
        group = h5py.Group(h5g.create(parent.id, name.encode(), link_creation(), group_creation(links)))
        if nx_class:
            group.attrs["NX_class"] = nx_class
        return group

    def make_dataset(
        self,
        parent: Any,
        name: str,
        dtype: Any,
        shape: tuple[int, ...] = (),
        npoints: int | None = None,
        compression: Compression = "auto",
    ) -> GrowingDataset:
        """Make a dataset that grows along its first axis, of shape (0, *shape) for now.

        :param dtype: of numpy, or `str` (also "str", "U..."): text of any length.
        :param shape: of one point; with one -1 in it: every point is flat and has a length of its own (variable-length).
        :param npoints: how many points are expected; there may be more, or less.
        :param compression: "auto": whole images of integers by bitshuffle and lz4, nothing else. A chunk that would be written
            more than once is never compressed.
        :raises SavingError: HDF5 cannot hold values of that type (object, times, ...); the message says what can be done.
        """
        layout = lay_out(f"{parent.name.rstrip('/')}/{name}", dtype, tuple(shape), npoints, compression)
        creation = dataset_creation(layout.chunks, layout.compression, early=layout.kind == "values")
        space = h5s.create_simple((0, *layout.shape), (h5s.UNLIMITED, *layout.shape))
        with newer_forms(self.h5) if layout.many else nullcontext():
            made = h5d.create(
                parent.id, name.encode(), h5t.py_create(layout.stored, logical=True), space, creation, link_creation()
            )
        self._file.expect((npoints or 0) * layout.nbytes)
        return self._taken(GrowingDataset(h5py.Dataset(made), layout, self._file))

    def growing(self, path: str) -> GrowingDataset:
        """Return a dataset that was made before, e.g. by a writer that was killed, to append to it."""
        return self._datasets.get(path) or self._taken(
            GrowingDataset(self.h5[path], layout_of(self.h5[path]), self._file)
        )

    def let_go(self, dataset: GrowingDataset) -> None:
        """Forget a dataset whose points are all on disk: nothing will be appended to it."""
        self._datasets.pop(dataset.name, None)

    def _taken(self, dataset: GrowingDataset) -> GrowingDataset:
        self._datasets[dataset.name] = dataset
        return dataset

    def append(self, dataset: GrowingDataset, block: Any) -> None:
        """Append points to a dataset of this file; see `GrowingDataset.append`. What waits in memory stays within bounds."""
        self._waiting += dataset.append(block)
        if self._waiting > _MANY and not self._full:
            try:
                self._write()
            except OSError:
                self._full = True  # the next commit tries again, and says so

    def commit(self) -> None:
        """Bring everything to disk; when this returns, readers find it.

        :raises OSError: disk full, file moved away, ...: readers find the state of the last commit, everything is kept in memory, and the next
            commit tries again.
        """
        if self._named and not self.is_there:
            raise OSError(
                errno.ESTALE, "the file is no more there: it was moved or deleted, or its disk is away", self.path
            )
        try:
            self._write()
            self._file.commit(lambda: h5f.flush(self.h5.id))
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.path) from error
        self._full = False
        for dataset in self._datasets.values():
            dataset.committed_now()
        if self._file.has_heaps:
            self._file.has_heaps = False
            _let_go_of_heaps(self.h5)

    def _write(self) -> None:
        for dataset in self._datasets.values():
            dataset.write()
        self._waiting = 0

    def close(self) -> None:
        """Commit, and give the file free. After an OSError it is still open."""
        if self._closed:
            return
        if self.h5:
            self.commit()
        try:
            self._file.commit(self.h5.close)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.path) from error
        self._closed = True
        self._abandon.detach()
        self._file.close()

    def abandon(self) -> None:
        """Give the file free as it was after the last commit. Never fails, and may be called at any time.

        So are files that nobody has any more, or that are open when the interpreter ends.
        """
        self._closed = True
        self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()


def set_file_name(path: str, name: str) -> None:
    """Let a file say another name of it, while nobody reads it: as it is before it gets that name."""
    with h5py.File(path, "r+", libver=("earliest", "v108"), locking=False) as h5:
        h5.attrs["file_name"] = name


def _abandon(file: TransactionalFile, h5: Any, pid: int) -> None:
    file.abandon()
    h5.close()
    if os.getpid() == pid:  # a forked child has nothing to give free
        file.close()


def _let_go_of_heaps(h5: Any) -> None:
    """Make HDF5 forget the heaps that it would add to, with all else that it remembers; it reads what it needs again."""
    config = h5.id.get_mdc_config()
    before = config.initial_size, config.min_size
    config.set_initial_size = True
    config.initial_size = config.min_size = 1024
    h5.id.set_mdc_config(config)
    _ = "0" in h5  # it forgets when it is used next
    config.initial_size, config.min_size = before
    h5.id.set_mdc_config(config)


def _rename_to_new(part: str, path: str) -> None:
    """Give a file its name; what has come there meanwhile is not overwritten.

    :raises FileExistsError: something has.
    """
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # no hard links on this file system
        os.rename(part, path)
    else:
        os.unlink(part)
