"""An axis whose scale and limits are those of its motor record, so that all who look at the record see the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.naming import name_of
from bliss_like.devices.signal import Signal

if TYPE_CHECKING:
    from bliss_like.controllers.motor_record import MotorRecord
    from bliss_like.devices.motor_controller import MotorController

Limits = tuple[float, float]


class RecordAxis(Axis):
    """Its offset, sign and limits are read from the record, and written to it."""

    def __init__(self, name: str, controller: MotorController, config: AxisConfig, record: MotorRecord) -> None:
        super().__init__(name, controller, config)
        self._record = record

    def field(self, name: str) -> Signal:
        """The signal of a field of the record: `m1.field("BDST").put(0.1)`."""
        return self._record.field(name)

    def _told(self, name: str) -> float:
        self.controller.make_ready(self)
        return float(self._record[name])

    _sign = property(lambda self: self.sign, lambda self, sign: None)
    _offset = property(lambda self: self.offset, lambda self, offset: None)
    _dial_limits = property(lambda self: self.dial_limits, lambda self, limits: None)

    # -- user and dial -------------------------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        """1 or -1: DIR of the record. Setting it leaves the user position, as the record does."""
        return -1 if self._told("DIR") else 1

    @sign.setter
    def sign(self, sign: int) -> None:
        if sign not in (1, -1):
            raise ValueError(f"{name_of(self)}: sign must be 1 or -1, got {sign!r}")
        self.refuse_if_moving()
        self.controller.make_ready(self)
        self._record.set("DIR", 0 if sign == 1 else 1)

    @property
    def offset(self) -> float:
        """OFF of the record."""
        return self._told("OFF")

    @offset.setter
    def offset(self, offset: float) -> None:
        self.refuse_if_moving()
        self.controller.make_ready(self)
        self._record.set("OFF", self._number(offset, "offset"))

    def dial2user(self, dial: Any) -> Any:
        return self.sign * dial + self.offset

    def user2dial(self, user: Any) -> Any:
        return (user - self.offset) * self.sign

    # -- limits --------------------------------------------------------------------------------------------------------

    @property
    def dial_limits(self) -> Limits:
        """(low, high) in dial units: those of the record, infinite when it has none."""
        low, high = self._told("LLM"), self._told("HLM")
        if low == high:
            return -math.inf, math.inf
        dial_low, dial_high = sorted((self.user2dial(low), self.user2dial(high)))
        return dial_low, dial_high

    @dial_limits.setter
    def dial_limits(self, limits: tuple[float | None, float | None]) -> None:
        low, high = self._low_and_high(limits)
        self.controller.make_ready(self)
        if math.isinf(low) != math.isinf(high):
            raise ValueError(
                f"{name_of(self)}: a motor record has two soft limits or none, got {low:g} .. {high:g}: give both, or "
                "(None, None)"
            )
        if math.isinf(low):
            for name in ("DHLM", "DLLM"):
                self._record.put(name, 0)
            self._record.wait_for(lambda: self._record["HLM"] == self._record["LLM"], "soft limits")
            return
        user_low, user_high = sorted(self.dial2user(limit) for limit in (low, high))
        self._record.set("HLM", user_high)
        self._record.set("LLM", user_low)
