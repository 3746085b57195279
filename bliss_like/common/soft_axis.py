"""`bliss.common.soft_axis`: axes made of any object."""

from bliss_like.devices.soft_axis import SoftAxis

__all__ = ["SoftAxis"]
