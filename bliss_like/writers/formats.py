"""Which formats scans can be saved in, by name: ours, and those of other packages by entry point."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from bliss_like.errors import SavingError

from . import OpenScan

ENTRY_POINTS = "bliss_like.writers"
NONE = "null"
"""The format of scans that are not saved."""

_OURS = {"nexus": "bliss_like.writers.nexus:open_scan"}
_found: list[OpenScan] = []


def formats() -> list[str]:
    """Return the names of all formats, sorted; with `null`, which saves nothing."""
    return sorted({NONE, *_OURS, *(point.name for point in entry_points(group=ENTRY_POINTS))})


def linger(seconds: float) -> None:
    """Let formats that can keep their files open for the next scan do so for that long; 0 closes them.

    To be called every now and then: files whose time is over are closed by that. A format says that it can by a method `linger`.
    """
    for opening in _found:
        if (let := getattr(opening, "linger", None)) is not None:
            let(seconds)


def options_problem(name: str, options: Mapping[str, Any]) -> str:
    """Return what is wrong with options of a format; empty when nothing is, or when it cannot be told before a scan.

    A format says it by a method `check_options`, which raises a SavingError.
    """
    try:
        check = getattr(find_format(name), "check_options", None) if options and name != NONE else None
        if check is not None:
            check(options)
    except SavingError as error:
        return str(error)
    return ""


@cache
def find_format(name: str) -> OpenScan:
    """Return what begins to save a scan in a format.

    :raises SavingError: there is no such format, or its package cannot be imported.
    """
    try:
        if name in _OURS:
            module, _, function = _OURS[name].partition(":")
            _found.append(getattr(importlib.import_module(module), function))
            return _found[-1]
        for point in entry_points(group=ENTRY_POINTS, name=name):
            _found.append(point.load())
            return _found[-1]
    except (ImportError, AttributeError) as error:
        raise SavingError(
            f"data_writer {name!r}: its package cannot be imported where the writer runs: {error}; install what it needs "
            f"there (for nexus: pip install 'bliss_like[files]')"
        ) from error
    raise SavingError(
        f"data_writer {name!r}: no such format; there are: {', '.join(formats())}. Others come with packages that have the "
        f"entry point {ENTRY_POINTS!r}"
    )
