"""`bliss.scanning.acquisition.lima`: how cameras are acquired."""

from .camera import CameraAcquisitionMaster, LimaAcquisitionMaster

__all__ = ["CameraAcquisitionMaster", "LimaAcquisitionMaster"]
