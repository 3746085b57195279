"""What one motor record was sent for, and whether it has done it: asked once, when it stands still."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bliss_like.controllers.motor_record import PAUSED, STOPPED, MotorRecord
from bliss_like.devices.axis import Axis
from bliss_like.devices.naming import name_of
from bliss_like.errors import AxisFault, AxisLimitError


@dataclass(frozen=True)
class Errand:
    axis: Axis
    record: MotorRecord
    kind: str
    """move, jog, homing or limit_search."""
    field: str
    value: float

    def refuse_pause(self, moving: bool) -> None:
        """:raises AxisFault: somebody has held the record on its way."""
        held = self.record["SPMG"]
        if held in (STOPPED, PAUSED) and (moving or not self._has_arrived):
            raise AxisFault(
                f"{name_of(self.axis)} was {'stopped' if held == STOPPED else 'paused'} on its way, at {self._position:g}, "
                f"by SPMG of {self.record.address}. It will not go on by itself: put SPMG to Go, and move again"
            )

    def check(self) -> None:
        """:raises AxisLimitError: the record refused, because of its soft limits.

        :raises AxisFault: it has not done what it was sent for.
        """
        if self.kind == "move":
            self._check_move()
        elif not self.record.obeyed:
            if self.field.startswith("JOG"):
                self.record.put(self.field, 0)  # it would keep it, and start when its limits are changed
            raise AxisFault(
                f"{name_of(self.axis)}: {self.record.address} did not start when {self.field} was written to it, at "
                f"{self._position:g}. Limit switches: {self._switches}; soft limits: {self._soft_limits}"
            )
        elif self.kind == "limit_search" and not self.record["HLS" if self.field == "JOGF" else "LLS"]:
            raise AxisFault(
                f"{name_of(self.axis)}: the search of its limit switch ended at {self._position:g} without it. Soft limits "
                f"of {self.record.address}, which stop the search: {self._soft_limits}. To open them: "
                f"{name_of(self.axis)}.limits = None, None"
            )

    def _check_move(self) -> None:
        if self._has_arrived:
            return
        target = self.record.get("VAL")
        if self.record.get("LVIO") and not math.isclose(target, self.value, abs_tol=1e-9):
            raise AxisLimitError(
                f"{name_of(self.axis)}: {self.record.address} refused {self.value:g} because of its soft limits "
                f"{self._soft_limits} (LVIO); it is at {self._position:g}"
            )
        if self.record.get("MISS") and self._switches == "none":
            raise AxisFault(
                f"{name_of(self.axis)} did not arrive: it is at {self._position:g} and should be at {self.value:g}. "
                f"{self.record.address} has used up its {self.record.get('RTRY')} retries (MISS); its retry deadband "
                f"RDBD is {self.record['RDBD']:g}"
            )

    @property
    def _has_arrived(self) -> bool:
        return self.kind == "move" and abs(self._position - self.value) <= self.axis.nearness

    @property
    def _position(self) -> float:
        return float(self.record["RBV"])

    @property
    def _switches(self) -> str:
        return ", ".join(name for name in ("HLS", "LLS") if self.record[name]) or "none"

    @property
    def _soft_limits(self) -> str:
        low, high = self.record["LLM"], self.record["HLM"]
        return "none" if low == high else f"{low:g} .. {high:g}"
