"""`bliss.common.regulation`."""

from __future__ import annotations

from bliss_like.controllers.regulation import ExternalInput, ExternalOutput, Input, Loop, Output, SoftLoop, SoftRamp

__all__ = ["ExternalInput", "ExternalOutput", "Input", "Loop", "Output", "SoftLoop", "SoftRamp"]
