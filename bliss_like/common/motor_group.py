"""`bliss.common.motor_group`: axes that move together."""

from bliss_like.devices.axis_group import AxisGroup
from bliss_like.devices.axis_group import AxisGroup as Group
from bliss_like.devices.trajectory import TrajectoryGroup

__all__ = ["AxisGroup", "Group", "TrajectoryGroup"]
