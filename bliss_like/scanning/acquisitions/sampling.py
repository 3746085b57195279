"""Acquisition of sampling counters: read as often as fits into the count time, then make one point of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter, time
from typing import Any, cast

import gevent
import numpy as np

from bliss_like.devices.counter import (
    Counter,
    SamplingCounter,
    SamplingCounterController,
    SamplingCounterStatistics,
    SamplingMode,
)
from bliss_like.devices.naming import full_name_of
from bliss_like.errors import ChainError, DeviceError

from ..acquisition import AcquisitionSlave
from ..channel import AcquisitionChannel
from ..greenlets import breathe

_STATISTICS = (SamplingMode.STATS, SamplingMode.INTEGRATE_STATS)


class SamplingCounterAcquisitionSlave(AcquisitionSlave):
    """Reads the counters of one controller with each trigger.

    :param count_time: seconds; or a list with those of each point. 0 or None: one reading.
    """

    def __init__(
        self,
        *counters: SamplingCounter,
        count_time: float | Sequence[float] | None = None,
        npoints: int = 1,
        ctrl_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        once = {"prepare_once": True, "start_once": npoints > 0}
        self._points: list[_Points] = []
        self._count_times = list(count_time) if isinstance(count_time, Sequence) else None
        self._count_time = 0.0 if self._count_times is not None else float(cast(float, count_time) or 0.0)
        self._npoint = 0
        super().__init__(*counters, npoints=max(1, npoints), ctrl_params=ctrl_params, **{**once, **kwargs})

    def init(self, devices: tuple[Any, ...]) -> tuple[Any, tuple[Counter, ...]]:
        if len(devices) == 1 and isinstance(devices[0], SamplingCounterController):
            return devices[0], ()
        return super().init(devices)

    @property
    def count_time(self) -> float:
        """Seconds of the coming point."""
        if self._count_times is None:
            return self._count_time
        if self._npoint >= len(self._count_times):
            raise ChainError(f"{self.name}: {len(self._count_times)} count times were given, triggered once more")
        return self._count_times[self._npoint]

    def _do_add_counter(self, counter: Counter) -> None:
        if not isinstance(counter, SamplingCounter):
            raise ChainError(f"{self.name}: {counter!r} is no SamplingCounter, it cannot be sampled")
        super()._do_add_counter(counter)
        for suffix, unit, shape in _more_channels(counter):
            channel = AcquisitionChannel(f"{full_name_of(counter)}_{suffix}", counter.data_dtype, shape, unit=unit)
            self._add_channel(counter, channel)
        self._points.append(_Points(counter, self._counters[counter]))

    # -- what a controller's own acquisition may overload ---------------------------------------------------------------

    def prepare_device(self) -> None:
        """Called once, when the acquisition is prepared."""

    def start_device(self) -> None:
        """Called when the acquisition starts."""

    def stop_device(self) -> None:
        """Called when the acquisition stops."""

    def prepare(self) -> None:
        self._npoint = 0
        counters = [points.counter for points in self._points]
        self._emits = [points.channels[0].emit_point for points in self._points]
        converted = any(counter.is_converted for counter in counters)
        self._conversions = [counter.conversion_function for counter in counters] if converted else None
        self._counters_read = tuple(counters)
        self._is_single = all(counter.mode is SamplingMode.SINGLE for counter in counters)
        self._is_plain = all(counter.mode not in (*_STATISTICS, SamplingMode.SAMPLES) for counter in counters)
        self._scales_with_time = any(counter.mode is SamplingMode.INTEGRATE for counter in counters)
        self._period = 1.0 / self.device.max_sampling_frequency if self.device.max_sampling_frequency else 0.0
        self.prepare_device()

    def start(self) -> None:
        self.start_device()

    def stop(self) -> None:
        self.stop_device()

    def trigger(self) -> None:
        began = perf_counter()
        count_time = self.count_time
        self._npoint += 1
        values = self._read()
        readings: list[Sequence[Any]] | _Totals = _Totals(values) if self._is_plain else [values]
        if count_time > 0 and not self._is_single:
            self._sample(readings, began, began + count_time)
        if len(readings) == 1 and self._is_plain and not self._scales_with_time:
            for emit, value in zip(self._emits, values):  # noqa: B905  _read has counted them
                emit(value)
        elif isinstance(readings, _Totals):
            for index, points in enumerate(self._points):
                points.emit_total(readings, index, count_time)
        else:
            for index, points in enumerate(self._points):
                points.emit([reading[index] for reading in readings], count_time)

    def _read(self) -> Sequence[Any]:
        values = self.device.read_all(*self._counters_read)
        try:
            nvalues = len(values)
        except TypeError:
            raise DeviceError(
                f"controller {self.device.name!r}: expected {len(self._emits)} values from read_all, got {values!r}"
            ) from None
        if nvalues != len(self._emits):
            raise DeviceError(
                f"controller {self.device.name!r}: expected {len(self._emits)} values from read_all, got {nvalues}"
            )
        if self._conversions is not None:
            return [convert(value) for convert, value in zip(self._conversions, values, strict=True)]
        return values  # type: ignore[no-any-return]

    def _sample(self, readings: list[Sequence[Any]] | _Totals, began: float, end: float) -> None:
        """Go on reading as long as another reading is likely to be done by `end`."""
        busy = perf_counter() - began
        while True:
            now = perf_counter()
            pause = max(0.0, began + len(readings) * self._period - now)
            if now + pause + busy / len(readings) > end:
                return
            if pause:
                gevent.sleep(pause)
            else:
                breathe()
            started = perf_counter()
            readings.append(self._read())
            busy += perf_counter() - started


class _Totals:
    """Readings that are added up rather than kept: a fast counter gives millions in a minute."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.first = self.last = values
        self.sums: list[Any] = []
        self._nreadings = 1

    def __len__(self) -> int:
        return self._nreadings

    def append(self, values: Sequence[Any]) -> None:
        if self._nreadings == 1:
            self.sums = [_summand(value) for value in self.first]
        self.sums = [total + _summand(value) for total, value in zip(self.sums, values, strict=True)]
        self.last = values
        self._nreadings += 1

    def mean(self, index: int) -> Any:
        return self.sums[index] / self._nreadings if self._nreadings > 1 else self.first[index]


