"""A loop: brings its input to a setpoint by its output, and knows when it is there.

A new setpoint begins a way that is followed until the loop has settled; `loop.axis` is the same as an axis.
"""

from __future__ import annotations

import enum
import math
from typing import Any

from bliss_like.config.node import ConfigNode
from bliss_like.controllers.regulation.approach import Approach
from bliss_like.controllers.regulation.driver import RegulationDriver
from bliss_like.controllers.regulation.input import Input
from bliss_like.controllers.regulation.keys import LoopAxisConfig
from bliss_like.controllers.regulation.loop_axis import axis_of
from bliss_like.controllers.regulation.output import Output
from bliss_like.controllers.regulation.parts import Ramping, RampOfBox
from bliss_like.controllers.regulation.ramp import SoftRamp
from bliss_like.controllers.regulation.readings import ReadingCounters, measured, number, with_unit
from bliss_like.devices.axis import Axis, check_limits
from bliss_like.devices.counter import counter_namespace
from bliss_like.errors import RegulationFault


class WaitMode(enum.IntEnum):
    """When a motion to a new setpoint is over."""

    RAMP = 1
    """The ramp has ended."""
    DEADBAND = 2
    """The input has stayed in the deadband for `deadband_time`."""


def _parameter(name: str, doc: str, lowest: float = -math.inf) -> Any:
    """Make the attribute of a number that the driver gets and sets."""

    def get(loop: Loop) -> float:
        loop.controller.make_ready(loop)
        return float(getattr(loop.controller, f"get_{name}")(loop))

    def put(loop: Loop, value: float) -> None:
        value = number(loop.name, name, value, lowest)
        loop.controller.make_ready(loop)
        getattr(loop.controller, f"set_{name}")(loop, value)

    return property(get, put, doc=doc)


