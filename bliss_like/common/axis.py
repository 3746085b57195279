"""`bliss.common.axis`: axes, their states and motions, and what goes wrong with them."""

from bliss_like.devices.axis import Axis, check_limits
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.calc_axis import CalcAxis
from bliss_like.devices.planning import Motion
from bliss_like.devices.trajectory import CyclicTrajectory, Trajectory
from bliss_like.errors import AxisFault as AxisFaultError
from bliss_like.errors import AxisOffError, AxisOnLimitError

__all__ = [
    "Axis",
    "AxisFaultError",
    "AxisOffError",
    "AxisOnLimitError",
    "AxisState",
    "CalcAxis",
    "CyclicTrajectory",
    "Motion",
    "Trajectory",
    "check_limits",
]
