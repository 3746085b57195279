"""Regions of interest of an image, and what is calculated in them; pure numpy.

Regions are counted in pixels of the image, x to the right, y down, the first pixel at (0, 0).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bliss_like.errors import UsageError

from .geometry import Box, Geometry

Frames = NDArray[Any]
"""Shape (n, height, width)."""
Values = NDArray[np.float64]

_TINY = 1e-7
"""Pixels or degrees by which the centre of a pixel may be outside: it is on the edge."""
_NEAR = 1e-3
"""Pixels by which an outline is larger: more than `_TINY` makes of an angle at any radius."""
STATISTICS = ("sum", "avg", "std", "min", "max")


@dataclass(frozen=True)
class Roi:
    """A rectangle: (x, y) of its first pixel, width, height."""

    x: int
    y: int
    width: int
    height: int
    name: str = field(default="", compare=False, kw_only=True)

    def __post_init__(self) -> None:
        for key in ("x", "y", "width", "height"):
            value = getattr(self, key)
            if isinstance(value, bool) or not math.isfinite(value) or int(value) != value:
                raise UsageError(f"roi {self.name!r}: {key}: expected whole pixels, got {value!r}")
            object.__setattr__(self, key, int(value))
        if self.width <= 0 or self.height <= 0:
            raise UsageError(
                f"roi {self.name!r}: expected width and height of at least 1 pixel, got {self.width} x {self.height}"
            )

    @property
    def p0(self) -> tuple[int, int]:
        return self.x, self.y

    @property
    def p1(self) -> tuple[int, int]:
        return self.x + self.width, self.y + self.height

    def bounding_box(self) -> Box:
        return self.x, self.y, self.width, self.height

    outline = bounding_box

    def get_params(self) -> list[float]:
        return [self.x, self.y, self.width, self.height]

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "rect", "x": self.x, "y": self.y, "width": self.width, "height": self.height}

    def pixels(self, frames: Frames) -> Frames:
        """Return the pixels in it, shape (n, number of pixels)."""
        box = frames[:, self.y : self.y + self.height, self.x : self.x + self.width]
        return box.reshape(len(frames), -1)

    def __str__(self) -> str:
        return f"<{self.x},{self.y}> <{self.width} x {self.height}>"


@dataclass(frozen=True)
class ArcRoi:
    """Part of a ring: centre, two radii in pixels, and two angles in degrees, from x towards y (clockwise on the screen).

    A pixel is in it if its centre is. `ArcRoi(.., 350, 370)` goes over 0; `a1` must be smaller than `a2`.
    """

    cx: float
    cy: float
    r1: float
    r2: float
    a1: float
    a2: float
    name: str = field(default="", compare=False, kw_only=True)

    def __post_init__(self) -> None:
        for key in ("cx", "cy", "r1", "r2", "a1", "a2"):
            value = getattr(self, key)
            if isinstance(value, bool) or not math.isfinite(value):
                raise UsageError(f"roi {self.name!r}: {key}: expected a number, got {value!r}")
            object.__setattr__(self, key, float(value))
        r1, r2 = sorted((self.r1, self.r2))
        object.__setattr__(self, "r1", r1)
        object.__setattr__(self, "r2", r2)
        if r1 < 0 or r1 == r2:
            raise UsageError(f"roi {self.name!r}: expected two different radii, at least 0, got {r1:g} and {r2:g}")
        if 0 < self.a2 - self.a1 - 360 < _TINY:  # a full ring that was turned
            object.__setattr__(self, "a2", self.a1 + 360)
        if not self.a1 < self.a2 <= self.a1 + 360:
            raise UsageError(
                f"roi {self.name!r}: expected a1 < a2 <= a1 + 360 degrees, got {self.a1:g} and {self.a2:g}"
            )

    def contains(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        """Return for each position whether it is in the arc."""
        radius = np.hypot(x - self.cx, y - self.cy)
        turned = (np.degrees(np.arctan2(y - self.cy, x - self.cx)) - self.a1 + _TINY) % 360.0
        in_ring = (radius >= self.r1 - _TINY) & (radius <= self.r2 + _TINY)
        inside: NDArray[np.bool_] = in_ring & (turned <= self.a2 - self.a1 + 2 * _TINY)
        return inside

    def outline(self) -> Box:
        """Return a rectangle around it, which may be a pixel larger than the one around its pixels; costs nothing."""
        ends = [(radius, angle) for radius in (self.r1, self.r2) for angle in (self.a1, self.a2)]
        ends += [(self.r2, angle) for angle in range(0, 360, 90) if (angle - self.a1) % 360 <= self.a2 - self.a1]
        x = [self.cx + radius * math.cos(math.radians(angle)) for radius, angle in ends]
        y = [self.cy + radius * math.sin(math.radians(angle)) for radius, angle in ends]
        left, top = math.ceil(min(x) - _NEAR), math.ceil(min(y) - _NEAR)
        return left, top, math.floor(max(x) + _NEAR) - left + 1, math.floor(max(y) + _NEAR) - top + 1

    def bounding_box(self) -> Box:
        """Return the smallest rectangle around the pixels in it."""
        return _bounding_box(self)

    def get_params(self) -> list[float]:
        return [self.cx, self.cy, self.r1, self.r2, self.a1, self.a2]

    def to_dict(self) -> dict[str, Any]:
        return {"kind": "arc", "cx": self.cx, "cy": self.cy, "r1": self.r1, "r2": self.r2, "a1": self.a1, "a2": self.a2}

    def pixels(self, frames: Frames) -> Frames:
        """Return the pixels in it, shape (n, number of pixels)."""
        x, y, width, height = self.bounding_box()
        rows, columns = np.mgrid[y : y + height, x : x + width]
        pixels: Frames = frames[:, y : y + height, x : x + width][:, self.contains(columns, rows)]
        return pixels

    def __str__(self) -> str:
        return f"<{self.cx:g},{self.cy:g}> radii {self.r1:g} to {self.r2:g}, {self.a1:g} to {self.a2:g} deg"


def roi_of(name: str, values: Sequence[float]) -> Roi | ArcRoi:
    """Return the region of four numbers, or the arc of six.

    :raises UsageError: they are none.
    """
    if len(values) == 4:
        return Roi(*values, name=name)  # type: ignore[arg-type]
    if len(values) == 6:
        return ArcRoi(*values, name=name)
    raise UsageError(
        f"roi {name!r}: expected x, y, width, height; or cx, cy, r1, r2, a1, a2 of an arc; got {len(values)} numbers"
    )


@lru_cache(maxsize=1024)
def _bounding_box(roi: ArcRoi) -> Box:
    left, top, width, height = roi.outline()
    rows, columns = np.mgrid[top : top + height, left : left + width]
    inside = roi.contains(columns, rows)
    if not inside.any():
        return left, top, 0, 0
    y, x = np.nonzero(inside.any(axis=1))[0], np.nonzero(inside.any(axis=0))[0]
    return left + int(x[0]), top + int(y[0]), int(x[-1] - x[0]) + 1, int(y[-1] - y[0]) + 1


def moved_arc(roi: ArcRoi, old: Geometry, new: Geometry) -> ArcRoi:
    """Return the arc on the same pixels of the sensor; radii follow the binning along x."""
    x, y = new.point_from_sensor(*old.point_to_sensor(roi.cx + 0.5, roi.cy + 0.5))
    scale = old.binning[0] / new.binning[0]
    a1, a2 = roi.a1, roi.a2
    a1, a2 = _flipped(a1 - old.rotation, a2 - old.rotation, old.flip)
    a1, a2 = _flipped(a1, a2, new.flip)
    turn = new.rotation
    low = (a1 + turn) % 360.0
    return ArcRoi(x - 0.5, y - 0.5, roi.r1 * scale, roi.r2 * scale, low, low + (a2 - a1), name=roi.name)


def _flipped(a1: float, a2: float, flip: tuple[bool, bool]) -> tuple[float, float]:
    if flip[0]:
        a1, a2 = 180.0 - a2, 180.0 - a1
    if flip[1]:
        a1, a2 = -a2, -a1
    return a1, a2


class ProfileMode(enum.StrEnum):
    """Along which side a profile runs; across it, pixels are added."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"

    @classmethod
    def of(cls, mode: object) -> ProfileMode:
        """:raises UsageError: there is no such mode."""
        names = {"h": cls.HORIZONTAL, "v": cls.VERTICAL, 0: cls.HORIZONTAL, 1: cls.VERTICAL}
        found = names.get(mode.lower() if isinstance(mode, str) else mode)
        try:
            return found or cls(str(mode).lower())
        except ValueError:
            raise UsageError(f"mode of a profile: expected 'horizontal' or 'vertical', got {mode!r}") from None


