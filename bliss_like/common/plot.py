"""`bliss.common.plot`: what is plotted of scans."""

from bliss_like.scanning.plot_choice import (
    get_next_plotted_counters,
    get_plotted_counters,
    meshselect,
    plotinit,
    plotselect,
)
from bliss_like.standard.plot import plot

__all__ = ["get_next_plotted_counters", "get_plotted_counters", "meshselect", "plot", "plotinit", "plotselect"]
