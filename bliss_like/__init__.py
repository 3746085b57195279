"""bliss_like: run experiments at synchrotron, neutron and laser beamlines.

Importing the package does nothing: no patching, no connection, no device.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "current_session":
        return importlib.import_module("bliss_like.session").current_session
    if name == "global_map":
        return importlib.import_module("bliss_like.common.logtools").global_map
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
