"""`bliss.common.logtools`: messages of devices, in Python's own logging: `log_debug(self, "%s moves", axis.name)`."""

from __future__ import annotations

import sys
from typing import Any

from bliss_like.devices import logs
from bliss_like.standard.debugging import debugoff, debugon, lsdebug, lslog
from bliss_like.standard.elog import elog_print

__all__ = [
    "GlobalMap",
    "debugoff",
    "debugon",
    "elog_comment",
    "elog_error",
    "elog_info",
    "elog_print",
    "elog_warning",
    "get_logger",
    "global_map",
    "log_critical",
    "log_debug",
    "log_error",
    "log_exception",
    "log_info",
    "log_warning",
    "lsdebug",
    "lslog",
    "user_error",
    "user_info",
    "user_print",
    "user_warning",
]


class GlobalMap:
    """What devices of BLISS tell of themselves; here it is the name under which each of them logs."""

    def register(self, instance: Any, parents_list: Any = None, children_list: Any = None, tag: str = "") -> None:
        """Let a device log under a name; what is around it and below it, nobody has to know here."""
        if tag:
            logs.tag(instance, tag)

    def unregister(self, instance: Any) -> None:
        """Let a device log under its own name again."""
        logs.tag(instance, "")

    def tag_of(self, instance: Any) -> str:
        """Return the name under which a device logs: its tag, its name, or that of its class."""
        return logs.tag_of(instance)


global_map = GlobalMap()

get_logger = logs.logger_of
"""Of a device: `bliss_like.device.<its name>`, or the tag that it gave itself in `global_map`."""


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


def user_info(message: str, *args: object) -> None:
    """Show something to the user."""
    print(_filled(message, args))


def user_warning(message: str, *args: object) -> None:
    """Show a warning to the user."""
    print(f"WARNING: {_filled(message, args)}", file=sys.stderr)


def user_error(message: str, *args: object) -> None:
    """Show an error to the user."""
    print(f"ERROR: {_filled(message, args)}", file=sys.stderr)


elog_comment = elog_print


def elog_info(message: str, *args: object) -> None:
    """Note something in the electronic logbook."""
    elog_print(_filled(message, args))


def elog_warning(message: str, *args: object) -> None:
    """Note a warning in the electronic logbook."""
    elog_print(f"WARNING: {_filled(message, args)}")


def elog_error(message: str, *args: object) -> None:
    """Note an error in the electronic logbook."""
    elog_print(f"ERROR: {_filled(message, args)}")


def _filled(message: str, args: tuple[object, ...]) -> str:
    return message % args if args else message
