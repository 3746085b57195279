"""Values on a grid, and images, as fields of colours, or of shades where there are no colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bliss_like.live.look import Look, Role

from .axes import Axes, rows_of
from .scales import Scale, brief, drawable

Array = np.ndarray[Any, Any]

COLOURS = (17, 18, 54, 55, 91, 127, 162, 197, 203, 209, 215, 221, 227, 230)
"""From low to high, in the palette of 256."""
CONTRAST = (0.5, 99.8)
"""Percentiles of an image that get the lowest and the highest colour."""
_HALF = "▀"


@dataclass(frozen=True)
class GridAxis:
    """The places of the columns, or of the rows, of a grid: the first, the last, how many."""

    first: float
    last: float
    count: int


def gridded(x: Array, y: Array, values: Array, columns: GridAxis, rows: GridAxis) -> Array:
    """Return points on a grid, shape (rows.count, columns.count): the mean where there are several, NaN where there is none."""
    usable = np.isfinite(x) & np.isfinite(y) & np.isfinite(values)
    flat = _index(y[usable], rows) * columns.count + _index(x[usable], columns)
    size = rows.count * columns.count
    counts = np.bincount(flat, minlength=size)
    with np.errstate(invalid="ignore"):
        means: Array = np.bincount(flat, values[usable], size) / counts
    return means.reshape(rows.count, columns.count)


def draw_map(
    values: Array,
    width: int,
    height: int,
    look: Look | None = None,
    *,
    columns: GridAxis,
    rows: GridAxis,
    name: str = "",
    title: str = "",
    x_label: str = "",
    log: bool = False,
) -> list[str]:
    """Return `height` lines that show the values of a grid, at most `width` columns wide; nothing is where they are NaN.

    :param values: shape (rows.count, columns.count).
    """
    look = look or Look()
    if columns.last < columns.first:
        values, columns = values[:, ::-1], GridAxis(columns.last, columns.first, columns.count)
    if rows.last < rows.first:
        values, rows = values[::-1], GridAxis(rows.last, rows.first, rows.count)
    axes = Axes(width, height, look, _scale(columns), _scale(rows))
    field = _resampled(values, axes.columns, axes.rows * _halves(look), np.add)[::-1]
    tones, low, high = _tones(field, (0.0, 100.0), log)
    return axes.around(_field(tones, look), _legend(name, low, high, look), title, x_label)


def draw_image(
    image: Array,
    width: int,
    height: int,
    look: Look | None = None,
    *,
    name: str = "",
    title: str = "",
    log: bool = False,
) -> list[str]:
    """Return at most `height` lines that show an image as it is: row 0 above, its pixels square, of many the brightest.

    Few very bright or dark pixels do not spoil the contrast; those that detectors mark as not there are left out.

    :param image: shape (rows, columns) of numbers, or (rows, columns, 3) of colours.
    """
    look = look or Look()
    image = np.asarray(image)
    if image.ndim == 3:
        image = image.mean(axis=2)
    if image.ndim != 2 or not image.size:
        return [look.paint("no image", Role.DIM)]
    down, across = image.shape
    margin = len(str(down)) + 2
    columns, rows = _fitting(across, down, max(4, width - margin), rows_of(height))
    axes = Axes(
        columns + margin,
        rows + height - rows_of(height),
        look,
        Scale(-0.5, across - 0.5),
        Scale(-0.5, down - 0.5),
        y_down=True,
        widest=width,
    )
    field = _resampled(_without_masked(image), axes.columns, axes.rows * _halves(look), np.fmax)
    tones, low, high = _tones(field, CONTRAST, log)
    label = f"{across} x {down} pixels"
    return axes.around(_field(tones, look), _legend(name, low, high, look), title, label)


def _index(values: Array, axis: GridAxis) -> Array:
    if axis.first == axis.last:
        return np.zeros(len(values), np.intp)
    places = (values - axis.first) / (axis.last - axis.first) * (axis.count - 1)
    return np.rint(places).clip(0, axis.count - 1).astype(np.intp)


def _scale(axis: GridAxis) -> Scale:
    """The scale from the outer edge of the first cell to that of the last one."""
    half = (axis.last - axis.first) / max(1, axis.count - 1) / 2 or 0.5
    return Scale(axis.first - half, axis.last + half)


def _halves(look: Look) -> int:
    """Rows of the field in a character."""
    return 2 if look.glyphs.has_blocks and look.colours >= 256 else 1


def _fitting(across: int, down: int, most_columns: int, most_rows: int) -> tuple[int, int]:
    """Return the largest columns and rows of characters, twice as high as wide, in which pixels are about square."""
    scale = min(most_columns / across, 2 * most_rows / down)
    return max(2, round(across * scale)), max(1, min(most_rows, round(down * scale / 2)))


def _without_masked(image: Array) -> Array:
    """Return an image with 0 where a detector of photons says with its largest number that it has no pixel."""
    if image.dtype.kind == "u" and image.dtype.itemsize >= 4:
        return np.where(image == np.iinfo(image.dtype).max, 0, image)
    return image.astype(np.uint8) if image.dtype.kind == "b" else image


def _resampled(values: Array, columns: int, rows: int, combine: np.ufunc) -> Array:
    """Return values on another grid: those of a finer one combined, to the mean when they are added, else repeated."""
    result = values
    counts = np.isfinite(values).astype(float) if combine is np.add else None
    if counts is not None:
        result = np.where(counts > 0, values, 0.0)
    for axis, count in ((0, rows), (1, columns)):
        have = values.shape[axis]
        if have > count:
            begins = np.arange(count) * have // count
            result = combine.reduceat(result, begins, axis=axis)
            counts = counts if counts is None else np.add.reduceat(counts, begins, axis=axis)
        else:
            taken = np.arange(count) * have // count
            result = result.take(taken, axis=axis)
            counts = counts if counts is None else counts.take(taken, axis=axis)
    if counts is None:
        return result.astype(float)
    return np.where(counts > 0, result / np.maximum(counts, 1), np.nan)


def _tones(field: Array, contrast: tuple[float, float], log: bool) -> tuple[Array, float, float]:
    """Return a field from 0 to 1, and the values that these stand for."""
    field = drawable(field)
    if log:
        field = np.where(field > 0, field, np.nan)
    there = field[np.isfinite(field)]
    if not len(there):
        return field, np.nan, np.nan
    low, high = (float(value) for value in np.percentile(there, contrast))
    if low == high:  # the few that differ are all there is to be seen
        low, high = float(there.min()), float(there.max())
    if low == high:
        return np.where(np.isfinite(field), 0.5, np.nan), low, high
    if log:
        tones = np.log10(field / low) / np.log10(high / low)
    else:
        tones = (field - low) / (high - low)
    return tones.clip(0, 1), low, high


def _field(tones: Array, look: Look) -> list[str]:
    """Return lines of characters, each of two tones with colours, of one tone without."""
    if _halves(look) == 1:
        shades = look.glyphs.shades
        levels = np.where(np.isnan(tones), 0, 1 + np.rint(np.nan_to_num(tones) * (len(shades) - 2))).astype(int)
        return ["".join(shades[level] for level in row) for row in levels.tolist()]
    colours = np.array([*COLOURS, -1])[_levels(tones)].tolist()
    return [_half_blocks(upper, lower, look) for upper, lower in zip(colours[::2], colours[1::2], strict=True)]


def _levels(tones: Array) -> Array:
    levels = np.rint(np.nan_to_num(tones) * (len(COLOURS) - 1)).astype(int)
    return np.where(np.isnan(tones), len(COLOURS), levels)


def _half_blocks(upper: list[int], lower: list[int], look: Look) -> str:
    pieces, begin = [], 0
    for end in range(1, len(upper) + 1):
        if end < len(upper) and (upper[end], lower[end]) == (upper[begin], lower[begin]):
            continue
        pieces.append(_halved(upper[begin], lower[begin], end - begin, look))
        begin = end
    return "".join(pieces)


def _halved(upper: int, lower: int, count: int, look: Look) -> str:
    if upper < 0 and lower < 0:
        return " " * count
    if upper < 0:
        return look.paint_cell("▄" * count, lower)
    return look.paint_cell(_HALF * count, upper, lower if lower >= 0 else None)


def _legend(name: str, low: float, high: float, look: Look) -> str:
    """The name, and what the colours stand for."""
    heading = look.paint(name, Role.HEADING)
    if low != low:
        return f"{heading}  {look.paint('no points yet', Role.DIM)}"
    if _halves(look) == 1:
        bar = look.glyphs.shades[1:]
    else:
        bar = "".join(look.paint_cell(" ", background=colour) for colour in COLOURS)
    resolution = (high - low) / 100
    return f"{heading}  {brief(low, resolution)} {bar} {brief(high, resolution)}"
