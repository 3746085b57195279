"""What the status word of an IcePAP driver says. Source: IcePAP User Manual, "Board status register"."""

from __future__ import annotations

from bliss_like.devices.axis_state import AxisState

PRESENT, ALIVE = 1 << 0, 1 << 1
READY, MOVING, SETTLING, OUT_OF_WINDOW, WARNING = (1 << bit for bit in range(9, 14))
LIMIT_POSITIVE, LIMIT_NEGATIVE, HOME = 1 << 18, 1 << 19, 1 << 20
VERSIONS_DIFFER, POWER = 1 << 22, 1 << 23

MODES = {
    1: ("PROGRAMMING", "gets new firmware"),
    2: ("TEST", "is in test mode"),
    3: ("FAILED", "its board has failed"),
}
"""Bits 2 and 3; 0 is normal operation."""

DISABLED_BY = {
    1: ("NOT_ACTIVE", "is not active in the configuration of its board"),
    2: ("HARDWARE_ALARM", "its power is off by an alarm of the hardware"),
    3: ("RACK_INPUT", "its power is off by the disable input of the crate"),
    4: ("RACK_SWITCH", "its power is off by the switch of the crate"),
    5: ("AXIS_INPUT", "its power is off by the disable input of the axis"),
    6: ("AXIS_SWITCH", "its power is off by the switch of the axis"),
    7: ("SOFTWARE", "its power was switched off by a command"),
}
"""Bits 4 to 6; 0 is enabled."""

ENDED_BY = {
    1: ("STOPPED", "its last motion was stopped by a command"),
    2: ("ABORTED", "its last motion was aborted"),
    3: ("STOPPED_BY_LIMPOS", "its last motion ended at the positive limit switch"),
    4: ("STOPPED_BY_LIMNEG", "its last motion ended at the negative limit switch"),
    5: ("SETTLING_TIMEOUT", "its closed loop did not settle in time"),
    6: ("POWER_LOST", "its last motion ended because its power was switched off"),
    8: ("INTERNAL_FAILURE", "its last motion ended by an internal failure"),
    9: ("MOTOR_FAILURE", "its last motion ended by a failure of the motor"),
    10: ("POWER_OVERLOAD", "its last motion ended by an overload of its power stage"),
    11: ("OVERHEATED", "its last motion ended because its driver is too hot"),
    12: ("CLOSED_LOOP_ERROR", "its last motion ended by an error of its closed loop"),
    13: ("ENCODER_ERROR", "its last motion ended by an error of the encoder of its closed loop"),
    15: ("EXTERNAL_ALARM", "its last motion ended by an external alarm"),
}
"""The stop code, bits 14 to 17; 0 is the normal end of a motion."""

_FAULTS = {5, 8, 9, 10, 11, 12, 13, 15}
"""Stop codes of motions that something broken has ended. The code stays until the next motion, which is not forbidden."""


def axis_state(status: int) -> AxisState:
    """Return the state for a status word of 32 bits."""
    moving = bool(status & (MOVING | SETTLING))
    mode, disabled, ended = status >> 2 & 3, status >> 4 & 7, 0 if moving else status >> 14 & 15
    alive = status & PRESENT and status & ALIVE
    powered = status & POWER and not disabled
    flags: list[tuple[object, str | tuple[str, str]]] = [
        (moving, "MOVING"),
        (alive and powered and not mode and not moving and status & READY, "READY"),
        (not alive or mode == 3 or disabled == 2 or ended in _FAULTS, "FAULT"),
        (status & LIMIT_POSITIVE, "LIMPOS"),
        (status & LIMIT_NEGATIVE, "LIMNEG"),
        (status & HOME, "HOME"),
        (not powered, "OFF"),
        (not alive, ("NOT_ALIVE", "its board does not answer, or is not there")),
        (mode, MODES.get(mode, "")),
        (disabled, DISABLED_BY.get(disabled, "")),
        (ended in ENDED_BY, ENDED_BY.get(ended, "")),
        (status & SETTLING, ("SETTLING", "its closed loop settles")),
        (status & OUT_OF_WINDOW, ("OUT_OF_WINDOW", "is outside the window of its closed loop")),
        (status & WARNING, ("WARNING", "has a warning: ask '<address>:?WARNING'")),
        (status & VERSIONS_DIFFER, ("VERSIONS_DIFFER", "the firmware of its board is not that of the system")),
    ]
    return AxisState(*(state for is_true, state in flags if is_true))
