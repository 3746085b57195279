"""A loop that is regulated by this process: any counter or axis as input, any axis or heater as output.

Whatever ends the regulation (a failure, `stop_regulation`, the end of the session), the output gets its safe value.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent
from pydantic import Field

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.controllers.regulation.driver import RegulationDriver
from bliss_like.controllers.regulation.input import Input
from bliss_like.controllers.regulation.keys import LoopAxisConfig, LoopKeys
from bliss_like.controllers.regulation.loop import Loop
from bliss_like.controllers.regulation.output import Output
from bliss_like.controllers.regulation.pid import PID
from bliss_like.controllers.regulation.readings import measured, number
from bliss_like.devices.axis import Axis
from bliss_like.errors import ConfigError, RegulationFault

_log = logging.getLogger(__name__)


class SoftLoop(Loop):
    """A PID in a greenlet of this process, which keeps its period."""

    class Config(LoopKeys, ObjectConfig):
        input: Reference = Field(description="what is measured: an ExternalInput, or an input of any controller")
        output: Reference = Field(description="what acts: an ExternalOutput, or an output of any controller")
        axes: list[LoopAxisConfig] = Field(default_factory=list, max_length=1)

    def __init__(self, name: str, config: Config) -> None:
        for key, kind in [("input", Input), ("output", Output)]:
            if not isinstance(getattr(config, key), kind):
                raise ConfigError(
                    f"{name}: expected an {kind.__name__} as its {key}, got {getattr(config, key)!r}; "
                    f"an External{kind.__name__} makes one of a counter or an axis"
                )
        self._regulator = SoftRegulator(name, config.input, config.output, config)
        super().__init__(
            self._regulator, config, config.input, config.output, next(iter(config.axes), None), config.node
        )
        self.apply_config()

    def get_item(self, name: str) -> Axis:
        return self.axis

    @property
    def failure(self) -> BaseException | None:
        """What ended the regulation, if it was a failure."""
        return self._regulator.failure

    def apply_proportional_on_measurement(self, enable: bool) -> None:
        """Let P act on the change of the input instead of on the error: no overshoot, slower. Starts the PID anew."""
        self._regulator.pid.proportional_on_measurement = bool(enable)
        self._regulator.pid.reset()

    def check_regulating(self) -> None:
        if self.failure is not None and not self.is_regulating():
            raise RegulationFault(f"{self.name}: the regulation has failed: {self.failure}") from self.failure
        super().check_regulating()

    def close(self) -> None:
        super().close()
        self._regulator.close()


class SoftRegulator(RegulationDriver):
    """Does what a box does: reads, calculates, writes."""

    def __init__(self, name: str, tinput: Input, toutput: Output, config: LoopKeys) -> None:
        self.name = name
        self.pid = PID(1.0, 0.0, 0.0, (0.0, 1.0))
        self.failure: BaseException | None = None
        self._input, self._output = tinput, toutput
        self._attempts = config.max_attempts_before_failure
        self._frequency = 10.0
        self._setpoint: float | None = None
        self._running: gevent.Greenlet[[], None] | None = None

    def connect_item(self, item: Any, timeout: float) -> None:
        for each in (self._input, self._output):
            each.__connect__(timeout)

    def get_setpoint(self, tloop: Loop) -> float:
        return measured(self._input, self.name) if self._setpoint is None else self._setpoint

    def set_setpoint(self, tloop: Loop, sp: float) -> None:
        self._setpoint = sp

    # -- regulation

    def is_regulating(self, tloop: Loop) -> bool:
        return bool(self._running)

    def start_regulation(self, tloop: Loop) -> None:
        if self._running:
            return
        value = measured(self._input, self.name)
        if self._running:  # begun while this one has asked
            return
        self.failure = None
        self.pid.reset()
        self._setpoint = value
        self._running = gevent.spawn(self._run)

    def stop_regulation(self, tloop: Loop) -> None:
        self._end()

    def close(self) -> None:
        """Let nobody regulate any more."""
        self._end()

    def _end(self) -> None:
        running, self._running = self._running, None
        if running:
            running.kill()
            self._output.set_safe()

    def _run(self) -> None:
        failed = 0
        last = due = time.monotonic()
        while True:
            due += 1 / self._frequency
            now = time.monotonic()
            if now > due:  # a reading or a motion took longer than a period: go on in step from here
                due = now
            gevent.sleep(due - now)
            now = time.monotonic()
            try:
                self._regulate(now - last)
                failed = 0
            except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - whatever it is, the output must become safe
                failed += 1
                if failed >= self._attempts:
                    self._fail(error)
                    return
                _log.warning("%s: %s (%d of %d failures in a row)", self.name, error, failed, self._attempts)
            last = now

    def _regulate(self, elapsed: float) -> None:
        if self._setpoint is None or not self._input.allow_regulation():
            return
        value = measured(self._input, self.name)
        output = self.pid.update(self._setpoint, value, elapsed)
        self._output.set_value(self._output.scaled(output, self.pid.output_range))

    def _fail(self, error: BaseException) -> None:
        self.failure = error
        try:
            self._output.set_safe()
            outcome = f"the output {self._output.name} has its safe value"
        except (Exception, gevent.Timeout) as second:  # noqa: BLE001 - both are told
            outcome = f"the output {self._output.name} could not be made safe either: {second}"
        error.add_note(f"{self._attempts} failures in a row ended the regulation; {outcome}.")
        _log.error("%s: the regulation has failed: %s; %s", self.name, error, outcome)

    # -- parameters

    def get_kp(self, tloop: Loop) -> float:
        return self.pid.kp

    def set_kp(self, tloop: Loop, kp: float) -> None:
        self.pid.kp = kp

    def get_ki(self, tloop: Loop) -> float:
        return self.pid.ki

    def set_ki(self, tloop: Loop, ki: float) -> None:
        self.pid.ki = ki

    def get_kd(self, tloop: Loop) -> float:
        return self.pid.kd

    def set_kd(self, tloop: Loop, kd: float) -> None:
        self.pid.kd = kd

    def get_sampling_frequency(self, tloop: Loop) -> float:
        return self._frequency

    def set_sampling_frequency(self, tloop: Loop, value: float) -> None:
        self._frequency = number(self.name, "sampling_frequency", value, lowest=1e-3)

    def get_pid_range(self, tloop: Loop) -> tuple[float, float]:
        return self.pid.output_range

    def set_pid_range(self, tloop: Loop, pid_range: tuple[float, float]) -> None:
        self.pid.output_range = pid_range
