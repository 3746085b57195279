"""What becomes of the readings of one point: sums and statistics, worked out as they come, so that none is kept for long.

Numbers are gathered in chunks that numpy works through for all counters at once; arrays are taken in one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import time
from typing import Any, NamedTuple

import numpy as np

from bliss_like.devices.counter import SamplingCounter, SamplingCounterStatistics, SamplingMode
from bliss_like.devices.naming import full_name_of
from bliss_like.errors import ChannelValueError, DeviceError

Array = np.ndarray[Any, Any]

CHUNK = 512
"""Readings that are gathered before they are worked through."""

WITH_STATISTICS = (SamplingMode.STATS, SamplingMode.INTEGRATE_STATS)
INTEGRALS = (SamplingMode.INTEGRATE, SamplingMode.INTEGRATE_STATS)
_OF_ALL = (SamplingMode.MEAN, SamplingMode.SAMPLES, SamplingMode.INTEGRATE, *WITH_STATISTICS)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_) or (isinstance(value, np.ndarray) and not value.ndim)


class Moments(NamedTuple):
    """Of several readings: numbers, or arrays of the shape of one reading; without statistics, only the mean."""

    mean: Any
    var: Any = None
    low: Any = None
    high: Any = None


def moments_of_one(reading: Any) -> Moments:
    """Return those of a single reading: of one there is no spread to speak of."""
    if isinstance(reading, float) or np.ndim(reading) == 0:
        return Moments(reading, math.nan, reading, reading)
    array = np.asarray(reading)
    return Moments(array, np.full(array.shape, np.nan), array, array)


NO_MOMENTS = Moments(math.nan, math.nan, math.nan, math.nan)


def statistics(
    moments: Moments, nreadings: int, scale: float, count_time: float, at: float
) -> SamplingCounterStatistics:
    """Return the statistics of `nreadings` readings, times `scale`."""
    mean, var, low, high = moments
    std = math.sqrt(var) if isinstance(var, float) else np.sqrt(var)
    return SamplingCounterStatistics(
        mean * scale,
        nreadings,
        std * scale,
        var * scale * scale,
        low * scale,
        high * scale,
        (high * 1.0 - low * 1.0) * scale,  # as floats: what is unsigned, or true and false, has no difference
        count_time,
        at,
    )


class Columns:
    """Which of the counters that are read together are worked through how: by their place in a reading.

    :param modes: theirs when the scan was made: they may be changed while it runs.
    """

    def __init__(self, counters: Sequence[SamplingCounter], modes: Sequence[SamplingMode]) -> None:
        self.counters, self.modes = counters, modes
        places = range(len(counters))
        kinds = [np.dtype(counter.data_dtype).kind for counter in counters]
        self.numbers = [n for n in places if not counters[n].shape and kinds[n] in "biuf"]
        self.arrays = [n for n in places if n not in self.numbers and modes[n] in _OF_ALL]
        self.kept = [n for n in places if modes[n] is SamplingMode.SAMPLES]
        self.are_all_numbers = len(self.numbers) == len(counters)


class Readings:
    """The readings of one point, at least one."""

    def __init__(self, columns: Columns, first: Sequence[Any]) -> None:
        self._columns = columns
        self.nreadings = 0
        self.first = self.last = self._snapshot(first)
        self._rows: list[Sequence[Any]] = []
        self._folded = 0
        self._numbers: Array | None = None  # rows: mean, sum of squares of deviations from it, minimum, maximum
        self._arrays = {n: _Running(columns.counters[n], columns.modes[n]) for n in columns.arrays}
        self._kept: dict[int, list[Any]] = {n: [] for n in columns.kept}
        self._take(self.first)

    def _snapshot(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return values that stay as they are when the device reads into the same memory again."""
        if isinstance(values, np.ndarray):
            return values.tolist() if values.ndim == 1 else list(values.copy())
        if self._columns.are_all_numbers:
            return list(values)
        return [value.copy() if isinstance(value, np.ndarray) else value for value in values]

    def append(self, values: Sequence[Any]) -> None:
        self.last = self._snapshot(values)
        self._take(self.last)

    def _take(self, values: Sequence[Any]) -> None:
        self.nreadings += 1
        columns = self._columns
        self._rows.append(values if columns.are_all_numbers else [values[n] for n in columns.numbers])
        for n, running in self._arrays.items():
            running.add(values[n])
        for n, kept in self._kept.items():
            kept.append(values[n])
        if len(self._rows) >= CHUNK:
            self._fold()

    def _fold(self) -> None:
        rows, self._rows = self._rows, []
        if not rows or not self._columns.numbers:
            return
        chunk = self._as_numbers(rows)
        with np.errstate(invalid="ignore", over="ignore"):  # readings may be infinite
            mean = chunk.mean(axis=0)
            # Not by the mean of the squares, which loses what is small beside a large mean.
            new = np.array([mean, np.square(chunk - mean).sum(axis=0), chunk.min(axis=0), chunk.max(axis=0)])
            self._numbers = new if self._numbers is None else _together(self._numbers, self._folded, new, len(rows))
        self._folded += len(rows)

    def _as_numbers(self, rows: list[Sequence[Any]]) -> Array:
        """:raises ChannelValueError: a reading is no number."""
        try:
            chunk = np.array(rows)
            if chunk.ndim == 2 and chunk.dtype.kind in "biuf":
                return chunk.astype(float, copy=False)
        except (ValueError, OverflowError):  # arrays among them, or integers of any size
            pass
        for row in rows:
            for n, value in zip(self._columns.numbers, row, strict=True):
                if not is_number(value):
                    name = full_name_of(self._columns.counters[n])
                    shape = np.shape(value)
                    expected = "one point of shape ()" if shape else "a number"
                    of_shape = f" of shape {shape}" if shape else ""
                    raise ChannelValueError(
                        f"channel {name!r}: expected {expected}, got {type(value).__name__} {value!r}{of_shape}"
                    )
        return np.array([[float(value) for value in row] for row in rows])

    def moments(self) -> dict[int, Moments]:
        """Return those of each counter, by its place; of counters that are only read, like images with mode LAST, none."""
        self._fold()
        found = {n: running.moments() for n, running in self._arrays.items()}
        if self._numbers is not None:
            mean, squares, low, high = self._numbers
            var = squares / (self.nreadings - 1) if self.nreadings > 1 else np.full(len(mean), np.nan)
            rows = zip(mean.tolist(), var.tolist(), low.tolist(), high.tolist(), strict=True)
            found.update(zip(self._columns.numbers, (Moments(*row) for row in rows), strict=True))
        return found

    def samples(self, n: int) -> list[Any]:
        return self._kept[n]


