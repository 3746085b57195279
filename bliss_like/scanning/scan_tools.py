"""Positions in the last scan, and the way there, for scripts: `cen() goto_peak() fwhm()`; those at the prompt also show them.

Without `counter` it is the one that `plotselect` chose, or the only one of the scan. Without `scan` it is the last one that is
over and moved an axis (`axis`, if that is given), or, if no axis was moved, the last one with times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.data import scan_math
from bliss_like.data.events import NodeKind
from bliss_like.devices.counter import Counter, CounterController
from bliss_like.devices.naming import full_name_of
from bliss_like.devices.numbers import brief
from bliss_like.errors import ScanError

from .acquisition import is_axis
from .curves import TIMES, Function
from .environment import environment
from .plot_choice import chosen_counter
from .scan import Scan

__all__ = [
    "cen",
    "com",
    "find_position",
    "fwhm",
    "get_counter",
    "get_selected_counter_name",
    "goto_cen",
    "goto_com",
    "goto_custom",
    "goto_min",
    "goto_peak",
    "last_scan",
    "last_scan_motors",
    "peak",
    "trough",
]

Move = Callable[..., object]
"""Moves axes: called with axis, position, axis, position..."""


@dataclass(frozen=True)
class Found:
    """What was found, in which scan and of which counter; times stand for themselves."""

    scan: Scan
    counter: Any
    positions: dict[Any, float]

    @property
    def answer(self) -> Any:
        """A number for one axis, {axis: number} for several."""
        return self.positions if len(self.positions) > 1 else next(iter(self.positions.values()))

    @property
    def doubt(self) -> str:
        """What is to be said of it when nothing stands out of the noise of the counter; empty when something does."""
        if self.scan.stands_out(self.counter, self.positions) or not any(map(math.isfinite, self.positions.values())):
            return ""
        return "may be noise: nothing stands out of it"


def find(
    func: Function, counter: Any = None, axis: Any = None, scan: Scan | None = None, *, force: bool = False
) -> Found:
    """Return what a function says of a curve, and of which.

    :param force: take the highest point for the peak, the lowest one for the trough, where nothing stands out of the noise.
    :raises ScanError: there is no such scan, counter or axis.
    """
    scan = last_scan(axis) if scan is None else _checked(scan)
    counter = chosen_counter(scan) if counter is None else counter
    if func is scan_math.fwhm:
        return Found(scan, counter, scan.fwhm(counter, axis, return_axes=True))
    return Found(scan, counter, scan.located(func, counter, axis, force))


def go(what: str, found: Found, move: Move | None = None, *, force: bool = False) -> None:
    """Move the axes to what was found.

    :param what: what it is, for errors: "the peak".
    :param force: also when it may as well be noise.
    """
    counter = found.counter if isinstance(found.counter, str) else getattr(found.counter, "name", found.counter)
    found.scan.go_to(found.positions, f"{what} of {counter}", move, None if force else found.counter)


def cen(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return the middle between the places of half height; of an edge, the place of half height."""
    return find(scan_math.cen, counter, axis, scan).answer


