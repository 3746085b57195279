"""What masters and slaves have in common: a device, channels, and verbs that a scan calls."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gevent.event import Event

from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.counter import Counter, CounterController
from bliss_like.devices.set_by_init import set_by_init
from bliss_like.errors import ChainError

from .channel import AcquisitionChannel, AcquisitionChannelList
from .parameters import Schema, validated

if TYPE_CHECKING:
    from .acquisition import AcquisitionMaster

Call = Callable[[], object]


class TriggerType(enum.Enum):
    """Who triggers a slave: its master, in Python, or a cable."""

    SOFTWARE = "software"
    HARDWARE = "hardware"


class MetaTiming(enum.Flag):
    """When metadata are gathered."""

    START = enum.auto()
    PREPARED = enum.auto()
    END = enum.auto()


META_TIMING = MetaTiming


def is_axis(device: object) -> bool:
    """Tell whether a device has the interface of an axis, without reading its position."""
    kind = type(device)
    return hasattr(kind, "position") and hasattr(kind, "wait_move") and hasattr(device, "name")


class AcquisitionObject:
    """One device, or several that are acquired together, in one scan.

    :param devices: counters of one controller, or axes, or one object of any kind.
    :param npoints: how many points come; 0 for no end.
    :param prepare_once: `prepare` is called for the first iteration only.
    :param start_once: `start` is called for the first iteration only.
    :param ctrl_params: written to the controller before preparation.
    """

    SOFTWARE, HARDWARE = TriggerType.SOFTWARE, TriggerType.HARDWARE
    META_TIMING = MetaTiming
    _counters: dict[Counter, list[AcquisitionChannel]] = set_by_init(
        "super().__init__(...) with the device, npoints=, trigger_type=..."
    )

    def __init__(
        self,
        *devices: Any,
        name: str | None = None,
        npoints: int = 1,
        trigger_type: TriggerType = TriggerType.SOFTWARE,
        prepare_once: bool = False,
        start_once: bool = False,
        ctrl_params: Mapping[str, Any] | None = None,
    ) -> None:
        self.__name = name
        self.__parent: AcquisitionMaster | None = None
        self.__trigger_type = trigger_type
        self.__prepare_once = prepare_once
        self.__start_once = start_once
        self.__npoints = npoints
        self.__channels = AcquisitionChannelList()
        self._counters = {}
        self._acq_prepared = Event()
        self._acq_on_failure: Callable[[AcquisitionObject, BaseException], object] | None = None
        """Hears of what fails beside the iteration; it ends the scan at once."""
        self._acq_on_progress: Callable[[AcquisitionObject, dict[str, Any]], object] | None = None
        self._device, counters = self.init(devices)
        self.ctrl_params = dict(ctrl_params or {})
        for counter in counters:
            self.add_counter(counter)

    def init(self, devices: tuple[Any, ...]) -> tuple[Any, tuple[Counter, ...]]:
        """Return the one device behind `devices`, and the counters among them.

        :raises ChainError: they do not belong together.
        """
        if not devices:
            return None, ()
        if all(isinstance(device, Counter) for device in devices):
            return devices[0].controller, devices
        if all(is_axis(device) for device in devices):
            return AxisGroup(*devices), ()
        if len(devices) == 1:
            return devices[0], ()
        raise ChainError(
            f"{type(self).__name__}: expected counters of one controller, axes, or one object, got {devices}"
        )

    @staticmethod
    def get_param_validation_schema() -> Mapping[str, Any] | None:
        """Return what `validate_params` checks: rules for each name, or {"acq_params": {"schema": those}, "ctrl_params": ...}."""
        return None

    @classmethod
    def validate_params(
        cls, acq_params: Mapping[str, Any], ctrl_params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the parameters with defaults for what is missing; without a schema, as they are.

        :raises ParameterError: one is missing, unknown or wrong.
        """
        schema = cls.get_param_validation_schema()
        if schema is None:
            return dict(acq_params)
        if set(schema) <= {"acq_params", "ctrl_params"} and all(
            "schema" in rules for rules in schema.values() if rules
        ):
            inner: dict[str, Schema] = {name: rules.get("schema", {}) for name, rules in schema.items()}
            if ctrl_params and inner.get("ctrl_params"):
                validated(ctrl_params, inner["ctrl_params"])
            return validated(acq_params, inner["acq_params"]) if inner.get("acq_params") else dict(acq_params)
        return validated(acq_params, schema)

    @classmethod
    def get_default_acq_params(cls) -> dict[str, Any]:
        """Return the parameters of an acquisition object that is given none.

        :raises ParameterError: some have to be given.
        """
        return cls.validate_params({})

    @property
    def name(self) -> str:
        if self.__name:
            return self.__name
        if is_axis(self.device) or isinstance(self.device, AxisGroup):
            return "axis"
        return getattr(self.device, "name", None) or type(self).__name__

    @property
    def parent(self) -> AcquisitionMaster | None:
        return self.__parent

    @parent.setter
    def parent(self, master: AcquisitionMaster) -> None:
        self.__parent = master
        if self.device is not None and master.device is self.device:
            # Two views of one device: it is prepared and started as its master is.
            self.__prepare_once, self.__start_once = master.prepare_once, master.start_once

    @property
    def device(self) -> Any:
        return self._device

    @property
    def channels(self) -> AcquisitionChannelList:
        return self.__channels

    @property
    def npoints(self) -> int:
        return self.__npoints

    @property
    def trigger_type(self) -> TriggerType:
        return self.__trigger_type

    @property
    def prepare_once(self) -> bool:
        return self.__prepare_once

    @property
    def start_once(self) -> bool:
        return self.__start_once

    @property
    def counters(self) -> list[Counter]:
        return list(self._counters)

    @property
    def known_as(self) -> list[Any]:
        """What people know it by: its axes; else itself."""
        return list(self.device.axes.values()) if isinstance(self.device, AxisGroup) else [self]

    def add_counter(self, counter: Counter) -> None:
        """Acquire one more counter of this device.

        :raises ChainError: the counter is of another controller.
        """
        if counter in self._counters:
            return
        if counter.controller is not self.device:
            raise ChainError(
                f"acquisition object {self.name!r}: counter {counter.fullname!r} is of controller "
                f"{counter.controller.name!r}, expected one of {getattr(self.device, 'name', self.device)!r}"
            )
        self._counters[counter] = []
        self._do_add_counter(counter)

    def _do_add_counter(self, counter: Counter) -> None:
        self._add_channel(
            counter, AcquisitionChannel(counter.fullname, counter.data_dtype, counter.shape, unit=counter.unit)
        )

    def _add_channel(self, counter: Counter, channel: AcquisitionChannel) -> None:
        self.channels.append(channel)
        self._counters[counter].append(channel)

    @property
    def comes_late(self) -> bool:
        """Whether data of a trigger may come when other triggers have followed."""
        return False

    def point_by_point(self) -> None:
        """Be prepared and started anew for each point, so that any may be taken again; to be called before the scan runs."""
        self.__npoints, self.__prepare_once, self.__start_once = 1, False, False

    # -- to be overloaded --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Set the device up for the coming iteration."""

    def start(self) -> None:
        """Begin the iteration; slaves are started before their masters."""

    def trigger(self) -> None:
        """Acquire one point, or make the device do so."""

    def stop(self) -> None:
        """Bring the device to rest; called at every end, whatever happened before, also before any `prepare`."""

    def trigger_ready(self) -> bool:
        """Return whether a trigger would be heard now."""
        return True

    def wait_ready(self) -> None:
        """Return when the device can take the next iteration."""

    def apply_parameters(self) -> None:
        """Write `ctrl_params` to the hardware; called once, before everything else."""
        if self.ctrl_params and isinstance(self.device, CounterController):
            self.device.apply_parameters(self.ctrl_params)

    def get_acquisition_metadata(self, timing: MetaTiming | None = None) -> Mapping[str, Any] | None:
        """Return what the scan's info shall say of the device; called once for each timing."""
        if timing is not MetaTiming.PREPARED:
            return None
        metadata: dict[str, Any] = {}
        for owner in (self.device, *self._counters):
            gather = getattr(owner, "scan_metadata", None)
            metadata.update((gather() if callable(gather) else None) or {})
        return metadata or None

    # -- services ----------------------------------------------------------------------------------------------------

    def emit_progress_signal(self, data: Mapping[str, Any], description: Mapping[str, Any] | None = None) -> None:
        """Tell the progress display of the scan; nothing is stored.

        :param data: values by name, e.g. {"position": 1.2}.
        """
        if self._acq_on_progress is not None:
            prefix = getattr(self.device, "name", None) or self.name
            self._acq_on_progress(self, {f"{prefix}:{name}": value for name, value in data.items()})

    def has_own(self, verb: str) -> bool:
        """Return whether this object overloads `verb`."""
        method = getattr(self, verb, None)
        return getattr(method, "__func__", method) is not getattr(AcquisitionObject, verb, None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
