"""Quantities of axes in columns: one axis a column, one quantity a line, in as many blocks as the terminal's width asks for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from bliss_like.devices.naming import name_of

Column = tuple[str, Mapping[str, str]]
"""The head of a column, and the cell of each quantity that it has."""

NARROWEST = 40
"""Characters in a line, at least, whatever the terminal says."""


def heading(axis: Any) -> str:
    """Return `roby[mm]`."""
    return f"{name_of(axis)}[{axis.unit}]" if axis.unit else name_of(axis)


def blocks(labels: Sequence[str], columns: Sequence[Column], max_columns: int | None = None) -> list[list[str]]:
    """Return the lines of each block; a quantity that no column of a block has gets no line.

    :param labels: what the lines are called, in their order.
    """
    width = max(NARROWEST, shutil.get_terminal_size().columns) - 1  # a full line would be wrapped by some terminals
    margin = max(map(len, labels), default=0)
    result: list[list[str]] = []
    rest = list(columns)
    while rest:
        fitting = _fitting(rest, width - margin, max_columns)
        result.append(_lines(labels, rest[:fitting], margin))
        rest = rest[fitting:]
    return result


def _fitting(columns: Sequence[Column], width: int, most: int | None) -> int:
    """Return how many of the columns fit side by side, at least one."""
    count = 0
    for column in columns[:most]:
        width -= _width(column) + 2
        if width < 0:
            break
        count += 1
    return max(count, 1)


def _width(column: Column) -> int:
    head, cells = column
    return max(len(head), *(len(cell) for cell in cells.values()), 8)


def _lines(labels: Sequence[str], columns: Sequence[Column], margin: int) -> list[str]:
    widths = [_width(column) for column in columns]

    def line(label: str, cells: Sequence[str]) -> str:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        return "  ".join([label.ljust(margin), *padded]).rstrip()

    lines = [line("", [head for head, _ in columns])]
    for label in labels:
        cells = [cells.get(label, "") for _, cells in columns]
        if any(cells):
            lines.append(line(label, cells))
    return lines
