"""`plot`: a scan as a picture in the terminal."""

from __future__ import annotations

from typing import Any

from bliss_like.live.look import Look

from .arguments import verb
from .look import look


@verb("counter=None, axis=None, scan=None, *, fit=None, height=None, log=False")
def plot(
    counter: Any = None,
    axis: Any = None,
    scan: Any = None,
    *,
    fit: Any = None,
    height: int | None = None,
    log: bool = False,
) -> None:
    """Plot the last scan, or the one that runs, in the terminal: its curves, the map of a mesh, its last spectrum or image.

    :param counter: a counter, its name, a pattern, or a list of them; by default those that `plotselect` chose, else all that
        there is room for.
    :param axis: what they are plotted along: an axis of the scan, another counter, "elapsed_time"; by default the scan's axis.
    :param scan: a scan, its node, number, name or file: "data.h5::12.1"; `plot(SCANS[-2])` and `plot(12)` are such, too.
    :param fit: a curve that is drawn through the points of one counter, and its parameters below: "gaussian" "lorentzian" "voigt"
        "pseudo_voigt" "edge" "linear" "parabola" "cubic", a function `f(x, a, b)`, a model of lmfit, or a fit that was made. True: a
        Gaussian, of an edge an error function.
    :param height: lines that it may take.
    :param log: whether the values have a logarithmic scale.
    """
    print(plot_text(counter, axis, scan, fit=fit, height=height, log=log, with_look=look()))


def plot_text(
    counter: Any = None,
    axis: Any = None,
    scan: Any = None,
    *,
    fit: Any = None,
    width: int | None = None,
    height: int | None = None,
    log: bool = False,
    with_look: Look | None = None,
) -> str:
    """Return what `plot` prints; without colours, unless a look has some.

    :param width: columns; None: those of the terminal.
    :raises UsageError: an argument makes no sense.
    :raises ScanError: there is no scan, or nothing in it that can be drawn.
    :raises NodeNotFound: there is no such scan.
    :raises DataError: a fit is wanted, and lmfit is not installed.
    """
    from .pictures import picture  # takes its time to load

    return picture(counter, axis, scan, fit, width, height, log, with_look or Look())
