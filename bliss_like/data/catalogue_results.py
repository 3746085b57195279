"""What the catalogue answers: scans, newest first, read when they are looked at."""

from __future__ import annotations

import html
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from bliss_like.errors import CatalogueError, DataError, StoreUnavailable

from .catalogue_facts import COLUMNS, RUNNING
from .catalogue_index import Index
from .codec import Array, from_json

if TYPE_CHECKING:
    from .node import ScanNode
    from .scan_data import ScanData
    from .walk import Event

_PAGE = 100
"""Scans that are read at once."""
_SHOWN = 20
"""Scans that a table shows."""


@dataclass(frozen=True)
class ScanRecord:
    """One scan as the catalogue knows it.

    :param number: `scan_nb`; other sessions, datasets and years have scans of the same one.
    :param start_time: as `end_time`, of the local time zone; None for an end that is not known.
    :param state: name of a final `ScanState`, else RUNNING: so was it when its writer last said something.
    :param saved: SAVED, FAILED (then `error` says why), or empty.
    :param file: where it is, or will be; `entry` in it, once it is saved.
    """

    root: Path
    uid: str
    db_name: str
    number: int | None
    name: str
    type: str
    title: str
    session: str
    user: str
    sample: str
    proposal: str
    collection: str
    dataset: str
    start_time: datetime
    end_time: datetime | None
    state: str
    saved: str
    error: str
    file: str
    entry: str
    writer: str
    npoints: int | None
    host: str
    comments: tuple[str, ...]
    motors: tuple[str, ...]
    counters: tuple[str, ...]

    @classmethod
    def of(cls, root: Path, row: Sequence[Any]) -> ScanRecord:
        """Return the record of a row of `COLUMNS`."""
        fields = dict(zip(COLUMNS, row, strict=True))
        start, end = fields.pop("start"), fields.pop("end")
        for name in ("comments", "motors", "counters"):
            fields[name] = tuple(fields[name].split("\n")) if fields[name] else ()
        return cls(root=root, start_time=_local(start), end_time=None if end is None else _local(end), **fields)

    def __str__(self) -> str:
        return f"scan {self.number}, {self.title or self.name}, of session {self.session}"

    def __info__(self) -> str:
        lines = {"scan": f"{self.number} {self.title}", "state": f"{self.state} {self.saved} {self.error}".strip()}
        lines |= {
            "started": f"{self.start_time:%Y-%m-%d %H:%M:%S}",
            "file": f"{self.file}{'::' if self.entry else ''}{self.entry}",
        }
        lines |= {"session": self.session, "user": self.user, "sample": self.sample, "dataset": self.dataset}
        lines |= {"motors": ", ".join(self.motors), "counters": ", ".join(self.counters), "uid": self.uid}
        lines["comments"] = "; ".join(self.comments)
        return "\n".join(_wrapped(f"{key:9} {value}") for key, value in lines.items() if value)

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None when the end is not known."""
        return None if self.end_time is None else (self.end_time - self.start_time).total_seconds()

    @cached_property
    def info(self) -> dict[str, Any]:
        """The scan's `scan_info`, as last entered.

        :raises CatalogueError: the scan is no more in the catalogue, or the index cannot be read.
        """
        with Index(self.root).reading() as connection:
            found = connection.execute(
                "SELECT info FROM infos WHERE scan = (SELECT id FROM scans WHERE uid = ?)", (self.uid,)
            ).fetchone()
        if found is None:
            raise CatalogueError(f"{self}: no more in the catalogue of {self.root}")
        info: dict[str, Any] = from_json(found[0].encode())
        return info

    @property
    def node(self) -> ScanNode:
        """The scan's node: of the server while it is there, else of the file.

        :raises DataError: neither has it; the message says why.
        """
        return self._live() or self._filed()

    def get_data(self, key: str | None = None) -> ScanData | Any:
        """Return the points of a channel by full name, short name or pattern; without a key, a mapping of all."""
        return self.node.get_data(key)

    def to_numpy(self, channels: str | Sequence[str] | None = None) -> Array:
        """Return the scalar channels, or those that are named, as a structured array, a row per point."""
        return self.node.to_numpy(channels)

    def to_pandas(self, channels: str | Sequence[str] | None = None) -> Any:
        """Return the same as a pandas DataFrame."""
        return self.node.to_pandas(channels)

    def to_xarray(self, channels: str | Sequence[str] | None = None) -> Any:
        """Return all channels but images, or those that are named, as an xarray Dataset."""
        return self.node.to_xarray(channels)

    def events(self) -> Iterator[Event]:
        """Yield the events of the scan as it ran; of one that runs, also those to come."""
        return self.node.walk_events()

    def _live(self) -> ScanNode | None:
        from . import server
        from .node import ScanNode, get_node

        if not self.db_name or not (server.is_configured() or server.status()):
            return None
        try:
            node = get_node(self.db_name)
            return node if isinstance(node, ScanNode) and node.info.get("uid") == self.uid else None
        except (StoreUnavailable, DataError):
            return None

    def _filed(self) -> ScanNode:
        from .node import ScanNode, get_node
        from .saved import entries, open_saved

        if not self.file:
            raise DataError(f"{self}: the server has it no more, and it was not saved")
        entry = self.entry or next((name for name in entries(self.file) if _is_number(name, self.number)), "")
        store = open_saved(self.file, entry)
        node = get_node(store.scan, store)
        if not isinstance(node, ScanNode):
            raise DataError(f"{self}: expected a scan in {self.file} {self.entry}, got {node!r}")
        return node


class Results(Sequence[ScanRecord]):
    """Scans that were found, newest first: `[0]` is the newest, `[-1]` the oldest, `[:10]` the ten newest.

    :param found: (index, id) of each.
    :param hint: what people may have meant, if nothing was found.
    """

    def __init__(self, found: Sequence[tuple[Index, int]], hint: str = "") -> None:
        self._found = found
        self.hint = hint

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> ScanRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Results: ...
    def __getitem__(self, index: int | slice) -> ScanRecord | Results:
        if isinstance(index, slice):
            return Results(self._found[index], self.hint)
        try:
            return next(_read([self._found[index]]))
        except IndexError:
            raise IndexError(f"scan [{index}] of {len(self)} that were found") from None

    def __iter__(self) -> Iterator[ScanRecord]:
        for first in range(0, len(self._found), _PAGE):
            yield from _read(self._found[first : first + _PAGE])

    def __repr__(self) -> str:
        return self.__info__()

    def __info__(self) -> str:
        if not self:
            return f"no scan found{self.hint}"
        more = len(self) - _SHOWN
        return table(self[:_SHOWN]) + (f"\n... and {more} more, older ones" if more > 0 else "")

    def _repr_html_(self) -> str:
        cells = [_HEADER, *(_cells(record) for record in self[:_SHOWN])]
        rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in cells)
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table><p>{len(self)} scans</p>"


def _read(found: Sequence[tuple[Index, int]]) -> Iterator[ScanRecord]:
    """Yield records in the order given; one that was taken out meanwhile is left out."""
    columns = ", ".join(f'"{column}"' for column in COLUMNS)
    rows: dict[tuple[Path, int], ScanRecord] = {}
    for index in dict.fromkeys(index for index, _ in found):
        ids = [scan for other, scan in found if other is index]
        with index.reading() as connection:
            marks = ", ".join("?" * len(ids))
            for scan, *row in connection.execute(f"SELECT id, {columns} FROM scans WHERE id IN ({marks})", ids):
                rows[index.root, scan] = ScanRecord.of(index.root, row)
    for index, scan in found:
        if (index.root, scan) in rows:
            yield rows[index.root, scan]


def _wrapped(line: str) -> str:
    """Return a line in several if it is long, but paths and the like whole, beside their name."""
    if len(line.split()) < 3:
        return line
    return textwrap.fill(line, 79, subsequent_indent=" " * 10, break_long_words=False, break_on_hyphens=False)


def _is_number(entry: str, number: int | None) -> bool:
    return entry.strip("/").partition(".")[0] == str(number)


# -- tables ----------------------------------------------------------------------------------------------------------

_HEADER = ("#", "started", "took", "state", "session", "sample", "title")
_WIDEST = (7, 16, 7, 7, 14, 14)
_STATES = {"DONE": "", "USER_ABORTED": "aborted", "KILLED": "failed", RUNNING: "running"}


def table(records: Sequence[ScanRecord], columns: int | None = None) -> str:
    """Return scans as a table for a terminal; columns in which nothing stands are left out."""
    columns = columns or shutil.get_terminal_size().columns
    rows = [_cells(record) for record in records]
    used = [index for index, name in enumerate(_HEADER) if name == "title" or any(row[index] for row in rows)]
    rows = [_HEADER, *rows]
    widths = [min(max(len(row[index]) for row in rows), _WIDEST[index]) for index in used[:-1]]
    lines = []
    for row in rows:
        cells = [_cut(row[index], width).ljust(width) for index, width in zip(used, widths, strict=False)]
        start = "  ".join(cells)
        lines.append(f"{start}  {_cut(row[-1], max(10, columns - len(start) - 2))}".rstrip())
    return "\n".join(lines)


def _cells(record: ScanRecord) -> tuple[str, ...]:
    state = "unsaved" if record.saved == "FAILED" else _STATES.get(record.state, record.state)
    started = f"{record.start_time:%Y-%m-%d %H:%M}"
    number = "" if record.number is None else str(record.number)
    return (
        number,
        started,
        _duration(record.duration),
        state,
        record.session,
        record.sample,
        record.title or record.name,
    )


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 120:
        return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds).astimezone()


def as_json(record: ScanRecord, *, info: bool = False) -> Mapping[str, Any]:
    """Return a record as JSON types; times in ISO 8601.

    :param info: with the whole `scan_info`.
    """
    values = {name: getattr(record, name) for name in ScanRecord.__dataclass_fields__}
    values["root"] = str(record.root)
    for name in ("start_time", "end_time"):
        values[name] = values[name] and values[name].isoformat()
    for name in ("comments", "motors", "counters"):
        values[name] = list(values[name])
    return {**values, "info": record.info} if info else values
