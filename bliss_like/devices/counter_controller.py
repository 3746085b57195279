"""Owners of counters: what reads several of them in one go, and how it takes part in a scan.

A controller that answers a read-out at once derives from `SamplingCounterController` and overloads `read_all`; one that
accumulates by itself during the count time derives from `IntegratingCounterController` and overloads `get_values`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import Field

from bliss_like.config.any_keys import TAKES_ANY_KEY, LikeADict
from bliss_like.config.models import ItemConfig, ObjectConfig
from bliss_like.devices.counter_namespace import CounterGroups, counter_namespace
from bliss_like.devices.set_by_init import set_by_init
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.counter import Counter, SamplingCounter

C = TypeVar("C", bound="Counter")
Params = dict[str, Any]
MakeAcquisition = Callable[["CounterController", Params, Params, Params], Any]
"""Makes the acquisition object of a controller from (controller, acq_params, ctrl_params, parent_acq_params)."""

_makers: dict[type, MakeAcquisition] = {}
_node_makers: dict[type, Callable[[Any], Any]] = {}


def register_acquisition(controller_class: type, make: MakeAcquisition) -> None:
    """Say how controllers of that class, and those derived from it, are acquired, unless they say so themselves."""
    _makers[controller_class] = make


def register_chain_node(controller_class: type, make: Callable[[Any], Any]) -> None:
    """Say what stands for controllers of that class, and those derived from it, while a chain is built."""
    _node_makers[controller_class] = make


class CounterControllerConfig(ObjectConfig):
    """The keys that every controller of counters may have."""

    is_critical: bool = Field(
        default=True, description="whether a scan ends when it fails; false: NaN and a warning in its place"
    )

    def apply_to(self, made: Any) -> None:
        if isinstance(made, CounterController):
            made.check_initialized()
        if "is_critical" in self.model_fields_set:
            made.is_critical = self.is_critical


class AnyCounterConfig(LikeADict, ItemConfig):
    """What YAML says of a counter of such a controller; it may be called otherwise than by `name`."""

    model_config = TAKES_ANY_KEY

    name: str = ""


class AnyCounterControllerConfig(LikeADict, CounterControllerConfig):
    """What YAML says of a controller whose class does not declare its keys."""

    model_config = TAKES_ANY_KEY

    counters: list[AnyCounterConfig] = Field(default_factory=list)


class CounterController:
    """Owner of counters that are acquired together.

    :param register_counters: whether its counters are among those that the session lists.
    """

    Config: ClassVar[type[ObjectConfig]] = AnyCounterControllerConfig
    """Its keys in YAML; a class that does not declare them, as those written for BLISS, looks into any."""

    interlock: ClassVar[bool] = False
    """Whether one session at a time may acquire with it; true for what is set up for a scan, and not only read."""

    is_critical: bool = True
    """Whether a scan ends when it fails. If not, NaN stands for what it did not deliver, and a warning is logged."""

    _counters: dict[str, Counter] = set_by_init("super().__init__(name)")

    def __init__(
        self, name: str, master_controller: CounterController | None = None, register_counters: bool = True
    ) -> None:
        self.name = name
        self.master_controller = master_controller
        self.is_registered = register_counters
        self._counters = {}

    def check_initialized(self) -> None:
        """:raises DeviceError: the `__init__` of its class has not called that of its base."""
        _ = self._counters

    @property
    def _master_controller(self) -> CounterController | None:
        """What drivers of BLISS call `master_controller`."""
        return self.master_controller

    @property
    def fullname(self) -> str:
        return f"{self.master_controller.fullname}:{self.name}" if self.master_controller else self.name

    @property
    def counters(self) -> counter_namespace:
        return counter_namespace(self._counters)

    @property
    def counter_groups(self) -> CounterGroups:
        """Groups of its counters by name; `default` are those of a scan that is given the controller."""
        return CounterGroups(default=self.counters)

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

    def remove(self, counter: Counter) -> None:
        """Forget a counter.

        :raises DeviceError: it is none of this controller.
        """
        if self._counters.get(counter.name) is not counter:
            raise DeviceError(
                f"controller {self.name!r} has no {counter!r}; it has: {', '.join(self._counters) or 'none'}"
            )
        del self._counters[counter.name]

    def clear(self) -> None:
        """Forget all counters."""
        self._counters.clear()

    def unregister(self) -> None:
        """Leave its counters out of what the session lists from now on."""
        self.is_registered = False

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

    def get_acquisition_object(self, acq_params: Params, ctrl_params: Params, parent_acq_params: Params) -> Any:
        """Return what acquires the counters in a scan, an `AcquisitionObject`.

        :param acq_params: what `get_default_chain_parameters` returned.
        :param ctrl_params: what `get_current_parameters` returned, and what the scan changes of that.
        :param parent_acq_params: the `acq_params` of the master controller, or {}.
        :raises DeviceError: nothing is known about how to acquire it.
        """
        for controller_class in type(self).__mro__:
            if controller_class in _makers:
                return _makers[controller_class](self, acq_params, ctrl_params, parent_acq_params)
        raise DeviceError(
            f"controller {self.name!r} ({type(self).__name__}): nothing says how it is acquired; give it "
            "get_acquisition_object(acq_params, ctrl_params, parent_acq_params)"
        )

    def create_chain_node(self) -> Any:
        """Return what stands for this controller while a chain is built, a `ChainNode`.

        :raises DeviceError: nothing that builds chains was imported.
        """
        for controller_class in type(self).__mro__:
            if controller_class in _node_makers:
                return _node_makers[controller_class](self)
        raise DeviceError(
            f"controller {self.name!r}: there are chain nodes only where bliss_like.scanning.chain is imported"
        )

    def get_current_parameters(self) -> dict[str, Any] | None:
        """Return the parameters of the hardware that a scan may change, if there are any."""
        return {}

    def apply_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Write parameters to the hardware; called before a scan is prepared."""

    def __info__(self) -> str:
        can_fail = "" if self.is_critical else ", scans go on without it when it fails"
        return f"{type(self).__name__} {self.fullname}{can_fail}\n{self.counters.__info__()}"

    def __repr__(self) -> str:
        names = ", ".join(self.__dict__.get("_counters", ())) or "no counters"  # also before it is complete
        return f"<{type(self).__name__} {getattr(self, 'name', '?')}: {names}>"


