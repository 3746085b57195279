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
from .debugging import debugoff, debugon, lsdebug, lslog
from .dialogs import answers, ask_choice, ask_choices, ask_form, ask_number, ask_text, ask_yes_no, show_message
from .elog import elog_add, elog_plot, elog_print
from .inventory import lsconfig, lsmg, lsobj
from .listing import limastat, lscnt, lsct, lsmot
from .menus import edit_mg, menu
from .moving import move, mv, mvd, mvdr, mvr, rockit, umv, umvd, umvdr, umvr
from .plot import plot
from .positions import sta, stm, sync, wa, wm, wu
from .profiling import metadata_profiling, time_profile
from .proposals import enddataset, endproposal, newcollection, newdataset, newproposal, newsample
from .showing import SCAN_DISPLAY
from .source import prdef
from .status_line import status_line
from .subscribing import subscribe, unsubscribe
from .transcript import log_stdout
from .tweaking import tweak, tweak_cli
from .waiting import clear, countdown

__all__ = [
    "SCAN_DISPLAY",
    "answers",
    "ask_choice",
    "ask_choices",
    "ask_form",
    "ask_number",
    "ask_text",
    "ask_yes_no",
    "capture_exceptions",
    "cen",
    "cleanup",
    "clear",
    "com",
    "countdown",
    "debugoff",
    "debugon",
    "elog_add",
    "elog_plot",
    "elog_print",
    "edit_mg",
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
    "log_stdout",
    "lscnt",
    "lsconfig",
    "lsdebug",
    "lslog",
    "lsct",
    "lsmg",
    "lsmot",
    "lsobj",
    "metadata_profiling",
    "menu",
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
    "prdef",
    "plot",
    "plotinit",
    "plotselect",
    "rockit",
    "show_message",
    "sta",
    "status_line",
    "stm",
    "subscribe",
    "sync",
    "time_profile",
    "trough",
    "tweak",
    "tweak_cli",
    "umv",
    "umvd",
    "umvdr",
    "umvr",
    "unsubscribe",
    "wa",
    "where",
    "wm",
    "wu",
]
