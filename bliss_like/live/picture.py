"""A scan as a picture: curves over its axis or over time, a map of a mesh, the last spectrum or image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.data.images import ImageReference
from bliss_like.data.scan_data import means
from bliss_like.errors import DataError

from .curves import Array, axes_of, meta_of, time_of
from .drawing import Curve, GridAxis, Mark, draw_curves, draw_image, draw_map, draw_panels, gridded, most_panels
from .look import Look, Role, cut
from .plots import PlotChoice, PlotKind, plots_of
from .scan import LiveChannel, LiveScan
from .stats import CurveStats, LiveStats

if TYPE_CHECKING:
    from .fitting import Fit

WIDE, FLAT = 100, 10
"""A picture has no more columns than that, unless it is so many times less high: flat curves tell little."""
MARKED = 5000
"""Points of a curve whose peak is looked for again and again while it grows, at most."""
ALIKE = 10
"""Counters share a panel when the range of both is at most so many times that of each."""


@dataclass(frozen=True)
class Wish:
    """What is to be seen of a scan.

    :param plot: None: the first one that is made of it.
    :param log: whether values have a logarithmic scale.
    :param before: another scan of which the same curve is seen behind.
    :param stats: what knows the peaks, if it is there already.
    :param live: whether how far the scan is stands beside.
    :param fit: a curve that is drawn through the points of the first counter.
    """

    plot: PlotChoice | None = None
    log: bool = False
    before: LiveScan | None = None
    stats: LiveStats | None = field(default=None, compare=False)
    live: bool = False
    fit: Fit | None = field(default=None, compare=False)


def draw_scan(scan: LiveScan, width: int, height: int, look: Look | None = None, wish: Wish | None = None) -> list[str]:
    """Return `height` lines or less, at most `width` columns wide; none when there is nothing that can be drawn."""
    look, wish, width = look or Look(), wish or Wish(), min(width, max(WIDE, FLAT * height))
    plot = wish.plot or next(iter(plots_of(scan)), None)
    channels = _channels(scan, plot)
    if plot is None or not channels:
        return []
    if plot.kind == "scatter" and (axes := _scattered(scan, plot)):
        return _map(scan, channels[0], *axes, width, height, look, wish)
    if plot.kind in ("curve", "scatter"):
        return _curves(scan, channels, _along(scan, plot), width, height, look, wish)
    return _fields(scan, plot, channels, width, height, look, wish.log)


def plot_of(scan: LiveScan, counters: Sequence[LiveChannel] = (), axis: LiveChannel | None = None) -> PlotChoice | None:
    """Return the plot of channels that somebody has named, otherwise as those of the scan; None when there is none."""
    made = plots_of(scan)
    of_numbers = next((plot for plot in made if plot.kind in ("curve", "scatter")), None)
    if counters and not counters[0].is_number:
        kind: PlotKind = "image" if dimensions_of(counters[0]) > 1 else "spectrum"
        same = tuple(each.fullname for each in counters if dimensions_of(each) == dimensions_of(counters[0]))
        return PlotChoice(kind, scan.title, y=same)
    names = tuple(each.fullname for each in counters if each.is_number)
    if axis is not None:
        return PlotChoice("curve", scan.title, axis.fullname, y=names or (of_numbers.y if of_numbers else ()))
    if not names:
        return next(iter(made), None)
    if of_numbers is None:
        along = next(iter(axes_of(scan)), None) or time_of(scan)
        of_numbers = PlotChoice("curve", scan.title, along.fullname if along else "")
    return replace(of_numbers, y=names)


def left_out(scan: LiveScan, height: int, plot: PlotChoice | None) -> list[LiveChannel]:
    """Return the channels of a plot for which there is no room in so many lines."""
    channels = _channels(scan, plot)
    if plot is None or plot.kind in ("scatter", "image"):
        return channels[1:]
    if plot.kind == "spectrum":
        return []
    panels = _panels([(channel, _range_of(channel.values)) for channel in channels], together=False)
    return [channel for panel in panels[most_panels(height) :] for channel in panel]


def _channels(scan: LiveScan, plot: PlotChoice | None) -> list[LiveChannel]:
    found = [scan.channel(name) for name in plot.y] if plot else []
    return [channel for channel in found if channel is not None]


def title_of(scan: LiveScan, *, live: bool = False) -> str:
    """Return the scan's number and command, and how it went if it did not end well.

    :param live: whether how far it is stands beside.
    """
    if scan.is_over:
        state = "" if scan.state == "DONE" else f" {scan.state}"
    else:
        state = f" ({scan.length}/{scan.npoints})" if not live and scan.npoints and scan.length else ""
    return f"{scan.label}: {scan.title}{state}"


def labelled(channel: LiveChannel) -> str:
    """Return `robx [mm]`."""
    return f"{channel.name} [{channel.unit}]" if channel.unit else channel.name


# -- curves ------------------------------------------------------------------------------------------------------------


def _along(scan: LiveScan, plot: PlotChoice) -> LiveChannel | None:
    """Return what counters are plotted along; None: the number of the point."""
    found = scan.channel(plot.x) if plot.x else None
    return found if found is not None and found.is_number else None


def _curves(
    scan: LiveScan,
    channels: Sequence[LiveChannel],
    axis: LiveChannel | None,
    width: int,
    height: int,
    look: Look,
    wish: Wish,
) -> list[str]:
    drawn = {channel.path: Curve(*_points(scan, axis, channel), labelled(channel)) for channel in channels}
    panels = _panels([(channel, drawn[channel.path].values.ends) for channel in channels], together=wish.log)
    panels = panels[: most_panels(height)]
    curves = [[drawn[channel.path] for channel in panel] for panel in panels]
    marks: Sequence[Mark] = ()
    if len(panels) == 1 and len(panels[0]) == 1 and axis is not None:
        counter = panels[0][0]
        if scan.is_over or counter.length <= MARKED:
            found = _stats(scan, counter, axis, wish)
            if scan.is_over or found.kind != "edge":  # half a peak looks like an edge
                marks = list(_marks(found))
        curves[0] += _behind(wish.before, axis, counter)
    if wish.fit is not None and wish.fit.evaluate is not None:
        curves[0] = [
            replace(curves[0][0], is_joined=False),
            Curve(*wish.fit.curve(), wish.fit.model, is_line=True),
            *curves[0][1:],
        ]
    return draw_panels(
        curves,
        width,
        height,
        look,
        title=title_of(scan, live=wish.live),
        x_label=labelled(axis) if axis else "point",
        x_range=_told_range(scan, axis),
        marks=marks,
        log=wish.log,
    )


def _points(scan: LiveScan, axis: LiveChannel | None, channel: LiveChannel) -> tuple[Array, Array]:
    """Return places and values as they are now: to be drawn at once, no copies."""
    if axis is not None:
        places, values = scan.curves(axis, channel)
        return places, values
    return np.arange(len(channel.values)) * float(channel.stride), channel.values


def _panels(found: Sequence[tuple[LiveChannel, tuple[float, float]]], together: bool) -> list[list[LiveChannel]]:
    """Return the counters of each panel: together are those with one unit and ranges that go well on one scale."""
    panels: list[tuple[list[LiveChannel], list[tuple[float, float]]]] = []
    for channel, span in found:
        for others, spans in panels:
            if together or (others[0].unit == channel.unit and _are_alike([*spans, span])):
                others.append(channel)
                spans.append(span)
                break
        else:
            panels.append(([channel], [span]))
    return [channels for channels, _ in panels]


def _are_alike(spans: Sequence[tuple[float, float]]) -> bool:
    known = [(low, high) for low, high in spans if low <= high]
    if len(known) < len(spans):
        return not known  # nothing is known yet of any, or of one only
    whole = max(high for _, high in known) / 2 - min(low for low, _ in known) / 2
    return all(whole <= ALIKE * (high / 2 - low / 2) for low, high in known)


def _range_of(values: Array) -> tuple[float, float]:
    """Return the least and the greatest; of nothing, a range that is none."""
    usable = values[np.isfinite(values)]
    return (float(usable.min()), float(usable.max())) if len(usable) else (math.inf, -math.inf)


def _told_range(scan: LiveScan, axis: LiveChannel | None) -> tuple[float, float] | None:
    told = meta_of(scan, axis) if axis else {}
    start, stop = told.get("start"), told.get("stop")
    return (float(start), float(stop)) if isinstance(start, int | float) and isinstance(stop, int | float) else None


def _stats(scan: LiveScan, counter: LiveChannel, axis: LiveChannel, wish: Wish) -> CurveStats:
    stats = wish.stats or LiveStats()
    if wish.stats is None:
        stats.begin(scan)
    return stats[counter.fullname, axis.fullname]


def _marks(stats: CurveStats) -> Iterator[Mark]:
    """Yield what is marked of a curve; nothing when nothing stands out of the noise."""
    if not stats.is_clear:
        return
    if stats.kind == "edge":
        yield Mark("edge", stats.cen)
    else:
        yield Mark("peak", stats.peak) if stats.kind == "peak" else Mark("trough", stats.trough)
        yield Mark("cen", stats.cen)
    if math.isfinite(stats.fwhm):
        yield Mark("width" if stats.kind == "edge" else "fwhm", stats.cen - stats.fwhm / 2, stats.cen + stats.fwhm / 2)


def _behind(before: LiveScan | None, axis: LiveChannel, counter: LiveChannel) -> list[Curve]:
    if before is None:
        return []
    x, y = before.channel(axis.fullname), before.channel(counter.fullname)
    if x is None or y is None or not (x.is_number and y.is_number):
        return []
    return [Curve(*_points(before, x, y), before.label, Role.DIM)]


# -- maps --------------------------------------------------------------------------------------------------------------


def _scattered(scan: LiveScan, plot: PlotChoice) -> tuple[LiveChannel, LiveChannel, GridAxis, GridAxis] | None:
    """Return the two axes of a map; None when the scan has not both."""
    fast, slow = scan.channel(plot.x), scan.channel(plot.x2)
    if fast is None or slow is None or not (fast.is_number and slow.is_number):
        return None
    columns, rows = plot.grid
    return fast, slow, _grid_axis(scan, fast, columns), _grid_axis(scan, slow, rows)


def _grid_axis(scan: LiveScan, axis: LiveChannel, count: int) -> GridAxis:
    """Return the places along an axis; where they are on no grid, about square is assumed."""
    ends = _told_range(scan, axis)
    if ends is None or not count:
        low, high = _range_of(axis.values)
        ends = (low, high) if low <= high else (0.0, 1.0)
    return GridAxis(*ends, count or max(1, round(math.sqrt(len(axis.values)))))


def _map(
    scan: LiveScan,
    channel: LiveChannel,
    fast: LiveChannel,
    slow: LiveChannel,
    columns: GridAxis,
    rows: GridAxis,
    width: int,
    height: int,
    look: Look,
    wish: Wish,
) -> list[str]:
    x, y, values = (np.array(each, float) for each in scan.curves(fast, slow, channel))
    plane = columns.count * rows.count
    if len(axes_of(scan)) > 2 and len(values) > plane and scan.stride_of(fast, slow, channel) == 1:
        begin = (len(values) - 1) // plane * plane  # of more than two axes, the last plane
        x, y, values = x[begin:], y[begin:], values[begin:]
    return draw_map(
        gridded(x, y, values, columns, rows),
        width,
        height,
        look,
        columns=columns,
        rows=rows,
        name=labelled(channel),
        title=title_of(scan, live=wish.live),
        x_label=f"{labelled(fast)}, up {labelled(slow)}",
        log=wish.log,
    )


# -- spectra and images ------------------------------------------------------------------------------------------------


def dimensions_of(channel: LiveChannel) -> int:
    """Return those of a point: 0 of a scalar, 1 of a spectrum, 2 of an image."""
    told = channel.info.get("image_shape")
    return len(told) if isinstance(told, list | tuple) else len(channel.shape)


def _fields(
    scan: LiveScan, plot: PlotChoice, channels: Sequence[LiveChannel], width: int, height: int, look: Look, log: bool
) -> list[str]:
    first = channels[0]
    title = f"point {first.length} of {title_of(scan)}" if first.length > 1 else title_of(scan)
    try:
        last = [(channel, points) for channel in channels if (points := last_of(channel)) is not None]
        places = scan.channel(plot.x) if plot.x else None
        x = last_of(places) if places else None
    except (DataError, OSError) as error:
        return [look.paint(cut(f"{first.name}: {error}", width, look.glyphs.ellipsis), Role.WARNING)]
    if not last:
        return [look.paint(f"{first.name}, {title}: no points yet", Role.DIM)]
    if last[0][1].ndim > 1:
        image = last[0][1]
        while image.ndim > 3:
            image = image[-1]
        return draw_image(image, width, height, look, name=labelled(first), title=title, log=log)
    curves = [Curve(_places(x, len(points)), points, labelled(channel)) for channel, points in last if points.ndim == 1]
    label = labelled(places) if places else "index"
    return draw_curves(curves, width, height, look, title=title, x_label=label, log=log)


def _places(x: Array | None, length: int) -> Array:
    return x if x is not None and x.shape == (length,) else np.arange(length)


def last_of(channel: LiveChannel) -> Array | None:
    """Return the last spectrum or image; None when none has come, or when it is none of numbers.

    :raises DataError: the file that has it cannot be read.
    """
    last: Any = channel.last
    if isinstance(last, str):
        last = ImageReference.of(last).read()
    elif isinstance(last, ImageReference):
        last = last.read()
    if last is None:
        return None
    values = np.asarray(last)
    return values if values.ndim and values.dtype.kind in "fiub" else None


def named_in(scan: LiveScan, wanted: str) -> Mapping[str, LiveChannel]:
    """Return the channels that can be drawn and that a name or a pattern means, by their full names."""
    drawable = [each for each in scan.channels.values() if each.is_number or dimensions_of(each) > 0]
    exact = {each.fullname: each for each in drawable if each.fullname == wanted}
    return exact or {each.fullname: each for each in drawable if means(wanted, each.fullname)}
