"""The servers that tests of real control systems ask for."""

from __future__ import annotations

from tests.iocs import fake_motor, mini_beamline, scalars_and_arrays, thermo_sim

__all__ = ["fake_motor", "mini_beamline", "scalars_and_arrays", "thermo_sim"]
