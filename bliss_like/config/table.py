"""Text in columns, for people at a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Text(str):
    """A text that the prompt shows as it is, not quoted."""

    __slots__ = ()

    def __info__(self) -> str:
        return str(self)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Text:
    """Return rows below a header, each column as wide as its widest cell."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    cells.insert(1, ["-" * width for width in widths])
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return Text("\n".join(lines))