def _together(one: Array, none: int, other: Array, nother: int) -> Array:
    """Return mean, squares, minimum and maximum of two sets of readings as of one (Chan, Golub, LeVeque 1979)."""
    total = none + nother
    delta = other[0] - one[0]
    return np.array(
        [
            one[0] + delta * (nother / total),
            one[1] + other[1] + np.square(delta) * (none * nother / total),
            np.minimum(one[2], other[2]),
            np.maximum(one[3], other[3]),
        ]
    )


class _Running:
    """Takes in arrays one by one; statistics only where they are wanted, as they cost more than the sum."""

    def __init__(self, counter: SamplingCounter, mode: SamplingMode) -> None:
        self._counter = counter
        self._has_statistics = mode in WITH_STATISTICS
        self._nreadings = 0
        self._mean: Array = np.zeros(())
        self._squares: Array = np.zeros(())
        self._low: Array = np.zeros(())
        self._high: Array = np.zeros(())

    def add(self, value: Any) -> None:
        reading = np.asarray(value) * 1.0  # a copy, and no small integers, which would run over
        self._nreadings += 1
        if self._nreadings == 1:
            self._mean, self._squares = reading, np.zeros_like(reading)
            self._low, self._high = (reading.copy(), reading.copy()) if self._has_statistics else (reading, reading)
            return
        if reading.shape != self._mean.shape:
            raise DeviceError(
                f"counter {self._counter.fullname!r}: readings of shapes {self._mean.shape} and {reading.shape} within one "
                "point have no mean; read it with mode SINGLE or LAST"
            )
        if not self._has_statistics:
            self._mean += reading  # the sum, so far
            return
        delta = reading - self._mean
        self._mean += delta / self._nreadings
        self._squares += delta * (reading - self._mean)
        np.minimum(self._low, reading, out=self._low)
        np.maximum(self._high, reading, out=self._high)

    def moments(self) -> Moments:
        if not self._has_statistics:
            return Moments(self._mean / self._nreadings)
        if self._nreadings == 1:
            return moments_of_one(self._mean)
        return Moments(self._mean, self._squares / (self._nreadings - 1), self._low, self._high)


class LatestPoint:
    """What is known of the last point of the counters that are read together, for those who ask for statistics."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._values: Sequence[Any] = ()
        self._moments: dict[int, Moments] | None = None
        self._nreadings = 0
        self._count_time = 0.0
        self._timestamp = 0.0

    def set_single(self, values: Sequence[Any], count_time: float) -> None:
        self._values, self._moments, self._nreadings = values, None, 1
        self._count_time, self._timestamp = count_time, time()

    def set_moments(self, moments: dict[int, Moments], nreadings: int, count_time: float) -> None:
        self._values, self._moments, self._nreadings = (), moments, nreadings
        self._count_time, self._timestamp = count_time, time()

    def statistics(self, n: int) -> SamplingCounterStatistics | None:
        """Return those of the counter at that place, scaled as what it publishes; None where there are none."""
        counter, mode = self._columns.counters[n], self._columns.modes[n]
        if self._moments is not None:
            moments = self._moments.get(n, NO_MOMENTS if self._nreadings == 0 else None)
        elif len(self._values) and np.dtype(counter.data_dtype).kind in "biuf":
            moments = moments_of_one(self._values[n])
        else:
            moments = None
        if moments is None or moments.var is None:
            return None
        scale = self._count_time if mode in INTEGRALS else 1.0
        return statistics(moments, self._nreadings, scale, self._count_time, self._timestamp)
