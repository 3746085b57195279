"""`bliss.common.trajectory`: positions of axes over time, that the hardware follows by itself."""

from bliss_like.devices.trajectory import CyclicTrajectory, Trajectory, TrajectoryGroup

__all__ = ["CyclicTrajectory", "Trajectory", "TrajectoryGroup"]
