"""`bliss.scanning.acquisition.lima`: how cameras are acquired."""

from ..acquisitions.camera import CameraAcquisitionMaster, LimaAcquisitionMaster

__all__ = ["CameraAcquisitionMaster", "LimaAcquisitionMaster"]
