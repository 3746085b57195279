"""What people type at the prompt to move axes and to see where they are; scripts import it from here.

Beside the shell, the only package that prints.
"""

from __future__ import annotations

from .cleanup import capture_exceptions, cleanup, error_cleanup
from .curves import (
    cen,
    com,
    find_position,
    fwhm,
    goto_cen,
    goto_com,
    goto_custom,
    goto_min,
    goto_peak,
    meshselect,
    peak,
    plotinit,
    plotselect,
    trough,
    where,
)
from .listing import limastat, lscnt, lsct, lsmot
from .moving import move, mv, mvd, mvdr, mvr, rockit, umv, umvd, umvdr, umvr
from .positions import sta, stm, sync, wa, wm, wu
from .profiling import metadata_profiling
from .proposals import enddataset, endproposal, newcollection, newdataset, newproposal, newsample
from .tweaking import tweak, tweak_cli

__all__ = [
    "capture_exceptions",
    "cen",
    "cleanup",
    "com",
    "enddataset",
    "endproposal",
    "error_cleanup",
    "find_position",
    "fwhm",
    "goto_cen",
    "goto_com",
    "goto_custom",
    "goto_min",
    "goto_peak",
    "limastat",
    "lscnt",
    "lsct",
    "lsmot",
    "metadata_profiling",
    "meshselect",
    "move",
    "mv",
    "mvd",
    "mvdr",
    "mvr",
    "newcollection",
    "newdataset",
    "newproposal",
    "newsample",
    "peak",
    "plotinit",
    "plotselect",
    "rockit",
    "sta",
    "stm",
    "sync",
    "trough",
    "tweak",
    "tweak_cli",
    "umv",
    "umvd",
    "umvdr",
    "umvr",
    "wa",
    "where",
    "wm",
    "wu",
]
