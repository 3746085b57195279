"""Counters: named values that a scan reads, and the controllers that read several of them in one go.

A controller that answers a read-out at once derives from `SamplingCounterController` and overloads `read_all`; one that
accumulates by itself during the count time derives from `IntegratingCounterController` and overloads `get_values`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike

from bliss_like.devices.naming import both_names_of
from bliss_like.errors import DeviceError

C = TypeVar("C", bound="Counter")

Conversion = Callable[[Any], Any]


def unconverted(value: Any) -> Any:
    """Return `value`: the conversion function of a counter that has none."""
    return value


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
    """Of the readings of the last point; `timestamp` is the epoch of its end, times are in seconds."""

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
        dtype: DTypeLike = float,
        shape: Sequence[int] = (),
    ) -> None:
        if not isinstance(controller, CounterController):
            raise DeviceError(f"counter {name!r}: expected a CounterController as its controller, got {controller!r}")
        self.name = name
        self.controller = controller
        self._unit = unit
        self._dtype: np.dtype[Any] = np.dtype(dtype)
        self._shape = tuple(shape)
        self._conversion_function = conversion_function
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
        self._unit = unit

    @property
    def fullname(self) -> str:
        """`[<master controller>:]<controller>:<counter>`."""
        return f"{self.controller.fullname}:{self.name}"

    @property
    def conversion_function(self) -> Conversion:
        return self._conversion_function or unconverted

    @conversion_function.setter
    def conversion_function(self, function: Conversion | None) -> None:
        self._conversion_function = function

    @property
    def is_converted(self) -> bool:
        return self.conversion_function is not unconverted

    @property
    def data_dtype(self) -> np.dtype[Any]:
        """Dtype of what a scan publishes for this counter."""
        return np.dtype(float) if self.is_converted else np.dtype(self.dtype)

    def scan_metadata(self) -> Mapping[str, Any] | None:
        """Return what every scan of this counter writes into its info, if anything."""
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
        dtype: DTypeLike = float,
        shape: Sequence[int] = (),
    ) -> None:
        self._mode = SamplingMode.of(mode)
        self.statistics: SamplingCounterStatistics | None = None
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
    def raw_read(self) -> Any:
        """One reading, not converted."""
        return cast(SamplingCounterController, self.controller).read_all(self)[0]

    def __info__(self) -> str:
        return f"{super().__info__()}, mode {self.mode.name}"


class IntegratingCounter(Counter):
    """A counter whose device accumulates during the count time and delivers one value per trigger."""


class counter_namespace:
    """Counters by name, in their order: `ns["diode"]`, `ns.diode`, `for counter in ns`, `ns + other`."""

    def __init__(self, counters: Iterable[Counter] | Mapping[str, Counter] = ()) -> None:
        values = counters.values() if isinstance(counters, Mapping) else counters
        self._counters = {counter.name: counter for counter in values}

    def __getitem__(self, name: str | int) -> Counter:
        if isinstance(name, int):
            return list(self._counters.values())[name]
        try:
            return self._counters[name]
        except KeyError:
            raise KeyError(f"no counter {name!r}; there are: {', '.join(self._counters) or 'none'}") from None

    def __getattr__(self, name: str) -> Counter:
        try:
            return self.__dict__["_counters"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no counter {name!r}; there are: {', '.join(self._counters) or 'none'}") from None

    def __iter__(self) -> Iterator[Counter]:
        return iter(list(self._counters.values()))

    def __contains__(self, item: object) -> bool:
        return item in self._counters or item in self._counters.values()

    def __len__(self) -> int:
        return len(self._counters)

    def keys(self) -> KeysView[str]:
        return self._counters.keys()

    def values(self) -> ValuesView[Counter]:
        return self._counters.values()

    def items(self) -> ItemsView[str, Counter]:
        return self._counters.items()

    def __add__(self, other: Iterable[Counter]) -> counter_namespace:
        return counter_namespace([*self, *other])

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._counters]

    def __repr__(self) -> str:
        return f"counter_namespace({', '.join(self._counters)})"


class CounterController:
    """Owner of counters that are acquired together."""

    interlock: ClassVar[bool] = False
    """Whether one session at a time may acquire with it; true for what is set up for a scan, and not only read."""

    def __init__(self, name: str, master_controller: CounterController | None = None) -> None:
        self.name = name
        self.master_controller = master_controller
        self._counters: dict[str, Counter] = {}

    @property
    def fullname(self) -> str:
        return f"{self.master_controller.fullname}:{self.name}" if self.master_controller else self.name

    @property
    def counters(self) -> counter_namespace:
        return counter_namespace(self._counters)

    def create_counter(self, counter_class: type[C], *args: Any, **kwargs: Any) -> C:
        """Make a counter of this controller; the arguments are those of its class, without the controller."""
        return counter_class(*args, **{**kwargs, "controller": self})

    def add_counter(self, counter: Counter) -> None:
        """Take a counter in; called by the counter itself.

        :raises DeviceError: there is one of that name.
        """
        if counter.name in self._counters:
            raise DeviceError(f"controller {self.name!r} has a counter {counter.name!r} already")
        self._counters[counter.name] = counter

    def get_item(self, name: str) -> Counter:
        return self.counters[name]

    def connect_counter(self, counter: Counter, timeout: float) -> None:
        """See to it, before the first use, that the source of a counter answers within `timeout` seconds.

        :raises NotConnectedError: it does not; nothing else comes of it, the first use tries again.
        """

    def get_default_chain_parameters(
        self, scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the parameters of this controller's acquisition object in a standard scan.

        :param scan_params: of the scan: `count_time` in seconds, `npoints` (0: endless), ...
        :param acq_params: settings for this controller, which win over those of the scan.
        """
        return {"count_time": scan_params.get("count_time"), "npoints": scan_params.get("npoints", 1), **acq_params}

    def get_current_parameters(self) -> dict[str, Any]:
        """Return the parameters of the hardware that a scan may change."""
        return {}

    def apply_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Write parameters to the hardware; called before a scan is prepared."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {', '.join(self._counters) or 'no counters'}>"


