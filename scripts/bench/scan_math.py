"""How far from the truth the centres of noisy curves are: `scripts/bench/scan_math.py [module]`.

:param module: whose `cen`, `peak` and `com` are tried; by default ours.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

CENTRE, SIGMA = 0.37, 0.8
NOISES = (0.0, 0.03, 0.1, 0.2)
NCURVES = 150

_erf = np.vectorize(math.erf)


def shapes(x: Array) -> Iterator[tuple[str, Array, float]]:
    """Yield curves of height 1, and where their centres are."""
    peak = np.exp(-(((x - CENTRE) / SIGMA) ** 2) / 2)
    yield "peak", peak, CENTRE
    yield "dip", 3 - peak, CENTRE
    yield "flat top", np.minimum(1, 2 * np.exp(-((x - CENTRE) ** 2) / 2.8)), CENTRE
    yield "peak on a slope", peak + 0.1 * x, CENTRE
    yield "edge", (1 + _erf((x - CENTRE) / 0.5 / math.sqrt(2))) / 2, CENTRE
    yield "half seen peak", np.exp(-((x - 4.2) ** 2) / 2), 4.2


def errors(function: Callable[[Array, Array], Any], x: Array, y: Array, noise: float, truth: float) -> Array:
    found = []
    for seed in range(NCURVES if noise else 1):
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            result = function(x, y + noise * np.random.default_rng(seed).normal(size=len(x)))
        found.append(float(result[0] if isinstance(result, tuple) else result) - truth)
    return np.array(found)


def main() -> None:
    module = importlib.import_module(sys.argv[1] if len(sys.argv) > 1 else "bliss_like.data.scan_math")
    x = np.linspace(-5, 5, 51)
    print("median of |error| / largest of nine tenths of them; range 10, 51 points, height 1, FWHM about 2\n")
    for name in ("cen", "peak", "com"):
        print(f"{name:16s}" + "".join(f"  noise {noise:<10g}" for noise in NOISES))
        for shape, y, truth in shapes(x):
            cells = []
            for noise in NOISES:
                off = np.abs(errors(getattr(module, name), x, y, noise, truth))
                lost = f" {np.isnan(off).mean():.0%}" if np.isnan(off).any() else ""
                cells.append(f"  {np.nanmedian(off):.2f} / {np.nanquantile(off, 0.9):.2f}{lost:5s}")
            print(f"{shape:16s}{''.join(cells)}")
        print()


if __name__ == "__main__":
    main()
