"""Acquisition of what is calculated from the channels of others, as their points come.

A calculation runs in the greenlet that emits the last input of a point: when an acquisition object has emitted all its
points, all that is calculated from them has been emitted too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bliss_like.devices.calc_counter import CalcCounterController, Calculation, Inputs
from bliss_like.devices.naming import name_of
from bliss_like.errors import CalculationError, ChainError

from ..channel import AcquisitionChannel, Array, Listener
from ..tolerance import FAILURES
from . import AcquisitionObject, AcquisitionSlave, TriggerType

Compute = Callable[[AcquisitionChannel, dict[str, Array]], Mapping[str, Any] | None]


class CalcHook:
    """A calculation on channels that has a beginning and an end."""

    def prepare(self) -> None:
        """Called when the scan is prepared."""

    def start(self) -> None:
        """Called when it starts."""

    def compute(self, sender: AcquisitionChannel, data_dict: dict[str, Array]) -> Mapping[str, Any] | None:
        """Return what is to be emitted now, by the names of the output channels; None or {}: nothing yet.

        :param sender: the channel that has just emitted.
        :param data_dict: its short name, and the block, shape (npoints, *shape); it may be changed in place.
        """
        raise NotImplementedError(f"{type(self).__name__} must overload compute(sender, data_dict)")

    def stop(self) -> None:
        """Called when the scan stops; `compute` is called no more."""


class _FunctionHook(CalcHook):
    def __init__(self, function: Compute) -> None:
        self._function = function

    def compute(self, sender: AcquisitionChannel, data_dict: dict[str, Array]) -> Mapping[str, Any] | None:
        return self._function(sender, data_dict)


class CalcChannelAcquisitionSlave(AcquisitionSlave):
    """Emits on its own channels what a function makes of every block that other acquisition objects emit.

    :param src_acq_devices: whose channels are listened to.
    :param func: `func(sender, data_dict)`, or a `CalcHook`.
    :param output_channels: channels, or names of channels of numbers.
    """

    def __init__(
        self,
        name: str,
        src_acq_devices: Sequence[AcquisitionObject],
        func: Compute | CalcHook,
        output_channels: Sequence[AcquisitionChannel | str],
        prepare_once: bool = False,
        start_once: bool = False,
    ) -> None:
        super().__init__(name=name, trigger_type=TriggerType.HARDWARE, prepare_once=prepare_once, start_once=start_once)
        self._sources = list(src_acq_devices)
        self.cbk = func if isinstance(func, CalcHook) else _FunctionHook(func)
        for output in output_channels:
            channel = AcquisitionChannel(output, float, ()) if isinstance(output, str) else output
            if not isinstance(channel, AcquisitionChannel):
                raise ChainError(f"{name}: expected channels, or names of channels, to emit on, got {output!r}")
            channel.is_derived = True
            self.channels.append(channel)
        self._is_listening = False
        self._connected: set[AcquisitionChannel] = set()

    def prepare(self) -> None:
        for source in self._sources:
            for channel in source.channels:
                if channel not in self._connected:
                    self._connected.add(channel)
                    channel.connect(self._take)
        self.cbk.prepare()
        self._is_listening = True

    def start(self) -> None:
        self.cbk.start()

    def stop(self) -> None:
        self._is_listening = False
        self.cbk.stop()

    def _take(self, sender: AcquisitionChannel, block: Array) -> None:
        if not self._is_listening:
            return
        try:
            found = self.cbk.compute(sender, {sender.short_name: block.copy()})
            if found:
                self._emit(found)
        except FAILURES as error:
            if self._acq_on_failure is not None:
                self._acq_on_failure(self, error)
            raise

    def _emit(self, found: Mapping[str, Any]) -> None:
        try:
            self.channels.update(found)
        except KeyError as error:
            raise CalculationError(f"calculation {self.name!r}: {error.args[0]}") from None


class CalcCounterAcquisitionSlave(AcquisitionSlave):
    """Calculates the counters of one controller, each point as soon as all inputs have emitted theirs.

    The n-th points of all inputs belong together; those of inputs that are ahead wait for the others.

    :param src_acq_devices: the acquisition objects of the inputs, and perhaps others.
    :param acq_params: `npoints`, and what a class derived from this makes of the others.
    """

    def __init__(
        self,
        controller: CalcCounterController,
        src_acq_devices: Sequence[AcquisitionObject],
        acq_params: Mapping[str, Any] | None = None,
        ctrl_params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            controller,
            name=controller.name,
            npoints=(acq_params or {}).get("npoints", 1),
            trigger_type=TriggerType.HARDWARE,
            prepare_once=True,
            start_once=True,
            ctrl_params=ctrl_params,
        )
        self._queues = [
            (controller.tag_of(counter), channel, _Queue(channel.shape))
            for counter in controller.input_counters
            if (channel := _channel_of(counter, controller, src_acq_devices))
        ]
        if not self._queues:
            raise ChainError(f"calc controller {controller.name!r} has no inputs, so it would never calculate anything")
        self._starving = len(self._queues)
        self._is_calculating = self._is_connected = False
        self._calculation: Calculation = controller.calc_function
        self.npoints_calculated = 0

    def _do_add_counter(self, counter: Any) -> None:
        super()._do_add_counter(counter)
        self._counters[counter][0].is_derived = True

    def calculate(self, inputs: Inputs) -> Mapping[str, Any]:
        """Return the outputs by their tags; `npoints_calculated` is the number of the first of these points."""
        return self._calculation(inputs)

    def prepare(self) -> None:
        for _, channel, queue in self._queues:
            queue.clear()
            if not self._is_connected:
                channel.connect(self._listener(queue))
        self._is_connected = True
        self._calculation = self.device.calculation(list(self._counters))
        self._starving, self.npoints_calculated = len(self._queues), 0

    def _listener(self, queue: _Queue) -> Listener:
        def take(_: AcquisitionChannel, block: Array) -> None:
            if not queue.npoints:
                self._starving -= 1
            queue.push(block)
            # A calculation that waits for something must not be overtaken: it goes on with these points by itself.
            if not self._starving and not self._is_calculating:
                self._calculate()

        return take

    def _calculate(self) -> None:
        queues = [queue for _, _, queue in self._queues]
        self._is_calculating = True
        try:
            while not self._starving:
                npoints = min([queue.npoints if queue.is_regular else queue.nfront() for queue in queues])
                inputs = {tag: queue.pop(npoints) for tag, _, queue in self._queues}
                self._starving = [queue.npoints for queue in queues].count(0)
                blocks = self.device.calculated(inputs, self._counters, self.calculate)
                self.npoints_calculated += npoints
                for channels, block in zip(self._counters.values(), blocks, strict=True):
                    channels[0].emit(block[0] if npoints == 1 else block)
        except FAILURES as error:
            # Whoever has emitted the input may be one whose failures are borne; this is none of them.
            if self._acq_on_failure is not None:
                self._acq_on_failure(self, error)
            raise
        finally:
            self._is_calculating = False


class _Queue:
    """Points of one input that wait for those of the others.

    :param shape: of one point; -1 for a dimension that may vary.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.is_regular = -1 not in shape
        self.npoints = 0
        self._blocks: deque[Array] = deque()

    def clear(self) -> None:
        self._blocks.clear()
        self.npoints = 0

    def push(self, block: Array) -> None:
        self._blocks.append(block)
        self.npoints += len(block)

    def nfront(self) -> int:
        """Return how many points there are before one of another shape."""
        npoints, shape = 0, self._blocks[0].shape[1:]
        for block in self._blocks:
            if block.shape[1:] != shape:
                break
            npoints += len(block)
        return npoints

    def pop(self, npoints: int) -> Array:
        """Return the first points, shape (npoints, *shape of one), as an array that may be changed."""
        self.npoints -= npoints
        if len(self._blocks[0]) == npoints:
            return self._blocks.popleft().copy()
        parts: list[Array] = []
        while npoints:
            block = self._blocks.popleft()
            if len(block) > npoints:
                self._blocks.appendleft(block[npoints:])
                block = block[:npoints]
            parts.append(block)
            npoints -= len(block)
        return np.concatenate(parts)


def _channel_of(
    counter: Any, controller: CalcCounterController, devices: Sequence[AcquisitionObject]
) -> AcquisitionChannel:
    """Return the channel of the values of a counter, the first of those that it has.

    :raises ChainError: none of the acquisition objects acquires it.
    """
    for device in devices:
        channels = device._counters.get(counter)
        if channels:
            return channels[0]
    there = ", ".join(device.name for device in devices) or "none"
    raise ChainError(
        f"calc controller {controller.name!r}: expected an acquisition object that acquires its input {name_of(counter)} "
        f"of {counter.controller.name!r}; there are: {there}"
    )
