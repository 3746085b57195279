"""`bliss.common.switch`: one of several named states."""

from bliss_like.devices.switch import Switch

__all__ = ["Switch"]