class SamplingCounterController(CounterController):
    """A controller that is asked for the present values.

    :param max_sampling_frequency: readings per second that the hardware bears; None for no limit.
    """

    max_sampling_frequency: float | None = None

    def __init__(
        self,
        name: str,
        master_controller: CounterController | None = None,
        max_sampling_frequency: float | None = None,
    ) -> None:
        super().__init__(name, master_controller)
        if max_sampling_frequency is not None:
            self.max_sampling_frequency = max_sampling_frequency

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        """Return one reading of each of `counters`, in their order, not converted."""
        return [self.read(counter) for counter in counters]

    def read(self, counter: SamplingCounter) -> Any:
        """Return one reading of `counter`, not converted."""
        raise NotImplementedError(f"{type(self).__name__} must overload read_all(*counters) or read(counter)")


class IntegratingCounterController(CounterController):
    """A controller that integrates by itself and keeps its values until they are fetched."""

    interlock = True

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Sequence[Any]]:
        """Return the values since point `from_index` that are there, for each of `counters`: all equally many."""
        raise NotImplementedError(f"{type(self).__name__} must overload get_values(from_index, *counters)")


class _ObjectReader(SamplingCounterController):
    """Reads an attribute or calls a method of any object."""

    def __init__(self, name: str, get: Callable[[], Any]) -> None:
        super().__init__(name)
        self._get = get

    def read(self, counter: SamplingCounter) -> Any:
        return self._get()


class SoftCounter(SamplingCounter):
    """A counter made of any object's attribute or method.

    :param value: the name of the attribute or method; or, without `obj`, a function of no argument.
    :param apply: applied to what was got, before `conversion_function`.
    """

    def __init__(
        self,
        obj: Any = None,
        value: str | Callable[[], Any] = "value",
        name: str | None = None,
        apply: Conversion | None = None,
        mode: SamplingMode | str = SamplingMode.MEAN,
        unit: str | None = None,
        conversion_function: Conversion | None = None,
        dtype: DTypeLike = float,
        shape: Sequence[int] = (),
    ) -> None:
        value_name = getattr(value, "__name__", "") if callable(value) else value
        if not value_name.isidentifier():  # a lambda
            value_name = name or "value"
        obj_name = getattr(obj, "name", None) or (type(obj).__name__ if obj is not None else "")
        get = _getter(obj, value)
        controller = _ObjectReader(obj_name or value_name, (lambda: apply(get())) if apply else get)
        super().__init__(name or value_name, controller, conversion_function, mode, unit, dtype, shape)


def _getter(obj: Any, value: str | Callable[[], Any]) -> Callable[[], Any]:
    if callable(value):
        return value
    if obj is None:
        raise DeviceError(f"SoftCounter: {value!r} is to be read of no object; give obj=, or a function as value=")
    try:
        is_method = callable(getattr(obj, value))
    except AttributeError:
        raise DeviceError(f"SoftCounter: {obj!r} has no attribute {value!r}") from None

    def get() -> Any:
        got = getattr(obj, value)
        return got() if is_method else got

    return get
