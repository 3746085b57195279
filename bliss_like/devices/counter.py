"""Counters: named values that a scan reads. What reads them is in `counter_controller`."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import DTypeLike

from bliss_like.devices.counter_controller import (
    CounterController,
    CounterControllerConfig,
    IntegratingCounterController,
    SamplingCounterController,
)
from bliss_like.devices.counter_namespace import counter_namespace
from bliss_like.devices.naming import both_names_of
from bliss_like.errors import DeviceError

__all__ = [
    "Conversion",
    "Counter",
    "CounterController",
    "CounterControllerConfig",
    "IntegratingCounter",
    "IntegratingCounterController",
    "SamplingCounter",
    "SamplingCounterController",
    "SamplingCounterStatistics",
    "SamplingMode",
    "counter_namespace",
    "unconverted",
]

Conversion = Callable[[Any], Any]


def unconverted(value: Any) -> Any:
    """Return `value`: the conversion function of a counter that has none."""
    return value


def _checked(function: Conversion | None, name: str) -> Conversion | None:
    if function is not None and not callable(function):
        raise DeviceError(f"counter {name!r}: expected a function as its conversion_function, got {function!r}")
    return function


def _checked_dtype(dtype: DTypeLike | None, name: str) -> np.dtype[Any]:
    try:
        return np.dtype(float if dtype is None else dtype)
    except TypeError:
        raise DeviceError(
            f"counter {name!r}: expected a dtype of numpy, such as float or 'uint16', got {dtype!r}"
        ) from None


def _checked_shape(shape: Sequence[int], name: str) -> tuple[int, ...]:
    whole = isinstance(shape, Iterable) and all(isinstance(n, int | np.integer) and n >= -1 for n in shape)
    if not whole or isinstance(shape, str | bytes):
        raise DeviceError(
            f"counter {name!r}: expected the shape of one reading, such as (1024,), or () of a number, got {shape!r}"
        )
    return tuple(int(n) for n in shape)


def _checked_unit(unit: str | None, name: str) -> str | None:
    if unit is not None and not isinstance(unit, str):
        raise DeviceError(f"counter {name!r}: expected a text as its unit, such as 'mm', got {unit!r}")
    return unit


class SamplingMode(enum.IntEnum):
    """What a sampling counter makes of the readings that fit in one count time."""

    MEAN = 0
    STATS = enum.auto()
    SAMPLES = enum.auto()
    SINGLE = enum.auto()
    LAST = enum.auto()
    INTEGRATE = enum.auto()
    INTEGRATE_STATS = enum.auto()

    @classmethod
    def of(cls, mode: SamplingMode | str) -> SamplingMode:
        """Return the mode of that name.

        :raises ValueError: there is none.
        """
        if isinstance(mode, cls):
            return mode
        try:
            return cls[str(mode).upper()]
        except KeyError:
            raise ValueError(f"sampling mode {mode!r}: expected one of {', '.join(cls.__members__)}") from None


class SamplingCounterStatistics(NamedTuple):
    """Of the readings of the last point; `timestamp` is the epoch of its end, times are in seconds.

    The variance has N - 1 in its denominator: of one reading, `std` and `var` are NaN, minimum and maximum are that reading.
    """

    mean: Any
    N: int
    std: Any
    var: Any
    min: Any
    max: Any
    p2v: Any
    count_time: float
    timestamp: float


class Counter:
    """One named value of a controller.

    :param conversion_function: applied to each reading.
    :param dtype: of one reading; a converted one becomes float64.
    :param shape: of one reading; `()` for a scalar, -1 for a variable dimension.
    """

    def __init__(
        self,
        name: str,
        controller: CounterController,
        conversion_function: Conversion | None = None,
        unit: str | None = None,
        dtype: DTypeLike | None = float,
        shape: Sequence[int] = (),
    ) -> None:
        if not isinstance(name, str) or not name:
            raise DeviceError(f"a counter: expected a name, got {name!r}")
        if not isinstance(controller, CounterController):
            raise DeviceError(f"counter {name!r}: expected a CounterController as its controller, got {controller!r}")
        self.name = name
        self.controller = controller
        self._unit = _checked_unit(unit, name)
        self._dtype = _checked_dtype(dtype, name)
        self._shape = _checked_shape(shape, name)
        self._conversion_function = _checked(conversion_function, name)
        controller.add_counter(self)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one reading; may be overloaded by anything that numpy takes for a dtype, as may `shape` and `unit`."""
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def unit(self) -> str | None:
        return self._unit

    @unit.setter
    def unit(self, unit: str | None) -> None:
        self._unit = _checked_unit(unit, self.name)

    @property
    def fullname(self) -> str:
        """`[<master controller>:]<controller>:<counter>`."""
        return f"{self.controller.fullname}:{self.name}"

    @property
    def conversion_function(self) -> Conversion:
        return self._conversion_function or unconverted

    @conversion_function.setter
    def conversion_function(self, function: Conversion | None) -> None:
        self._conversion_function = _checked(function, self.name)

    @property
    def is_converted(self) -> bool:
        return self.conversion_function is not unconverted

    @property
    def data_dtype(self) -> np.dtype[Any]:
        """Dtype of what a scan publishes for this counter."""
        return np.dtype(float) if self.is_converted else np.dtype(self.dtype)

    @property
    def is_critical(self) -> bool:
        """Whether a scan ends when its controller fails."""
        return self.controller.is_critical

    @property
    def _counter_controller(self) -> CounterController:
        """What drivers of BLISS call `controller`."""
        return self.controller

    def scan_metadata(self) -> Mapping[str, Any] | None:
        """Return what every scan of this counter writes into its info, if anything."""
        return None

    def dataset_metadata(self) -> Mapping[str, Any] | None:
        """Return what is written into the description of a dataset, if anything."""
        return None

    def __connect__(self, timeout: float) -> None:
        self.controller.connect_counter(self, timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.fullname}>"

    def __info__(self) -> str:
        shape = f", shape {self.shape}" if self.shape else ""
        return f"{type(self).__name__} {both_names_of(self)}: {np.dtype(self.dtype)}{shape}, unit {self.unit or 'none'}"


