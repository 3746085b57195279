"""The curves that a scan has measured: where their peaks are, and how to go there.

Every scan has these methods. They read what is stored, so they work as well long after the scan; those of a scan that was
aborted use the points that are there.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.data import scan_math
from bliss_like.data.lifecycle import ScanState
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.naming import full_name_of, name_of
from bliss_like.devices.numbers import brief, place, places
from bliss_like.errors import ScanError

from .acquisition import is_axis
from .channel import Array
from .greenlets import Shield

if TYPE_CHECKING:
    from .chain import AcquisitionChain

Function = Callable[[Array, Array], Any]
"""Takes positions and values, shape (npoints,) both; returns a position, or a tuple that begins with one."""

_log = logging.getLogger(__name__)

AS_MEASURED: dict[Function, Function] = {
    scan_math.peak: scan_math.highest_point,
    scan_math.trough: scan_math.lowest_point,
}
"""What is taken where nothing stands out of the noise, if somebody insists."""

TIMES = ("elapsed_time", "epoch")
"""What stands for an axis where none was scanned; short names of channels."""


class Curves:
    """The part of a scan that knows its curves.

    `counter` is a counter or the name of its channel. `axis` is one of the scan's axes, its name, or "elapsed_time"; without
    it, all axes of the scan, and the time for scans that have none. The answer is a number for one axis, and
    {axis: number} for several or with `return_axes`. It is NaN where nothing stands out of the noise.
    """

    if TYPE_CHECKING:
        acq_chain: AcquisitionChain
        scan_info: Mapping[str, Any]

        @property
        def label(self) -> str: ...

        @property
        def state(self) -> ScanState: ...

        def get_data(self, key: Any = None) -> Any: ...

    # -- positions -----------------------------------------------------------------------------------------------------

    def peak(self, counter: Any, axis: Any = None, return_axes: bool = False) -> Any:
        """Return where the counter is highest.

        :raises ScanError: the scan runs, or has no such counter or axis.
        """
        return _answer(self.located(scan_math.peak, counter, axis), return_axes)

    def trough(self, counter: Any, axis: Any = None, return_axes: bool = False) -> Any:
        """Return where the counter is lowest."""
        return _answer(self.located(scan_math.trough, counter, axis), return_axes)

    def cen(self, counter: Any, axis: Any = None, return_axes: bool = False) -> Any:
        """Return the middle between the places of half height; of an edge, the place of half height."""
        return _answer(self.located(scan_math.cen, counter, axis), return_axes)

    def com(self, counter: Any, axis: Any = None, return_axes: bool = False) -> Any:
        """Return the centre of mass of what stands above the baseline."""
        return _answer(self.located(scan_math.com, counter, axis), return_axes)

    def fwhm(self, counter: Any, axis: Any = None, return_axes: bool = False) -> Any:
        """Return the full width at half maximum."""
        widths = self._evaluate(lambda x, y: scan_math.fwhm(x, y), counter, axis)
        return _answer(widths, return_axes)

    def find_position(self, func: Function, counter: Any, axis: Any = None, return_axes: bool = False) -> Any:
        """Return what `func(positions, values)` says of the curve."""
        return _answer(self.located(func, counter, axis), return_axes)

    def located(self, func: Function, counter: Any, axis: Any = None, force: bool = False) -> dict[Any, float]:
        """Return what a function says of the curve along each axis; for times, the name stands for the axis.

        :param force: take the highest point for the peak, the lowest one for the trough, where nothing stands out of the noise.
        """
        if force and func in AS_MEASURED:
            found = self.located(func, counter, axis)
            measured = self._evaluate(AS_MEASURED[func], counter, axis)
            return {each: place if math.isfinite(place) else measured[each] for each, place in found.items()}
        at = 1 if func is scan_math.peak else -1 if func is scan_math.trough else 0
        if not (at and self._is_mesh):
            return self._evaluate(func, counter, axis)
        values = self._values(counter)
        index = scan_math.highest(at * values)
        along = {each: self._places(each, len(values)) for each in self._axes(axis)}
        return {each: math.nan if index is None else float(x[index]) for each, x in along.items()}

    # -- moves ---------------------------------------------------------------------------------------------------------

    def goto_peak(self, counter: Any, axis: Any = None, *, force: bool = False) -> None:
        """Move the axes of the scan to where the counter is highest.

        :param force: go also where that is not to be told from noise.
        :raises ScanError: there is no such place, it is a time, or it may as well be noise; nothing was moved.
        :raises AxisLimitError: it is outside the limits of an axis; nothing was moved.
        """
        self._go(scan_math.peak, "the peak", counter, axis, force)

    def goto_min(self, counter: Any, axis: Any = None, *, force: bool = False) -> None:
        """Move the axes of the scan to where the counter is lowest; `force` and errors as for `goto_peak`."""
        self._go(scan_math.trough, "the trough", counter, axis, force)

    def goto_cen(self, counter: Any, axis: Any = None, *, force: bool = False) -> None:
        """Move the axes of the scan to the centre of the peak, or of the edge; the rest is as for `goto_peak`."""
        self._go(scan_math.cen, "the centre", counter, axis, force)

    def goto_com(self, counter: Any, axis: Any = None, *, force: bool = False) -> None:
        """Move the axes of the scan to the centre of mass; the rest is as for `goto_peak`."""
        self._go(scan_math.com, "the centre of mass", counter, axis, force)

    def goto_custom(self, func: Function, counter: Any, axis: Any = None) -> None:
        """Move the axes of the scan to where `func(positions, values)` says, noise or not; errors as for `goto_peak`."""
        name = getattr(func, "__name__", "the function")
        self._go(func, f"what {name} says", counter, axis, True)

    def _go(self, func: Function, what: str, counter: Any, axis: Any, force: bool) -> None:
        targets = self.located(func, counter, axis, force)
        self.go_to(targets, f"{what} of {_told(counter)}", unless_noise=None if force else counter)

    def go_to(
        self,
        targets: Mapping[Any, float],
        what: str,
        move: Callable[..., object] | None = None,
        unless_noise: Any = None,
    ) -> None:
        """Move axes to positions found in the scan; when that is aborted, back to where they were.

        :param what: what is there, for errors.
        :param move: moves them, called with axis, position, axis, position...; by default all together.
        :param unless_noise: a counter: nothing moves when nothing stands out of its noise.
        """
        for axis, target in targets.items():
            if not is_axis(axis):
                raise ScanError(f"{self.label}: {what} is at a time, {axis}, and nobody goes there; nothing moved")
            if not math.isfinite(target):
                raise ScanError(
                    f"{self.label}: {what} along {name_of(axis)} is not a number, nothing stands out of the noise; nothing moved; "
                    "goto_peak(force=True) goes to the highest point, goto_custom(f) where f(positions, values) says"
                )
        if unless_noise is not None and not self.stands_out(unless_noise, targets):
            there = ", ".join(f"{name_of(axis)} = {place(axis, target)}" for axis, target in targets.items())
            raise ScanError(
                f"{self.label}: {what} cannot be told from the noise of its {len(self._values(unless_noise))} points; nothing "
                f"moved; goto_... with force=True goes where it would be, {there}"
            )
        for axis, target in targets.items():
            self._warn_if_outside(axis, target, what)
        _move(dict(targets), move)

    def stands_out(self, counter: Any, axes: Iterable[Any] | None = None) -> bool:
        """Return whether the counter has more than noise along one of the axes, by default along any of the scan.

        It is the same judgement by which a peak is told at the end of a scan, and marked in plots.
        """
        y = self._values(counter)
        for axis in self._axes(None) if axes is None else axes:
            x = self._places(axis, len(y))
            if scan_math.kind_of(*self._curve(axis, x, y)) and scan_math.is_clear(x, y, is_mesh=self._is_mesh):
                return True
        return False

    def _warn_if_outside(self, axis: Any, target: float, what: str) -> None:
        x = np.asarray(self.get_data(axis), float)
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        margin = 1e-6 * (high - low) + _tolerance(axis)
        if not low - margin <= target <= high + margin:
            _log.warning(
                "%r: %s is at %s = %s, outside the scanned range %s",
                self, what, name_of(axis), place(axis, target), places(axis, low, high),
            )  # fmt: skip

    # -- data ----------------------------------------------------------------------------------------------------------

    @property
    def scanned_axes(self) -> list[Any]:
        """The axes that the scan moves; without those that are moved by pseudo axes."""
        found: list[Any] = []
        for node in self.acq_chain.nodes_list:
            device = node.device
            found += device.axes.values() if isinstance(device, AxisGroup) else [device] if is_axis(device) else []
        return list(dict.fromkeys(found))

    def scans_along(self, axis: Any) -> bool:
        """Whether the scan moves this axis, or the one of that name."""
        return _named(self.scanned_axes, axis) is not None

    @property
    def has_time(self) -> bool:
        """Whether the scan notes times."""
        return any(c.short_name in TIMES for node in self.acq_chain.nodes_list for c in node.channels)

    @property
    def _is_mesh(self) -> bool:
        return int(self.scan_info.get("data_dim") or 1) > 1

    def _axes(self, axis: Any) -> list[Any]:
        """Return the axes that are meant; times by their names.

        :raises ScanError: it is none of this scan.
        """
        axes = self.scanned_axes
        times = list(TIMES) if self.has_time else []
        if axis is None and (axes or times):
            return axes or times[:1]
        found = _named(axes, axis)
        if found is not None:
            return [found]
        if isinstance(axis, str) and axis.removeprefix("timer:") in times:
            return [axis.removeprefix("timer:")]
        there = ", ".join([*map(name_of, axes), *times]) or "nothing to look along"
        raise ScanError(f"{self.label}: {_told(axis)} was not scanned; there is {there}")

    def _evaluate(self, func: Function, counter: Any, axis: Any) -> dict[Any, float]:
        if not callable(func):
            raise ScanError(f"{self.label}: expected a function of positions and values, got {_told(func)}")
        axes = self._axes(axis)
        y = self._values(counter)
        found = {}
        for each in axes:
            x = self._places(each, len(y))
            stands = len(axes) > 1 and float(np.ptp(x)) <= max(_tolerance(each), 1e-9 * abs(float(x[0])))
            found[each] = float(x.mean()) if stands else _number(func, func(*self._curve(each, x, y)))
        return found

    def _values(self, counter: Any) -> Array:
        """Return the points of a counter.

        :raises ScanError: they are still to come, there are none, or they are no numbers.
        """
        if not self.state.is_final:
            told = "was not run yet" if self.state is ScanState.IDLE else "still runs: wait for its end"
            raise ScanError(f"{self.label} {told}")
        if counter is None or is_axis(counter):
            hint = "" if counter is None else "; an axis is named with axis="
            raise ScanError(f"{self.label}: expected a counter, got {brief(counter)}{hint}")
        values = np.asarray(self._points(counter), float)
        if values.ndim != 1:
            raise ScanError(
                f"{self.label}: {_told(counter)} has points of shape {values.shape[1:]}; expected one number each"
            )
        if not len(values):
            raise ScanError(
                f"{self.label} has no points of {_told(counter)}: it ended as {self.state.name} before the first"
            )
        return values

    def _places(self, axis: Any, npoints: int) -> Array:
        """Return where an axis was, one place for each point of the counter; the last one may be without a count."""
        x = np.asarray(self._points(axis), float)
        if len(x) < npoints or (len(x) > npoints + 1 and self.state is ScanState.DONE):
            raise ScanError(
                f"{self.label}: {_told(axis)} has {len(x)} points and the counter {npoints}; expected as many: they are not "
                "triggered together"
            )
        return x[:npoints]

    def _points(self, key: Any) -> Any:
        try:
            return self.get_data(key)
        except KeyError as error:
            raise ScanError(f"{self.label}: {error.args[0]}") from None

    def _curve(self, axis: Any, x: Array, y: Array) -> tuple[Array, Array]:
        """Return the curve along one axis; of a mesh, the average over the other axes."""
        info = self.scan_info.get("channels", {}).get(full_name_of(axis), {}) if self._is_mesh and is_axis(axis) else {}
        return scan_math.line_of_mesh(x, y, info) if info else (x, y)


def _move(targets: dict[Any, float], move: Callable[..., object] | None) -> None:
    before = {axis: axis._set_position for axis in targets}
    group = AxisGroup(*targets)
    try:
        if move is None:
            group.move(targets)
        else:
            move(*(item for pair in targets.items() for item in pair))
    except Exception:
        raise
    except BaseException:
        try:
            Shield(aborts=1).run(lambda: group.move(before))
        except Exception as error:  # noqa: BLE001  the abort is what is raised
            _log.error("%s did not go back where it was: %s", ", ".join(map(name_of, before)), error)
        raise


def _number(func: Function, result: Any) -> float:
    try:
        return float(result[0] if isinstance(result, tuple) else result)
    except (TypeError, ValueError, IndexError):
        name = getattr(func, "__name__", repr(func))
        raise ScanError(
            f"{name}: expected to return a position, or a tuple that begins with one, got {brief(result)}"
        ) from None


def _named(axes: list[Any], wanted: Any) -> Any:
    """Return the axis that is meant, None if it is none of these."""
    for axis in axes:
        names = (axis.name, name_of(axis), full_name_of(axis), f"axis:{axis.name}")
        if axis is wanted or (isinstance(wanted, str) and wanted in names):
            return axis
    return None


def _tolerance(axis: Any) -> float:
    return getattr(axis, "tolerance", None) or 0.0


def _answer(found: dict[Any, float], return_axes: bool) -> Any:
    return found if return_axes or len(found) > 1 else next(iter(found.values()))


def _told(thing: Any) -> str:
    """Return what people call a counter or an axis."""
    return name_of(thing) if hasattr(thing, "name") else str(thing) if isinstance(thing, str) else brief(thing)
