"""Fits of scans with lmfit: while they run, when they are over, and of any x and y."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bliss_like.data.scan_math import kind_of
from bliss_like.errors import DataError

from .curves import axes_of, chosen_of, named, points_of, time_of
from .fitting import Fit, Fitter, Model, Parameter, Weights
from .scan import LiveCallback, LiveChannel, LiveScan

__all__ = ["Fit", "Fitter", "LiveFit", "Parameter", "fit"]

PART = 20
"""While a scan runs, a fit is made again when there is this part of the points more: a twentieth."""


def fit(
    scan_or_x: Any,
    y: Any = None,
    model: Model = "gaussian",
    *,
    x: Any = None,
    background: str = "constant",
    guess: Mapping[str, float] | None = None,
    weights: Weights = None,
) -> Fit:
    """Fit a curve of a scan, of one that is over or of one's own: `fit(SCANS[-1], "diode")`, `fit(x, y, "lorentzian")`.

    :param scan_or_x: a scan, its node, or places, shape (npoints,).
    :param y: a counter or its name; without it the only one of the scan, or the one that was chosen. Or values, shape (npoints,).
    :param x: an axis of the scan or its name; without it the first one.
    :param model, background, guess, weights: as for `Fitter`.
    :raises UsageError: there is no such model or parameter, or x and y do not have the same length.
    :raises DataError: the scan has no such counter or axis; lmfit is not installed.
    """
    fitter = Fitter(model, background, guess, weights)
    if not hasattr(scan_or_x, "get_data"):
        return fitter.fit(scan_or_x, y)
    from .past import scan_of

    return _of_scan(fitter, scan_of(scan_or_x), y, x)


class LiveFit(LiveCallback):
    """Follows scans, and fits the last one that began: `result` is of the points that are there when it is asked for.

    ::

        peak = LiveFit("lorentzian", "diode")
        ascan(robx, 0, 1, 20, 0.1, diode, subs=[peak])
        peak.result["center"].value, peak.result.report()

    :param model, background, guess: as for `Fitter`.
    :param weights: "counting" when values are numbers of events, as for `Fitter`.
    :param y: a counter or its name; None: the one that is chosen, or the first.
    :param x: an axis of the scan or its name; None: the first one, else the time.
    :param update_every: points between two fits while a scan runs; None: a twentieth of those that are there.
    :param out: called with the report when a scan is over.
    """

    def __init__(
        self,
        model: Model = "gaussian",
        y: Any = None,
        x: Any = None,
        *,
        background: str = "constant",
        guess: Mapping[str, float] | None = None,
        weights: str | None = None,
        update_every: int | None = None,
        out: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self._fitter = Fitter(model, background, guess, weights)
        self._y, self._x, self._every, self._out = y, x, update_every, out
        self.scan: LiveScan | None = None
        """The scan that began last."""
        self._known: Fit | None = None
        self._length = 0

    def begin(self, scan: LiveScan) -> None:
        if not scan.is_group:
            self.scan, self._known, self._length = scan, None, 0

    def finish(self, scan: LiveScan) -> None:
        if scan is self.scan and self._out is not None:
            self._out(self.result.report())

    @property
    def result(self) -> Fit:
        """The fit of the points that are there; of a scan that runs, that of those which were there a little earlier."""
        channels = [] if self.scan is None else [one for one in self._channels(self.scan) if one is not None]
        length = min((channel.length for channel in channels), default=0)
        if self._known is None or self._is_old(length):
            self._known, self._length = self._made(), length
        return self._known

    def _is_old(self, length: int) -> bool:
        more = length - self._length
        if self.scan is None or self.scan.is_over:
            return more != 0
        return more >= max(1, self._length // PART if self._every is None else self._every)

    def _channels(self, scan: LiveScan) -> tuple[LiveChannel | None, LiveChannel | None]:
        return _channels(scan, self._y, self._x)

    def _made(self) -> Fit:
        if self.scan is None:
            return Fit(self._fitter.name, False, "no scan has begun yet")
        try:
            return _of_scan(self._fitter, self.scan, self._y, self._x)
        except DataError as error:
            return Fit(self._fitter.name, False, str(error))

    def __str__(self) -> str:
        return self.result.report()

    __info__ = __str__


def fit_of_curve(scan: LiveScan, counter: LiveChannel, axis: LiveChannel | None, wanted: Any) -> Fit:
    """Return what is to be drawn over a curve: a fit that was made, or one of a model; True is a Gaussian, of an edge an edge.

    :param axis: None: the first one of the scan, else the time.
    :raises UsageError: it is nothing of these.
    :raises DataError: the scan has no axis and no times; lmfit is not installed.
    """
    if isinstance(wanted, Fit | LiveFit):
        return wanted if isinstance(wanted, Fit) else wanted.result
    axis = axis or next(iter(axes_of(scan)), time_of(scan))
    if wanted is True:
        is_edge = axis is not None and kind_of(*points_of(scan, axis, counter)) == "edge"
        wanted = "edge" if is_edge else "gaussian"
    return _of_scan(Fitter(wanted), scan, counter.fullname, axis.fullname if axis else None)


def _channels(scan: LiveScan, y: Any, x: Any) -> tuple[LiveChannel | None, LiveChannel | None]:
    """Return the channels of places and of values; None for one that is not there."""
    axis = next(iter(axes_of(scan)), time_of(scan)) if x is None else named(scan, x)
    return axis, next(iter(chosen_of(scan)), None) if y is None else named(scan, y)


def _of_scan(fitter: Fitter, scan: LiveScan, y: Any, x: Any) -> Fit:
    axis, counter = _channels(scan, y, x)
    if axis is None or counter is None:
        there = ", ".join(channel.name for channel in scan.scalars()) or "none"
        what = ("no counter" if y is None else repr(y)) if counter is None else ("no axis" if x is None else repr(x))
        raise DataError(f"{scan.label}: {what} with one number each point; there are: {there}")
    xs, ys = points_of(scan, axis, counter)
    return fitter.fit(xs, ys, f"{counter.name} along {axis.name}, {scan.label}", (axis.unit, counter.unit))
