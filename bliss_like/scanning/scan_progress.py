"""`bliss.scanning.scan_progress`: how far a scan is, for people."""

from .presets import ScanProgress

__all__ = ["ScanProgress"]
