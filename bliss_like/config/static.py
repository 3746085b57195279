"""`bliss.config.static`: the configuration."""

from bliss_like.errors import ObjectCreationFailed, ObjectNotFound

from .config import Config, get_config
from .node import ConfigNode

__all__ = ["Config", "ConfigNode", "ObjectCreationFailed", "ObjectNotFound", "get_config"]
