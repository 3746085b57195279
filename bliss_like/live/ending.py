"""What is said of the counters at the end of a scan: where their peaks are, and how to go there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .curves import counters_of, selected_of
from .digits import placed
from .look import cells, padded

if TYPE_CHECKING:
    from .stats import CurveStats, LiveStats

GAP = "  "


def ending(stats: LiveStats, columns: int = 80, most: int = 2, how_to_go: bool = True) -> list[str]:
    """Return a line for each counter in which something stands out of the noise; none when nothing does.

    ::

        diode  cen 2.513 mm  fwhm 0.421  peak 2.500  com 2.521   goto_cen() goes there

    :param columns: width of the terminal; what does not fit comes in a line of its own.
    :param most: counters that are told of.
    :param how_to_go: whether it is said how the axes go there.
    """
    scan = stats.scan
    if scan is None or not stats.axes:
        return []
    found: list[tuple[str, str]] = []
    for counter in stats.counters:
        along = stats.along(counter)
        told = _of_axis(along[0], scan.is_over and scan.state != "DONE") if len(along) == 1 else _of_axes(along)
        if told:
            found.append((counter.name, told))
        if len(found) == most:
            break
    chosen = selected_of(scan) or counters_of(scan)
    width = max((cells(name) for name, _ in found), default=0)
    lines = []
    for name, told in found:
        go = "goto_peak" if told.startswith(("peak", "trough")) else "goto_cen"
        go = "goto_min" if told.startswith("trough") else go
        argument = "" if len(chosen) == 1 else f'"{name}"'
        hint = f"{go}({argument}) goes there"
        hint = hint if how_to_go and _can_go(stats) else ""
        lines += _fitted(padded(name, width), told.split(GAP), hint, columns)
    return lines


def values(stats: LiveStats) -> list[str]:
    """Return a line for each counter of a scan without an axis: `diode  mean 5.02  std 0.031  min 4.95  max 5.1`."""
    shown = [one for one in stats if one.npoints]
    width = max((len(one.name) for one in shown), default=0)
    lines = []
    for one in shown:
        numbers = {"mean": one.mean, "std": one.std, "min": one.min, "max": one.max}
        told = [f"{name} {number:.6g}" for name, number in numbers.items() if math.isfinite(number)]
        lines.append(GAP.join([f"{one.name:{width}}", *told]))
    return lines


def _can_go(stats: LiveStats) -> bool:
    return all(axis.fullname.startswith("axis:") for axis in stats.axes)


def _fitted(name: str, parts: Sequence[str], hint: str, columns: int) -> list[str]:
    """Return name, parts and hint in as few lines as there is room for; those after the first are indented."""
    lines = [name]
    for part in parts:
        if lines != [name] and cells(lines[-1]) + len(GAP) + cells(part) > columns:
            lines.append(" " * cells(name))
        lines[-1] += f"{GAP}{part}"
    if not hint:
        return lines
    if len(lines) == 1 and cells(lines[0]) + 3 + cells(hint) <= columns:
        return [f"{lines[0]}   {hint}"]
    return [*lines, f"{' ' * cells(name)}{GAP}{hint}"]


def _of_axis(stats: CurveStats, is_cut_short: bool) -> str:
    """Return what is said of a curve along one axis; empty when it is noise.

    :param is_cut_short: whether the scan did not come to its end: what looks like an edge may be half of a peak then.
    """
    if not stats.is_clear or not math.isfinite(stats.cen) or (stats.kind == "edge" and is_cut_short):
        return ""
    unit = f" {stats.axis.unit}" if stats.axis and stats.axis.unit else ""
    step = step_of(stats)
    if stats.kind == "edge":
        parts = {"edge": stats.cen, "width": stats.fwhm}
    else:
        top = {"peak": stats.peak} if stats.kind == "peak" else {"trough": stats.trough}
        parts = {"cen": stats.cen, "fwhm": stats.fwhm, **top, "com": stats.com}
    shown = [(name, placed(value, step)) for name, value in parts.items() if math.isfinite(value)]
    first, *others = [f"{name} {value}" for name, value in shown]
    return GAP.join([f"{first}{unit}", *others])


def _of_axes(along: list[CurveStats]) -> str:
    """Return the place in all axes: of a mesh the highest point, of a line its centre."""
    if not any(stats.is_clear for stats in along):
        return ""
    if along[0].is_mesh:
        dip = all(stats.kind in ("dip", "") for stats in along)
        name, places = ("trough", [s.trough for s in along]) if dip else ("peak", [s.peak for s in along])
    else:
        name, places = "cen", [stats.cen for stats in along]
    if not all(map(math.isfinite, places)):
        return ""
    shown = []
    for stats, place in zip(along, places, strict=True):
        unit = f" {stats.axis.unit}" if stats.axis and stats.axis.unit else ""
        shown.append(f"{stats.axis.name if stats.axis else ''} {placed(place, step_of(stats))}{unit}")
    return f"{name} {GAP.join(shown)}"


def step_of(stats: CurveStats) -> float:
    """Return the usual distance between two places, 0 when there is none."""
    places = np.unique(stats.x[np.isfinite(stats.x)])
    steps = np.diff(places)
    if not len(steps):
        return 0.0
    return float(np.median(steps[steps > 1e-6 * float(steps.max())]))
