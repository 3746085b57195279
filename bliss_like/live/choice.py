"""Which channels of a scan a table shows, in which columns; from what the scan says of itself, before any point has come."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from bliss_like.data.scan_data import means

from .curves import STATISTICS, axes_of, counters_of, meta_of, names_of, selected_of, time_of, wanted_of
from .digits import ColumnDigits, number
from .look import UNICODE, cells, cut, cut_inside, padded, plain
from .scan import LiveChannel, LiveScan

NUMBER = 10
"""Characters of a number, but those of axes, which have as many as they need."""
WIDEST = 24
"""Characters of a column, at most."""
GAP = 2
NARROWER = 16
"""Characters of a column, at most, where not all of them find a place."""
FEW = 2
"""Counters for which the column of times makes room."""


@dataclass
class Column:
    """A channel in a table."""

    channel: LiveChannel
    title: str
    width: int
    decimals: int | None = None
    is_row: bool = True
    """Whether it has a point in each row; else it is of a master of another rate."""
    is_time: bool = False
    ellipsis: str = UNICODE.ellipsis

    @cached_property
    def digits(self) -> ColumnDigits:
        """Of a channel that does not say how many decimals it has; made when the width is known."""
        return ColumnDigits(self.width)

    def cell(self, value: Any) -> str:
        """Return a value, as wide as the column: numbers to the right, texts to the left."""
        if isinstance(value, str):
            return padded(cut(plain(value), self.width, self.ellipsis), self.width)
        if isinstance(value, bool | np.bool_):
            return str(bool(value)).rjust(self.width)
        if np.ndim(value):
            return number(float(np.sum(value)), self.width).rjust(self.width)
        if isinstance(value, complex | np.complexfloating):
            return f"{value:.4g}"[: self.width].rjust(self.width)
        return self._number(float(value)).rjust(self.width)

    def learn(self, value: Any) -> bool:
        """Take a value into account that comes next; return whether from it on points are elsewhere than in those above."""
        is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
        return is_number and self.decimals is None and self.digits.learn(float(value))

    def _number(self, value: float) -> str:
        return self.digits.text(value) if self.decimals is None else number(value, self.width, self.decimals)

    @property
    def header(self) -> str:
        return padded(
            cut_inside(plain(self.title), self.width, self.ellipsis),
            self.width,
            "<" if self.channel.dtype.kind == "U" else ">",
        )


@dataclass
class Layout:
    """The columns of a table, and what found no place in it."""

    columns: list[Column]
    index_width: int
    left_out: list[str] = field(default_factory=list)
    """Titles."""

    @property
    def header(self) -> str:
        gap = " " * GAP
        return gap.join(["#".rjust(self.index_width), *(column.header for column in self.columns)])

    def learn(self, values: Iterable[Any]) -> bool:
        """Take the next row into account; return whether points are elsewhere than in the rows above."""
        moved = [column.learn(value) for column, value in zip(self.columns, values, strict=True)]  # all of them learn
        return any(moved)

    def row(self, index: int, values: Iterable[Any]) -> str:
        """Return a row; None stands for a value that is not there."""
        cells_ = [
            " " * column.width if value is None else column.cell(value)
            for column, value in zip(self.columns, values, strict=True)
        ]
        return (" " * GAP).join([str(index).rjust(self.index_width), *cells_]).rstrip()


def layout_of(scan: LiveScan, fields: Sequence[Any] | None, width: int, ellipsis: str = UNICODE.ellipsis) -> Layout:
    """Return the columns that fit: axes first, then the time, then the counters that were chosen, else all.

    :param fields: names, counters, axes; None: what was chosen for tables or `plotselect`, else all counters.
    """
    axes, time = axes_of(scan), time_of(scan)
    counters = counters_for(scan, fields)
    axes = [axis for axis in axes if axis not in counters]
    if time is not None and (time in counters or time.name != "elapsed_time"):
        time = None
    titles = titles_of(scan, [*axes, *counters])
    level = rows_of(scan, counters or axes or ([time] if time else []))

    def column(channel: LiveChannel) -> Column:
        made = _column(scan, channel, titles[channel.fullname], levels(scan, channel) == level)
        made.ellipsis = ellipsis
        return made

    def fitting(columns: list[Column]) -> list[Column]:
        kept = _fitting(columns, width - index_width)
        if len(kept) < len(columns):
            for each in columns:
                each.width = min(each.width, max(NARROWER, NUMBER))
            kept = _fitting(columns, width - index_width)
        return kept

    index_width = max(4, len(str(max(0, scan.npoints - 1))))
    first = [column(axis) for axis in axes]
    others = [column(counter) for counter in counters]
    dt = [] if time is None else [Column(time, "dt[s]", 9, 3, levels(scan, time) == level, is_time=True)]
    kept = fitting([*dt, *first, *others])
    if dt and len(kept) < len([*dt, *first, *others]) and len(kept) < len([*dt, *first]) + FEW:
        dt, kept = [], fitting([*first, *others])
    left_out = [each.title for each in [*dt, *first, *others][len(kept) :]]
    if fields is None and _chosen(scan):  # who has forgotten what was chosen is told what is not there
        not_chosen = [counter for counter in counters_of(scan) if counter not in counters]
        left_out += titles_of(scan, not_chosen).values()
    return Layout(kept, index_width, left_out)


def counters_for(scan: LiveScan, fields: Sequence[Any] | None) -> list[LiveChannel]:
    """Return what is to be shown beside axes and times, each once."""
    if fields is not None:
        names = [[each] if isinstance(each, str) else names_of(each) for each in fields]
        found = [next((c for name in wanted for c in _named(scan, name)), None) for wanted in names]
        patterns = [
            c for wanted in names for name in wanted[:1] if "*" in name or "?" in name for c in _named(scan, name)
        ]
        return list(dict.fromkeys(channel for channel in [*found, *patterns] if channel is not None))
    if chosen := _chosen(scan):
        return chosen
    return [*counters_of(scan), *_texts(scan)]


def _chosen(scan: LiveScan) -> list[LiveChannel]:
    """Return what was chosen for tables, else to be plotted; empty when the scan has nothing of it.

    Further statistics of a counter, `diode_std`, are those that are named, or whose pattern ends so.
    """
    found: list[LiveChannel] = []
    for pattern in wanted_of(scan, "table"):
        is_of_statistics = pattern.endswith(STATISTICS) or not set(pattern) & set("*?[")
        there = [*(scan.scalars() if is_of_statistics else counters_of(scan)), *_texts(scan)]
        found += [channel for channel in there if means(pattern, channel.fullname)]
    return list(dict.fromkeys(found or selected_of(scan)))


def _texts(scan: LiveScan) -> list[LiveChannel]:
    return [each for each in scan.channels.values() if each.is_scalar and each.dtype.kind == "U"]


def missing_of(scan: LiveScan, fields: Sequence[Any] | None) -> list[str]:
    """Return the names that were asked for, and that the scan has no channel of."""
    names = [[each] if isinstance(each, str) else names_of(each) for each in fields or ()]
    return [wanted[0] for wanted in names if not any(_named(scan, name) for name in wanted)]


def _named(scan: LiveScan, name: str) -> list[LiveChannel]:
    return [channel for channel in scan.channels.values() if means(name, channel.fullname)]


def titles_of(scan: LiveScan, channels: Iterable[LiveChannel]) -> dict[str, str]:
    """Return what to write above channels, by their full names: the short name, the full one where that is of several."""
    shown = {channel.fullname: str(meta_of(scan, channel).get("display_name") or channel.name) for channel in channels}
    short = list(shown.values())
    names = {full: full if short.count(name) > 1 else name for full, name in shown.items()}
    units = {channel.fullname: channel.unit for channel in scan.channels.values()}
    return {full: f"{name}[{units[full]}]" if units.get(full) else name for full, name in names.items()}


def _column(scan: LiveScan, channel: LiveChannel, title: str, is_row: bool) -> Column:
    decimals = decimals_of(scan, channel)
    meta = meta_of(scan, channel)
    needed = NUMBER
    if decimals is not None:
        ends = [meta[key] for key in ("start", "stop", "min", "max") if isinstance(meta.get(key), int | float)]
        needed = max([len(f"{end:.{decimals}f}") for end in ends], default=NUMBER - 2) + 1
    elif channel.dtype.kind == "b":
        needed = 5
    width = min(WIDEST, max(cells(title), min(needed, 16)))
    return Column(channel, title, width, decimals, is_row)


def decimals_of(scan: LiveScan, channel: LiveChannel) -> int | None:
    """Return how many decimals a channel has: those that it says, and at least those that tell its steps apart.

    None when neither is known.
    """
    meta = meta_of(scan, channel)
    told, step = meta.get("decimals"), _step(meta)
    needed = None if step is None or channel.dtype.kind != "f" else max(0, min(9, 1 - math.floor(math.log10(step))))
    if isinstance(told, int):
        return max(0, min(12, max(told, needed or 0)))
    return None if needed is None else min(9, needed + 1)


def _step(meta: Mapping[str, Any]) -> float | None:
    start, stop, points = meta.get("start"), meta.get("stop"), meta.get("axis_points") or meta.get("points")
    if not (isinstance(start, int | float) and isinstance(stop, int | float) and isinstance(points, int)):
        return None
    step = abs(stop - start) / max(1, points - 1)
    return step if 0 < step < math.inf else None


def _fitting(columns: Sequence[Column], width: int) -> list[Column]:
    """Return as many of the first columns as fit, at least one."""
    kept: list[Column] = []
    for column in columns:
        width -= GAP + column.width
        if width < 0 and kept:
            break
        kept.append(column)
    return kept


def levels(scan: LiveScan, channel: LiveChannel) -> str:
    """Return the master that says how many points a channel has, `<top master>` or `<top master>:<faster one>`.

    Channels of one level are equally long in the end. A master below another one has a level of its own when both say how many
    points they give, and differ.
    """
    top = scan.master_of(channel)
    devices = scan.info.get("devices")
    if not isinstance(devices, Mapping):
        return top
    device = str(meta_of(scan, channel).get("device") or "")
    above = {below: name for name, told in devices.items() for below in _told(told, "triggered_devices") or ()}
    for _ in devices:
        parent = above.get(device)
        if parent is None:
            break
        own, others = _told(devices.get(device), "npoints"), _told(devices.get(parent), "npoints")
        if isinstance(own, int) and isinstance(others, int) and own > 0 and others > 0 and own != others:
            return f"{top}:{device}"
        device = parent
    return top


def _told(device: Any, key: str) -> Any:
    return device.get(key) if isinstance(device, Mapping) else None


def rows_of(scan: LiveScan, channels: Sequence[LiveChannel]) -> str:
    """Return the level whose points are the rows of a table of channels: that of most of them."""
    found = [levels(scan, channel) for channel in channels]
    return max(dict.fromkeys(found), key=found.count, default="")
