"""Scans as NeXus files (HDF5): each an entry or more of a file that it may share with others, readable while it is written.

What is in an entry is said by `nexus_layout`; here it is brought to disk. Files grow by commits (`bliss_like.hdf5`): whatever
happens to the writer, a file has the state of the last one, and who comes after it goes on from there.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from bliss_like.data.codec import Array
from bliss_like.data.events import EndScan, NewData, NewNode, SavedScan, WireEvent
from bliss_like.errors import FileLostError, SavingError
from bliss_like.hdf5 import Compression, GrowingDataset, GrowingFile

from .nexus_files import SharedFile, add_link
from .nexus_items import Group
from .nexus_layout import entries_of
from .nexus_making import ItemWriter, clean_text, set_attributes
from .nexus_names import is_ragged, places_of
from .nexus_options import compression_of
from .nexus_plots import plotted_together
from .nexus_record import ScanRecord

FORMAT = "nexus"
HELD_BACK = 100
"""Points that wait for those of the channels that they are plotted with; of more, they do not."""
_GAP = " had left the store before they could be saved"
_FILLED_AT_ONCE = 8 << 20
"""Bytes in the place of points that are lost."""
_PATIENCE = 3.0
"""Seconds for which another writer of a master file is waited for: it may only not have closed it yet."""


class NexusFormat:
    """Begins to save scans; see `OpenScan`."""

    def __call__(self, scan: NewNode) -> NexusScan:
        """Begin to save a scan, or go on with one that was begun; the file is opened by the first flush.

        Options that are not known are no reason not to save it: the file says so.

        :raises SavingError: the scan does not say where it is to be saved.
        """
        missing = [key for key in ("filename", "scan_nb", "uid") if not scan.info.get(key)]
        if missing:
            raise SavingError(
                f"scan {scan.path}: expected filename, scan_nb and uid in its info, {', '.join(missing)} is missing: it was "
                "made by a session that does not save scans"
            )
        return NexusScan(scan)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """:raises SavingError: one is not known, or its value is wrong."""
        compression_of(options)

    def linger(self, seconds: float) -> None:
        """Let files stay open that long after their last scan: the next one finds them open, which saves it a quarter of a
        second. To be called every now and then: it closes those whose time is over; 0 closes all."""
        SharedFile.patience = seconds
        SharedFile.close_unused()


open_scan = NexusFormat()


class NexusScan:
    """One scan on its way into its file; see `ScanFile`."""

    def __init__(self, scan: NewNode) -> None:
        self._record = ScanRecord(scan)
        self._shared: SharedFile | None = None
        self._items: ItemWriter | None = None
        self._goes_on = False
        self._tree: dict[str, Group] = {}
        self._written = (-1, "")
        """Version of the record, and the status, that the file shows."""
        self._pending: dict[str, list[NewData]] = {}
        self._masters = [file for file in scan.info.get("master_files") or () if file != self._record.file]
        """Master files that have no link to it yet."""
        self._trouble = ""
        self._together: list[list[str]] | None = None
        """Channels whose points are written together."""

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
            info.setdefault("remarks", []).append(f"no link to it in {', '.join(self._masters)}: {self._trouble}")
        error = "" if record.end is not None else "it has not ended: what was published so far is saved"
        if record.end is not None and self._written[1] == "FAILED":
            error = f"points are missing: {'; '.join(record.remarks)}"
        if self._shared is not None:
            self._shared.release()
            self._shared = None
        if self._items is not None:
            self._items.let_go()
        state = "FAILED" if error else "SAVED"
        entries = tuple(f"/{name}" for name in self._tree)
        return SavedScan(record.scan.path, state, record.file, entries, error, FORMAT, info)

    def abandon(self) -> None:
        if self._shared is not None:
            self._shared.abandon()
            self._shared = None

    # -- the file

    def _open(self) -> tuple[GrowingFile, ItemWriter]:
        if self._shared is not None and not self._shared.file.is_there and self._shared.file.is_lost:
            raise FileLostError(f"{self._record.file}: was deleted, or another file has its place; it is written anew")
        if self._shared is None:
            try:
                self._shared = SharedFile.of(self._record.file)
            except SavingError as error:
                if not isinstance(error.__cause__, BlockingIOError):
                    raise
                raise BlockingIOError(errno.EAGAIN, str(error), self._record.file) from error
        file = self._shared.file
        if self._items is None:
            self._goes_on = self._is_begun(file.h5)
            self._items = ItemWriter(file, self._record.nodes, self._compression())
            self._items.npoints = max(0, int(self._record.info.get("npoints") or 0)) or None
        return file, self._items

    def _compression(self) -> Compression:
        try:
            return compression_of(self._record.info.get("writer_options") or {})
        except SavingError as error:
            self._remark(f"writer_options: {error}; so the default was taken")
            return "auto"

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
            known = writer["remarks"].asstr()[:] if "remarks" in writer else ()
            self._record.remarks += [str(remark) for remark in known if _GAP in remark]
            return True
        title = h5[f"{name}/title"].asstr()[()] if f"{name}/title" in h5 else "?"
        raise SavingError(
            f"scan {self._record.scan.path} cannot be saved: {self._record.file} has an entry /{name} already, of another scan "
            f"({title!r}, uid {uid or 'none'}; this one has {self._record.info['uid']}). Nothing is overwritten: move that file "
            f"away and run `bliss-like recover`, which saves this scan"
        )

    @property
    def _has_gaps(self) -> bool:
        return any(_GAP in remark for remark in self._record.remarks)

    def _status(self, items: ItemWriter) -> str:
        record = self._record
        if record.end is not None:
            return "FAILED" if self._has_gaps or _missing(items, record.end) else "SUCCEEDED"
        return "RUNNING" if record.prepared else "STARTING"

    def _describe(self, file: GrowingFile, items: ItemWriter) -> None:
        """Bring all but the points up to date."""
        status = self._status(items)
        entries = entries_of(self._record, status)
        known, self._tree = self._tree, {}
        goes_on, self._goes_on = self._goes_on, True  # should this fail, the next time finds some of it there
        if not known:
            items.copies.clear()
        for name, entry in entries.items():
            items.write(file.h5, name, entry, known.get(name), goes_on)
        default = _default_of(entries)
        if default and default != _default_of(known):
            set_attributes(file.h5, {"default": default})
        self._tree, self._goes_on = entries, goes_on
        self._written = (self._record.version, status)

    def _link_masters(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while self._masters:
            try:
                add_link(self._masters[0], self._record)
            except SavingError as error:  # somebody else adds a link of their own
                self._trouble = str(error)
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
        shape = self._record.nodes[channel].info["shape"]
        if values.dtype.kind == "U":
            items.append(
                points, [json.dumps(each.tolist()) for each in values] if shape else self._clean(channel, values)
            )
        elif is_ragged(shape):
            if channel in items.shapes:
                shapes = np.tile(np.array(values.shape[1:], "<i8"), (len(values), 1))
                items.append(items.shapes[channel], shapes)
            items.append(points, [value.ravel() for value in values])
        else:
            items.append(points, values)

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
        kind = block.values.dtype.kind
        self._remark(
            f"{block.path}: points {first} to {last}{_GAP}; in their place "
            f"{'is NaN' if kind in 'fc' else 'are empty texts' if kind == 'U' else 'are zeros'}"
        )
        shape = tuple(max(size, 0) for size in self._record.nodes[block.path].info["shape"])
        empty: Any = "" if kind == "U" else np.nan if kind in "fc" else 0
        at_once = max(1, _FILLED_AT_ONCE // (block.values.dtype.itemsize * math.prod(shape) or 1))
        for begin in range(0, count, at_once):
            self._put(items, block.path, np.full((min(at_once, count - begin), *shape), empty, block.values.dtype))

    def _limits(self) -> dict[str, int]:
        """Return up to where points are written now of channels that are plotted together: as many as all of them have, so
        that a viewer never meets curves of different lengths."""
        record = self._record
        if record.end is not None or not record.prepared:
            return {}
        if self._together is None:
            self._together = [plotted_together(record, places_of(record, master)) for master in record.masters()]
        limits: dict[str, int] = {}
        for together in self._together:
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
