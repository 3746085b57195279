"""What of a running scan is an axis, what a counter, and which counters people want to see; pure functions of a `LiveScan`.

An info may come from anywhere, also from a scan that somebody has made by hand: what is not as expected is taken as not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bliss_like.data.scan_data import means
from bliss_like.errors import UsageError

from .scan import LiveChannel, LiveScan, once

Array = np.ndarray[Any, Any]

TIMES = ("elapsed_time", "epoch")
"""Short names of the channels that say when a point was taken."""
STATISTICS = ("_N", "_std", "_var", "_min", "_max", "_p2v")
"""What the names of further channels of a counter end with."""


def meta_of(scan: LiveScan, channel: LiveChannel) -> Mapping[str, Any]:
    """Return what the info says of a channel: `start stop axis_id axis_points ...`, as far as it does."""
    channels = scan.info.get("channels")
    found = channels.get(channel.fullname) if isinstance(channels, Mapping) else None
    return found if isinstance(found, Mapping) else {}


@once
def axes_of(scan: LiveScan) -> list[LiveChannel]:
    """Return the axes that are scanned, the fastest first; none of a scan that only counts."""
    told = [(meta_of(scan, channel).get("axis_id"), channel) for channel in scan.scalars()]
    axes = [(number, channel) for number, channel in told if isinstance(number, int)]
    if axes:
        return [channel for _, channel in sorted(axes, key=lambda pair: pair[0])]
    return [channel for channel in scan.scalars() if channel.fullname.startswith("axis:")]


def time_of(scan: LiveScan) -> LiveChannel | None:
    """Return the channel of times, seconds from the start of the scan if there is such a one."""
    found = [channel for name in TIMES for channel in scan.scalars() if channel.name == name]
    return next(iter(found), None)


@once
def counters_of(scan: LiveScan) -> list[LiveChannel]:
    """Return the channels of counters that give one number each point: no axes, times, nor further statistics of a counter."""
    others = {channel.path for channel in axes_of(scan)}
    names = {channel.fullname for channel in scan.scalars()}
    return [
        channel
        for channel in scan.scalars()
        if channel.path not in others and channel.name not in TIMES and not _is_statistic(channel.fullname, names)
    ]


def _is_statistic(name: str, names: set[str]) -> bool:
    return any(name.endswith(end) and name.removesuffix(end) in names for end in STATISTICS)


def selected_of(scan: LiveScan) -> list[LiveChannel]:
    """Return the counters that `plotselect` has chosen for the scan and that it has."""
    patterns = wanted_of(scan, "plotselect")
    return [channel for pattern in patterns for channel in counters_of(scan) if means(pattern, channel.fullname)]


def wanted_of(scan: LiveScan, what: str) -> list[str]:
    """Return the names and patterns that somebody has chosen: to be plotted, `plotselect`, or for tables, `table`."""
    extra = scan.info.get("display_extra")
    wanted = extra.get(what) if isinstance(extra, Mapping) else None
    return [each for each in wanted if isinstance(each, str)] if isinstance(wanted, list | tuple) else []


@once
def chosen_of(scan: LiveScan) -> list[LiveChannel]:
    """Return the counters of interest: those that were chosen, else those that its plots name, else all."""
    return list(dict.fromkeys(selected_of(scan) or _proposed(scan) or counters_of(scan)))


def _proposed(scan: LiveScan) -> list[LiveChannel]:
    plots = scan.info.get("plots")
    found: list[LiveChannel] = []
    for plot in plots if isinstance(plots, list | tuple) else ():
        items = plot.get("items") if isinstance(plot, Mapping) else None
        for item in items if isinstance(items, list | tuple) else ():
            names = [item.get(key) for key in ("y", "value")] if isinstance(item, Mapping) else []
            found += [channel for channel in counters_of(scan) if channel.fullname in names]
    return found


def named(scan: LiveScan, wanted: Any) -> LiveChannel | None:
    """Return the channel that a name, a counter or an axis means; None when the scan has no such numbers.

    :raises UsageError: it has no name.
    """
    names = [wanted] if isinstance(wanted, str) else names_of(wanted)
    for name in names:
        found = scan.channel(name)
        if found is not None and found.is_number:
            return found
    return next((each for each in scan.scalars() if any(means(name, each.fullname) for name in names)), None)


def names_of(thing: Any) -> list[str]:
    """Return the names that the channel of a counter or an axis may have.

    :raises UsageError: it has none.
    """
    name = getattr(thing, "name", None)
    if not isinstance(name, str):
        raise UsageError(f"expected a counter, an axis, or the name of a channel, got {thing!r:.80}")
    fullname = getattr(thing, "fullname", None)
    return [*([fullname] if isinstance(fullname, str) else []), f"axis:{name}", name]


def points_of(scan: LiveScan, x: LiveChannel, y: LiveChannel) -> tuple[Array, Array]:
    """Return places and values, as many as both channels have, shape (npoints,) both; copies, which stay as they are."""
    places, values = scan.curves(x, y)
    return np.array(places, float), np.array(values, float)
