"""How lines of text look: what is painted by its role, which characters draw, how wide a text is.

Here they are without colours; who knows a terminal gives a `Look` that paints.
"""

from __future__ import annotations

import enum
import re
import shutil
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import lru_cache


class Role(enum.StrEnum):
    """What a piece of text is, for who chooses its colour."""

    HEADING = "heading"
    DIM = "dim"
    GOOD = "good"
    WARNING = "warning"
    ERROR = "error"
    ACCENT = "accent"
    CURVE_1 = "curve 1"
    CURVE_2 = "curve 2"
    CURVE_3 = "curve 3"
    CURVE_4 = "curve 4"
    CURVE_5 = "curve 5"
    CURVE_6 = "curve 6"


CURVES = (Role.CURVE_1, Role.CURVE_2, Role.CURVE_3, Role.CURVE_4, Role.CURVE_5, Role.CURVE_6)


@dataclass(frozen=True)
class Glyphs:
    """The characters that draw; each is one cell wide, but for `ellipsis`."""

    bar: str = "━"
    bar_rest: str = "─"
    bar_parts: str = "╾"
    """The end of a bar that ends within a cell: of as many parts as there are characters, and one more."""
    spark: str = "▁▂▃▄▅▆▇█"
    shades: str = " ░▒▓█"
    """From nothing to full."""
    horizontal: str = "─"
    heavy: str = "━"
    vertical: str = "│"
    tick_left: str = "┤"
    tick_down: str = "┬"
    corner: str = "└"
    point: str = "•"
    symbols: str = "•×+◦▪"
    """One for each curve, where there are no colours."""
    separator: str = "·"
    ellipsis: str = "…"
    marks: str = "▲◆▼"
    """The peak, the centre, the trough."""
    has_blocks: bool = True
    """Whether dots of braille and halves of blocks draw, too."""


UNICODE = Glyphs()
ASCII = Glyphs(
    bar="#",
    bar_rest="-",
    bar_parts="",
    spark="_.-=+*#",
    shades=" .:-=+*#%@",
    horizontal="-",
    heavy="=",
    vertical="|",
    tick_left="+",
    tick_down="+",
    corner="+",
    point="*",
    symbols="*+xo#",
    separator="-",
    ellipsis="...",
    marks="^#v",
    has_blocks=False,
)


@dataclass(frozen=True)
class Look:
    """How to draw. This one has no colours.

    :param colours: how many colours there are: 0, 16 or 256.
    """

    glyphs: Glyphs = UNICODE
    colours: int = 0

    def paint(self, text: str, *roles: Role) -> str:
        """Return a text as its roles want it."""
        return text

    def paint_cell(self, text: str, foreground: int | None = None, background: int | None = None) -> str:
        """Return a text in colours of the palette of 256."""
        return text


def glyphs_for(encoding: str | None) -> Glyphs:
    """Return the characters that an encoding has; a stream without one takes all."""
    return UNICODE if (encoding or "utf").lower().replace("-", "").startswith("utf") else ASCII


ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
"""What a terminal takes for an order: colours, links."""

_NARROW = re.compile("[ -~\u2500-\u259f\u2800-\u28ff]*")
"""Characters of one column each: ASCII, and those that frames, bars and plots are drawn with."""
_RESET = "\x1b[0m"
_PLAIN = re.compile(r"\x1b\[(?:0?|0;0)m")


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes; colours take none."""
    if "\x1b" in text:
        text = ESCAPE.sub("", text)
    return len(text) if _NARROW.fullmatch(text) else sum(map(_width, text))


def plain(text: str) -> str:
    """Return a text in one line without anything that a terminal takes for an order."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in " ".join(text.split()))


def cut(text: str, width: int, ellipsis: str = UNICODE.ellipsis) -> str:
    """Return a text that takes at most `width` columns; one that was longer ends with the ellipsis, and with its colours."""
    if cells(text) <= width:
        return text
    room = width - len(ellipsis)
    if room < 0:
        ellipsis, room = "", width
    kept, colours, position = [], "", 0
    while position < len(text):
        if escape := ESCAPE.match(text, position):
            kept.append(escape[0])
            colours = "" if _PLAIN.fullmatch(escape[0]) else colours + escape[0]
            position = escape.end()
            continue
        room -= _width(text[position])
        if room < 0:
            break
        kept.append(text[position])
        position += 1
    return "".join(kept) + ellipsis + (_RESET if colours else "")


def cut_inside(text: str, width: int, ellipsis: str = UNICODE.ellipsis) -> str:
    """Return a name of at most `width` columns; what is left out of a longer one is its middle: the ends of names tell them apart.

    :param text: one without colours.
    """
    if cells(text) <= width or width < 5:
        return cut(text, width, ellipsis)
    room = width - len(ellipsis)
    head, begin = cut(text, room // 2, ""), len(text)
    while cells(head) + cells(text[begin - 1 :]) <= room:
        begin -= 1
    return head + ellipsis + text[begin:]


def padded(text: str, width: int, align: str = "<") -> str:
    """Return a text filled up with blanks.

    :param align: as in formats: `<` left, `>` right, `^` in the middle.
    """
    missing = max(0, width - cells(text))
    before = {"<": 0, ">": missing, "^": missing // 2}[align]
    return " " * before + text + " " * (missing - before)


@lru_cache(maxsize=1024)
def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def wrapped(text: str, columns: int | None = None, indent: str = "") -> str:
    """Return a text with its lines broken between words where they are longer than the terminal is wide.

    :param indent: what the rest of a broken line begins with.
    """
    columns = columns or shutil.get_terminal_size().columns
    return "\n".join(_broken(line, columns, indent) for line in text.split("\n"))


def _broken(line: str, columns: int, indent: str) -> str:
    if len(line) <= columns:
        return line
    return textwrap.fill(
        line,
        columns,
        subsequent_indent=indent,
        replace_whitespace=False,
        expand_tabs=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
