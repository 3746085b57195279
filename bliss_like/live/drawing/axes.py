"""What is around a drawing: its head, the ticks at the left, the axis below with its numbers and marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bliss_like.live.look import Look, Role, cells, cut, padded

from .scales import Scale, Ticks, brief, ticks_of

WITH_AXIS, WITH_LABELS = 6, 7
"""Lines from which on there is an axis below, and a line for what it is called."""

MOST_TICKS = 12

Piece = tuple[str, Role]


@dataclass(frozen=True)
class Mark:
    """A place on the axis below, or a stretch of it."""

    name: str
    x: float
    until: float | None = None

    @property
    def value(self) -> float:
        return self.x if self.until is None else self.until - self.x


class Axes:
    """The frame of a drawing of `columns` times `rows` characters within `width` times `height`.

    :param y_down: whether the scale at the left goes down.
    :param margin: columns at the left for its numbers, at least.
    :param widest: columns that the head may take; 0: the same.
    :param below: whether there are an axis and its name below, if there is room; else there is the head only.
    """

    def __init__(
        self,
        width: int,
        height: int,
        look: Look,
        x: Scale,
        y: Scale,
        *,
        y_down: bool = False,
        margin: int = 0,
        widest: int = 0,
        below: bool = True,
    ) -> None:
        self.width, self.height, self.look, self.x, self.y, self._y_down = width, height, look, x, y, y_down
        self._widest = max(width, widest)
        self.has_axis, self.has_labels = below and height >= WITH_AXIS, below and height >= WITH_LABELS
        self.rows = rows_of(height) if below else max(1, height - 1)
        self.y_ticks = _y_ticks(y, self.rows)
        margin = max(margin, self.y_ticks.width + 1)
        self.margin = margin if margin + 11 < width else 0
        self.columns = max(1, width - self.margin - 1)
        self.x_ticks = self._fitting()

    def around(
        self, body: Sequence[str], legend: str, title: str = "", x_label: str = "", marks: Sequence[Mark] = ()
    ) -> list[str]:
        """Return the lines of a drawing and of all that is around it."""
        marks = [mark for mark in marks if math.isfinite(mark.value)]
        result = [self._head(legend, title)]
        result += [edge + line for edge, line in zip(self._left(), body, strict=True)]
        if self.has_axis:
            result += self._below(marks)
        if self.has_labels:
            result.append(self._foot(x_label, marks))
        return [cut(line, self._widest, self.look.glyphs.ellipsis).rstrip() for line in result[: self.height]]

    def _head(self, legend: str, title: str) -> str:
        """What is drawn, and the title at the right."""
        legend = " " * (self.margin + 1) + legend
        if self.y_ticks.offset:
            legend += self._dim(f"  {self.y_ticks.offset}")
        room = self._widest - cells(legend) - 2
        if room < 8:
            return legend
        return f"{legend}  {self._dim(padded(cut(title, room, self.look.glyphs.ellipsis), room, '>'))}"

    def _left(self) -> list[str]:
        glyphs = self.look.glyphs
        ticks: dict[int, str] = {}
        for value, label in zip(self.y_ticks.values, self.y_ticks.labels, strict=True):
            place = self.y.place(value, self.rows)
            ticks.setdefault(place if self._y_down else self.rows - 1 - place, label)
        labels = [f"{ticks.get(row, ''):>{self.margin - 1}} " if self.margin else "" for row in range(self.rows)]
        edges = [glyphs.tick_left if row in ticks else glyphs.vertical for row in range(self.rows)]
        return [self._dim(label + edge) for label, edge in zip(labels, edges, strict=True)]

    def _below(self, marks: Sequence[Mark]) -> list[str]:
        """The axis with its ticks and marks, and the numbers at the ticks."""
        glyphs = self.look.glyphs
        axis: list[Piece] = [(glyphs.horizontal, Role.DIM)] * self.columns
        numbers = [" "] * (self.width + 1)
        for value, label in zip(self.x_ticks.values, self.x_ticks.labels, strict=True):
            at = self.x.place(value, self.columns)
            axis[at] = (glyphs.tick_down, Role.DIM)
            begin = max(0, min(self.margin + 1 + at - (len(label) - 1) // 2, self.width - len(label)))
            if not "".join(numbers[max(0, begin - 2) : begin + len(label) + 1]).strip():
                numbers[begin : begin + len(label)] = label
        for mark in marks:
            if mark.until is not None:
                begin, end = self.x.place(mark.x, self.columns), self.x.place(mark.until, self.columns)
                axis[begin : end + 1] = [(glyphs.heavy, Role.ACCENT)] * (end + 1 - begin)
        for number, mark in reversed(list(enumerate(each for each in marks if each.until is None))):
            axis[self.x.place(mark.x, self.columns)] = (self._glyph(number), Role.ACCENT)
        line = " " * self.margin + self._dim(glyphs.corner) + _painted(axis, self.look)
        return [line, self._dim("".join(numbers).rstrip())]

    def _foot(self, x_label: str, marks: Sequence[Mark]) -> str:
        """What the axis is called, and where the marks are."""
        resolution = (self.x.high - self.x.low) / 2000
        places = [mark for mark in marks if mark.until is None]
        told = [
            f"{self._glyph(places.index(mark)) if mark in places else self.look.glyphs.heavy} "
            f"{mark.name} {brief(mark.value, resolution)}"
            for mark in marks
        ]
        label = f"{x_label}  {self.x_ticks.offset}".strip()
        while told and cells(label) + 2 + len("  ".join(told)) > self.columns:
            told.pop()
        where = "  ".join(told)
        if told:
            label = padded(label, self.columns - len(where))
        return " " * (self.margin + 1) + padded(label + self.look.paint(where, Role.ACCENT), self.columns, "^")

    def _fitting(self) -> Ticks:
        """Return as many ticks as there is room for below."""
        for most in range(max(2, min(MOST_TICKS, self.columns // 4)), 1, -1):
            ticks = ticks_of(self.x, most)
            if (ticks.width + 4) * len(ticks.values) <= self.columns + 4:
                return ticks
        return ticks_of(self.x, 1)

    def _glyph(self, number: int) -> str:
        return self.look.glyphs.marks[number % len(self.look.glyphs.marks)]

    def _dim(self, text: str) -> str:
        return self.look.paint(text, Role.DIM) if text.strip() else text


def _y_ticks(scale: Scale, rows: int) -> Ticks:
    """Return numbers for the left: about every third line, two at least."""
    most = max(2, rows // 3 + 1)
    return max((ticks_of(scale, number) for number in (most, most + 1)), key=lambda ticks: min(len(ticks.values), 2))


def rows_of(height: int) -> int:
    """Return how many lines of so many are for the drawing itself."""
    return max(1, height - 1 - 2 * (height >= WITH_AXIS) - (height >= WITH_LABELS))


def _painted(pieces: Sequence[Piece], look: Look) -> str:
    """Return characters in their colours, those of one colour together."""
    result, begin = [], 0
    for end in range(1, len(pieces) + 1):
        if end == len(pieces) or pieces[end][1] is not pieces[begin][1]:
            result.append(look.paint("".join(text for text, _ in pieces[begin:end]), pieces[begin][1]))
            begin = end
    return "".join(result)
