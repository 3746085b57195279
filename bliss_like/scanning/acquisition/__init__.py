"""What takes part in a scan: masters trigger, slaves are triggered; both own channels.

A new kind of acquisition derives from `AcquisitionMaster` or `AcquisitionSlave` and overloads some of `prepare`, `start`,
`trigger`, `trigger_ready`, `wait_ready`, `stop`, `__iter__` and, for slaves, `reading`. What is not overloaded costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gevent
from numpy.typing import DTypeLike

from bliss_like.errors import ChainError

from ..acquisition_object import META_TIMING, AcquisitionObject, Call, MetaTiming, TriggerType, is_axis
from ..channel import AcquisitionChannel
from ..greenlets import SideBySide, called_by, run_all

if TYPE_CHECKING:
    from gevent import Greenlet

__all__ = [
    "META_TIMING",
    "AcquisitionMaster",
    "AcquisitionObject",
    "AcquisitionSlave",
    "Call",
    "MetaTiming",
    "TriggerType",
    "is_axis",
]


class AcquisitionSlave(AcquisitionObject):
    """Acquires when its master, or a cable, triggers it."""

    def __init__(self, *devices: Any, **kwargs: Any) -> None:
        super().__init__(*devices, **kwargs)
        self._reading_task: Greenlet[..., None] | None = None
        self.reading_failed = False
        """Whether `reading` has raised: the scan is about to end, and knows why."""

    def reading(self) -> None:
        """Fetch data and emit them; runs beside the scan from `start`, or the first trigger, until it returns.

        If it raises, the scan ends at once.
        """

    @property
    def comes_late(self) -> bool:
        return self.has_reading

    @property
    def has_reading(self) -> bool:
        return getattr(self.reading, "__func__", self.reading) is not AcquisitionSlave.reading

    @property
    def has_emitted_when_ready(self) -> bool:
        """Whether `reading` has emitted the points of all triggers when `wait_ready` returns."""
        return False

    @property
    def is_reading(self) -> bool:
        return self._reading_task is not None and not self._reading_task.ready()

    def wait_reading(self, timeout: float | None = None) -> bool:
        """Return, after at most `timeout` seconds, whether `reading` is over."""
        if self._reading_task is not None:
            self._reading_task.join(timeout)
        return not self.is_reading

    def acq_start(self) -> None:
        self.start()
        self.acq_ensure_reading()

    def acq_trigger(self) -> None:
        self.acq_ensure_reading()
        self.trigger()

    def acq_ensure_reading(self) -> None:
        if not self.is_reading and not self.reading_failed:
            self._reading_task = called_by(gevent.spawn(self.acq_reading))

    def acq_reading(self) -> None:
        try:
            self.reading()
        except gevent.GreenletExit:
            raise
        except BaseException as error:  # noqa: BLE001  the scan raises it
            self.reading_failed = True
            if self._acq_on_failure is not None:
                self._acq_on_failure(self, error)

    def acq_end_reading(self, timeout: float) -> None:
        """Give `reading` some time to end by itself, then end it."""
        if not self.wait_reading(timeout) and self._reading_task is not None:
            self._reading_task.kill(block=False)
        self.reading_failed = False

    def acq_settle(self) -> None:
        """Wait until the next iteration may begin; a reading that is over is ready by definition."""
        if not self.has_reading:
            self.wait_ready()
        elif not (self.prepare_once or self.start_once):
            self.wait_reading()
        elif self.is_reading:
            self._wait_ready_or_end_of_reading()

    def _wait_ready_or_end_of_reading(self) -> None:
        if self._reading_task is None:
            return
        waiter = gevent.getcurrent()
        over = _ReadingOver()
        hub = gevent.get_hub()

        def on_end(_: object) -> None:
            hub.loop.run_callback(waiter.throw, over)

        self._reading_task.rawlink(on_end)
        try:
            self.wait_ready()
        except _ReadingOver as error:
            if error is not over:
                raise
        finally:
            self._reading_task.unlink(on_end)


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
    def has_own_image_saving(self) -> bool:
        return type(self).set_image_saving is not AcquisitionMaster.set_image_saving

    @property
    def slaves(self) -> list[AcquisitionObject]:
        return self.__slaves

    def __iter__(self) -> Iterator[Any]:
        """Yield once for each iteration, before it is prepared."""
        yield self

    def set_image_saving(
        self, directory: str | None, prefix: str | None, force_no_saving: bool = False, asked: bool = False
    ) -> None:
        """Say where a detector that saves its own images shall put them; called before its channels are announced.

        :param directory: it may not exist yet; None, with `force_no_saving`: there is none.
        :param asked: the scan was told to save images, also those that nobody counts.
        """

    def wait_end(self) -> None:
        """Return when the last data are there; called after the last iteration, unless the scan was told to end early."""

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
            f"master {self.name!r} cannot trigger {names}: previous trigger is not done; trigger more slowly (a longer "
            "count_time or sleep_time), give it a rate of its own (`every` in chain_settings), or call wait_slaves() before"
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
    channel = device.channels.by_name().get(name)
    if channel is not None:
        return channel
    there = ", ".join(channel.short_name for channel in device.channels) or "none"
    raise ChainError(f"acquisition object {device.name!r} has no channel {name!r}; there are: {there}")
