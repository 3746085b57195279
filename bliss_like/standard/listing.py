"""What the session has to move and to count: `lsmot lscnt limastat`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from bliss_like.config.table import table
from bliss_like.devices.naming import name_of, original_channel_name
from bliss_like.devices.numbers import brief
from bliss_like.errors import ScanUsageError, UsageError
from bliss_like.scanning.acquisition import is_axis
from bliss_like.scanning.chain_nodes import iter_counters
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan_tools import session_counters

from .arguments import session_axes, verb


@verb("")
def lsmot() -> None:
    """List the axes of the session, soft ones too; nothing is asked of the hardware."""
    axes = dict.fromkeys([*session_axes(), *filter(is_axis, environment.names().values())])
    rows = [
        (
            name_of(axis),
            axis.name if name_of(axis) != axis.name else "",
            getattr(getattr(axis, "controller", None), "name", ""),
            type(getattr(axis, "controller", axis)).__name__.lstrip("_"),
            getattr(axis, "unit", None) or "",
            "disabled" if getattr(axis, "disabled", False) else "",
        )
        for axis in axes
    ]
    _print_table(("axis", "original name", "controller", "class", "unit", "state"), rows, "The session has no axes.")


@verb("counters=None")
def lscnt(counters: Any = None) -> None:
    """List the counters of the session, or of something that has some: a controller, a measurement group, a list."""
    try:
        found = dict.fromkeys(session_counters() if counters is None else iter_counters(counters))
    except ScanUsageError as error:
        raise UsageError(f"counters: {error}") from None
    rows = [
        (
            original_channel_name(counter),
            name_of(counter) if name_of(counter) != counter.name else "",
            type(counter.controller).__name__.lstrip("_"),
            counter.unit or "",
            "x".join(map(str, counter.shape)) or "0D",
        )
        for counter in found
    ]
    _print_table(("counter", "alias", "class", "unit", "shape"), rows, "There are no counters.")


lsct = lscnt


@verb("*cameras")
def limastat(*cameras: Any) -> None:
    """Show what cameras do, and how they are set up; those of the session, unless some are given."""
    for number, given in enumerate(cameras, 1):
        if not _is_camera(given):
            raise UsageError(f"argument {number}: expected a camera, got {brief(given)}")
    found = dict.fromkeys(cameras or filter(_is_camera, environment.names().values()))
    header = ("camera", "state", "image", "trigger", "saving")
    _print_table(header, [_camera_row(camera) for camera in found], "The session has no cameras.")


def _is_camera(thing: Any) -> bool:
    return hasattr(type(thing), "prepare_exposure")


def _camera_row(camera: Any) -> tuple[str, ...]:
    try:
        status = camera.status()
        height, width = camera.image.shape
    except Exception as error:  # noqa: BLE001 - shown: the others are told all the same
        return camera.name, f"!ERR ({error})", "", "", ""
    state = f"{status.state}: {status.error}" if status.error else status.state
    return camera.name, state, f"{width}x{height}", str(camera.acquisition.trigger_mode), str(camera.saving.mode)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]], none: str) -> None:
    """Print a table without its empty columns; without the class of the controllers, too, where it is too wide with it."""
    filled = [column for column in range(len(header)) if any(row[column] for row in rows)]
    lines = _lines(header, rows, filled)
    if max(map(len, lines), default=0) >= shutil.get_terminal_size().columns:
        lines = _lines(header, rows, [column for column in filled if header[column] != "class"])
    print("\n".join(lines) if rows else none)


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]], columns: Sequence[int]) -> list[str]:
    return table(
        [header[column] for column in columns], [[row[column] for column in columns] for row in rows]
    ).splitlines()
