"""The plots that a file proposes: which channels over which, so that any viewer shows a scan when it opens it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.data.scan_data import means

from .nexus_items import Cut, Field, Gridded, Group, Hard, Item
from .nexus_names import RESERVED, Place, free_name
from .nexus_record import ScanRecord

DEFAULT = "plotselect"
"""Name of the plot of the chosen counters."""


def plots_of(record: ScanRecord, places: Sequence[Place], links: Mapping[str, Item]) -> dict[str, Group]:
    """Return the plots of an entry by their names, the default one first.

    :param links: the item that stands for each channel, by its db_name.
    """
    maker = _Maker(record, places, links)
    plots: dict[str, Group] = {}
    curves = maker.curves()
    if curves is not None:
        plots[DEFAULT] = curves
    arrays = {
        free_name(f"plot_{place.name}", RESERVED): plot for place in places if (plot := maker.array(place)) is not None
    }
    plots = (
        {**arrays, **plots} if arrays and max(record.final_lengths.values(), default=0) == 1 else {**plots, **arrays}
    )
    if (grid := maker.grid()) is not None:
        plots["grid"] = grid
    return plots


def plotted_together(record: ScanRecord, places: Sequence[Place]) -> list[str]:
    """Return the db_names of those channels that are drawn over each other in the default plot."""
    return _Maker(record, places, {place.node.path: Hard("") for place in places}).together()


class _Maker:
    def __init__(self, record: ScanRecord, places: Sequence[Place], links: Mapping[str, Item]) -> None:
        self._record, self._links = record, links
        self._places = [place for place in places if place.node.path in links]
        self._lengths = record.final_lengths
        scalars = [place for place in self._places if place.shape == () and place.kind in "fiub"]
        self._axes = sorted((place for place in scalars if place.is_axis), key=self._axis_id)
        self._timers = sorted(
            (place for place in scalars if place.is_timer), key=lambda place: not place.name.startswith("elapsed")
        )
        self._chosen = self._choose([place for place in scalars if not place.is_axis and not place.is_timer])
        self._dimensions = int(record.info.get("data_dim") or 1)

    def _axis_id(self, place: Place) -> int:
        return int(self._record.meta(place.node).get("axis_id", 0))

    def _choose(self, counters: Sequence[Place]) -> list[Place]:
        display = self._record.info.get("display_extra")
        patterns = display.get("plotselect", []) if isinstance(display, Mapping) else []
        chosen = [
            place
            for place in counters
            if any(pattern == place.name or means(str(pattern), place.fullname) for pattern in patterns)
        ]
        return (chosen or list(counters[:1]))[:20]

    def _length(self, place: Place) -> int:
        return self._lengths.get(place.node.path, 0)

    def together(self) -> list[str]:
        members = [*(self._axes or self._timers[:1]), *self._chosen] if self._chosen else []
        return [place.node.path for place in members]

    # -- kinds of plots

    def curves(self) -> Group | None:
        """Return the chosen counters over the axis, or over time; over both axes of a mesh."""
        if not self._chosen:
            return None
        is_mesh = self._dimensions > 1 and len(self._axes) > 1
        axes = (self._axes[:2] if is_mesh else self._axes) or self._timers[:1]
        first, *others = self._chosen
        plot = Group("NXdata", attributes={"signal": first.name})
        if others:
            plot.attributes["auxiliary_signals"] = [place.name for place in others]
        if axes:
            plot.attributes["axes"] = [place.name for place in (axes if is_mesh else axes[:1])]
            plot.attributes |= {f"{place.name}_indices": 0 for place in axes}
        self._fill(plot, [*axes, *self._chosen])
        return plot if plot.items else None

    def array(self, place: Place) -> Group | None:
        """Return the spectra or images of a channel over the axis."""
        if place.node.path not in self._links:
            return None
        shape = tuple(self._record.meta(place.node).get("shape", ())) or place.shape
        if place.refers_to_images:
            shape = tuple(place.node.info.get("image_shape", ()))
        if not shape or place.is_ragged or place.kind not in "fiubU":
            return None
        plot = Group("NXdata", attributes={"signal": place.name})
        plot.attributes["interpretation"] = "image" if len(shape) > 1 else "spectrum"
        axes = self._axes[:1] or self._timers[:1] if self._dimensions == 1 else []
        if axes and not place.refers_to_images:
            plot.attributes["axes"] = [axes[0].name, *("." for _ in shape)]
            plot.attributes[f"{axes[0].name}_indices"] = 0
            self._fill(plot, [*axes, place])
        else:
            plot.items[place.name] = self._links[place.node.path]
        return plot if plot.items else None

    def grid(self) -> Group | None:
        """Return the chosen counters of a mesh that is complete as images."""
        if self._record.end is None or self._dimensions < 2 or len(self._axes) != self._dimensions:
            return None
        metas = [self._record.meta(place.node) for place in reversed(self._axes)]
        try:
            shape = tuple(int(meta["axis_points"]) for meta in metas)
            places = [
                np.linspace(float(meta["start"]), float(meta["stop"]), n) for meta, n in zip(metas, shape, strict=True)
            ]
        except (KeyError, TypeError, ValueError):
            return None
        if any(self._length(place) != math.prod(shape) for place in [*self._chosen, *self._axes]) or not self._chosen:
            return None
        first, *others = self._chosen
        plot = Group("NXdata", attributes={"signal": first.name})
        if others:
            plot.attributes["auxiliary_signals"] = [place.name for place in others]
        plot.attributes["axes"] = [place.name for place in reversed(self._axes)]
        turning = any(meta.get("axis_kind") == "backnforth" for meta in metas)
        for index, (place, values) in enumerate(zip(reversed(self._axes), places, strict=True)):
            plot.attributes[f"{place.name}_indices"] = index
            plot.items[place.name] = Field(values.tolist(), units_of(place))
        for place in self._chosen:
            plot.items[place.name] = Gridded(place.node.path, shape, turning, units_of(place))
        return plot

    def _fill(self, plot: Group, members: Sequence[Place]) -> None:
        """Put channels into a plot; of those that are longer than others, the points that all have."""
        lengths = [self._length(place) for place in members]
        common = min(lengths)
        if self._record.end is not None and not common:
            return
        for place, length in zip(members, lengths, strict=True):
            is_cut = self._record.end is not None and length != common
            cut = Cut(place.node.path, common, units_of(place))
            plot.items[place.name] = cut if is_cut else self._links[place.node.path]


def units_of(place: Place) -> dict[str, Any]:
    unit = place.node.info.get("unit")
    return {"units": str(unit)} if unit else {}
