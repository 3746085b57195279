"""`bliss.common.standard`: scans, verbs, and what people make axes and counters of."""

from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.scans import *  # noqa: F403
from bliss_like.scans import __all__ as _scans
from bliss_like.standard import *  # noqa: F403
from bliss_like.standard import __all__ as _verbs
from bliss_like.standard.everyday import *  # noqa: F403
from bliss_like.standard.everyday import __all__ as _everyday

__all__ = [*_scans, *_verbs, *_everyday, "SoftAxis", "SoftCounter"]
