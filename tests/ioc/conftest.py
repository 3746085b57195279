"""The servers that tests of real control systems ask for."""

from __future__ import annotations

from tests.iocs import base_records, fake_motor, mini_beamline, motor_ioc, motor_records, scalars_and_arrays, thermo_sim

__all__ = [
    "base_records",
    "fake_motor",
    "mini_beamline",
    "motor_ioc",
    "motor_records",
    "scalars_and_arrays",
    "thermo_sim",
]