class Loop(Ramping):
    """One loop of a box, or of this process; rates are in units of the input per second.

    `loop.setpoint = 50` starts the ramp and returns; `loop.wait()` waits until the loop has settled, and a Ctrl-C
    meanwhile stops the ramp where it is.
    """

    def __init__(
        self,
        controller: RegulationDriver,
        config: Any,
        tinput: Input,
        toutput: Output,
        axis_config: LoopAxisConfig | None = None,
        node: ConfigNode | None = None,
    ) -> None:
        """:param config: a LoopConfig, or what else has the keys of one.
        :param axis_config: of an axis that has a name of its own; else it is called `<loop>_axis`."""
        self.config = config
        self.name: str = config.name
        self.controller = controller
        self.input = tinput
        self.output = toutput
        self.polling_time = config.polling_time
        self.timeout = config.timeout
        self.max_attempts_before_failure = config.max_attempts_before_failure
        self.approach: Approach | None = None
        """The way to the last setpoint that was set here."""
        self.soft_ramp = SoftRamp(self._start_of_ramp, self._write_setpoint, f"the ramp of {self.name}")
        self._deadband: float = config.deadband
        self._deadband_time: float = config.deadband_time
        self._wait_mode = WaitMode[config.wait_mode.upper()]
        self._counters = ReadingCounters(controller.name, self.__connect__)
        self._counters.add(self.name, self.read, self.unit, "SINGLE")
        self.axis: Axis = axis_of(self, axis_config, node)

    @property
    def channel(self) -> Any:
        """What the hardware calls it."""
        return self.config.channel

    @property
    def unit(self) -> str | None:
        return self.input.unit

    @property
    def counters(self) -> counter_namespace:
        """Its setpoint as it is now (by the name of the loop), its input and its output."""
        return self._counters.counters + self.input.counters + self.output.counters

    def read(self) -> float:
        """The setpoint as it is now, also on a ramp."""
        return self.working_setpoint

    def measured(self) -> float:
        """What the input reads.

        :raises DeviceError: it does not answer, or the sensor is broken.
        """
        return measured(self.input, self.name)

    # -- setpoint ------------------------------------------------------------------------------------------------------

    @property
    def setpoint(self) -> float:
        """Where the loop is to go, in the unit of its input. Setting it starts the ramp, and returns.

        :raises AxisLimitError: outside the limits of `axis`; nothing was done.
        :raises AxisFault: a motion of `axis` is under way.
        :raises RegulationFault: the regulation is off, and `autostart` too.
        """
        if self.soft_ramp.is_ramping() and self.approach is not None:
            return self.approach.target
        self.controller.make_ready(self)
        return float(self.controller.get_setpoint(self))

    @setpoint.setter
    def setpoint(self, value: float) -> None:
        self.axis.refuse_if_moving()
        self.go(value)

    def go(self, value: float) -> None:
        """Start the way to a setpoint; what `setpoint = value` and a motion of `axis` do."""
        target = number(self.name, "setpoint", value)
        check_limits({self.axis: self.axis.dial2user(target)})
        self.controller.make_ready(self)
        if self.config.autostart and not self.controller.is_regulating(self):
            self.controller.start_regulation(self)
        self.soft_ramp.failure = None
        self.check_regulating()
        value = self.measured()
        self._end_approach()
        if self.ramprate:
            self._start_ramp(target)
        else:
            self.soft_ramp.stop()
            self._write_setpoint(target)
        self.approach = Approach(self, target, value)

    @property
    def working_setpoint(self) -> float:
        """The setpoint as it is now, also on a ramp."""
        self.controller.make_ready(self)
        return float(self.controller.get_working_setpoint(self))

    def _write_setpoint(self, value: float) -> None:
        self.controller.set_setpoint(self, value)

    def wait(self, timeout: float | None = None) -> None:
        """Return when the loop has arrived as `wait_mode` says, or was stopped. A waiter that is killed stops the ramp.

        :param timeout: seconds to wait; then the loop goes on and an error says where it is.
        :raises RegulationFault: it did not settle, or has failed.
        """
        if timeout is not None:
            timeout = number(self.name, "timeout", timeout, lowest=0.0)
        if self.approach is None:
            return
        try:
            self.approach.wait(timeout)
        except Exception:
            raise
        except BaseException as interruption:
            try:
                self.stop()
            except Exception as error:  # noqa: BLE001 - what ended the waiting is raised
                interruption.add_note(f"{self.name} could not be stopped: {error}")
            raise

    def stop(self) -> None:
        """Hold: stop the ramp where it is; without a ramp, on the way, make the present value of the input the setpoint.

        The regulation goes on there. Nothing happens when the loop has settled.
        """
        self.axis.stop(wait=False)
        self.hold()

    def hold(self) -> None:
        """What a stop does, also that of a motion of `axis`."""
        if self.approach is None or self.approach.is_over:
            if self.is_ramping():
                self._stop_ramp()
            return
        self._end_approach()
        if self.is_ramping():
            self._stop_ramp()
        else:
            self._write_setpoint(self.measured())

    def abort(self) -> None:
        """Stop, and switch the regulation off."""
        try:
            self.stop()
        finally:
            self.stop_regulation()

    def _end_approach(self) -> None:
        if self.approach is not None:
            self.approach.end()

    # -- deadband ------------------------------------------------------------------------------------------------------

    @property
    def deadband(self) -> float:
        """How far from the setpoint the input may be and count as there, to either side."""
        return self._deadband

    @deadband.setter
    def deadband(self, value: float) -> None:
        self._deadband = number(self.name, "deadband", value, lowest=0.0)

    @property
    def deadband_time(self) -> float:
        """Seconds that the input has to stay in the deadband."""
        return self._deadband_time

    @deadband_time.setter
    def deadband_time(self, seconds: float) -> None:
        self._deadband_time = number(self.name, "deadband_time", seconds, lowest=0.0)

    @property
    def wait_mode(self) -> WaitMode:
        """When a motion is over; may be set by its name, "ramp" or "deadband"."""
        return self._wait_mode

    @wait_mode.setter
    def wait_mode(self, mode: WaitMode | str | int) -> None:
        try:
            self._wait_mode = WaitMode[mode.upper()] if isinstance(mode, str) else WaitMode(mode)
        except (KeyError, ValueError):
            raise ValueError(f"{self.name}: wait_mode must be 'ramp' or 'deadband', got {mode!r}") from None

    @property
    def waits_for_deadband(self) -> bool:
        return self._wait_mode is WaitMode.DEADBAND

    def is_in_deadband(self) -> bool:
        """Whether the input is at the setpoint now."""
        return abs(self.measured() - self.setpoint) <= self._deadband

    # -- regulation ----------------------------------------------------------------------------------------------------

    def is_regulating(self) -> bool:
        self.controller.make_ready(self)
        return bool(self.controller.is_regulating(self))

    def start_regulation(self) -> None:
        """Switch the regulation on, at the setpoint that it has; on already is no error."""
        self.controller.make_ready(self)
        self.controller.start_regulation(self)

    def stop_regulation(self) -> None:
        """Switch the regulation off; off already is no error."""
        self.controller.make_ready(self)
        self.controller.stop_regulation(self)

    def check_regulating(self) -> None:
        """:raises RegulationFault: the regulation is off, or its ramp has failed."""
        if self.soft_ramp.failure is not None:
            raise RegulationFault(
                f"{self.name}: its ramp ended at {self.soft_ramp.value:g}: {self.soft_ramp.failure}"
            ) from self.soft_ramp.failure
        if not self.is_regulating():
            raise RegulationFault(f"{self.name}: the regulation is off; {self.name}.start_regulation() switches it on")

    # -- ramp ----------------------------------------------------------------------------------------------------------

    @property
    def _ramp(self) -> RampOfBox:
        box = self.controller
        return RampOfBox(box.get_ramprate, box.set_ramprate, box.is_ramping)

    def _start_ramp(self, target: float) -> None:
        try:
            self.controller.start_ramp(self, target)
        except NotImplementedError:
            self.soft_ramp.start(target)

    def _stop_ramp(self) -> None:
        try:
            self.controller.stop_ramp(self)
        except NotImplementedError:
            self.soft_ramp.stop()

    def _start_of_ramp(self) -> float:
        """Where a ramp begins: at the setpoint if the input is there, else at the input, so that nothing jumps."""
        now, setpoint = self.measured(), float(self.controller.get_setpoint(self))
        return setpoint if abs(now - setpoint) <= self._deadband else now

    # -- PID -----------------------------------------------------------------------------------------------------------

    kp = _parameter("kp", "P")
    ki = _parameter("ki", "I, per second")
    kd = _parameter("kd", "D, seconds")
    sampling_frequency = _parameter("sampling_frequency", "regulations a second", lowest=1e-3)

    @property
    def pid_range(self) -> tuple[float, float]:
        """(low, high) of what the PID gives; they stand for the limits of the output."""
        self.controller.make_ready(self)
        low, high = self.controller.get_pid_range(self)
        return float(low), float(high)

    @pid_range.setter
    def pid_range(self, pid_range: tuple[float, float]) -> None:
        try:
            low, high = pid_range
        except (TypeError, ValueError):
            raise ValueError(f"{self.name}: pid_range must be (low, high), got {pid_range!r}") from None
        low, high = number(self.name, "pid_range", low), number(self.name, "pid_range", high)
        if not low < high:
            raise ValueError(f"{self.name}: pid_range must be (low, high), got {pid_range!r}")
        self.controller.make_ready(self)
        self.controller.set_pid_range(self, (low, high))

    def apply_config(self) -> None:
        """Set what YAML gives of a loop that is being made ready."""
        config, controller = self.config, self.controller
        for value, setter in [
            (config.P, controller.set_kp),
            (config.I, controller.set_ki),
            (config.D, controller.set_kd),
            (config.frequency, controller.set_sampling_frequency),
        ]:
            if value is not None:
                setter(self, value)
        if config.low_limit is not None and config.high_limit is not None:
            controller.set_pid_range(self, (config.low_limit, config.high_limit))
        if config.ramprate is not None:
            self.apply_ramprate(config.ramprate)

    # -- for the session -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Follow nothing any more; the hardware goes on regulating."""
        self._end_approach()
        self.soft_ramp.stop()

    def __close__(self) -> None:
        self.close()

    def __refuse_close__(self) -> None:
        self.axis.refuse_if_moving()

    def __connect__(self, timeout: float) -> None:
        self.controller.connect_item(self, timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} of {self.controller.name}>"

    def __info__(self) -> str:
        regulation = "on" if self.is_regulating() else "off"
        ramp = ", ramping" if self.is_ramping() else ""
        return "\n".join(
            [
                f"loop {self.name} of {self.controller.name}, regulation {regulation}{ramp}",
                f"  input     {self.input.name} {with_unit(self.input.read(), self.unit)}",
                f"  output    {self.output.name} {with_unit(self.output.read(), self.output.unit)}",
                f"  setpoint  {with_unit(self.setpoint, self.unit)}, now {self.working_setpoint:g}",
                f"  ramprate  {self.ramprate:g} /s",
                f"  deadband  {self.deadband:g} for {self.deadband_time:g} s, wait_mode {self.wait_mode.name.lower()}",
                f"  axis      {self.axis.name}",
            ]
        )
