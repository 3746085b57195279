"""Axes on EPICS motor records. The record is the truth: this session and every panel show the same.

OFF and DIR of the record are the offset and the sign of the axis, its soft limits those of the axis, both ways; nothing of
that is kept here. On the wire are the user fields (VAL, RBV, HLM, LLM), so that what is sent is what a panel shows; dial
positions are computed from OFF and DIR. BDST, RTRY and RDBD are the record's own business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

from pydantic import Field, field_validator, model_validator

from bliss_like.controllers.motor_errand import Errand
from bliss_like.controllers.motor_record import (
    CAN_SWITCH_POWER,
    HOME_SWITCH,
    HOMED,
    PAUSED,
    STOPPED,
    WORDS,
    MotorRecord,
    eventually,
    together,
)
from bliss_like.controllers.record_axis import RecordAxis
from bliss_like.devices.axis import Axis, AxisConfig, unsupported
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig, refuse_same
from bliss_like.devices.move import Motion
from bliss_like.errors import AxisLimitError, DeviceError

OF_THE_RECORD = {
    "sign": "DIR",
    "steps_per_unit": "MRES",
    "low_limit": "LLM",
    "high_limit": "HLM",
    "backlash": "BDST",
}
"""Keys of an axis that YAML must not have here -> the field that has it."""

INFO = """
DESC DTYP VAL RBV DVAL DRBV OFF DIR LLM HLM VELO VBAS VMAX ACCL JVEL
BDST RDBD RTRY MRES SPMG SET CNEN MSTA LVIO MISS STAT SEVR
""".split()
"""Fields that are shown of a record."""


class EpicsMotorConfig(AxisConfig):
    """What YAML says of one motor record."""

    record: str = Field(description="address of the motor record, without field, such as ca://XF:01:m1")
    tolerance: float | None = Field(
        default=None, ge=0, description="units from the target; absent: RDBD of the record; null: trust the record"
    )

    @field_validator("record")
    @classmethod
    def _is_a_record(cls, record: str) -> str:
        name, _, field = record.rpartition(".")
        if name and field.isupper():
            raise ValueError(f"expected the record alone, {name!r}: its fields are known")
        return record

    @model_validator(mode="after")
    def _leaves_the_rest_to_the_record(self) -> Self:
        for key in OF_THE_RECORD:
            if key in self.model_fields_set:
                raise ValueError(f"{key} is the field {OF_THE_RECORD[key]} of the motor record: set it there")
        return self


class EpicsMotors(MotorController):
    """Any number of motor records, of one IOC or of several."""

    class Config(MotorControllerConfig):
        axes: list[EpicsMotorConfig]  # type: ignore[assignment]

        @model_validator(mode="after")
        def _check_records(self) -> Self:
            refuse_same("record", {axis.name: axis.record.removeprefix("ca://") for axis in self.axes})
            return self

    shared = True

    axis_class = RecordAxis

    axes: dict[str, RecordAxis]  # type: ignore[assignment]

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self._errands: dict[Axis, Errand] = {}
        self._turning: set[Axis] = set()
        self._states = AxisState()
        for _, word, meaning in WORDS:
            self._states.create_state(word, meaning)
        self._states.create_state("PAUSED", "its record is held: put its SPMG to Go")
        self._states.create_state("SETTING", "its record takes targets as the present position: put its SET to Use")
        self._states.create_state("HOMED", "has found its home switch")

    def _record(self, axis: Axis) -> MotorRecord:
        return self.axes[axis.name].record

    def connect_axis(self, axis: Axis, timeout: float) -> None:
        self._record(axis).connect(timeout)

    def initialize(self) -> None:
        for axis in self.axes.values():  # all are sought before the first is waited for
            axis.record.open()

    def initialize_hardware_axis(self, axis: Axis) -> None:
        record = self._record(axis)
        record.watch()
        if axis.config.unit is None:
            axis.unit = record.field("RBV").unit
        if "tolerance" not in axis.config.model_fields_set:
            axis.tolerance = max(record["RDBD"], abs(record["MRES"]))

    def __close__(self) -> None:
        super().__close__()
        for axis in self.axes.values():
            axis.close_record()

    # -- reading -------------------------------------------------------------------------------------------------------

    def read_position(self, axis: Axis) -> float:
        return float(axis.user2dial(self._record(axis).get("RBV")))

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        return together(self.read_position, axes)

    def steps_position_precision(self, axis: Axis) -> float:
        return float(min(1e-6, abs(self._record(axis)["MRES"]) / 2 or 1e-6))

    def state(self, axis: Axis) -> AxisState:
        """:raises DeviceError: what was sent has failed, and was not told yet."""
        record = self._record(axis)
        moving = record.is_moving() or axis in self._turning
        if not moving:
            record.refresh()
        if errand := self._errands.get(axis):
            errand.refuse_pause(moving)
            if not moving:
                del self._errands[axis]
                errand.check()
        return self.state_of(record, moving)

    def states(self, *axes: Axis) -> Sequence[AxisState]:
        return together(self.state, axes)

    def state_of(self, record: MotorRecord, moving: bool) -> AxisState:
        """What the fields say that are subscribed to."""
        status = int(record["MSTA"])
        state = self._states.new()
        faults = [word for bit, word, _ in WORDS if status & bit]
        obstacles = [word for word in faults if word == "COMM_ERROR"]
        if status & CAN_SWITCH_POWER and not record["CNEN"]:
            obstacles.append("OFF")
        if record["SPMG"] in (STOPPED, PAUSED):
            obstacles.append("PAUSED")
        if record["SET"]:
            obstacles.append("SETTING")
        if moving or not obstacles:
            state.set("MOVING" if moving else "READY")
        where = {
            "LIMPOS": record["HLS"],
            "LIMNEG": record["LLS"],
            "HOME": status & HOME_SWITCH,
            "HOMED": status & HOMED,
        }
        for word in (*(["FAULT"] if faults else []), *faults, *obstacles, *(word for word in where if where[word])):
            state.set(word)
        return state

    # -- settings of the record ----------------------------------------------------------------------------------------

    def set_position(self, axis: Axis, new_position: float) -> float:
        """Make the present place another dial position: DVAL in the mode SET."""
        record = self._record(axis)
        record.set("SET", 1)
        try:
            record.put("DVAL", new_position)
        finally:
            record.set("SET", 0)
        near = (axis.tolerance or 0) + 1e-9
        if eventually(lambda: abs(self.read_position(axis) - new_position) <= near, record.timeout):
            return new_position
        raise DeviceError(
            f"{axis.name}: {record.address} stays at the dial position {self.read_position(axis):g}, although "
            f"{new_position:g} was written to its DVAL with SET at Set. Does its controller let positions be loaded?"
        )

    def read_velocity(self, axis: Axis) -> float:
        return float(self._record(axis).get("VELO"))

    def set_velocity(self, axis: Axis, new_velocity: float) -> None:
        """The acceleration stays: the record keeps its time (ACCL) instead, which is changed with it."""
        record = self._record(axis)
        self._check_velocity(axis, new_velocity)
        acceleration = self.read_acceleration(axis)
        record.put("VELO", new_velocity)
        if math.isfinite(acceleration) and acceleration > 0:
            self.set_acceleration(axis, acceleration)

    def _check_velocity(self, axis: Axis, velocity: float) -> None:
        low, high = self._record(axis).velocity_limits()
        if not low <= velocity <= high:
            raise ValueError(
                f"{axis.name}: velocity {velocity:g} is not between VBAS {low:g} and VMAX {high:g} of "
                f"{self._record(axis).address}"
            )

    def read_acceleration(self, axis: Axis) -> float:
        """From VBAS to VELO in ACCL seconds; infinite when that is 0."""
        record = self._record(axis)
        velocity, base, time_to_velocity = (float(record.get(name)) for name in ("VELO", "VBAS", "ACCL"))
        return (velocity - base) / time_to_velocity if time_to_velocity > 0 else math.inf

    def set_acceleration(self, axis: Axis, new_acceleration: float) -> None:
        record = self._record(axis)
        record.put("ACCL", (record.get("VELO") - record.get("VBAS")) / new_acceleration)

    def set_on(self, axis: Axis) -> None:
        self._switch(axis, 1)

    def set_off(self, axis: Axis) -> None:
        self._switch(axis, 0)

    def _switch(self, axis: Axis, on: int) -> None:
        record = self._record(axis)
        if not int(record["MSTA"]) & CAN_SWITCH_POWER:
            raise unsupported(axis, f"power that can be switched: so says MSTA of {record.address}")
        record.set("CNEN", on)

    # -- moving --------------------------------------------------------------------------------------------------------

    def start_one(self, motion: Motion) -> None:
        axis = motion.axis
        self._send(axis, "move", "VAL", float(axis.dial2user(motion.target_pos)))

    def _send(self, axis: Axis, kind: str, field: str, value: float) -> None:
        record = self._record(axis)
        self._errands[axis] = Errand(axis, record, kind, field, value)
        record.send(field, value)

    def stop(self, axis: Axis) -> None:
        self._errands.pop(axis, None)
        self._record(axis).stop()

    def home_search(self, axis: Axis, switch: int) -> None:
        self._send(axis, "homing", "HOMF" if switch > 0 else "HOMR", 1)

    def limit_search(self, axis: Axis, limit: int) -> None:
        """At the jog velocity of the record, which its soft limits stop: they must be beyond the switch, or absent."""
        self._jog(axis, "limit_search", "JOGF" if limit > 0 else "JOGR")

    def start_jog(self, axis: Axis, velocity: float, direction: int) -> None:
        record = self._record(axis)
        self._check_velocity(axis, velocity)
        field = "JOGF" if direction * axis.sign > 0 else "JOGR"
        errand = self._errands.get(axis)
        if errand is not None and errand.field == field:
            record.put("JVEL", velocity, wait=False)  # it would be answered after the jog
            return
        self._turning.add(axis)
        try:
            if errand is not None:  # the record would stop, and not turn back
                self.stop(axis)
                record.wait_until_it_stands()
            record.put("JVEL", velocity)
            self._jog(axis, "jog", field)
        finally:
            self._turning.discard(axis)

    def _jog(self, axis: Axis, kind: str, field: str) -> None:
        """:raises AxisLimitError: the record would refuse. It must not even be asked: it keeps a jog that it refused, and
        starts it, to the other side, when its limits are changed.
        """
        record = self._record(axis)
        low, high = record["LLM"], record["HLM"]
        position, velocity = record.get("VAL"), record.get("JVEL")
        free = position <= high - velocity if field == "JOGF" else position >= low + velocity
        if low != high and not free:
            raise AxisLimitError(
                f"{axis.name}: {record.address} starts no {field} at {position:g}, less than one second (at JVEL "
                f"{velocity:g}) from its soft limits {low:g} .. {high:g}. Move away, or open them: {axis.name}.limits = "
                "None, None"
            )
        self._send(axis, kind, field, 1)

    # -- for people ----------------------------------------------------------------------------------------------------

    def get_info(self, axis: Axis) -> str:
        record = self._record(axis)
        values = together(record.text, INFO)
        return "\n".join(f"{record.address}.{name:<5} {value}" for name, value in zip(INFO, values, strict=True))

    def get_axis_info(self, axis: Axis) -> str:
        return f"  record    {self._record(axis).address}"

    def get_id(self, axis: Axis) -> str:
        record = self._record(axis)
        return f"motor record {record.address}, version {record.get('VERS'):g}: {record.get('DESC')}"
