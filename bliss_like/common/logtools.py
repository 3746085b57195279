"""`bliss.common.logtools`: messages of devices, in Python's own logging: `log_debug(self, "%s moves", axis.name)`."""

from __future__ import annotations

import logging
import sys
from typing import Any

__all__ = [
    "get_logger",
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


def get_logger(device: Any) -> logging.Logger:
    """Return the logger of a device: `bliss_like.device.<its name>`."""
    return logging.getLogger(f"bliss_like.device.{getattr(device, 'name', None) or type(device).__name__}")


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
