"""`bliss.common.logtools`: messages of devices, in Python's own logging: `log_debug(self, "%s moves", axis.name)`."""

from __future__ import annotations

import logging
import sys
import weakref
from typing import Any

__all__ = [
    "GlobalMap",
    "get_logger",
    "global_map",
    "log_critical",
    "log_debug",
    "log_error",
    "log_exception",
    "log_info",
    "log_warning",
    "user_error",
    "user_print",
    "user_warning",
]


class GlobalMap:
    """What devices of BLISS tell of themselves; here it is the name under which each of them logs."""

    def __init__(self) -> None:
        self._tags: dict[int, str] = {}

    def register(self, instance: Any, parents_list: Any = None, children_list: Any = None, tag: str = "") -> None:
        """Let a device log under a name; what is around it and below it, nobody has to know here."""
        if tag:
            self._tags[id(instance)] = tag
            weakref.finalize(instance, self._tags.pop, id(instance), None)

    def unregister(self, instance: Any) -> None:
        """Let a device log under its own name again."""
        self._tags.pop(id(instance), None)

    def tag_of(self, instance: Any) -> str:
        """Return the name under which a device logs: its tag, its name, or that of its class."""
        return self._tags.get(id(instance)) or getattr(instance, "name", None) or type(instance).__name__


global_map = GlobalMap()


def get_logger(device: Any) -> logging.Logger:
    """Return the logger of a device: `bliss_like.device.<its name>`, or the tag that it gave itself in `global_map`."""
    return logging.getLogger(f"bliss_like.device.{global_map.tag_of(device)}")


def log_debug(device: Any, message: str, *args: Any, **kwargs: Any) -> None:
    get_logger(device).debug(message, *args, **kwargs)


def log_info(device: Any, message: str, *args: Any, **kwargs: Any) -> None:
    get_logger(device).info(message, *args, **kwargs)


def log_warning(device: Any, message: str, *args: Any, **kwargs: Any) -> None:
    get_logger(device).warning(message, *args, **kwargs)


def log_error(device: Any, message: str, *args: Any, **kwargs: Any) -> None:
    get_logger(device).error(message, *args, **kwargs)


def log_critical(device: Any, message: str, *args: Any, **kwargs: Any) -> None:
    get_logger(device).critical(message, *args, **kwargs)


def log_exception(device: Any, message: str, *args: Any, **kwargs: Any) -> None:
    get_logger(device).exception(message, *args, **kwargs)


def user_print(*values: object, **kwargs: Any) -> None:
    """Show something to the user."""
    print(*values, **kwargs)


def user_warning(message: str, *args: object) -> None:
    """Show a warning to the user."""
    print(f"WARNING: {message % args if args else message}", file=sys.stderr)


def user_error(message: str, *args: object) -> None:
    """Show an error to the user."""
    print(f"ERROR: {message % args if args else message}", file=sys.stderr)
