"""The curves that can be fitted by name: shapes with a background, in the parameters that people read, and guesses of them.

Every shape takes `center`, `fwhm` and `height`, and stands on `background + slope * (x - center)`: so the background is that at
the centre.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bliss_like.data import scan_math

Array = np.ndarray[Any, Any]
Shape = Callable[..., Array]

LN2 = math.log(2)


def gaussian(x: Array, center: float, fwhm: float, height: float, background: float = 0.0, slope: float = 0.0) -> Array:
    return height * np.exp(-4 * LN2 * ((x - center) / fwhm) ** 2) + background + slope * (x - center)


def lorentzian(
    x: Array, center: float, fwhm: float, height: float, background: float = 0.0, slope: float = 0.0
) -> Array:
    return height / (1 + 4 * ((x - center) / fwhm) ** 2) + background + slope * (x - center)


def pseudo_voigt(
    x: Array, center: float, fwhm: float, height: float, fraction: float, background: float = 0.0, slope: float = 0.0
) -> Array:
    """:param fraction: how much of it is the Lorentzian, 0 to 1."""
    peak = fraction * lorentzian(x, center, fwhm, height) + (1 - fraction) * gaussian(x, center, fwhm, height)
    return peak + background + slope * (x - center)


def voigt(
    x: Array, center: float, fwhm_g: float, fwhm_l: float, height: float, background: float = 0.0, slope: float = 0.0
) -> Array:
    """:param fwhm_g, fwhm_l: of the Gaussian and of the Lorentzian that are folded."""
    from scipy.special import wofz  # lmfit needs it, nothing else does

    sigma = max(abs(fwhm_g), 1e-12) / (2 * math.sqrt(2 * LN2))
    scale, gamma = sigma * math.sqrt(2), fwhm_l / 2
    values = wofz((x - center + 1j * gamma) / scale).real
    top = wofz(np.array(1j * gamma / scale)).real
    result: Array = height * values / top + background + slope * (x - center)
    return result


def edge(x: Array, center: float, fwhm: float, height: float, background: float = 0.0, slope: float = 0.0) -> Array:
    """An error function; `fwhm` is that of its slope, `height` is negative when it falls, `background` the level before it."""
    from scipy.special import erf

    step: Array = height * (1 + erf(2 * math.sqrt(LN2) * (x - center) / fwhm)) / 2
    return step + background + slope * (x - center)


def linear(x: Array, slope: float, intercept: float) -> Array:
    return slope * x + intercept


def parabola(x: Array, a: float, b: float, c: float) -> Array:
    """`a x^2 + b x + c`."""
    return (a * x + b) * x + c


def cubic(x: Array, a: float, b: float, c: float, d: float) -> Array:
    """`a x^3 + b x^2 + c x + d`."""
    return ((a * x + b) * x + c) * x + d


SHAPES: dict[str, Shape] = {
    shape.__name__: shape for shape in (gaussian, lorentzian, voigt, pseudo_voigt, edge, linear, parabola, cubic)
}
POLYNOMIALS = ("linear", "parabola", "cubic")
OTHER_NAMES = {"gauss": "gaussian", "lorentz": "lorentzian", "erf": "edge", "step": "edge", "pvoigt": "pseudo_voigt"}
"""What people say, too."""


def guess(name: str, x: Array, y: Array) -> dict[str, float]:
    """Return where a fit begins: what `scan_math` says of the curve, and where that says nothing, its highest point.

    :param x, y: finite numbers, shape (npoints,) both, at least two.
    """
    if name in POLYNOMIALS:
        degree = POLYNOMIALS.index(name) + 1
        names = ("slope", "intercept") if name == "linear" else ("a", "b", "c", "d")[: degree + 1]
        return dict(zip(names, map(float, np.polyfit(x, y, min(degree, len(x) - 1))), strict=False))
    if name == "edge":
        return _guess_edge(x, y)
    center, fwhm, height, background = _guess_peak(x, y)
    start = {"center": center, "height": height, "background": background, "slope": 0.0}
    if name == "voigt":
        return {**start, "fwhm_g": 0.6 * fwhm, "fwhm_l": 0.6 * fwhm}
    return {**start, "fwhm": fwhm, **({"fraction": 0.5} if name == "pseudo_voigt" else {})}


def _guess_peak(x: Array, y: Array) -> tuple[float, float, float, float]:
    """Return centre, width, height and background."""
    width = float(np.ptp(x)) or 1.0
    kind, found = scan_math.kind_of(x, y), scan_math.cen(x, y)
    low, middle, high = (float(value) for value in np.percentile(y, (5, 50, 95)))
    if kind in ("peak", "dip") and math.isfinite(found.position) and found.fwhm > 0:
        sign = 1 if kind == "peak" else -1
    else:
        sign = 1 if float(y.max()) - middle >= middle - float(y.min()) else -1
        found = scan_math.Cen(float(x[np.argmax(sign * y)]), width / 5)
    background = low if sign > 0 else high
    near = np.abs(x - found.position) <= found.fwhm / 4
    top = float(np.median(y[near])) if near.any() else float(y[np.argmax(sign * y)])
    return found.position, found.fwhm, top - background or sign * float(np.ptp(y)) or 1.0, background


def _guess_edge(x: Array, y: Array) -> dict[str, float]:
    ordered = y[np.argsort(x, kind="stable")]
    few = max(1, len(y) // 8)
    before, behind = float(np.median(ordered[:few])), float(np.median(ordered[-few:]))
    found, width = scan_math.edge(x, y), float(np.ptp(x)) or 1.0
    center = found.position if math.isfinite(found.position) else float(x.mean())
    fwhm = found.width if math.isfinite(found.width) and found.width > 0 else width / 5
    return {
        "center": center,
        "fwhm": fwhm,
        "height": behind - before or float(np.ptp(y)) or 1.0,
        "background": before,
        "slope": 0.0,
    }
