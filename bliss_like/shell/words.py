"""What the help of commands says of their arguments, and words in lines."""

from __future__ import annotations

from typing import TextIO

from bliss_like.live.look import wrapped

SCANS = "a number (12), a range (12-20), a name (ascan, 12_ascan), a uid, a db_name, or a file (data.h5, data.h5::12.1)"
"""What commands take for scans."""


def fitted(text: str, stream: TextIO, indent: str = "") -> str:
    """Return a text as `wrapped`, if it is printed to a terminal; programs get their lines whole."""
    return wrapped(text, indent=indent) if stream.isatty() else text
