"""What a loop acts with: an output of a box, or any axis."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.controllers.regulation.driver import RegulationDriver
from bliss_like.controllers.regulation.input import External, read_device
from bliss_like.controllers.regulation.keys import OutputKeys
from bliss_like.controllers.regulation.parts import Part, Ramping, RampOfBox
from bliss_like.controllers.regulation.ramp import SoftRamp
from bliss_like.controllers.regulation.readings import number, with_unit
from bliss_like.errors import DeviceError


class Output(Part, Ramping):
    """A heater of a box; `ct(1, heater)` counts it, `heater.set_value(20)` sets it."""

    def __init__(self, controller: RegulationDriver, config: Any) -> None:
        """:param config: an OutputConfig, or what else has the keys of one."""
        super().__init__(controller, config)
        self._limits = (config.low_limit, config.high_limit)
        self.soft_ramp = SoftRamp(self.read, self._write, f"the ramp of {self.name}")

    @property
    def limits(self) -> tuple[float, float]:
        """(low, high); infinite where there is none."""
        return self._limits

    @limits.setter
    def limits(self, limits: tuple[float | None, float | None]) -> None:
        try:
            low, high = (bound if limit is None else float(limit) for limit, bound in zip(limits, _OPEN, strict=True))
        except (TypeError, ValueError):
            raise ValueError(f"{self.name}: limits must be (low, high), None for none, got {limits!r}") from None
        if not low < high:
            raise ValueError(f"{self.name}: the low limit must be below the high limit, got {low:g} and {high:g}")
        self._limits = (low, high)

    # -- reading and setting -------------------------------------------------------------------------------------------

    def read(self) -> float:
        self.controller.make_ready(self)
        return float(self.controller.read_output(self))

    def state(self) -> Any:
        """READY, or what is wrong with the heater."""
        self.controller.make_ready(self)
        return self.controller.state_output(self)

    def set_value(self, value: float) -> None:
        """Bring the output to a value, at its ramprate if it has one; returns at once.

        :raises ValueError: the value is outside the limits; nothing was written.
        """
        value = number(self.name, "value", value)
        low, high = self.limits
        if not low <= value <= high:
            raise ValueError(
                f"{self.name}: {with_unit(value, self.unit)} is not between its limits {low:g} and {high:g}. Nothing was set"
            )
        if not self.ramprate:
            self.stop_ramp()
            self._write(value)
            return
        try:
            self.controller.start_output_ramp(self, value)
        except NotImplementedError:
            self.soft_ramp.start(value)

    def set_safe(self) -> None:
        """Write what the output is to have when nobody regulates: `safe_value`, at once."""
        self.stop_ramp()
        safe = self.config.safe_value
        if safe is None:
            low, high = self.limits
            safe = min(max(0.0, low), high)
        self._write(safe)

    def scaled(self, pid_output: float, pid_range: tuple[float, float]) -> float:
        """Return what a PID's output stands for: its range is that of the limits, where there are both."""
        low, high = self.limits
        if not (math.isfinite(low) and math.isfinite(high)):
            return min(max(pid_output, low), high)
        pid_low, pid_high = pid_range
        return low + (high - low) * (pid_output - pid_low) / (pid_high - pid_low)

    def _write(self, value: float) -> None:
        self.controller.make_ready(self)
        self.controller.set_output_value(self, value)

    # -- ramp ----------------------------------------------------------------------------------------------------------

    @property
    def _ramp(self) -> RampOfBox:
        box = self.controller
        return RampOfBox(box.get_output_ramprate, box.set_output_ramprate, box.is_output_ramping)

    def stop_ramp(self) -> None:
        """End the ramp, with the output where it is."""
        if not self.is_ramping():
            return
        try:
            self.controller.stop_output_ramp(self)
        except NotImplementedError:
            self.soft_ramp.stop()

    # -- for the session -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ramp no more; the value stays."""
        self.soft_ramp.stop()

    def __close__(self) -> None:
        self.close()

    def __info__(self) -> str:
        low, high = self.limits
        return "\n".join(
            [
                f"output {self.name} of {self.controller.name}: {with_unit(self.read(), self.unit)}, {self.state()}",
                f"  limits    {low:g} .. {high:g}",
                f"  ramprate  {self.ramprate:g} /s",
            ]
        )


_OPEN = (-math.inf, math.inf)


class ExternalOutput(Output):
    """An axis, or anything with a method `set_value`, as an output; overload `read` and `set_device` for what has none.

    Its safe value is to stay as it is, unless YAML gives another.
    """

    class Config(OutputKeys, ObjectConfig):
        device: Reference = Field(description="what is set: an axis, or anything with methods read and set_value")
        mode: Literal["absolute", "relative"] = Field(
            default="absolute", description="relative: what the PID gives is the way that the axis is to go"
        )

    def __init__(self, name: str, config: Config) -> None:
        self.device = config.device
        super().__init__(External(name), config)
        self.soft_ramp.rate = config.ramprate or 0.0

    def read(self) -> float:
        return read_device(self.name, self.device)

    def state(self) -> Any:
        return getattr(self.device, "state", "READY") if hasattr(type(self.device), "wait_move") else "READY"

    def set_device(self, value: float) -> None:
        """Bring the device to a value; returns when it is there."""
        if hasattr(type(self.device), "wait_move"):
            self.device.move(value)
        elif callable(getattr(self.device, "set_value", None)):
            self.device.set_value(value)
        else:
            raise DeviceError(
                f"{self.name}: expected an axis or something with set_value as its device, got {self.device!r}"
            )

    def set_safe(self) -> None:
        if self.config.safe_value is not None:
            super().set_safe()

    def scaled(self, pid_output: float, pid_range: tuple[float, float]) -> float:
        if self.config.mode == "absolute":
            return super().scaled(pid_output, pid_range)
        low, high = self.limits
        return min(max(self.read() + pid_output, low), high)

    def _write(self, value: float) -> None:
        self.set_device(value)
