"""Where the peaks of a scan are, by its node: also of scans that only files have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.errors import DataError

from . import scan_math
from .codec import Array

Function = Callable[[Array, Array], Any]
"""Takes positions and values, shape (npoints,) both; returns a position, or a tuple that begins with one."""


class NodeCurves:
    """The part of a scan's node that knows its curves: what scans have, with channels by their names.

    `counter` and `axis` are names, short names, or the counter and the axis themselves. Without an axis, all that the scan has
    moved, else the time. The answer is a number, of several axes {short name: number}; NaN where nothing stands out of the noise.
    """

    if TYPE_CHECKING:

        @property
        def info(self) -> dict[str, Any]: ...

        def get_data(self, key: Any = None) -> Any: ...

    def peak(self, counter: Any, axis: Any = None) -> float | dict[str, float]:
        """Return where the counter is highest.

        :raises KeyError: the scan has no such channel.
        :raises DataError: its points are no numbers, or not those of the axis.
        """
        return self.find_position(scan_math.peak, counter, axis)

    def trough(self, counter: Any, axis: Any = None) -> float | dict[str, float]:
        """Return where the counter is lowest."""
        return self.find_position(scan_math.trough, counter, axis)

    def cen(self, counter: Any, axis: Any = None) -> float | dict[str, float]:
        """Return the middle between the places of half height; of an edge, the place of half height."""
        return self.find_position(scan_math.cen, counter, axis)

    def com(self, counter: Any, axis: Any = None) -> float | dict[str, float]:
        """Return the centre of mass of what stands above the baseline."""
        return self.find_position(scan_math.com, counter, axis)

    def fwhm(self, counter: Any, axis: Any = None) -> float | dict[str, float]:
        """Return the full width at half maximum."""
        return self.find_position(scan_math.fwhm, counter, axis)

    def find_position(self, func: Function, counter: Any, axis: Any = None) -> float | dict[str, float]:
        """Return what `func(positions, values)` says of the curve along each axis."""
        data = self.get_data()
        names = [data.find(axis)] if axis is not None else self._axes(data)
        values = _numbers(data, data.find(counter))
        found = {name: self._along(name, _numbers(data, name), values, func) for name in names}
        if len(found) == 1:
            return next(iter(found.values()))
        return {name.rpartition(":")[2]: place for name, place in found.items()}

    def _axes(self, data: Any) -> list[str]:
        """Return the full names of the scanned axes; of the time, if there are none."""
        told = self.info.get("channels", {})
        axes = sorted(
            (name for name in data if "axis_id" in told.get(name, {})), key=lambda name: told[name]["axis_id"]
        )
        return axes or [data.find("elapsed_time")]

    def _along(self, axis: str, x: Array, y: Array, func: Function) -> float:
        if len(x) < len(y):
            raise DataError(f"{axis} has {len(x)} points and the counter {len(y)}; expected as many")
        x = x[: len(y)]
        if int(self.info.get("data_dim") or 1) > 1:
            at = 1 if func is scan_math.peak else -1 if func is scan_math.trough else 0
            if at:
                index = scan_math.highest(at * y)
                return float("nan") if index is None else float(x[index])
            x, y = scan_math.line_of_mesh(x, y, self.info["channels"].get(axis, {}))
        result = func(x, y)
        return float(result[0] if isinstance(result, tuple) else result)


def _numbers(data: Any, name: str) -> Array:
    values = data[name]
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise DataError(
            f"{name}: expected one number each point, its points are {values.dtype} of shape {values.shape[1:]}"
        )
    return np.asarray(values, float)
