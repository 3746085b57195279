"""`bliss.common.scans`: the standard scans."""

from bliss_like.scanning.default_chain import DEFAULT_CHAIN
from bliss_like.scans import *  # noqa: F403
from bliss_like.scans import __all__ as _scans

__all__ = [*_scans, "DEFAULT_CHAIN"]
