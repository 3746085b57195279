"""What takes part in a scan: masters trigger, slaves are triggered; both own channels.

A new kind of acquisition derives from `AcquisitionMaster` or `AcquisitionSlave` and overloads some of `prepare`, `start`,
`trigger`, `trigger_ready`, `wait_ready`, `stop`, `__iter__` and, for slaves, `reading`. What is not overloaded costs nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from numpy.typing import DTypeLike

from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.counter import Counter, CounterController
from bliss_like.errors import ChainError

from .channel import AcquisitionChannel, AcquisitionChannelList
from .greenlets import SideBySide, run_all

if TYPE_CHECKING:
    from gevent import Greenlet

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
    return hasattr(device, "wait_move") and hasattr(device, "position") and hasattr(device, "name")


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
        self._counters: dict[Counter, list[AcquisitionChannel]] = {}
        self._acq_prepared = Event()
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

    @property
    def name(self) -> str:
        if self.__name:
            return self.__name
        if is_axis(self.device) or (self.device is not None and hasattr(self.device, "axes")):
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


class AcquisitionSlave(AcquisitionObject):
    """Acquires when its master, or a cable, triggers it."""

    def __init__(self, *devices: Any, **kwargs: Any) -> None:
        super().__init__(*devices, **kwargs)
        self._acq_reading: Greenlet[..., None] | None = None
        self._acq_on_failure: Callable[[AcquisitionObject, BaseException], object] | None = None

    def reading(self) -> None:
        """Fetch data and emit them; runs beside the scan from `start`, or the first trigger, until it returns.

        If it raises, the scan ends at once.
        """

    @property
    def has_reading(self) -> bool:
        return getattr(self.reading, "__func__", self.reading) is not AcquisitionSlave.reading

    @property
    def is_reading(self) -> bool:
        return self._acq_reading is not None and not self._acq_reading.ready()

    def wait_reading(self, timeout: float | None = None) -> bool:
        """Return, after at most `timeout` seconds, whether `reading` is over."""
        if self._acq_reading is not None:
            self._acq_reading.join(timeout)
        return not self.is_reading

    def acq_start(self) -> None:
        self.start()
        self.acq_ensure_reading()

    def acq_trigger(self) -> None:
        self.acq_ensure_reading()
        self.trigger()

    def acq_ensure_reading(self) -> None:
        if not self.is_reading:
            self._acq_reading = gevent.spawn(self.acq_reading)

    def acq_reading(self) -> None:
        try:
            self.reading()
        except gevent.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001  the scan raises it
            if self._acq_on_failure is not None:
                self._acq_on_failure(self, error)

    def acq_end_reading(self, timeout: float) -> None:
        """Give `reading` some time to end by itself, then end it."""
        if not self.wait_reading(timeout) and self._acq_reading is not None:
            self._acq_reading.kill(block=False)

    def acq_settle(self) -> None:
        """Wait until the next iteration may begin; a reading that is over is ready by definition."""
        if not self.has_reading:
            self.wait_ready()
        elif not (self.prepare_once or self.start_once):
            self.wait_reading()
        elif self.is_reading:
            self._wait_ready_or_end_of_reading()

    def _wait_ready_or_end_of_reading(self) -> None:
        if self._acq_reading is None:
            return
        waiter = gevent.getcurrent()
        over = _ReadingOver()
        hub = gevent.get_hub()

        def on_end(_: object) -> None:
            hub.loop.run_callback(waiter.throw, over)

        self._acq_reading.rawlink(on_end)
        try:
            self.wait_ready()
        except _ReadingOver as error:
            if error is not over:
                raise
        finally:
            self._acq_reading.unlink(on_end)


class _ReadingOver(BaseException):
    """Ends a wait for a device whose reading is over."""


class AcquisitionMaster(AcquisitionObject):
    """Triggers its slaves; a top master's iteration is the scan's.

    :ivar terminator: whether the scan ends when this top master does; else it goes on until another one ends.
    """

    def __init__(self, *devices: Any, **kwargs: Any) -> None:
        super().__init__(*devices, **kwargs)
        self.__slaves: list[AcquisitionObject] = []
        self._acq_ready_checks: tuple[tuple[AcquisitionObject, Callable[[], bool]], ...] = ()
        self._acq_triggers = SideBySide(())
        self.terminator = True

    @property
    def slaves(self) -> list[AcquisitionObject]:
        return self.__slaves

    def __iter__(self) -> Iterator[Any]:
        """Yield once for each iteration, before it is prepared."""
        yield self

    def set_image_saving(self, directory: str, prefix: str, force_no_saving: bool = False) -> None:
        """Say where a detector that saves its own images shall put them."""

    # -- for the verbs of derived classes ------------------------------------------------------------------------------

    def trigger_slaves(self) -> None:
        """Trigger all software-triggered slaves; return when each has finished or is waiting for its device.

        :raises ChainError: a slave is not ready for it.
        """
        if self._acq_triggers.is_running:
            self._refuse([getattr(call, "__self__", call) for call in self._acq_triggers.waiting])
        for slave, is_ready in self._acq_ready_checks:
            if not is_ready():
                self._refuse([slave])
        self._acq_triggers.start()

    def _refuse(self, slaves: list[Any]) -> None:
        names = ", ".join(getattr(slave, "name", str(slave)) for slave in slaves)
        raise ChainError(
            f"master {self.name!r} cannot trigger {names}: previous trigger is not done; trigger more slowly, or wait for "
            "the slaves"
        )

    def wait_slaves(self) -> None:
        """Return when all slaves have done what the last `trigger_slaves` made them do.

        :raises BaseException: what one of them raised.
        """
        self._acq_triggers.wait()

    def wait_slaves_prepare(self) -> None:
        """Return when all slaves are prepared; for a master's `prepare`, which may run beside those of its slaves."""
        for slave in self.slaves:
            slave._acq_prepared.wait()

    def wait_slaves_ready(self) -> None:
        """Return when all slaves, and theirs, can take a trigger."""
        for slave in self.slaves:
            if isinstance(slave, AcquisitionMaster):
                slave.wait_slaves_ready()
        run_all(slave.wait_ready for slave in self.slaves if slave.has_own("wait_ready"))

    def stop_all_slaves(self) -> None:
        """Stop all slaves, and theirs.

        :raises BaseException: what the first failed one raised; the others were stopped all the same.
        """
        for slave in self.slaves:
            if isinstance(slave, AcquisitionMaster):
                slave.stop_all_slaves()
        tasks = [gevent.spawn(_raised, slave.stop) for slave in self.slaves if slave.has_own("stop")]
        gevent.joinall(tasks)
        for task in tasks:
            if task.value is not None:
                raise task.value

    def add_external_channel(
        self,
        device: AcquisitionObject,
        name: str,
        rename: str | None = None,
        conversion: Callable[[Any], Any] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        """Publish here, too, what a channel of another acquisition object emits.

        :param name: short name of that channel.
        :param conversion: gets blocks, shape (npoints, *shape).
        :raises ChainError: there is no such channel.
        """
        source = _find_channel(device, name)
        self.channels.append(source.duplicate(rename, conversion, dtype))

    def attach_channels(self, master: AcquisitionMaster, to_channel_name: str) -> None:
        """Repeat the last values of a master above this one for every point of one of our channels.

        So a slow axis gets as many points as the fast one that it is scanned against.

        :raises ChainError: it is not above this master, or there is no such channel.
        """
        above = self.parent
        while above is not None and above is not master:
            above = above.parent
        if above is None:
            raise ChainError(f"master {master.name!r} is not above {self.name!r}, its channels cannot be attached")
        leader = _find_channel(self, to_channel_name)
        for channel in master.channels:
            channel.repeat_with(leader)

    # -- for the chain -------------------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Work out what `trigger_slaves` has to call."""
        soft = [slave for slave in self.slaves if slave.trigger_type is TriggerType.SOFTWARE]
        self._acq_ready_checks = tuple((slave, slave.trigger_ready) for slave in soft if slave.has_own("trigger_ready"))
        calls: list[Call] = []
        for slave in soft:
            if isinstance(slave, AcquisitionSlave) and slave.has_reading:
                calls.append(slave.acq_trigger)
            elif slave.has_own("trigger"):
                calls.append(slave.trigger)
        self._acq_triggers = SideBySide(calls)

    def disarm(self) -> None:
        self._acq_triggers.close()


def _raised(call: Call) -> BaseException | None:
    try:
        call()
    except BaseException as error:  # noqa: BLE001  the caller raises it
        return error
    return None


def _find_channel(device: AcquisitionObject, name: str) -> AcquisitionChannel:
    for channel in device.channels:
        if name in (channel.short_name, channel.name):
            return channel
    there = ", ".join(channel.short_name for channel in device.channels) or "none"
    raise ChainError(f"acquisition object {device.name!r} has no channel {name!r}; there are: {there}")
