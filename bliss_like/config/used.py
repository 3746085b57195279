"""What the configuration says of objects that take part in something, so that it can be kept with what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bliss_like.errors import ConfigError

from .config import Config
from .node import ConfigNode

_SECRET = re.compile(r"passw|secret|token|credential|api.?key|private.?key", re.IGNORECASE)
_HIDDEN = "***"


def configuration_of(config: Config, objects: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Return, by name, what is written of those of the objects that the configuration has made.

    An item, such as an axis of a controller, has what it inherits from that, too. References to other objects stay texts
    (`$robx`); what looks like a secret is left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for made in objects:
        try:
            name = config.name_of(made)
            found[name] = _resolved(config.get_config(name))
        except (ValueError, ConfigError):  # made by a script, or no longer in the files
            continue
    return found


def _resolved(node: ConfigNode) -> dict[str, Any]:
    inherited = {
        key: value
        for outer in reversed(list(node.outwards())[1:])
        for key, value in outer.raw_items()
        if key != "name" and isinstance(value, str | int | float)
    }
    return {str(key): _plain(str(key), value) for key, value in {**inherited, **node.to_dict(False)}.items()}


def _plain(key: str, value: Any) -> Any:
    if _SECRET.search(key):
        return _HIDDEN
    if isinstance(value, dict):
        return {str(name): _plain(str(name), child) for name, child in value.items()}
    if isinstance(value, list):
        return [_plain(key, child) for child in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
