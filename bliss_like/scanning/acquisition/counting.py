"""What the acquisitions of all kinds of counters have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.devices.counter import Counter, CounterController
from bliss_like.errors import ChannelValueError

from ..channel import AcquisitionChannel, Array
from ..parameters import ParameterError
from ..tolerance import Tolerance, bearable_dtype, nothing_for
from . import AcquisitionSlave

CountTime = float | Sequence[float] | None


class BaseCounterAcquisitionSlave(AcquisitionSlave):
    """Acquires counters of one controller, or all that the scan wants of it.

    :param count_time: seconds; or a list with those of each point.
    :raises ParameterError: the count time is none, or there are not as many as points.
    """

    kind_of_controller: type[CounterController] = CounterController

    def __init__(
        self,
        *counters: Any,
        count_time: CountTime = None,
        npoints: int = 1,
        ctrl_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._count_times = _count_times(count_time, npoints)
        self._npoint = 0
        super().__init__(*counters, npoints=npoints, ctrl_params=ctrl_params, **kwargs)
        self.tolerance = Tolerance(self.device, self._who)

    @staticmethod
    def get_param_validation_schema() -> Mapping[str, Any] | None:
        return {
            "acq_params": {
                "type": "dict",
                "schema": {
                    "count_time": {"type": ["numeric", "list"], "nullable": True},
                    "npoints": {"type": "int", "min": 0},
                    "prepare_once": {"type": "boolean"},
                    "start_once": {"type": "boolean"},
                },
            }
        }

    def init(self, devices: tuple[Any, ...]) -> tuple[Any, tuple[Counter, ...]]:
        if len(devices) == 1 and isinstance(devices[0], self.kind_of_controller):
            return devices[0], ()
        return super().init(devices)

    def _do_add_counter(self, counter: Counter) -> None:
        dtype = bearable_dtype(counter.data_dtype, counter.is_critical)
        self._add_channel(counter, AcquisitionChannel(counter.fullname, dtype, counter.shape, unit=counter.unit))

    def apply_parameters(self) -> None:
        self.tolerance.begin()  # the first that a scan asks for
        self.tolerance.attempt(super().apply_parameters)

    def _who(self) -> str:
        return f"controller {self.device.name!r} ({', '.join(counter.name for counter in self._counters)})"

    @property
    def count_time(self) -> float:
        """Seconds of the coming point; 0 when nothing is known of it.

        :raises ParameterError: a time was given for each point, and there are no more.
        """
        if isinstance(self._count_times, float):
            return self._count_times
        if self._npoint >= len(self._count_times):
            raise ParameterError(f"{self.name}: {len(self._count_times)} count times were given, triggered once more")
        return self._count_times[self._npoint]

    # -- what a controller's own acquisition may overload ---------------------------------------------------------------

    def prepare_device(self) -> None:
        """Called once, when the acquisition is prepared."""

    def start_device(self) -> None:
        """Called when the acquisition starts."""

    def stop_device(self) -> None:
        """Called when the acquisition stops."""

    # -- points --------------------------------------------------------------------------------------------------------

    def _emit_new_data(self, data: Iterable[Any]) -> None:
        """Emit one point, or a block of points, for each counter in their order, converted."""
        self._emit_all(self._as_published(data))

    def _as_published(self, data: Iterable[Any]) -> list[Array]:
        """Return one point, or a block of points, for each counter, converted and checked: all of them can be emitted."""
        return [
            channels[0].checked(
                _converted_block(counter, values)
                if np.ndim(values) > len(counter.shape)
                else converted(counter, values)
            )
            for (counter, channels), values in zip(self._counters.items(), data, strict=True)
        ]

    def _emit_all(self, points: Iterable[Array]) -> None:
        for channels, values in zip(self._counters.values(), points, strict=True):
            channels[0].emit(values)

    def _emit_nothing(self, npoints: int = 1) -> None:
        """Emit points that stand for none on all channels."""
        for channel in self.channels:
            for _ in range(npoints):
                channel.emit_point(nothing_for(channel))


def converted(counter: Counter, value: Any) -> Any:
    """Return one reading, converted; that of a counter with a shape as an array, whatever the device gave."""
    if not counter.is_converted:
        return value
    try:
        return counter.conversion_function(np.asarray(value) if counter.shape else value)
    except Exception as error:  # it stays what it is: whoever wrote the function may catch it
        error.add_note(f"(counter {counter.fullname!r}: its conversion_function, on {value!r})")
        raise


def _converted_block(counter: Counter, block: Any) -> Any:
    """Return several readings, converted: all at once where the function can do so, else one by one."""
    block = np.asarray(block)
    if not counter.is_converted:
        return block
    if not counter.shape:
        try:
            together = np.asarray(counter.conversion_function(block))
        except (TypeError, ValueError):
            pass
        else:
            if together.shape == block.shape:
                return together
    values = [converted(counter, value) for value in block]
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ChannelValueError(f"counter {counter.fullname!r}: what its conversion_function gave: {error}") from None


def _count_times(count_time: CountTime, npoints: int) -> float | list[float]:
    try:
        times = np.asarray(0.0 if count_time is None else count_time, float)
    except (TypeError, ValueError):
        times = np.array(np.nan)
    if times.ndim > 1 or not (np.isfinite(times).all() and (times >= 0).all()):
        raise ParameterError(
            f"parameter 'count_time': expected seconds, or a list with those of each point, got {count_time!r}"
        )
    if times.ndim == 0:
        return float(times)
    if npoints > 0 and len(times) != npoints:
        raise ParameterError(f"parameter 'count_time': expected one for each of {npoints} points, got {len(times)}")
    return [float(time) for time in times]
