"""`bliss.common.cleanup`: contexts that put things back."""

from bliss_like.standard.cleanup import axis, capture_exceptions, cleanup, error_cleanup

__all__ = ["axis", "capture_exceptions", "cleanup", "error_cleanup"]