class SamplingCounterController(CounterController):
    """A controller that is asked for the present values.

    :param max_sampling_frequency: readings per second, within one count time, that the hardware bears; None for no limit.
    """

    max_sampling_frequency: float | None = None

    def __init__(
        self,
        name: str,
        master_controller: CounterController | None = None,
        register_counters: bool = True,
        *,
        max_sampling_frequency: float | None = None,
    ) -> None:
        super().__init__(name, master_controller, register_counters)
        if max_sampling_frequency is not None:
            self.max_sampling_frequency = max_sampling_frequency

    def read_all(self, *counters: SamplingCounter) -> Sequence[Any]:
        """Return one reading of each of `counters`, in their order, not converted."""
        return [self.read(counter) for counter in counters]

    def read(self, counter: SamplingCounter) -> Any:
        """Return one reading of `counter`, not converted."""
        if type(self).read_all is not SamplingCounterController.read_all:
            return self.read_all(counter)[0]
        raise NotImplementedError(f"{type(self).__name__} must overload read_all(*counters) or read(counter)")


class IntegratingCounterController(CounterController):
    """A controller that integrates by itself and keeps its values until they are fetched."""

    interlock = True

    def __init__(
        self,
        name: str = "integ_cc",
        master_controller: CounterController | None = None,
        register_counters: bool = True,
    ) -> None:
        super().__init__(name, master_controller, register_counters)

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Sequence[Any]]:
        """Return the values since point `from_index` that are there, for each of `counters`: all equally many."""
        raise NotImplementedError(f"{type(self).__name__} must overload get_values(from_index, *counters)")
