"""Statistics of the curves of a running scan: where the peak, the edge, the centre is, and the mean of the values.

They are worked out when somebody asks, from the points that are there: following a scan costs next to nothing. The answers are
those of `scan.cen()` and so on when it is over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from bliss_like.data import scan_math
from bliss_like.data.scan_math import Edge
from bliss_like.errors import DataError

from .curves import Array, axes_of, chosen_of, meta_of, named, points_of
from .ending import ending, values
from .scan import LiveCallback, LiveChannel, LiveScan

T = TypeVar("T")

NAN = math.nan

OF_A_CURVE = (
    *(
        "kind",
        "is_clear",
        "peak",
        "trough",
        "cen",
        "fwhm",
        "com",
        "edge",
        "crossings",
        "npoints",
        "min",
        "max",
        "mean",
        "std",
        "sum",
    ),
)
"""What `LiveStats` has of its first counter."""
FEW = 1000
"""Points of a running scan of which the statistics are always those of the last point."""
PART = 20
"""Of more points, they are worked out again when there is this part of them more: a twentieth."""


class CurveStats:
    """Statistics of one counter along one axis, of the points that there were when it was made.

    :param x, y: places and values, shape (npoints,) both; without an axis `x` is empty.
    :param told: what the info says of the axis.
    :param data_dim: dimensions of the grid of points: 2 of a mesh.
    :param several: whether the scan has other axes beside.
    """

    def __init__(
        self,
        counter: LiveChannel,
        axis: LiveChannel | None,
        x: Array,
        y: Array,
        told: Mapping[str, Any],
        data_dim: int = 1,
        several: bool = False,
        npoints: int = 0,
    ) -> None:
        self.counter, self.axis, self.x, self.y = counter, axis, x, y
        self._told, self.is_mesh, self._several = told, data_dim > 1, several
        self.npoints = npoints
        """Points that had come; of very many, not all are kept, see `LiveChannel.stride`."""

    @property
    def name(self) -> str:
        """The short name of the counter."""
        return self.counter.name

    # -- values --------------------------------------------------------------------------------------------------------

    @cached_property
    def _finite(self) -> Array:
        values: Array = self.y[np.isfinite(self.y)]
        return values

    @cached_property
    def min(self) -> float:
        """The lowest value; NaN without points, as all others are."""
        return float(self._finite.min()) if len(self._finite) else NAN

    @cached_property
    def max(self) -> float:
        return float(self._finite.max()) if len(self._finite) else NAN

    @cached_property
    def mean(self) -> float:
        with np.errstate(all="ignore"):
            return float(self._finite.mean()) if len(self._finite) else NAN

    @cached_property
    def std(self) -> float:
        """The standard deviation of a value, estimated from these; NaN of less than two."""
        with np.errstate(all="ignore"):
            return float(self._finite.std(ddof=1)) if len(self._finite) > 1 else NAN

    @cached_property
    def sum(self) -> float:
        with np.errstate(all="ignore"):
            return float(self._finite.sum()) if len(self._finite) else NAN

    # -- places --------------------------------------------------------------------------------------------------------

    @cached_property
    def kind(self) -> str:
        """What the curve is taken for: `peak`, `dip`, `edge`; empty when nothing stands out of the noise."""
        return self._of_line(scan_math.kind_of, "")

    @cached_property
    def is_clear(self) -> bool:
        """Whether there is more than noise to be seen, also of few points: what is told, marked and gone to."""
        return bool(self.kind) and scan_math.is_clear(self.x, self.y, is_mesh=self.is_mesh)

    @cached_property
    def peak(self) -> float:
        """Where the counter is highest; of a mesh, in the plane."""
        return self._extreme(1)

    @cached_property
    def trough(self) -> float:
        """Where it is lowest."""
        return self._extreme(-1)

    @cached_property
    def cen(self) -> float:
        """The middle between the places of half height; of an edge, the place of half height."""
        return self._cen[0]

    @cached_property
    def fwhm(self) -> float:
        """The full width at half maximum; of an edge, that of its slope."""
        return self._cen[1]

    @cached_property
    def com(self) -> float:
        """The centre of mass of what stands above the baseline."""
        return float(self.x.mean()) if self.stands else self._of_line(scan_math.com, NAN)

    @cached_property
    def edge(self) -> Edge:
        """Place and width of the step between the levels at both ends."""
        return self._of_line(scan_math.edge, scan_math.NO_EDGE)

    @cached_property
    def crossings(self) -> list[float]:
        """All places at half height."""
        return self._of_line(scan_math.crossings, [])

    @cached_property
    def _cen(self) -> tuple[float, float]:
        if self.stands:
            return float(self.x.mean()), NAN
        return self._of_line(scan_math.cen, scan_math.NO_CEN)

    @cached_property
    def stands(self) -> bool:
        """Whether the axis did not move, while others did: it is where it is."""
        return self._several and len(self.x) > 0 and float(np.ptp(self.x)) <= 1e-9 * abs(float(self.x[0]))

    @cached_property
    def line(self) -> tuple[Array, Array]:
        """Places and values of the curve; of a mesh, along this axis the average over the others."""
        return scan_math.line_of_mesh(self.x, self.y, self._told) if self.is_mesh and len(self.x) else (self.x, self.y)

    def _extreme(self, sign: int) -> float:
        if self.stands:
            return float(self.x.mean())
        if self.is_mesh and self.axis is not None:
            index = scan_math.highest(sign * self.y)
            return NAN if index is None else float(self.x[index])
        return self._of_line(scan_math.peak if sign > 0 else scan_math.trough, NAN)

    def _of_line(self, function: Callable[[Array, Array], T], none: T) -> T:
        if self.axis is None or not len(self.x):
            return none
        with np.errstate(all="ignore"):  # a value that stands for "no reading" may be as large as there are
            return function(*self.line)

    def __repr__(self) -> str:
        along = f" along {self.axis.name}" if self.axis else ""
        return f"<CurveStats: {self.name}{along}, {self.npoints} points>"


class LiveStats(LiveCallback):
    """Follows scans, and knows the statistics of the last one that began.

    ::

        stats = LiveStats("diode")
        ascan(robx, 0, 1, 20, 0.1, diode, subs=[stats])
        stats.cen, stats.fwhm, stats["diode"].max

    :param y: counters, or their names; None: those that `plotselect` has chosen, else those that the scan proposes to plot, or all.
    :param x: an axis of the scan or its name, or "elapsed_time"; None: the scan's axes.
    """

    def __init__(self, y: Any = None, x: Any = None) -> None:
        super().__init__()
        self._wanted = y if isinstance(y, list | tuple) else None if y is None else [y]
        self._along = x
        self.scan: LiveScan | None = None
        """The scan that began last."""
        self._known: dict[tuple[str, str], CurveStats] = {}

    def begin(self, scan: LiveScan) -> None:
        if scan.is_group:
            return
        self.scan = scan
        self._known.clear()

    # -- of the counters -------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> list[LiveChannel]:
        """The counters of the scan that are looked at."""
        if self.scan is None:
            return []
        if self._wanted is None:
            return chosen_of(self.scan)
        return [found for each in self._wanted if (found := named(self.scan, each)) is not None]

    @property
    def axes(self) -> list[LiveChannel]:
        """What is looked along, the fastest axis first; empty when the scan has no axis."""
        if self.scan is None:
            return []
        if self._along is None:
            return axes_of(self.scan)
        found = named(self.scan, self._along)
        return [found] if found is not None else []

    def __iter__(self) -> Iterator[CurveStats]:
        """Yield the statistics of each counter along the first axis."""
        axis = next(iter(self.axes), None)
        return (self._stats(counter, axis) for counter in self.counters)

    def __getitem__(self, key: Any) -> CurveStats:
        """Return the statistics of a counter, or, as in `stats["diode", "roby"]`, along one axis.

        :raises DataError: the scan has none of that name.
        """
        counter, axis = key if isinstance(key, tuple) else (key, None)
        if self.scan is None:
            raise DataError("no statistics: no scan has begun since they are made")
        found = named(self.scan, counter)
        along = next(iter(self.axes), None) if axis is None else named(self.scan, axis)
        if found is None or (axis is not None and along is None):
            there = ", ".join(channel.name for channel in self.scan.scalars()) or "none"
            raise DataError(
                f"{self.scan.label} has no {counter if found is None else axis!r} with one number each point; there are: {there}"
            )
        return self._stats(found, along)

    def along(self, counter: LiveChannel) -> list[CurveStats]:
        """Return the statistics of a counter along each axis; without axes, one for its values."""
        return [self._stats(counter, axis) for axis in self.axes] or [self._stats(counter, None)]

    def _stats(self, counter: LiveChannel, axis: LiveChannel | None) -> CurveStats:
        key = (counter.path, axis.path if axis else "")
        known = self._known.get(key)
        if known is None or self._is_old(known.npoints, min(counter.length, axis.length) if axis else counter.length):
            known = self._known[key] = self._made(counter, axis)
        return known

    def _is_old(self, before: int, now: int) -> bool:
        is_over = self.scan is None or self.scan.is_over
        return now != before if before <= FEW or is_over else now - before >= before // PART

    def _made(self, counter: LiveChannel, axis: LiveChannel | None) -> CurveStats:
        if self.scan is None or axis is None:
            values = np.array(counter.values, float)
            return CurveStats(counter, None, values[:0], values, {}, npoints=counter.length)
        x, y = points_of(self.scan, axis, counter)
        dimensions = self.scan.info.get("data_dim")
        return CurveStats(
            *(counter, axis, x, y, meta_of(self.scan, axis)),
            data_dim=dimensions if isinstance(dimensions, int) else 1,
            several=len(self.axes) > 1,
            npoints=min(counter.length, axis.length),
        )

    # -- of the first counter --------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """`stats.cen` and the others are those of the first counter; None when there is none."""
        if name not in OF_A_CURVE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        first = next(iter(self), None)
        return None if first is None else getattr(first, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *OF_A_CURVE]

    def __str__(self) -> str:
        if not self.axes:
            return "\n".join(values(self)) or "no points yet"
        return "\n".join(ending(self)) or "nothing stands out of the noise"

    __info__ = __str__
