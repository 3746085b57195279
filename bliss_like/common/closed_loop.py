"""`bliss.common.closed_loop`: closed loops of axes."""

from bliss_like.devices.closed_loop import ClosedLoop, ClosedLoopState

__all__ = ["ClosedLoop", "ClosedLoopState"]
