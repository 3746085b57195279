"""`bliss.common.shutter`: what all shutters have in common."""

from bliss_like.devices.shutter import BaseShutter, BaseShutterState, ShutterMode

__all__ = ["BaseShutter", "BaseShutterState", "ShutterMode"]
