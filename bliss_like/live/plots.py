"""Which plots are made of a scan: those that its info proposes, and for a scan that proposes none, what its channels suggest.

The choice is data: who draws, a terminal or a browser, needs to know nothing of scans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bliss_like.data.events import NodeKind

from .curves import axes_of, chosen_of, meta_of, selected_of, time_of
from .scan import LiveChannel, LiveScan, once

PlotKind = Literal["curve", "scatter", "spectrum", "image"]

KINDS: dict[str, PlotKind] = {
    "curve-plot": "curve",
    "scatter-plot": "scatter",
    "1d-plot": "spectrum",
    "image-plot": "image",
}
"""What a plot is called in the info of a scan."""


@dataclass(frozen=True)
class PlotChoice:
    """One plot; channels are told by their full names.

    :param kind: `curve`: `y` over `x`; `scatter`: the values `y` at places `x`, `x2`; `spectrum`, `image`: the last point of `y`.
    :param x: empty: the number of the point, of a spectrum that of the value.
    :param x2: the second axis of a scatter.
    :param right: those of `y` that have the scale at the right.
    :param grid: points along `x` and `x2` when they lie on a grid, else (0, 0).
    """

    kind: PlotKind
    title: str
    x: str = ""
    x2: str = ""
    y: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    grid: tuple[int, int] = (0, 0)


@once
def plots_of(scan: LiveScan) -> list[PlotChoice]:
    """Return the plots of a scan, those that its info proposes first; none of a scan that has nothing to plot.

    Of what a scan proposes counts what it has: a channel that is not there is left out, a plot without any is none.
    """
    proposed = [plot for told in _told(scan) if (plot := _proposed(scan, told)) is not None]
    if not any(plot.kind in ("curve", "scatter") for plot in proposed) and (usual := _usual(scan)) is not None:
        proposed.insert(0, usual)
    there = {name for plot in proposed for name in plot.y}
    for kind, channel in _arrays(scan):
        if channel.fullname not in there:
            proposed.append(PlotChoice(kind, channel.name, y=(channel.fullname,)))
    return list(dict.fromkeys(proposed))


def _told(scan: LiveScan) -> Iterator[Mapping[str, Any]]:
    plots = scan.info.get("plots")
    for plot in plots if isinstance(plots, list | tuple) else ():
        if isinstance(plot, Mapping) and str(plot.get("kind")) in KINDS:
            yield plot


def _proposed(scan: LiveScan, plot: Mapping[str, Any]) -> PlotChoice | None:
    """Return what an info proposes, as far as the scan has it; None when that is nothing."""
    kind = KINDS[plot["kind"]]
    told = plot.get("items")
    items = [item for item in told if isinstance(item, Mapping)] if isinstance(told, list | tuple) else []
    title = plot.get("name") if isinstance(plot.get("name"), str) else ""
    if kind in ("spectrum", "image"):
        named = [item.get("y") or item.get("value") for item in items]
        return _array_plot(scan, kind, str(title), named, plot.get("x"))
    x = _number(scan, plot.get("x")) or next(filter(None, (_number(scan, item.get("x")) for item in items)), None)
    keys = ("y", "y_axis") if kind == "curve" else ("value", "")
    values = [(channel, item.get(keys[1])) for item in items if (channel := _number(scan, item.get(keys[0])))]
    chosen = selected_of(scan)
    if chosen or not values:
        values = [(channel, "left") for channel in chosen or chosen_of(scan)]
    names = tuple(dict.fromkeys(channel.fullname for channel, _ in values if channel is not x))
    if not names:
        return None
    if kind == "scatter":
        x2 = _number(scan, plot.get("y")) or next(filter(None, (_number(scan, item.get("y")) for item in items)), None)
        if x is None or x2 is None or x is x2:
            return None
        return _scatter(scan, x, x2, names, str(title))
    right = tuple(dict.fromkeys(channel.fullname for channel, side in values if side == "right"))
    return PlotChoice("curve", str(title) or scan.title, x.fullname if x else "", y=names, right=right)


def _array_plot(scan: LiveScan, kind: PlotKind, title: str, named: list[Any], x: Any) -> PlotChoice | None:
    arrays = {channel.fullname: channel for found, channel in _arrays(scan) if found == kind}
    names = tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name in arrays))
    names = names or (() if named else tuple(arrays))
    places = x if isinstance(x, str) and x in arrays else ""
    return PlotChoice(kind, title or arrays[names[0]].name, places, y=names) if names else None


def _usual(scan: LiveScan) -> PlotChoice | None:
    """Return the plot of a scan that proposes none: the counters over its axes, else over the time."""
    counters = tuple(channel.fullname for channel in chosen_of(scan))
    axes = axes_of(scan)
    if not counters or scan.npoints == 1:
        return None
    dimensions = scan.info.get("data_dim")
    if len(axes) > 1 and isinstance(dimensions, int) and dimensions > 1:
        return _scatter(scan, axes[0], axes[1], counters, "")
    x = axes[0] if axes else time_of(scan)
    return PlotChoice("curve", scan.title, x.fullname if x else "", y=counters)


def _scatter(scan: LiveScan, x: LiveChannel, x2: LiveChannel, names: tuple[str, ...], title: str) -> PlotChoice:
    sizes = [meta_of(scan, channel).get("axis_points") for channel in (x, x2)]
    regular = all(meta_of(scan, channel).get("axis_kind") for channel in (x, x2))
    columns, rows = (size if isinstance(size, int) and regular else 0 for size in sizes)
    grid = (columns, rows) if columns and rows else (0, 0)
    return PlotChoice("scatter", title or scan.title, x.fullname, x2.fullname, names, grid=grid)


def _number(scan: LiveScan, name: Any) -> LiveChannel | None:
    """Return the channel of numbers of a full or short name."""
    found = scan.channel(name) if isinstance(name, str) else None
    return found if found is not None and found.is_number else None


def _arrays(scan: LiveScan) -> Iterator[tuple[PlotKind, LiveChannel]]:
    """Yield the channels whose points are spectra or images."""
    for channel in scan.channels.values():
        if channel.kind is NodeKind.IMAGE or len(channel.shape) == 2:
            yield "image", channel
        elif len(channel.shape) == 1 and channel.kind is NodeKind.CHANNEL:
            yield "spectrum", channel
