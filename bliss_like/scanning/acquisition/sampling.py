"""Acquisition of sampling counters: read as often as fits into the count time, then make one point of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import gevent
import numpy as np

from bliss_like.devices.counter import Counter, SamplingCounter, SamplingCounterController, SamplingMode
from bliss_like.devices.naming import full_name_of
from bliss_like.errors import ChainError, DeviceError

from ..channel import AcquisitionChannel
from ..greenlets import breathe
from ..tolerance import bearable_dtype
from .counting import BaseCounterAcquisitionSlave, CountTime, converted
from .readings import (
    INTEGRALS,
    WITH_STATISTICS,
    Columns,
    LatestPoint,
    Moments,
    Readings,
    is_number,
    moments_of_one,
    statistics,
)


class SamplingCounterAcquisitionSlave(BaseCounterAcquisitionSlave):
    """Reads the counters of one controller with each trigger.

    :param count_time: seconds; or a list with those of each point. 0 or None: one reading.
    """

    kind_of_controller = SamplingCounterController

    def __init__(
        self,
        *counters: Any,
        count_time: CountTime = None,
        npoints: int = 1,
        ctrl_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        once = {"prepare_once": True, "start_once": npoints > 0}
        self._points: list[_Points] = []
        keys = {**once, **kwargs}
        super().__init__(*counters, count_time=count_time, npoints=max(1, npoints), ctrl_params=ctrl_params, **keys)

    def _do_add_counter(self, counter: Counter) -> None:
        if not isinstance(counter, SamplingCounter):
            raise ChainError(f"{self.name}: {counter!r} is no SamplingCounter, it cannot be sampled")
        _check_mode(counter)
        super()._do_add_counter(counter)
        for suffix, unit, dtype, shape in _more_channels(counter):
            name = f"{full_name_of(counter)}_{suffix}"
            if suffix != "N":
                dtype = bearable_dtype(dtype, counter.is_critical)
            self._add_channel(counter, AcquisitionChannel(name, dtype, shape, unit=unit))
        self._points.append(_Points(counter, self._counters[counter]))

    def prepare(self) -> None:
        self._npoint = 0
        counters = tuple(points.counter for points in self._points)
        self._counters_read = counters
        self._emits = [points.channels[0].emit_point for points in self._points]
        self._is_converted = any(counter.is_converted for counter in counters)
        modes = [points.mode for points in self._points]
        self._is_single = all(mode is SamplingMode.SINGLE for mode in modes)
        self._is_plain = all(mode in _ONE_READING_AS_IT_IS for mode in modes)
        self._columns = Columns(counters, modes)
        self._latest = LatestPoint(self._columns)
        for n, counter in enumerate(counters):
            counter.tell_statistics(partial(self._latest.statistics, n))
        self._period = _period(self.device)
        self.tolerance.attempt(self.prepare_device)

    def start(self) -> None:
        self.tolerance.attempt(self.start_device)

    def stop(self) -> None:
        self.tolerance.attempt(self.stop_device, even_resting=True)

    def trigger(self) -> None:
        began = perf_counter()
        count_time = self.count_time
        self._npoint += 1
        values = self._read()
        if values is None:
            self._emit_nothing()
            self._latest.set_moments({}, 0, count_time)
            return
        readings = None
        if count_time > 0 and not self._is_single:
            readings = self._sample(values, began, began + count_time)
        if readings is not None:
            self._emit(readings, count_time)
            return
        self._latest.set_single(values, count_time)
        if self._is_plain:
            for emit, value in zip(self._emits, values):  # noqa: B905  _read has counted them
                emit(value)
        else:
            for points, value in zip(self._points, values):  # noqa: B905  the same
                points.emit_single(value, count_time)

    def _read(self) -> Sequence[Any] | None:
        """Return one reading of each counter, converted; None where a device that is not critical gives none."""
        if self.tolerance.is_critical:
            return self._read_now()
        _, values = self.tolerance.attempt(self._read_and_check)
        return values  # type: ignore[no-any-return]

    def _read_and_check(self) -> Sequence[Any]:
        """:raises ChannelValueError: one of the values cannot be published; none is yet."""
        values = self._read_now()
        for points, value in zip(self._points, values, strict=True):
            if type(value) is not float:
                points.channels[0].checked(value, may_be_block=False)
        return values

    def _read_now(self) -> Sequence[Any]:
        """:raises DeviceError: the controller does not give as many values as counters, or a conversion fails."""
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
        if self._is_converted:
            return [converted(counter, value) for counter, value in zip(self._counters_read, values, strict=True)]
        return values  # type: ignore[no-any-return]

    def _sample(self, first: Sequence[Any], began: float, end: float) -> Readings | None:
        """Go on reading as long as another reading is likely to be done by `end`; None when none is."""
        readings: Readings | None = None
        nreadings, started, now = 1, began, perf_counter()
        busy = now - began
        while True:
            pause = self._time_to_next(started - began, now - began) if self._period else 0.0
            if now + pause + busy / nreadings > end:
                return readings
            if pause:
                gevent.sleep(pause)
            else:
                breathe()
            if readings is None:
                readings = Readings(self._columns, first)
            started = perf_counter()
            values = self._read()
            if values is None:
                return readings
            readings.append(values)
            now = perf_counter()
            busy += now - started
            nreadings += 1

    def _time_to_next(self, last: float, now: float) -> float:
        """Return how long to wait for the next reading; the times are seconds since the first.

        Readings keep to multiples of the period, so that those that are late do not make a burst of them.
        """
        return max(0.0, (round(last / self._period) + 1) * self._period - now)

    def _emit(self, readings: Readings, count_time: float) -> None:
        moments = readings.moments()
        self._latest.set_moments(moments, readings.nreadings, count_time)
        for n, points in enumerate(self._points):
            points.emit(n, readings, moments.get(n), count_time)


class _Points:
    """Makes the points of one counter out of its readings."""

    def __init__(self, counter: SamplingCounter, channels: list[AcquisitionChannel]) -> None:
        self.counter = counter
        self.mode = counter.mode
        """That of its channels."""
        self.channels = channels

    def emit_single(self, reading: Any, count_time: float) -> None:
        """Emit the point of a single reading."""
        mode = self.mode
        if mode in WITH_STATISTICS:
            self._emit_statistics(moments_of_one(self._checked(reading)), 1, count_time)
        elif mode is SamplingMode.INTEGRATE:
            self.channels[0].emit_point(_scaled(self._checked(reading), count_time))
        else:
            self.channels[0].emit_point(reading)
            if mode is SamplingMode.SAMPLES:
                self.channels[1].emit_point(np.asarray(reading)[np.newaxis])

    def emit(self, n: int, readings: Readings, moments: Moments | None, count_time: float) -> None:
        """Emit the point of several readings; the counter is the n-th of those read together."""
        mode = self.mode
        if mode is SamplingMode.SINGLE or mode is SamplingMode.LAST or moments is None:
            self.channels[0].emit_point(readings.first[n] if mode is SamplingMode.SINGLE else readings.last[n])
        elif mode in WITH_STATISTICS:
            self._emit_statistics(moments, readings.nreadings, count_time)
        else:
            mean = moments.mean
            self.channels[0].emit_point(mean * count_time if mode is SamplingMode.INTEGRATE else mean)
            if mode is SamplingMode.SAMPLES:
                self.channels[1].emit_point(np.asarray(readings.samples(n)))

    def _emit_statistics(self, moments: Moments, nreadings: int, count_time: float) -> None:
        scale = count_time if self.mode in INTEGRALS else 1.0
        values = statistics(moments, np.int64(nreadings), scale, count_time, 0.0)  # type: ignore[arg-type]
        for channel, value in zip(self.channels, values):  # noqa: B905  the fields that come after have no channel
            channel.emit_point(value)

    def _checked(self, reading: Any) -> Any:
        """Return a reading that can be calculated with.

        :raises ChannelValueError: it is none.
        """
        if isinstance(reading, float):
            return reading
        if np.ndim(reading) != len(self.counter.shape) or not (self.counter.shape or is_number(reading)):
            self.channels[0].emit_point(reading)
        return reading


_ONE_READING_AS_IT_IS = (SamplingMode.MEAN, SamplingMode.SINGLE, SamplingMode.LAST)


def _scaled(reading: Any, count_time: float) -> Any:
    return np.asarray(reading) * count_time if isinstance(reading, list | tuple) else reading * count_time


def _check_mode(counter: SamplingCounter) -> None:
    """:raises ChainError: what the counter gives cannot be worked through as its mode says."""
    kind, mode = np.dtype(counter.dtype).kind, counter.mode
    if kind in "US" and mode not in (SamplingMode.SINGLE, SamplingMode.LAST):
        raise ChainError(
            f"counter {counter.fullname!r} gives texts, which have no {mode.name}: set its mode to SINGLE or LAST"
        )
    if kind == "c" and mode in WITH_STATISTICS:
        raise ChainError(
            f"counter {counter.fullname!r} gives complex numbers, of which there is no largest: set its mode to MEAN or SAMPLES"
        )


def _period(controller: SamplingCounterController) -> float:
    """Return the seconds from one reading to the next, at least.

    :raises DeviceError: the greatest frequency is none.
    """
    frequency = controller.max_sampling_frequency
    if frequency is None:
        return 0.0
    if isinstance(frequency, bool) or not isinstance(frequency, int | float) or not frequency > 0:
        raise DeviceError(
            f"controller {controller.name!r}: expected readings per second, or None for no limit, as its "
            f"max_sampling_frequency, got {frequency!r}"
        )
    return 1.0 / frequency if math.isfinite(frequency) else 0.0


def _more_channels(counter: SamplingCounter) -> list[tuple[str, str | None, np.dtype[Any], tuple[int, ...]]]:
    """Return suffix, unit, dtype and shape of the channels beside that of the value itself."""
    unit, dtype, shape = counter.unit, counter.data_dtype, counter.shape
    if counter.mode is SamplingMode.SAMPLES:
        as_read = np.dtype(float) if counter.is_converted else np.dtype(counter.dtype)
        return [("samples", unit, as_read, (-1, *shape))]
    if counter.mode not in WITH_STATISTICS:
        return []
    squared = f"{unit}^2" if unit else None
    spread = [("std", unit), ("var", squared), ("min", unit), ("max", unit), ("p2v", unit)]
    return [("N", None, np.dtype(int), ()), *((suffix, of, dtype, shape) for suffix, of in spread)]
