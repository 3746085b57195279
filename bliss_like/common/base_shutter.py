"""`bliss.common.base_shutter`: what all shutters have in common."""

from bliss_like.devices.shutter import BaseShutter, BaseShutterState

__all__ = ["BaseShutter", "BaseShutterState"]
