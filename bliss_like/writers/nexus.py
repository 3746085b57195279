"""Scans as NeXus files (HDF5): each an entry or more of a file that it may share with others, readable while it is written.

What is in an entry is said by `nexus_layout`; here it is brought to disk. Files grow by commits (`bliss_like.hdf5`): whatever
happens to the writer, a file has the state of the last one, and who comes after it goes on from there.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from bliss_like import __version__
from bliss_like.data.codec import Array
from bliss_like.data.events import EndScan, NewData, NewNode, SavedScan, WireEvent
from bliss_like.errors import SavingError
from bliss_like.hdf5 import GrowingDataset, GrowingFile

from .nexus_items import Group
from .nexus_layout import entries_of, master_link
from .nexus_making import ItemWriter, clean_text, set_attributes
from .nexus_names import places_of
from .nexus_plots import plotted_together
from .nexus_record import ScanRecord

FORMAT = "nexus"
CREATOR = "bliss_like"
HELD_BACK = 100
"""Points that wait for those of the channels that they are plotted with; of more, they do not."""
_PATIENCE = 2.0
"""Seconds for which another writer of a master file is waited for."""


def open_scan(scan: NewNode) -> NexusScan:
    """Begin to save a scan, or go on with one that was begun; the file is opened by the first flush.

    :raises SavingError: the scan does not say where it is to be saved.
    """
    missing = [key for key in ("filename", "scan_nb", "uid") if not scan.info.get(key)]
    if missing:
        raise SavingError(
            f"scan {scan.path}: expected filename, scan_nb and uid in its info, {', '.join(missing)} is missing: it was made "
            "by a session that does not save scans"
        )
    return NexusScan(scan)


class NexusScan:
    """One scan on its way into its file; see `ScanFile`."""

    def __init__(self, scan: NewNode) -> None:
        self._record = ScanRecord(scan)
        self._shared: _SharedFile | None = None
        self._items: ItemWriter | None = None
        self._goes_on = False
        self._tree: dict[str, Group] = {}
        self._written = (-1, "")
        """Version of the record, and the status, that the file shows."""
        self._pending: dict[str, list[NewData]] = {}
        self._masters = [file for file in scan.info.get("master_files") or () if file != self._record.file]

    def accept(self, event: WireEvent) -> None:
        self._record.accept(event)
        if isinstance(event, NewData) and len(event.values):
            self._pending.setdefault(event.path, []).append(event)

    def flush(self) -> Mapping[str, int]:
        file, items = self._open()
        record = self._record
        if record.end is not None:
            self._note_missing_images()
        if record.version != self._written[0]:
            self._describe(file, items)
        self._append(items)
        if record.end is not None:
            self._note_what_is_missing(items, record.end)
            if self._written != (record.version, self._status(items)):
                self._describe(file, items)
        if items.copies:
            file.commit()
            items.copy()
        file.commit()
        self._link_masters(patience=0)
        return {channel: points.committed for channel, points in items.points.items()}

    def close(self) -> SavedScan:
        record = self._record
        if record.end is None and record.told is not record.info:
            record.take_stock()
        self.flush()
        self._link_masters(patience=_PATIENCE)
        info: dict[str, Any] = {"remarks": list(record.remarks)} if record.remarks else {}
        if self._masters:
            info.setdefault("remarks", []).append(f"no link to it in {', '.join(self._masters)}: written by others")
        error = "" if record.end is not None else "it has not ended: what was published so far is saved"
        if record.end is not None and self._written[1] == "FAILED":
            error = f"points are missing: {'; '.join(record.remarks)}"
        if self._shared is not None:
            self._shared.release()
            self._shared = None
        state = "FAILED" if error else "SAVED"
        entries = tuple(f"/{name}" for name in self._tree)
        return SavedScan(record.scan.path, state, record.file, entries, error, FORMAT, info)

    def abandon(self) -> None:
        if self._shared is not None:
            self._shared.abandon()
            self._shared = None

    # -- the file

    def _open(self) -> tuple[GrowingFile, ItemWriter]:
        if self._shared is None:
            self._shared = _SharedFile.of(self._record.file)
        file = self._shared.file
        if self._items is None:
            self._goes_on = self._is_begun(file.h5)
            self._items = ItemWriter(file, self._record.nodes, self._record.info.get("writer_options") or {})
            self._items.npoints = int(self._record.info.get("npoints") or 0) or None
        return file, self._items

    def _is_begun(self, h5: Any) -> bool:
        """Whether the entry is there already, of the same scan.

        :raises SavingError: it is of another scan.
        """
        name = f"{self._record.number}.1"
        if name not in h5:
            return False
        writer = h5[name].get("writer")
        uid = writer.attrs.get("uid", "") if writer is not None else ""
        if uid == self._record.info["uid"]:
            return True
        title = h5[f"{name}/title"].asstr()[()] if f"{name}/title" in h5 else "?"
        raise SavingError(
            f"scan {self._record.scan.path} cannot be saved: {self._record.file} has an entry /{name} already, of another scan "
            f"({title!r}, uid {uid or 'none'}; this one has {self._record.info['uid']}). Nothing is overwritten: move that file "
            f"away and run `bliss-like recover`, which saves this scan"
        )

    def _status(self, items: ItemWriter) -> str:
        record = self._record
        if record.end is not None:
            return "FAILED" if _missing(items, record.end) else "SUCCEEDED"
        return "RUNNING" if record.prepared else "STARTING"

    def _describe(self, file: GrowingFile, items: ItemWriter) -> None:
        """Bring all but the points up to date."""
        status = self._status(items)
        entries = entries_of(self._record, status)
        for name, entry in entries.items():
            items.write(file.h5, name, entry, self._tree.get(name), self._goes_on)
        default = _default_of(entries)
        if default and default != _default_of(self._tree):
            set_attributes(file.h5, {"default": default})
        self._tree = entries
        self._written = (self._record.version, status)

    def _link_masters(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self._masters:
            try:
                _add_link(self._masters[0], self._record)
            except SavingError:  # somebody else adds a link of their own
                if time.monotonic() >= deadline:
                    return
                time.sleep(0.05)
            else:
                self._masters.pop(0)

    # -- points

    def _append(self, items: ItemWriter) -> None:
        limits = self._limits()
        for channel, blocks in self._pending.items():
            points = items.points.get(channel)
            if points is None:
                continue
            limit = limits.get(channel)
            rest: list[NewData] = []
            for block in blocks:
                if (left := self._append_block(items, points, block, limit)) is not None:
                    rest.append(left)
            self._pending[channel] = rest

    def _append_block(
        self, items: ItemWriter, points: GrowingDataset, block: NewData, limit: int | None
    ) -> NewData | None:
        """Append what is not there yet, up to `limit`; return the rest."""
        if limit is not None and block.first_index >= limit:
            return block
        begin = points.npoints
        if block.first_index > begin:
            self._fill_gap(items, block, block.first_index - begin)
            begin = block.first_index
        values = block.values[max(0, begin - block.first_index) :]
        if limit is not None and begin + len(values) > limit:
            now = max(0, limit - begin)
            self._put(items, block.path, values[:now])
            return NewData(block.path, begin + now, values[now:])
        self._put(items, block.path, values)
        return None

    def _put(self, items: ItemWriter, channel: str, values: Array) -> None:
        if not len(values):
            return
        points = items.points[channel]
        if -1 in tuple(self._record.nodes[channel].info["shape"]):
            if channel in items.shapes:
                shapes = np.tile(np.array(values.shape[1:], "<i8"), (len(values), 1))
                items.append(items.shapes[channel], shapes)
            items.append(points, [value.ravel() for value in values])
        else:
            items.append(points, self._clean(channel, values) if values.dtype.kind == "U" else values)

    def _clean(self, channel: str, texts: Array) -> list[str]:
        clean = [clean_text(str(text)) for text in texts]
        if clean != texts.tolist():
            self._remark(
                f"{channel}: characters that HDF5 does not know (NUL, half of a pair) are written as \\x00, \\ud800"
            )
        return clean

    def _remark(self, text: str) -> None:
        if text not in self._record.remarks:
            self._record.remarks.append(text)
            self._record.version += 1

    def _fill_gap(self, items: ItemWriter, block: NewData, count: int) -> None:
        """Points have left the store before they came here: nothing can bring them back, but all others keep their place."""
        first = items.points[block.path].npoints
        last = first + count - 1
        self._remark(
            f"{block.path}: points {first} to {last} had left the store before they could be saved; in their place are "
            f"{'NaN' if block.values.dtype.kind in 'fc' else 'zeros'}"
        )
        kind = block.values.dtype.kind
        empty: Any = "" if kind == "U" else np.nan if kind in "fc" else 0
        shape = tuple(max(size, 0) for size in self._record.nodes[block.path].info["shape"])
        self._put(items, block.path, np.full((count, *shape), empty, block.values.dtype))

    def _limits(self) -> dict[str, int]:
        """Return up to where points are written now of channels that are plotted together: as many as all of them have, so
        that a viewer never meets curves of different lengths."""
        record = self._record
        if record.end is not None or not record.prepared:
            return {}
        limits: dict[str, int] = {}
        for master in record.masters():
            together = plotted_together(record, places_of(record, master))
            lengths = [record.lengths.get(path, 0) for path in together]
            if lengths and max(lengths) - min(lengths) <= HELD_BACK:
                limits |= dict.fromkeys(together, min(lengths))
        return limits

    def _note_missing_images(self) -> None:
        """A reader of a virtual dataset would find zeros in the place of files that are gone."""
        for channel, runs in self._record.runs.items():
            files = dict.fromkeys(run.file for run in runs)
            missing = [file for file in files if file and not os.path.exists(file)]
            if missing:
                count = sum(run.count for run in runs if run.file in missing)
                more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                fullname = self._record.nodes[channel].info.get("fullname") or channel
                self._remark(
                    f"{fullname}: {count} images are in files that are not there: {', '.join(missing[:3])}{more}"
                )

    def _note_what_is_missing(self, items: ItemWriter, end: EndScan) -> None:
        for channel, length in _missing(items, end).items():
            self._remark(f"{channel}: {length} points are saved of the {end.lengths[channel]} that were published")


def _missing(items: ItemWriter, end: EndScan) -> dict[str, int]:
    """Return the channels of which there are fewer points than were published, with how many there are."""
    there = {path: items.points[path].npoints if path in items.points else 0 for path in end.lengths}
    return {path: length for path, length in there.items() if length < end.lengths[path]}


def _default_of(entries: Mapping[str, Group]) -> str:
    return next((name for name, entry in entries.items() if "default" in entry.attributes), "")


class _SharedFile:
    """A file that several scans of this process may write at the same time, e.g. a sequence and its scans."""

    _open: dict[str, _SharedFile] = {}

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = GrowingFile.open(path)
        self.users = 0
        try:
            _prepare_root(self.file)
        except BaseException:
            self.file.abandon()
            raise

    @classmethod
    def of(cls, path: str) -> _SharedFile:
        shared = cls._open.get(path)
        if shared is None:
            shared = cls._open[path] = cls(path)
        shared.users += 1
        return shared

    def release(self) -> None:
        """Give it back; who is the last closes it."""
        if self.users > 1:
            self.users -= 1
            return
        self.file.close()
        self.users = 0
        self._open.pop(self.path, None)

    def abandon(self) -> None:
        self.users -= 1
        if self.users <= 0:
            self._open.pop(self.path, None)
            self.file.abandon()


def _prepare_root(file: GrowingFile) -> None:
    """Say what the file is, if it is new.

    :raises SavingError: another program has made it.
    """
    h5 = file.h5
    if not len(h5.attrs) and not len(h5):
        set_attributes(
            h5,
            {
                "NX_class": "NXroot",
                "creator": CREATOR,
                "creator_version": __version__,
                "file_name": os.path.basename(file.path),
                "file_time": datetime.datetime.now().astimezone().isoformat(),
                "HDF5_Version": h5py.version.hdf5_version,
                "h5py_version": h5py.version.version,
            },
        )
    elif h5.attrs.get("creator") != CREATOR:
        raise SavingError(
            f"{file.path}: expected a file of {CREATOR}, this one was made by "
            f"{h5.attrs.get('creator') or 'another program'} and is left as it is. Move it away, or save elsewhere: SCAN_SAVING"
        )


def _add_link(master: str, record: ScanRecord) -> None:
    """Add a link to a scan to a master file.

    :raises SavingError: another process is writing it, or it is not ours.
    """
    link = master_link(record, master)
    shared = _SharedFile.of(master)
    try:
        h5 = shared.file.h5
        long_name = link.file.removesuffix(os.path.splitext(link.file)[1]).replace("../", "").replace("/", "_")
        stem = os.path.splitext(os.path.basename(record.file))[0]
        for name in (f"{base}_{record.number}.1" for base in (stem, long_name, f"{long_name}_{record.info['uid']}")):
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