@dataclass(frozen=True)
class RoiProfile(Roi):
    """A rectangle that is summed up across: along x (horizontal, shape (width,)) or along y (vertical, shape (height,))."""

    mode: ProfileMode = ProfileMode.HORIZONTAL

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "mode", ProfileMode.of(self.mode))

    @property
    def length(self) -> int:
        return self.width if self.mode is ProfileMode.HORIZONTAL else self.height

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "kind": "profile", "mode": str(self.mode)}

    def profile(self, frames: Frames) -> Values:
        """Return the sums, shape (n, length)."""
        box = frames[:, self.y : self.y + self.height, self.x : self.x + self.width]
        sums: Values = box.sum(axis=1 if self.mode is ProfileMode.HORIZONTAL else 2, dtype=np.float64)
        return sums

    def __str__(self) -> str:
        return f"{super().__str__()} {self.mode}"


AnyRoi = Roi | ArcRoi
Statistics = Callable[[Frames], Values]

_FUNCTIONS: dict[str, Statistics] = {
    "sum": lambda pixels: pixels.sum(axis=1, dtype=np.float64),
    "avg": lambda pixels: pixels.mean(axis=1, dtype=np.float64),
    "std": lambda pixels: pixels.std(axis=1, dtype=np.float64),
    "min": lambda pixels: pixels.min(axis=1).astype(np.float64),
    "max": lambda pixels: pixels.max(axis=1).astype(np.float64),
}


def statistics(roi: AnyRoi, wanted: Sequence[str]) -> Callable[[Frames], list[Values]]:
    """Return what calculates some of `STATISTICS` of frames: of each, shape (n,)."""
    functions = [_FUNCTIONS[name] for name in wanted]
    if isinstance(roi, ArcRoi):
        x, y, width, height = roi.bounding_box()
        rows, columns = np.mgrid[y : y + height, x : x + width]
        chosen = np.flatnonzero(roi.contains(columns, rows))

        def pixels_of(frames: Frames) -> Frames:
            return frames[:, y : y + height, x : x + width].reshape(len(frames), -1)[:, chosen]
    else:
        pixels_of = roi.pixels

    def calculate(frames: Frames) -> list[Values]:
        pixels = pixels_of(frames)
        return [function(pixels) for function in functions]

    return calculate
