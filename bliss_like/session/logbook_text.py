"""Entries of a logbook, and how they are written: Markdown that reads as well without a program for it."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

COMMENT, COMMAND, OUTPUT, SCAN, ERROR, PLOT = KINDS = ("comment", "command", "output", "scan", "error", "plot")

_PIECES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\x08\x0a-\x1f\x7f]+"
)
"""What a terminal is sent, piece by piece: sequences that begin with Escape, controls, and texts."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""What is not simply seen where it stands."""
_UP = re.compile(r"\x1b\[(\d*)A")
_SILENT = {*map(chr, range(32)), "\x7f"} - {"\t"}
_CLEAR_LINE = ("\x1b[K", "\x1b[0K", "\x1b[2K")


@dataclass(frozen=True)
class Entry:
    """One thing to be remembered.

    :param time: s since the epoch.
    :param kind: one of `KINDS`.
    :param scan_nb: number of the scan that it is about, 0 if it is about none.
    """

    time: float
    session: str
    kind: str
    text: str
    scan_nb: int = 0
    title: str = ""
    """The command that an output is of."""


def day_of(entry: Entry) -> str:
    """Return the heading below which an entry stands."""
    day = datetime.datetime.fromtimestamp(entry.time).astimezone()
    return f"{day:%Y-%m-%d}, session {entry.session}"


def markdown(entry: Entry) -> str:
    """Return an entry as an item of a list, with a newline at its end."""
    when = f"{datetime.datetime.fromtimestamp(entry.time).astimezone():%H:%M:%S}"
    text = plain(entry.text)
    match entry.kind:
        case "command":
            body = _code(text)
        case "error":
            body = f"**error** {_code(text)}".replace("** \n", "**\n")
        case "output" | "plot":
            what = " ".join(filter(None, (entry.kind, _code(plain(entry.title)) if entry.title else "")))
            body = f"{what}\n\n{_block(text)}"
        case "scan":
            body = text
        case _:
            body = text.replace("\n", "  \n")
    first, *others = body.split("\n")
    lines = [f"- {when} {first}", *(f"  {line}".rstrip() if line.strip() else "" for line in others)]
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    """Return what is to be seen of a text in the end: without colours, of lines that were written over their last state.

    What is left below the end of it is not: the prompt comes there.
    """
    if not _CONTROLS.search(text):
        return "\n".join(map(str.rstrip, text.split("\n"))).strip("\n")
    lines, row, column = [""], 0, 0
    line = ""  # the one at `row`: it grows in place, piece by piece
    for piece in _PIECES.findall(text):
        up = _UP.fullmatch(piece)
        if up or piece == "\n":
            lines[row] = line
            row, column = (max(0, row - int(up[1] or 1)), column) if up else (row + 1, 0)
            lines += [""] * (row + 1 - len(lines))
            line = lines[row]
        elif piece == "\r":
            column = 0
        elif piece in _CLEAR_LINE:
            line = line[:column] if piece != "\x1b[2K" else ""
        elif piece[0] not in _SILENT:
            if column == len(line):
                line += piece
            else:
                line = f"{line[:column]:{column}}{piece}{line[column + len(piece) :]}"
            column += len(piece)
    lines[row] = line
    return "\n".join(line.rstrip() for line in lines[: row + (column > 0)]).strip("\n")


def _code(text: str) -> str:
    if "\n" in text:
        return f"\n\n{_block(text)}"
    ticks = "`" * (1 + _longest_run(text))
    pad = " " if "`" in text else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _block(text: str) -> str:
    fence = "`" * max(3, 1 + _longest_run(text))
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
