"""A screen of a terminal as an SVG picture that looks the same everywhere: what draws is drawn, not written in some font."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby

from rich.ansi import AnsiDecoder
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH, HEIGHT, MARGIN, SIZE = 9, 19, 14, 15
"""Of a character, of the margin, of the letters: pixels."""
FONTS = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"

_BASE = [(30, 30, 30), (224, 83, 80), (80, 175, 90), (205, 160, 50), (85, 145, 225), (190, 115, 200), (60, 170, 185)]
DARK = TerminalTheme(
    (24, 26, 28), (212, 214, 216), [*_BASE, (200, 200, 200)], [(120, 120, 120), *_BASE[1:], (255,) * 3]
)
LIGHT = TerminalTheme((255, 255, 255), (36, 38, 40), [*_BASE, (90, 90, 90)], [(120, 120, 120), *_BASE[1:], (0,) * 3])

_LINES = {
    "─": "lr", "│": "ud", "┤": "lud", "├": "rud", "┬": "lrd", "┴": "lru", "┼": "lrud", "━": "LR", "╾": "Lr",
    "└": "ru", "┘": "lu", "┌": "rd", "┐": "ld", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu",
}  # fmt: skip
"""From the middle of the character to the left, right, up, down; capitals are thick."""
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


@dataclass(frozen=True)
class Cell:
    character: str
    fill: str
    ground: str
    is_bold: bool = False


def svg(screen: str, columns: int, rows: int, theme: TerminalTheme = DARK, label: str = "") -> str:
    """Return the picture of a screen.

    :param screen: its lines with their escape codes, as `tmux capture-pane -e` gives them.
    :param label: what is to be seen, for those who cannot see it.
    """
    width, height = columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN
    ground = _hex(theme.background_color)
    decoder = AnsiDecoder()  # one for all lines: colours go on from one to the next
    lines = [_cells(decoder.decode_line(line), theme) for line in screen.split("\n")[:rows]]
    body = [piece for row, cells in enumerate(lines) for piece in _row(cells, row, ground)]
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">',
        f"<title>{escape(label)}</title>",
        f'<rect {size} rx="8" fill="{ground}"/>',
        f'<g font-family="{FONTS}" font-size="{SIZE}" shape-rendering="crispEdges" xml:space="preserve">',
        *body,
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _cells(text: Text, theme: TerminalTheme) -> list[Cell]:
    console = Console()
    return [_cell(character, text.get_style_at_offset(console, n), theme) for n, character in enumerate(text.plain)]


def _cell(character: str, style: Style, theme: TerminalTheme) -> Cell:
    fill, ground = _rgb(style.color, theme, foreground=True), _rgb(style.bgcolor, theme, foreground=False)
    if style.reverse:
        fill, ground = ground, fill
    if style.dim:
        fill = tuple((3 * one + 2 * other) // 5 for one, other in zip(fill, ground, strict=True))
    return Cell(character, _hex(fill), _hex(ground), bool(style.bold))


def _rgb(color: Color | None, theme: TerminalTheme, *, foreground: bool) -> tuple[int, ...]:
    if color is None:
        return tuple(theme.foreground_color if foreground else theme.background_color)
    return tuple(color.get_truecolor(theme, foreground))


def _hex(rgb: tuple[int, ...]) -> str:
    return "#" + "".join(f"{part:02x}" for part in rgb)


def _row(cells: list[Cell], row: int, ground: str) -> Iterator[str]:
    top = MARGIN + row * HEIGHT
    for color, found in groupby(enumerate(cells), lambda each: each[1].ground):
        run = list(found)
        if color != ground:
            left = MARGIN + run[0][0] * WIDTH
            yield f'<rect x="{left}" y="{top}" width="{len(run) * WIDTH}" height="{HEIGHT}" fill="{color}"/>'
    for (fill, is_bold, is_drawn), found in groupby(
        enumerate(cells), lambda each: (each[1].fill, each[1].is_bold, _is_drawn(each[1].character))
    ):
        run = list(found)
        text = "".join(cell.character for _, cell in run)
        if is_drawn:
            yield from _drawn(text, MARGIN + run[0][0] * WIDTH, top, fill)
        elif text.strip():
            begin = run[0][0] + len(text) - len(text.lstrip())
            text = text.strip()
            bold = ' font-weight="bold"' if is_bold else ""
            yield (
                f'<text x="{MARGIN + begin * WIDTH}" y="{top + HEIGHT - 5}" textLength="{len(text) * WIDTH}" '
                f'fill="{fill}"{bold}>{escape(text)}</text>'
            )


def _is_drawn(character: str) -> bool:
    return "⠀" <= character <= "⣿" or "▀" <= character <= "▟" or character in _LINES


def _drawn(text: str, left: int, top: int, fill: str) -> Iterator[str]:
    """Yield the shapes of characters in one colour, and those that let the ground through."""
    path = "".join(_shape(character, left + n * WIDTH, top) for n, character in enumerate(text))
    if path:
        yield f'<path d="{path}" fill="{fill}"/>'
    for character, found in groupby(enumerate(text), lambda each: each[1]):
        if character in _SHADES:
            run = [left + n * WIDTH for n, _ in found]
            yield (
                f'<path d="{_box(run[0], top, len(run) * WIDTH, HEIGHT)}" fill="{fill}" '
                f'fill-opacity="{_SHADES[character]}"/>'
            )


def _shape(character: str, left: float, top: float) -> str:
    if character in _LINES:
        return "".join(_line(direction, left, top) for direction in _LINES[character])
    if "⠀" <= character <= "⣿":
        bits = ord(character) - 0x2800
        places = [place for n, place in enumerate(_DOTS) if bits >> n & 1]
        return "".join(_box(left + 1.5 + 4.5 * x, top + 1.5 + 4.75 * y, 2, 2) for x, y in places)
    eighth = ord(character) - 0x2580
    if character == "▀":
        return _box(left, top, WIDTH, HEIGHT / 2)
    if 1 <= eighth <= 8:
        return _box(left, top + HEIGHT * (8 - eighth) / 8, WIDTH, HEIGHT * eighth / 8)
    if 9 <= eighth <= 15:
        return _box(left, top, WIDTH * (16 - eighth) / 8, HEIGHT)
    return ""


def _line(direction: str, left: float, top: float) -> str:
    thick = 3 if direction.isupper() else 1
    x, y = left + (WIDTH - thick) // 2, top + (HEIGHT - thick) // 2
    return {
        "l": _box(left, y, x + thick - left, thick),
        "r": _box(x, y, left + WIDTH - x, thick),
        "u": _box(x, top, thick, y + thick - top),
        "d": _box(x, y, thick, top + HEIGHT - y),
    }[direction.lower()]


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"
