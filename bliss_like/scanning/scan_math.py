"""`bliss.scanning.scan_math`: where the peak, the edge, the centre of a curve is."""

from bliss_like.data.scan_math import Cen, Edge, cen, com, edge, fwhm, highest, peak, trough

__all__ = ["Cen", "Edge", "cen", "com", "edge", "fwhm", "highest", "peak", "trough"]
