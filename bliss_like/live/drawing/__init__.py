"""Curves, maps and images as lines of text. Nothing here knows a terminal: only a width, a height and a `Look`."""

from __future__ import annotations

from .axes import Mark
from .curves import Curve, draw_curves, draw_panels, most_panels
from .maps import GridAxis, draw_image, draw_map, gridded
from .sparks import sparkline

__all__ = [
    "Curve",
    "GridAxis",
    "Mark",
    "draw_curves",
    "draw_image",
    "draw_map",
    "draw_panels",
    "gridded",
    "most_panels",
    "sparkline",
]
