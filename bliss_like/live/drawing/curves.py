"""Curves with axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bliss_like.live.look import CURVES, Look, Role, padded

from .axes import Axes, Mark
from .dots import Dots
from .scales import LEAST_SPAN, Numbers, Scale, scale_of

Array = np.ndarray[Any, Any]

FAR_APART = 3
"""Columns between points from which on each point is shown, not only the line through them."""
BACK_AND_FORTH = 20
"""Turns in each column from which on points that jump about are not joined."""


@dataclass(frozen=True)
class Curve:
    """Points in the order of their measurement, shape (npoints,) both; where one is NaN there is a gap.

    :param role: its colour; None: the next one.
    :param is_joined: whether there are lines between the points.
    :param is_line: whether it is a line alone, of which no point was measured.
    """

    x: Array
    y: Array
    name: str = ""
    role: Role | None = None
    is_joined: bool = True
    is_line: bool = False

    @cached_property
    def along(self) -> Numbers:
        """`x` as it can be drawn."""
        return Numbers.of(self.x)

    @cached_property
    def values(self) -> Numbers:
        """`y` as it can be drawn."""
        return Numbers.of(self.y)


def draw_curves(
    curves: Sequence[Curve],
    width: int,
    height: int,
    look: Look | None = None,
    *,
    title: str = "",
    x_label: str = "",
    x_range: tuple[float, float] | None = None,
    marks: Sequence[Mark] = (),
    log: bool = False,
) -> list[str]:
    """Return `height` lines, at most `width` columns wide. The first curve is in front of the others.

    :param x_range: the axis that is to be seen at least; None: that of the points.
    :param log: whether the values have a logarithmic scale; those that are not above 0 are left out then.
    """
    return draw_panels(
        [curves], width, height, look, title=title, x_label=x_label, x_range=x_range, marks=marks, log=log
    )


def draw_panels(
    panels: Sequence[Sequence[Curve]],
    width: int,
    height: int,
    look: Look | None = None,
    *,
    title: str = "",
    x_label: str = "",
    x_range: tuple[float, float] | None = None,
    marks: Sequence[Mark] = (),
    log: bool = False,
) -> list[str]:
    """Return lines with panels one above the other, each with values of its own scale, over one axis; the rest is as of `draw_curves`."""
    look = look or Look()
    ready = _coloured(panels)
    x_scale = _x_scale([curve for curves in ready for curve, _ in curves], x_range)
    heights = _heights(height, len(ready))
    drawings = [_Drawing(curves, look, log) for curves in ready]

    def framed(margin: int) -> list[Axes]:
        return [
            Axes(width, lines, look, x_scale, drawing.y_scale, margin=margin, below=drawing is drawings[-1])
            for drawing, lines in zip(drawings, heights, strict=True)
        ]

    frames = framed(margin=max(axes.margin for axes in framed(margin=0)))
    result: list[str] = []
    for drawing, axes in zip(drawings, frames, strict=True):
        is_last = drawing is drawings[-1]
        head, foot = title if drawing is drawings[0] else "", x_label if is_last else ""
        result += axes.around(drawing.lines(axes), drawing.legend(), head, foot, marks if is_last else ())
    return result


def most_panels(height: int) -> int:
    """Return how many panels so many lines have room for."""
    return max(1, (height - 3) // 4)


def _heights(height: int, count: int) -> list[int]:
    """Return the lines of each panel; the last one has the axis, too."""
    below = 3 if height >= 4 * count + 3 else 2
    each, rest = divmod(height - below, count)
    heights = [each + (number < rest) for number in range(count)]
    heights[-1] += below
    return heights


def _coloured(panels: Sequence[Sequence[Curve]]) -> list[list[tuple[Curve, Role]]]:
    colours = itertools.cycle(CURVES)
    return [[(each, each.role or next(colours)) for each in curves] for curves in panels]


def _x_scale(curves: Sequence[Curve], least: tuple[float, float] | None) -> Scale:
    found = _range_of([each.along for each in curves], positive=False)
    if least is not None and all(map(math.isfinite, least)):
        found = (min(*least, *(found or least)), max(*least, *(found or least)))
    return _tight(*(found or (0.0, 1.0)))


class _Drawing:
    def __init__(self, curves: Sequence[tuple[Curve, Role]], look: Look, log: bool) -> None:
        self.curves, self.look = curves, look
        found = _range_of([_seen(each) for each, _ in curves], positive=log)
        self.problem = "" if found else _nothing([each for each, _ in curves], log)
        if log and found:
            found = math.log10(found[0]), math.log10(found[1])
        self.y_scale = scale_of(*(found or (0.0, 1.0)), is_log=log)

    def legend(self) -> str:
        """The names of the curves, as they are drawn."""
        return "  ".join(
            self.look.paint(f"{'-' if each.is_line else self._symbol(number)} {each.name}", role)
            for number, (each, role) in enumerate(self.curves)
            if each.name
        )

    def lines(self, axes: Axes) -> list[str]:
        columns, rows = axes.columns, axes.rows
        if self.problem:
            empty = [""] * rows
            empty[rows // 2] = padded(self.look.paint(self.problem, Role.DIM), columns, "^")
            return empty
        dots = Dots(columns, rows, self.look)
        for number, (curve, role) in reversed(list(enumerate(self.curves))):
            dots.begin(role)
            x, y, joined = self._path(curve, dots, axes.x)
            dots.draw(x, y, joined)
            if curve.is_line:
                continue
            if self._needs_symbols or not self.look.glyphs.has_blocks:
                every = max(1, len(x) * FAR_APART // columns) if curve.is_joined else 1
                dots.put(x[::every], y[::every], self._symbol(number))
            elif len(x) <= columns // FAR_APART:
                dots.blot(x, y)
        return dots.lines()

    @property
    def _needs_symbols(self) -> bool:
        """Whether curves would look alike without them."""
        return len(self.curves) > 1 and not self.look.colours

    def _symbol(self, number: int) -> str:
        symbols = self.look.glyphs.symbols
        return symbols[number % len(symbols)] if not self.look.colours else self.look.glyphs.point

    def _path(self, curve: Curve, dots: Dots, x_scale: Scale) -> tuple[Array, Array, Array]:
        """Return the places of the points, of many only those that can be seen, and which are joined to the next."""
        along, values = curve.along, curve.values
        if len(curve.x) > 4 * dots.width and curve.is_joined and self._has_all(values) and along.is_one_way:
            return self._outline(along.values, values.values, dots, x_scale)
        shown = self.y_scale.shown(values.values)
        there = np.flatnonzero(np.isfinite(along.values) & np.isfinite(shown))
        joined = np.diff(there) == 1 if curve.is_joined else np.zeros(max(0, len(there) - 1), bool)
        x = x_scale.places(along.values[there], dots.width)
        y = self.y_scale.places(shown[there], dots.height)
        return _thinned(x, y, joined, dots.width) if len(x) > 4 * dots.width else (x, y, joined)

    def _has_all(self, values: Numbers) -> bool:
        return values.is_whole and (values.low > 0 or not self.y_scale.is_log)

    def _outline(self, x: Array, y: Array, dots: Dots, x_scale: Scale) -> tuple[Array, Array, Array]:
        """Return what `_thinned` does, for points that go one way and of which none is missing: places are of a few only."""
        begins = x_scale.begins(x, dots.width)
        ends = np.append(begins[1:], len(x)) - 1
        lows, highs = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
        few = self.y_scale.shown(np.stack([y[begins], lows, highs, y[ends]], axis=1).ravel())
        columns = np.repeat(x_scale.places(x[begins], dots.width), 4)
        return columns, self.y_scale.places(few, dots.height), _joined(np.ones(len(begins), bool))


def _thinned(x: Array, y: Array, joined: Array, width: int) -> tuple[Array, Array, Array]:
    """Return the first, the lowest, the highest and the last point of each stretch within one column."""
    begins = np.concatenate([[0], np.flatnonzero((np.diff(x) != 0) | ~joined) + 1])
    if len(begins) > BACK_AND_FORTH * width:
        return x, y, np.zeros(len(x) - 1, bool)
    ends = np.append(begins[1:], len(x)) - 1
    lows, highs = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
    few_y = np.stack([y[begins], lows, highs, y[ends]], axis=1).ravel()
    return np.repeat(x[begins], 4), few_y, _joined(np.append(joined[ends[:-1]], False))


def _joined(to_next: Array) -> Array:
    """Return which of the four points of each stretch are joined to the next one: the lowest to the highest, on whose line the others are."""
    joined = np.zeros((len(to_next), 4), bool)
    joined[:, 1], joined[:, 3] = True, to_next
    return joined.ravel()[:-1]


def _seen(curve: Curve) -> Numbers:
    """Return the values of points that have a place."""
    if curve.along.is_whole:
        return curve.values
    return Numbers.of(curve.values.values[np.isfinite(curve.along.values)])


def _range_of(several: Sequence[Numbers], positive: bool) -> tuple[float, float] | None:
    """Return the least and the greatest of all numbers that can be drawn."""
    if positive:
        several = [each if each.low > 0 else Numbers.of(each.values[each.values > 0]) for each in several]
    there = [each for each in several if each.low <= each.high]
    return (min(each.low for each in there), max(each.high for each in there)) if there else None


def _tight(low: float, high: float) -> Scale:
    """Return the scale of an axis, which begins and ends with its points."""
    return (
        Scale(low, high)
        if high - low > max(LEAST_SPAN, 1e-12 * max(abs(low), abs(high)))
        else Scale(low - 0.5, high + 0.5)
    )


def _nothing(curves: Sequence[Curve], log: bool) -> str:
    if not any(len(each.y) for each in curves):
        return "no points yet"
    return "no value above 0, nothing to see on a logarithmic scale" if log else "no numbers"
