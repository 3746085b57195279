"""What devices tell of their work, in Python's own logging: each has a logger of its own, `bliss_like.device.<name>`.

A line to a device logs as the device; a motion as each of its axes; a signal under its address.
"""

from __future__ import annotations

import inspect
import logging
import weakref
from collections.abc import Iterator
from typing import Any

DEVICE = "bliss_like.device."

_tags: dict[int, str] = {}


def tag(device: Any, name: str) -> None:
    """Let a device log under another name than its own; an empty one: under its own again."""
    if name:
        _tags[id(device)] = name
        weakref.finalize(device, _tags.pop, id(device), None)
    else:
        _tags.pop(id(device), None)


def tag_of(device: Any) -> str:
    """Return the name under which a device logs: its tag, its name, or that of its class."""
    return _tags.get(id(device)) or str(getattr(device, "name", None) or type(device).__name__)


def logger_of(device: Any) -> logging.Logger:
    return logging.getLogger(DEVICE + tag_of(device))


def loggers_of(device: Any) -> list[str]:
    """Return the names of the loggers that tell of a device: its own, its controller's, those of their signals and lines."""
    behind = [one for one in (device, getattr(device, "controller", None)) if one is not None]
    found = [logger_of(one) for one in behind] + [logger for one in behind for logger in _parts(one)]
    return list(dict.fromkeys(logger.name for logger in found))


def _parts(device: Any) -> Iterator[logging.Logger]:
    """Yield the loggers of what a device talks through; nothing is computed for that."""
    for kept in vars(device).values() if hasattr(device, "__dict__") else ():
        for part in kept.values() if isinstance(kept, dict) else kept if isinstance(kept, list | tuple) else (kept,):
            logger = inspect.getattr_static(part, "logger", None)
            if isinstance(logger, logging.Logger):
                yield logger
