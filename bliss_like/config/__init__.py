"""Configuration: YAML files that say which objects a beamline has, and the objects made from them.

::

    from bliss_like.config import get_config

    diode = get_config().get("diode")

`bliss_like.config.settings` has what processes share and what survives a restart; it needs neither YAML nor devices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import Config, get_config
    from .node import ConfigNode

__all__ = ["Config", "ConfigNode", "get_config"]


def __getattr__(name: str) -> Any:
    """Import the YAML side when it is asked for: a script that reads a setting needs none of it."""
    if name in ("Config", "get_config"):
        from . import config as module
    elif name == "ConfigNode":
        from . import node as module  # type: ignore[no-redef]
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)
