"""What a scan has come to, in a few lines: what the prompt shows of it, and of the last scans."""

from __future__ import annotations

import datetime
import itertools
import operator
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.config.table import table
from bliss_like.data.counting import counted, npoints_of
from bliss_like.data.events import NodeKind
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.node import ScanNode
from bliss_like.data.past import PastScans
from bliss_like.errors import BlissLikeError, ScanError

from .acquisition.timer import SoftwareTimerMaster
from .environment import environment
from .scan_group import GroupingMaster, ScanGroup

if TYPE_CHECKING:
    from bliss_like.data.channel_node import ChannelNode

    from .channel import AcquisitionChannel
    from .scan import Scan

STATISTICS = ("N", "std", "min", "max")
"""Of a counter that has them, those that are shown; `x_var` and `x_p2v` say the same again."""
COLUMNS = ("", "value", "N", "std", "min", "max", "last", "unit")
SHOWN = 20
"""Scans that SCANS shows."""
MOST_POINTS = 100_000
"""Of longer scans only the last point is shown."""


class LastScans(deque["Scan"]):
    """SCANS: the last scans of this process, the newest at the end, and the way to all before them.

    `SCANS[-1]` is the newest one; an index further back than those of this process, a number, a name or a uid gives the node
    of a past scan of the session, from the server or from its file: `SCANS[-100]`, `SCANS.get(12)`, `SCANS["ascan"]`.
    """

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.get(key)
        if isinstance(key, slice):
            return list(self)[key]
        index = operator.index(key)
        if index >= len(self):
            raise IndexError(
                f"SCANS[{index}]: there are {len(self)} scans of this process; SCANS[-1] is the last one, SCANS.get({index}) "
                f"the one of number {index}"
            )
        if index >= -len(self):
            return super().__getitem__(index)
        back = -index - len(self)
        past = next(itertools.islice(self.past(), back - 1, None), None)
        if past is None:
            raise IndexError(f"SCANS[{index}]: so many scans of the session are not known; SCANS lists the last ones")
        return past

    def get(self, key: int | str) -> Scan | ScanNode:
        """Return the newest scan of the session that is called so.

        :param key: its number (of a saved one), name, uid or the beginning of it, or db_name.
        :raises ScanError: there is none.
        """
        for scan in reversed(self):
            if scan.path and _is_called(scan, key):
                return scan
        found = next(_past_scans().find(key), None) if environment.tree else None
        if found is None:
            what = "number" if isinstance(key, int) else "name or uid"
            raise ScanError(
                f"no scan of session {environment.session_name!r} has the {what} {key!r}, neither in the store nor in the "
                f"catalogue; SCANS lists the last ones"
            )
        return found

    def past(self) -> Iterator[ScanNode]:
        """Yield the scans of the session that were before those of this process, the newest first."""
        own = {scan.path for scan in self}
        return (node for node in (_past_scans() if environment.tree else ()) if node.db_name not in own)

    def __info__(self) -> str:
        rows = [
            (str(scan.scan_number) if scan.save else "", scan.state.name, points(scan), str(scan.scan_info["title"]))
            for scan in self
        ]
        rows = [*reversed([_row(node) for node in itertools.islice(self.past(), SHOWN - len(rows))]), *rows]
        if not rows:
            return "No scan was run yet."
        rows = [("scan", "state", "points", "title"), *rows]
        of_state, of_points = (max(len(row[column]) for row in rows) for column in (1, 2))
        lines = (
            f"{number:>4}  {state:{of_state}}  {npoints:{of_points}}  {title}" for number, state, npoints, title in rows
        )
        return "\n".join(lines)


def _past_scans() -> PastScans:
    return PastScans(environment.require_tree().store, environment.session_name)


def _is_called(scan: Scan, key: int | str) -> bool:
    if isinstance(key, int):
        return scan.save and scan.scan_number == key
    uid = str(scan.scan_info.get("uid", ""))
    names = (scan.name, scan.path, scan.path.rpartition(":")[2], scan.scan_info.get("type"))
    return key in names or (len(key) >= 6 and uid.startswith(key))


def _row(node: ScanNode) -> tuple[str, str, str, str]:
    """Return what is shown of a past scan."""
    info = node.info
    end, is_group = node.structure.end, node.type is NodeKind.SCAN_GROUP
    lengths = end.lengths if end else {channel.db_name: len(channel) for channel in node.channels()}
    npoints = npoints_of(lengths, node.db_name, is_whole=is_group or info["state"] == "DONE")
    kind = "scan" if is_group else "point"
    number = str(info["scan_nb"]) if info.get("save", True) else ""
    return number, str(info["state"]), counted(npoints, kind), str(info["title"])


