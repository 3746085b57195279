"""An axis whose scale and limits are those of its motor record, so that all who look at the record see the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.controllers.motor_record import MotorRecord
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_scale import Limits
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import direction, low_and_high, number
from bliss_like.devices.signal import Signal

if TYPE_CHECKING:
    from bliss_like.controllers.epics_motor import EpicsMotors
    from bliss_like.devices.motor_controller import MotorController

TELLING_TIME = 0.02
"""Seconds between two events of an axis that others move."""


class RecordAxis(Axis):
    """Its offset, sign and limits are read from the record, and written to it."""

    controller: EpicsMotors

    def __init__(self, name: str, controller: MotorController, config: AxisConfig) -> None:
        super().__init__(name, controller, config)
        self.record = MotorRecord(config.record, self._take)  # type: ignore[attr-defined]
        self._news: set[str] = set()
        self._telling: gevent.Greenlet[[], None] | None = None

    def field(self, name: str) -> Signal:
        """The signal of a field of the record: `m1.field("BDST").put(0.1)`."""
        return self.record.field(name)

    def _ready_record(self) -> MotorRecord:
        self.make_ready()
        return self.record

    # -- user and dial -------------------------------------------------------------------------------------------------

    @property
    def sign(self) -> int:
        """1 or -1: DIR of the record. Setting it leaves the user position, as the record does."""
        return self._ready_record().sign

    @sign.setter
    def sign(self, sign: int) -> None:
        sign = direction(self, sign, "sign")
        self.refuse_change()
        self._ready_record().set("DIR", 0 if sign == 1 else 1)

    @property
    def offset(self) -> float:
        """OFF of the record."""
        return float(self._ready_record()["OFF"])

    @offset.setter
    def offset(self, offset: float) -> None:
        self.refuse_change()
        self._ready_record().set("OFF", number(self, offset, "offset"))

    @property
    def dial(self) -> float:
        """Where the axis is, in dial units: read. Setting it loads the controller's position; the user position stays."""
        return super().dial

    @dial.setter
    def dial(self, dial: float) -> None:
        self.refuse_change()
        dial, user = number(self, dial, "dial"), self.position
        self.controller.set_position(self, dial)
        self.offset = user - self.sign * self.dial
        self.settings.remember(target=None, heading=None)

    def dial2user(self, dial: Any) -> Any:
        return self.sign * dial + self.offset

    def user2dial(self, user: Any) -> Any:
        return (user - self.offset) * self.sign

    def rescale(self) -> None:
        """Nothing: its units are those of the record, whatever an axis of this name had before."""

    def end_of_jog(self) -> None:
        """Where it was stopped becomes 0, user and dial, if that was asked for."""
        after = self._after_jog
        super().end_of_jog()
        if after is not None and not callable(after):
            self.record.set("OFF", 0)

    # -- limits --------------------------------------------------------------------------------------------------------

    @property
    def dial_limits(self) -> Limits:
        """(low, high) in dial units: those of the record, infinite when it has none."""
        record = self._ready_record()
        if record["LLM"] == record["HLM"]:
            return -math.inf, math.inf
        low, high = sorted(self.user2dial(float(record[name])) for name in ("LLM", "HLM"))
        return low, high

    @dial_limits.setter
    def dial_limits(self, limits: tuple[float | None, float | None]) -> None:
        low, high = low_and_high(self, limits)
        record = self._ready_record()
        if math.isinf(low) != math.isinf(high):
            raise ValueError(
                f"{name_of(self)}: a motor record has two soft limits or none, got {low:g} .. {high:g}: give both, or "
                "(None, None)"
            )
        if math.isinf(low):
            for name in ("DHLM", "DLLM"):
                record.put(name, 0)
            record.wait_for(lambda: record["HLM"] == record["LLM"], "the absence of soft limits")
            return
        user_low, user_high = sorted(self.dial2user(limit) for limit in (low, high))
        record.set("HLM", user_high)
        record.set("LLM", user_low)

    @property
    def velocity_limits(self) -> Limits:
        """(low, high) in units/s: within VBAS and VMAX of the record."""
        low, high = self._ready_record().velocity_limits()
        lowest, highest = super().velocity_limits
        return max(low, lowest), min(high, highest)

    @velocity_limits.setter
    def velocity_limits(self, limits: tuple[float | None, float | None]) -> None:
        Axis.velocity_limits.fset(self, limits)  # type: ignore[attr-defined]

    # -- what others do ------------------------------------------------------------------------------------------------

    def _take(self, name: str) -> None:
        """Gather what the hub hears, and tell it in a greenlet, which may block, and not too often."""
        self._news.add(name)
        if not self._telling:
            self._telling = gevent.spawn(self._tell)

    def _tell(self) -> None:
        while self._news:
            news, self._news = self._news, set()
            if self._is_ready:
                self._tell_of(news)
            gevent.sleep(TELLING_TIME)

    def _tell_of(self, news: set[str]) -> None:
        if news & {"OFF", "DIR", "HLM", "LLM"}:
            self.announce_scale()
        if not self._moves_here:  # a motion of this process tells its own
            state = self.controller.state_of(self.record, not self.record["DMOV"])
            self.saw(self.user2dial(float(self.record["RBV"])), state)

    def close_record(self) -> None:
        if self._telling:
            self._telling.kill(block=False)
        self.record.close()