def com(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return the centre of mass."""
    return find(scan_math.com, counter, axis, scan).answer


def peak(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return where the counter is highest."""
    return find(scan_math.peak, counter, axis, scan).answer


def trough(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return where the counter is lowest."""
    return find(scan_math.trough, counter, axis, scan).answer


def fwhm(counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return the full width at half maximum."""
    return find(scan_math.fwhm, counter, axis, scan).answer


def find_position(func: Function, counter: Any = None, axis: Any = None, scan: Scan | None = None) -> Any:
    """Return what `func(positions, values)` says."""
    return find(func, counter, axis, scan).answer


def goto_cen(
    counter: Any = None, axis: Any = None, scan: Scan | None = None, move: Move | None = None, *, force: bool = False
) -> None:
    """Move the axes of a scan to the centre.

    :param force: go also where that is not to be told from noise.
    :raises ScanError: there is none, it is a time, or it may as well be noise; nothing was moved.
    """
    go("the centre", find(scan_math.cen, counter, axis, scan, force=force), move, force=force)


def goto_com(
    counter: Any = None, axis: Any = None, scan: Scan | None = None, move: Move | None = None, *, force: bool = False
) -> None:
    """Move the axes of a scan to the centre of mass; the rest is as for `goto_cen`."""
    go("the centre of mass", find(scan_math.com, counter, axis, scan, force=force), move, force=force)


def goto_peak(
    counter: Any = None, axis: Any = None, scan: Scan | None = None, move: Move | None = None, *, force: bool = False
) -> None:
    """Move the axes of a scan to where the counter is highest; the rest is as for `goto_cen`."""
    go("the peak", find(scan_math.peak, counter, axis, scan, force=force), move, force=force)


def goto_min(
    counter: Any = None, axis: Any = None, scan: Scan | None = None, move: Move | None = None, *, force: bool = False
) -> None:
    """Move the axes of a scan to where the counter is lowest; the rest is as for `goto_cen`."""
    go("the trough", find(scan_math.trough, counter, axis, scan, force=force), move, force=force)


def goto_custom(
    func: Function, counter: Any = None, axis: Any = None, scan: Scan | None = None, move: Move | None = None
) -> None:
    """Move the axes of a scan to where `func(positions, values)` says, noise or not; errors as for `goto_cen`."""
    go(getattr(func, "__name__", "the position"), find(func, counter, axis, scan), move, force=True)


def last_scan(axis: Any = None) -> Scan:
    """Return the last scan that is over and has an axis, or that axis, or "elapsed_time".

    :raises ScanError: there is none.
    """
    over = [each for each in reversed(environment.scans) if each.state.is_final and each.kind is NodeKind.SCAN]
    for scan in over:
        if _has(scan, axis):
            return scan
    if axis is None:
        for scan in over:
            if scan.has_time and scan.with_metadata:
                return scan
    wanted = "an axis" if axis is None else str(getattr(axis, "name", axis))
    raise ScanError(f"none of the last {len(over)} scans has {wanted}; make one, or name it: scan=SCANS[...]")


def _has(scan: Scan, axis: Any) -> bool:
    if axis is None:
        return bool(scan.scanned_axes)
    if isinstance(axis, str) and axis.removeprefix("timer:") in TIMES:
        return scan.has_time
    return scan.scans_along(axis)


def get_selected_counter_name(counter: Any = None) -> str:
    """Return the full name of the counter that `cen` and the others take: that one, the chosen one, or the only one.

    :raises ScanError: there is no scan, or several counters come into question.
    """
    if counter is None:
        return chosen_counter(last_scan())
    return counter if isinstance(counter, str) else full_name_of(counter)


def session_counters() -> Iterator[Counter]:
    """Yield the counters of the session, by themselves and of its controllers."""
    for found in environment.names().values():
        if isinstance(found, Counter):
            yield found
        elif isinstance(found, CounterController) and found.is_registered:
            yield from found.counters


def get_counter(counter_name: str) -> Counter:
    """Return the counter of the session of that full name.

    :raises ScanError: there is none.
    """
    there = {name: each for each in session_counters() for name in (each.fullname, full_name_of(each))}
    if counter_name not in there:
        raise ScanError(f"the session has no counter {counter_name!r}{did_you_mean(counter_name, there)}")
    return there[counter_name]


def last_scan_motors() -> list[Any]:
    """Return the axes of the last scan that has some, with those that pseudo axes move."""
    return list(dict.fromkeys(_with_reals(last_scan().scanned_axes)))


def _with_reals(axes: Iterable[Any]) -> Iterable[Any]:
    for axis in axes:
        yield axis
        yield from _with_reals(getattr(axis, "reals", ()))


def _checked(scan: Any) -> Scan:
    if not isinstance(scan, Scan):
        hint = "; an axis is named with axis=" if is_axis(scan) else ""
        raise ScanError(f"scan: expected a scan, as in scan=SCANS[-1], got {brief(scan)}{hint}")
    return scan
