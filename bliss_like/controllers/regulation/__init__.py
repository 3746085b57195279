"""Regulation of a temperature, or of anything else that is measured and acted upon.

A `Loop` brings its `Input` to a setpoint by its `Output`. Either a box does it, driven by a `Controller`, or this process,
in a `SoftLoop` over any counter and any axis. The names are those of BLISS; rates are in units per second.
"""

from __future__ import annotations

from bliss_like.controllers.regulation.controller import Controller
from bliss_like.controllers.regulation.input import ExternalInput, Input
from bliss_like.controllers.regulation.loop import Loop, WaitMode
from bliss_like.controllers.regulation.output import ExternalOutput, Output
from bliss_like.controllers.regulation.ramp import SoftRamp
from bliss_like.controllers.regulation.soft_loop import SoftLoop

__all__ = [
    "Controller",
    "ExternalInput",
    "ExternalOutput",
    "Input",
    "Loop",
    "Output",
    "SoftLoop",
    "SoftRamp",
    "WaitMode",
]
