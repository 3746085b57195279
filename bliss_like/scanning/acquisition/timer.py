"""`bliss.scanning.acquisition.timer`: the timer."""

from ..acquisitions.timer import SoftwareTimerMaster

__all__ = ["SoftwareTimerMaster"]