def told(scan: Scan) -> str:
    """Return title, state and place of a scan, and what its counters have given."""
    lines = [_heading(scan)]
    if scan.error is not None:
        lines.append(f"ended by {type(scan.error).__name__}: {scan.error}")
    if scan.path:
        lines.append(f"{points(scan)}{_duration(scan)}, {_place(scan)}")
        try:
            lines += _subscans(scan) if isinstance(scan, ScanGroup) else []
            lines += _values(scan)
        except BlissLikeError as error:
            lines.append(f"its data cannot be shown: {error}")
    return "\n".join(lines)


def points(scan: Scan) -> str:
    """Return how many points a scan has, or how many of how many."""
    wanted = max((master.npoints for master in scan.acq_chain.top_masters if master.channels), default=0)
    return counted(length_of(scan), "scan" if isinstance(scan, ScanGroup) else "point", wanted)


def length_of(scan: Scan) -> int:
    """Return how many points a scan has, of a sequence how many scans."""
    lengths = {channel.path: channel.length for channel in scan.channels}
    return npoints_of(lengths, scan.path, is_whole=isinstance(scan, ScanGroup) or scan.state is ScanState.DONE)


def _heading(scan: Scan) -> str:
    number = f"Scan {scan.scan_number}" if scan.scan_number and scan.save else "Scan"
    hint = ", run() starts it" if scan.state is ScanState.IDLE else ""
    return f"{number}: {scan.scan_info['title']}, {scan.state.name}{hint}"


def _duration(scan: Scan) -> str:
    start, end = (scan.scan_info.get(key) for key in ("start_time", "end_time"))
    if not start or not end:
        return ""
    seconds = (datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(start)).total_seconds()
    return f" in {seconds:.3g} s"


def _place(scan: Scan) -> str:
    """Return where a scan is on disk; of one that is not there (yet), its db_name."""
    if not scan.save:
        return "not saved"
    try:
        saved = scan.node.saved
    except BlissLikeError:
        saved = None
    return saved.place if saved is not None and saved.state == "SAVED" else scan.path


def _subscans(scan: Scan) -> list[str]:
    infos = [node.info for node in scan.get_data("scans")]
    rows = [(info["scan_nb"], info["state"], info["title"]) for info in infos]
    return table(("scan", "state", "title"), rows).splitlines() if rows else []


def _values(scan: Scan) -> list[str]:
    """Return the lines of a table: one line for each axis and counter."""
    nodes = {node.name: node for node in scan.node.channels() if len(node)}
    is_single = max(map(len, nodes.values()), default=0) == 1
    rows = []
    for channel, more in _channels(scan):
        if channel.fullname in nodes:
            node = nodes[channel.fullname]
            row = {"": channel.short_name, "unit": channel.unit or ""}
            row |= {"value": _shown(node[-1])} if is_single else _range(node)
            row |= {name: _shown(nodes[full][-1]) for name, full in more.items() if is_single and full in nodes}
            rows.append(row)
    return _aligned(rows)


def _channels(scan: Scan) -> Iterator[tuple[AcquisitionChannel, dict[str, str]]]:
    """Yield the channel of each axis and counter, and the names of those of its statistics."""
    for node in scan.acq_chain.nodes_list:
        more = {channels[0]: {one.fullname for one in channels[1:]} for channels in node._counters.values() if channels}
        others = set().union(*more.values())
        for channel in () if isinstance(node, SoftwareTimerMaster | GroupingMaster) else node.channels:
            if channel.fullname not in others:
                name, known = channel.fullname, more.get(channel, set())
                yield channel, {each: f"{name}_{each}" for each in STATISTICS if f"{name}_{each}" in known}


def _range(node: ChannelNode) -> dict[str, str]:
    last = node[-1]
    cells = {"last": _shown(last)}
    if not np.ndim(last) and len(node) <= MOST_POINTS and np.asarray(last).dtype.kind in "iuf":
        values = np.asarray(node[:], float)
        values = values[~np.isnan(values)]
        cells |= {"min": _shown(values.min()), "max": _shown(values.max())} if len(values) else {}
    return cells


def _shown(value: Any) -> str:
    """Return a number in a few digits; of an array, its size and sum."""
    array = np.asarray(value)
    if not array.ndim:
        return f"{value:.6g}" if array.dtype.kind == "f" else str(value)
    size = " x ".join(map(str, array.shape))
    return f"{size}, sum {array.sum():.6g}" if array.dtype.kind in "iuf" else size


def _aligned(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return rows below a header, numbers to the right; columns without anything are left out."""
    header = [column for column in COLUMNS if any(row.get(column) for row in rows)]
    lines = [header, *([row.get(column, "") for column in header] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    sides = [str.ljust if column in ("", "unit") else str.rjust for column in header]
    return [
        "  ".join(side(cell, width) for side, cell, width in zip(sides, line, widths, strict=True)).rstrip()
        for line in lines
        if rows
    ]
