"""What people type at the prompt without thinking of it: `info bench sin sqrt rand sleep date pprint`.

These are ordinary words: objects of the configuration, and whatever people define, may have their names.
"""

from __future__ import annotations

import time
from pprint import pprint
from types import TracebackType
from typing import Any

from gevent import sleep
from numpy import arccos, arcsin, arctan, arctan2, cos, deg2rad, exp, log, log10, pi, power, rad2deg, sin, sqrt, tan

from bliss_like.scanning.environment import environment

__all__ = [
    "arccos",
    "arcsin",
    "arctan",
    "arctan2",
    "bench",
    "cos",
    "date",
    "deg2rad",
    "exp",
    "info",
    "log",
    "log10",
    "pi",
    "power",
    "pprint",
    "rad2deg",
    "rand",
    "sin",
    "sleep",
    "sqrt",
    "tan",
]


def date() -> str:
    """Return what day and time it is: `Sat Nov 21 14:03:22 2026`."""
    return time.asctime()


def rand(*shape: int) -> Any:
    """Return random numbers between 0 and 1, as many as the shape wants; without one, a number."""
    import numpy.random  # takes its time to load

    return numpy.random.rand(*shape)


class Info(str):
    """A text that the prompt shows as it is printed."""

    def __info__(self) -> str:
        return str(self)


def info(obj: Any) -> Info:
    """Return what an object says of itself: what the prompt shows of it, as a text for macros.

    :param obj: anything, or the name of an object of the session.
    """
    found = environment.names().get(obj, obj) if isinstance(obj, str) else obj
    tell = getattr(type(found), "__info__", None)
    return Info(tell(found) if callable(tell) else repr(found))


class bench:  # noqa: N801  it is written as a verb
    """Tell how long something takes: `with bench(): ascan(robx, 0, 1, 10, 0.1, diode)`; `as b` keeps it, `b.seconds`.

    :param label: what it is that takes it.
    """

    def __init__(self, label: str = "Execution time") -> None:
        self.label = label
        self.seconds = 0.0

    def __enter__(self) -> bench:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._began
        print(f"{self.label}: {_readable(self.seconds)}")

    def __info__(self) -> str:
        return "with bench(): ... tells how long it takes"


def _readable(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3f} {unit}"
    return f"{seconds * 1e6:.1f} us"
