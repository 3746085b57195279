"""Where the peak of the last scan is, and the way there: `cen goto_cen where` and so on, as people type them.

They answer as those of `bliss_like.scanning.scan_tools`, and show which scan and counter they are about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bliss_like.data import scan_math
from bliss_like.devices.inquiry import read
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import rounded
from bliss_like.scanning import scan_tools
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.curves import Function
from bliss_like.scanning.plot_choice import meshselect, plotinit, plotselect
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.scan_tools import Found

from .arguments import verb
from .columns import blocks, heading
from .moving import move

__all__ = [
    "cen",
    "com",
    "find_position",
    "fwhm",
    "goto_cen",
    "goto_com",
    "goto_custom",
    "goto_min",
    "goto_peak",
    "meshselect",
    "peak",
    "plotinit",
    "plotselect",
    "trough",
    "where",
]

USAGE = "counter=None, axis=None, scan=None"
GO_USAGE = f"{USAGE}, *, force=False"

ROWS: dict[str, Callable[[Found], dict[Any, float]]] = {
    "start": lambda found: {axis: _ends(found, axis)[0] for axis in found.positions},
    "end": lambda found: {axis: _ends(found, axis)[1] for axis in found.positions},
    "peak": lambda found: found.scan.located(scan_math.peak, found.counter),
    "cen": lambda found: found.positions,
    "com": lambda found: found.scan.located(scan_math.com, found.counter),
    "fwhm": lambda found: found.scan.fwhm(found.counter, return_axes=True),
    "now": lambda found: {each.axis: each.user for each in read(filter(is_axis, found.positions))},
}
"""The lines of `where`: what each says of every axis."""


@verb(USAGE)
def cen(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return the middle between the places of half height in the last scan; of an edge, the place of half height.

    :param counter: by default the one that `plotselect` chose, or the only one.
    :param axis: by default all axes of the scan: {axis: position} when there are several.
    """
    return _answer(scan_tools.find(scan_math.cen, counter, axis, scan))


@verb(USAGE)
def com(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return the centre of mass of the last scan."""
    return _answer(scan_tools.find(scan_math.com, counter, axis, scan))


@verb(USAGE)
def peak(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return where the counter was highest in the last scan."""
    return _answer(scan_tools.find(scan_math.peak, counter, axis, scan))


@verb(USAGE)
def trough(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return where the counter was lowest in the last scan."""
    return _answer(scan_tools.find(scan_math.trough, counter, axis, scan))


@verb(USAGE)
def fwhm(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return the full width at half maximum in the last scan."""
    return _answer(scan_tools.find(scan_math.fwhm, counter, axis, scan))


@verb(f"func, {USAGE}")
def find_position(func: Function, counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return what `func(positions, values)` says of the last scan."""
    found = scan_tools.find(func, counter, axis, scan)
    print(_source(found))
    return found.answer


@verb(GO_USAGE)
def goto_cen(counter: Any = None, axis: Any = None, scan: Scan | None = None, *, force: bool = False) -> None:
    """Move the axes of the last scan to the centre of the peak, or of the edge.

    When that is aborted they go back to where they were.

    :param force: go also where that is not to be told from noise.
    :raises ScanError: nothing stands out of the noise; nothing moved.
    """
    _go("the centre", scan_tools.find(scan_math.cen, counter, axis, scan, force=force), force)


@verb(GO_USAGE)
def goto_com(counter: Any = None, axis: Any = None, scan: Scan | None = None, *, force: bool = False) -> None:
    """Move the axes of the last scan to the centre of mass."""
    _go("the centre of mass", scan_tools.find(scan_math.com, counter, axis, scan, force=force), force)


@verb(GO_USAGE)
def goto_peak(counter: Any = None, axis: Any = None, scan: Scan | None = None, *, force: bool = False) -> None:
    """Move the axes of the last scan to where the counter was highest."""
    _go("the peak", scan_tools.find(scan_math.peak, counter, axis, scan, force=force), force)


@verb(GO_USAGE)
def goto_min(counter: Any = None, axis: Any = None, scan: Scan | None = None, *, force: bool = False) -> None:
    """Move the axes of the last scan to where the counter was lowest."""
    _go("the trough", scan_tools.find(scan_math.trough, counter, axis, scan, force=force), force)


@verb(f"func, {USAGE}")
def goto_custom(func: Function, counter: Any = None, axis: Any = None, scan: Scan | None = None) -> None:
    """Move the axes of the last scan to where `func(positions, values)` says."""
    _go(getattr(func, "__name__", "the position"), scan_tools.find(func, counter, axis, scan), True)


@verb(USAGE)
def where(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> None:
    """Show the peak, the centre and the width that the last scan has found, and where its axes are now."""
    found = scan_tools.find(scan_math.cen, counter, axis, scan)
    print(_source(found))
    _doubt(found)
    columns: list[tuple[str, dict[str, str]]] = [(_heading(each), {}) for each in found.positions]
    for label, tell in ROWS.items():
        values = tell(found)
        for each, (_, cells) in zip(found.positions, columns, strict=True):
            if each in values:
                cells[label] = _shown(each, values[each])
    print("\n\n".join("\n".join(lines) for lines in blocks(list(ROWS), columns)))


def _answer(found: Found) -> Any:
    print(_source(found))
    _doubt(found)
    return found.answer


def _doubt(found: Found) -> None:
    if found.doubt:
        print(found.doubt)


def _go(what: str, found: Found, force: bool) -> None:
    before = {axis: axis._set_position for axis in found.positions if is_axis(axis)}
    scan_tools.go(what, found, move, force=force)
    print(f"{what} of {_source(found)}")
    for axis, at in before.items():
        print(
            f"{name_of(axis)} from {rounded(axis, at)} to {rounded(axis, found.positions[axis])} {axis.unit or ''}".rstrip()
        )


def _source(found: Found) -> str:
    counter = found.counter if isinstance(found.counter, str) else name_of(found.counter)
    scan = found.scan
    return f"{counter.rpartition(':')[2]}, scan {scan.scan_number}: {scan.scan_info['title']}"


def _ends(found: Found, axis: Any) -> tuple[float, float]:
    x = np.asarray(found.scan.get_data(axis), float)
    return float(x[0]), float(x[-1])


def _heading(axis: Any) -> str:
    return heading(axis) if is_axis(axis) else f"{axis}[s]"


def _shown(axis: Any, value: float) -> str:
    return "none" if math.isnan(value) else rounded(axis, value)
