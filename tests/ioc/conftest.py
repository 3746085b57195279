"""The servers that tests of real control systems ask for."""

from __future__ import annotations

from tests.iocs import fake_motor, mini_beamline, motor_ioc, motor_records, scalars_and_arrays

__all__ = ["fake_motor", "mini_beamline", "motor_ioc", "motor_records", "scalars_and_arrays"]
