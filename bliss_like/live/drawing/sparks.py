"""A curve in one line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bliss_like.live.look import UNICODE, Glyphs

from .scales import LEAST_SPAN, drawable


def sparkline(values: ArrayLike, width: int, glyphs: Glyphs = UNICODE) -> str:
    """Return a character for each value, of a height by its value; of more values than columns, the highest in each.

    NaN is a blank. A constant is a line at half height.
    """
    y = drawable(values).ravel()
    if not len(y) or width < 1:
        return ""
    if len(y) > width:
        y = np.fmax.reduceat(y, np.arange(width) * len(y) // width)
    there = np.isfinite(y)
    if not there.any():
        return " " * len(y)
    low, high = float(y[there].min()), float(y[there].max())
    levels = glyphs.spark
    if high - low < LEAST_SPAN:
        heights = np.full(len(y), len(levels) // 2)
    else:
        heights = np.rint((np.where(there, y, low) - low) / (high - low) * (len(levels) - 1)).astype(int)
    return "".join(levels[height] if known else " " for height, known in zip(heights, there, strict=True))