class SamplingCounter(Counter):
    """A counter that is read again and again during the count time; `mode` says what becomes of the readings."""

    def __init__(
        self,
        name: str,
        controller: CounterController,
        conversion_function: Conversion | None = None,
        mode: SamplingMode | str = SamplingMode.MEAN,
        unit: str | None = None,
        dtype: DTypeLike | None = float,
        shape: Sequence[int] = (),
    ) -> None:
        self._mode = SamplingMode.of(mode)
        self._statistics: Callable[[], SamplingCounterStatistics | None] | None = None
        super().__init__(name, controller, conversion_function, unit, dtype, shape)

    @property
    def mode(self) -> SamplingMode:
        return self._mode

    @mode.setter
    def mode(self, mode: SamplingMode | str) -> None:
        self._mode = SamplingMode.of(mode)

    @property
    def data_dtype(self) -> np.dtype[Any]:
        """As read for single readings, floating for what is calculated from several."""
        read = super().data_dtype
        if self.mode in (SamplingMode.SINGLE, SamplingMode.LAST) or read.kind not in "biuf":
            return read
        return np.result_type(read, np.float64)

    @property
    def statistics(self) -> SamplingCounterStatistics | None:
        """Of the readings of the last point of a scan; None before.

        A counter of numbers has them with every mode, one of arrays with STATS and INTEGRATE_STATS, or of one reading.
        """
        return self._statistics() if self._statistics is not None else None

    def tell_statistics(self, tell: Callable[[], SamplingCounterStatistics | None]) -> None:
        """Take what tells the statistics of the last point; called by the acquisition."""
        self._statistics = tell

    @property
    def raw_read(self) -> Any:
        """One reading, not converted."""
        return cast(SamplingCounterController, self.controller).read_all(self)[0]

    def __info__(self) -> str:
        return f"{super().__info__()}, mode {self.mode.name}"


class IntegratingCounter(Counter):
    """A counter whose device accumulates during the count time and delivers one value per trigger."""
