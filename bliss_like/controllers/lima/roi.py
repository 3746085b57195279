"""`bliss.controllers.lima.roi`: regions of interest of a camera."""

from ..camera.rois import ArcRoi, Roi, RoiProfile

__all__ = ["ArcRoi", "Roi", "RoiProfile"]
