"""`bliss.common.axis`: axes, their states and motions."""

from bliss_like.devices.axis import Axis, check_limits
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.move import Motion

__all__ = ["Axis", "AxisState", "Motion", "check_limits"]
