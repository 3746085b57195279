"""Configuration: YAML files that say which objects a beamline has, and the objects made from them.

::

    from bliss_like.config import get_config

    diode = get_config().get("diode")
"""

from __future__ import annotations

from .config import Config, get_config
from .node import ConfigNode

__all__ = ["Config", "ConfigNode", "get_config"]
