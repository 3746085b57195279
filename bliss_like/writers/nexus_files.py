"""The files themselves: shared by the scans of this process, marked as ours, linked by master files."""

from __future__ import annotations

import datetime
import os
import time

import h5py

from bliss_like import __version__
from bliss_like.errors import SavingError
from bliss_like.hdf5 import GrowingFile

from .nexus_layout import master_link
from .nexus_making import set_attributes
from .nexus_record import ScanRecord

CREATOR = "bliss_like"


class SharedFile:
    """A file that several scans of this process may write at the same time, e.g. a sequence and its scans."""

    patience = 0.0
    """Seconds for which a file stays open when the last scan has given it back, as the next one is likely to want it."""
    _open: dict[str, SharedFile] = {}

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = GrowingFile.open(path)
        self._users = 0
        self._free_since = 0.0
        try:
            _mark(self.file)
        except BaseException:
            self.file.abandon()
            raise

    @classmethod
    def of(cls, path: str) -> SharedFile:
        """Return a file; whoever asks for it gives it back by `release` or `abandon`.

        :raises SavingError: another process writes it, or another program has made it.
        """
        shared = cls._open.get(path)
        if shared is not None and not shared.file.is_there:  # it was moved or deleted meanwhile
            shared._give_up()  # what was written is in it; scans that it still has begin anew
            shared = None
        if shared is None:
            shared = cls._open[path] = cls(path)
        shared._users += 1
        return shared

    @classmethod
    def close_unused(cls) -> None:
        """Close the files that no scan has wanted for `patience` seconds."""
        limit = time.monotonic() - cls.patience
        for shared in list(cls._open.values()):
            if shared._users == 0 and shared._free_since <= limit:
                shared._close()

    def release(self) -> None:
        """Give it back, all of it on disk.

        :raises OSError: it could not be brought there; it is still open.
        """
        self.file.commit()
        if self._users == 1 and not self.patience:
            self.file.close()
            self._forget()
        self._users -= 1
        self._free_since = time.monotonic()

    def abandon(self) -> None:
        """Give it back as it is."""
        self._users -= 1
        if self._users <= 0:
            self._give_up()

    def _close(self) -> None:
        try:
            self.file.close()
        except OSError:  # all that was written is there, or its disk is gone
            self.file.abandon()
        self._forget()

    def _give_up(self) -> None:
        self._forget()
        self.file.abandon()

    def _forget(self) -> None:
        if self._open.get(self.path) is self:
            del self._open[self.path]


def _mark(file: GrowingFile) -> None:
    """Say what the file is, if it is new.

    :raises SavingError: another program has made it.
    """
    h5 = file.h5
    if not len(h5.attrs) and not len(h5):
        told = {
            "NX_class": "NXroot",
            "creator": CREATOR,
            "creator_version": __version__,
            "file_name": os.path.basename(file.path),
            "file_time": datetime.datetime.now().astimezone().isoformat(),
            "HDF5_Version": h5py.version.hdf5_version,
            "h5py_version": h5py.version.version,
        }
        set_attributes(h5, told)
    elif h5.attrs.get("creator") != CREATOR:
        raise SavingError(not_ours(file.path, h5.attrs.get("creator")))


def not_ours(path: str | os.PathLike[str], creator: object) -> str:
    """Return what is to be said of a file that another program has made."""
    return (
        f"{path}: expected a file of {CREATOR}, this one was made by {creator or 'another program'} and is left as it is. "
        f"Move it away, or save elsewhere: SCAN_SAVING"
    )


def add_link(master: str, record: ScanRecord) -> None:
    """Add a link to a scan to a master file, under a name that tells its dataset: `sample_0001_12.1`.

    :raises SavingError: another process is writing that file, or it is not ours.
    """
    link = master_link(record, master)
    shared = SharedFile.of(master)
    try:
        h5 = shared.file.h5
        path = os.path.splitext(link.file)[0]
        long_name = path.replace("../", "").replace("/", "_")
        bases = (os.path.basename(path), long_name, f"{long_name}_{record.info['uid']}")
        for name in (f"{base}_{record.number}.1" for base in bases):
            there = h5.get(name, getlink=True)
            if there is None:
                h5[name] = h5py.ExternalLink(link.file, link.path)
                set_attributes(h5, {"default": name})
                break
            if isinstance(there, h5py.ExternalLink) and there.filename == link.file:
                break
    except BaseException:
        shared.abandon()
        raise
    shared.release()
