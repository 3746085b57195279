"""`bliss.common.hook`: what is done before and after motions."""

from bliss_like.devices.motion_hook import MotionHook

__all__ = ["MotionHook"]