def _summand(value: Any) -> Any:
    """Return a value that can be added up: lists as arrays, and no small integers, which would run over."""
    return np.asarray(value) * 1.0 if isinstance(value, list | tuple | np.ndarray | np.generic) else value


class _Points:
    """Makes the points of one counter out of its readings."""

    def __init__(self, counter: SamplingCounter, channels: list[AcquisitionChannel]) -> None:
        self.counter = counter
        self.channels = channels
        self._make: Callable[[list[Any], float], list[Any]] = {
            SamplingMode.MEAN: lambda readings, _: [_mean(readings)],
            SamplingMode.SINGLE: lambda readings, _: [readings[0]],
            SamplingMode.LAST: lambda readings, _: [readings[-1]],
            SamplingMode.INTEGRATE: lambda readings, count_time: [_mean(readings) * count_time],
            SamplingMode.SAMPLES: lambda readings, _: [_mean(readings), np.asarray(readings)],
            SamplingMode.STATS: self._with_statistics,
            SamplingMode.INTEGRATE_STATS: self._with_statistics,
        }[counter.mode]

    def emit(self, readings: list[Any], count_time: float) -> None:
        for channel, value in zip(self.channels, self._make(readings, count_time), strict=True):
            channel.emit_point(value)

    def emit_total(self, totals: _Totals, index: int, count_time: float) -> None:
        """Emit the point of a mode that needs no more than the sum, the first and the last of the readings."""
        match self.counter.mode:
            case SamplingMode.SINGLE:
                value = totals.first[index]
            case SamplingMode.LAST:
                value = totals.last[index]
            case SamplingMode.INTEGRATE:
                value = totals.mean(index) * count_time
            case _:
                value = totals.mean(index)
        self.channels[0].emit_point(value)

    def _with_statistics(self, readings: list[Any], count_time: float) -> list[Any]:
        values = np.asarray(readings, float)
        scale = count_time if self.counter.mode is SamplingMode.INTEGRATE_STATS else 1.0
        low, high = values.min(axis=0) * scale, values.max(axis=0) * scale
        # Without the square of the mean of large numbers; of one reading there is no spread to speak of.
        spread = values.std(axis=0, ddof=1) if len(readings) > 1 else np.full(values.shape[1:], np.nan)
        std = spread * scale
        statistics = SamplingCounterStatistics(
            values.mean(axis=0) * scale, len(readings), std, std**2, low, high, high - low, count_time, time()
        )
        self.counter.statistics = statistics
        return [
            np.full(np.shape(low), statistics.N, float) if name == "N" else getattr(statistics, name)
            for name in ("mean", "N", "std", "var", "min", "max", "p2v")
        ]


def _mean(readings: list[Any]) -> Any:
    if len(readings) == 1:
        return readings[0]
    if isinstance(readings[0], list | tuple | np.ndarray | np.generic):
        return np.mean(readings, axis=0)
    return sum(readings[1:], start=readings[0]) / len(readings)


def _more_channels(counter: SamplingCounter) -> list[tuple[str, str | None, tuple[int, ...]]]:
    """Return suffix, unit and shape of the channels beside that of the value itself."""
    unit, shape = counter.unit, counter.shape
    if counter.mode is SamplingMode.SAMPLES:
        return [("samples", unit, (-1, *shape))]
    if counter.mode not in _STATISTICS:
        return []
    units = {"N": None, "std": unit, "var": f"{unit}^2" if unit else None, "min": unit, "max": unit, "p2v": unit}
    return [(suffix, units[suffix], shape) for suffix in units]
