"""What BLISS calls things in YAML, and what becomes of them here."""

from __future__ import annotations

CLASSES = {
    "mockup": "SimulatedMotors",
    "faultymockup": "SimulatedMotors",
    "simulation_diode": "SimulatedDiodes",
    "simulationdiode": "SimulatedDiodes",
    "icepap": "IcePAP",
    "session": "Session",
    "measurementgroup": "MeasurementGroup",
    "slits": "Slits",
    "energywavelength": "EnergyWavelength",
}
"""Classes with a counterpart, in small letters: BLISS takes the name of a module too."""

REGULATION = {"mockup": "SimulatedOven", "linkam": "LinkamT95"}
"""The same, of what has `plugin: regulation`; soft loops, external inputs and outputs have their names."""

POLICIES = {"basicscansaving": "basic", "esrfscansaving": "esrf"}
"""What `class` is in `scan_saving`, and `policy` here."""

DIODES = {"simulation_diode", "simulationdiode"}
"""Counters of their own in BLISS, which stand in the list of a controller here."""

CALCULATED = {"bipod", "tripod", "table", "hexapod", "calccountercontroller"}
"""Classes without a counterpart that calculate axes or counters from others; those with `tags: real` are recognised by
them."""

LATER = {
    *("deadband_idle_factor", "ramp_from_pv", "ramprate_time_unit"),
    *("disabled_cache", "display_digits", "persistent_position", "shutters", "switches"),
    *("icat-metadata", "icat-mapping", "integration", "synoptic"),
}
"""Keys of BLISS whose meaning is not yet here."""

UNNEEDED = {"independent", "package", "module"}
"""Keys that say nothing more once the class has its name of here."""

PYTHON_IMPORTS = {
    "bliss.config.wardrobe": "bliss_like.config.settings",
    "bliss.config.conductor.client": "bliss_like.config.locks",
}
"""Modules that moved; all others have `bliss_like` for `bliss`."""
