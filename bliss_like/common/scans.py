"""`bliss.common.scans`: the standard scans."""

from bliss_like.scans import *  # noqa: F403
from bliss_like.scans import __all__ as __all__
