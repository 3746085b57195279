"""How commands print numbers and colours."""

from __future__ import annotations

import os
import sys

SCANS = "a number (12), a range (12-20), a name (ascan, 12_ascan), a uid, a db_name, or a file (data.h5, data.h5::12.1)"
"""What commands take for scans."""

RED, GREEN, BOLD, DIM = "31", "32", "1", "2"


def counted(number: int, what: str) -> str:
    """Return `3 errors`, `1 error`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def paint(text: str, code: str) -> str:
    """Return a text in a colour, on a terminal only."""
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
