"""The colours of the terminal, by what a text is. Each is readable on dark and on light backgrounds.

Colours are for people: there are none where `NO_COLOR` is set, on a terminal that has none (`TERM=dumb`), and in pipes and
files, unless `CLICOLOR_FORCE` asks for them. Without UTF-8 there are ASCII characters instead of blocks, lines and dots.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bliss_like.live.look import ASCII, Look, Role, glyphs_for

OF_16: dict[Role, str] = {
    Role.HEADING: "1",
    Role.DIM: "2",
    Role.GOOD: "32",
    Role.WARNING: "33",
    Role.ERROR: "31",
    Role.ACCENT: "36",
    Role.CURVE_1: "36",
    Role.CURVE_2: "35",
    Role.CURVE_3: "32",
    Role.CURVE_4: "33",
    Role.CURVE_5: "34",
    Role.CURVE_6: "31",
}
"""Codes of terminals with the 16 colours that their users have chosen."""

OF_256: dict[Role, str] = {
    Role.HEADING: "1",
    Role.DIM: "38;5;244",
    Role.GOOD: "38;5;28",
    Role.WARNING: "38;5;166",
    Role.ERROR: "38;5;167",
    Role.ACCENT: "38;5;31",
    Role.CURVE_1: "38;5;33",
    Role.CURVE_2: "38;5;166",
    Role.CURVE_3: "38;5;28",
    Role.CURVE_4: "38;5;163",
    Role.CURVE_5: "38;5;31",
    Role.CURVE_6: "38;5;99",
}
"""Codes of terminals with 256 colours: each of these is about as far from black as from white."""


@dataclass(frozen=True)
class Style(Look):
    """How lines look on one stream."""

    @classmethod
    def of(cls, stream: Any, environ: Mapping[str, str] | None = None) -> Style:
        """Return the style that a stream can show, and that its user wants.

        :param stream: anything that is printed to: sys.stdout.
        """
        environ = os.environ if environ is None else environ
        terminal = environ.get("TERM", "")
        glyphs = glyphs_for(getattr(stream, "encoding", None))
        if terminal == "linux":  # its font has no more than 512 characters
            glyphs = ASCII
        return cls(glyphs, _colours(stream, terminal, environ))

    def paint(self, text: str, *roles: Role) -> str:
        if not self.colours or not text or not roles:
            return text
        codes = OF_256 if self.colours >= 256 else OF_16
        return f"\x1b[{';'.join(codes[role] for role in roles)}m{text}\x1b[0m"

    def paint_cell(self, text: str, foreground: int | None = None, background: int | None = None) -> str:
        codes = [
            f"{ground};5;{colour}" for ground, colour in ((38, foreground), (48, background)) if colour is not None
        ]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and self.colours >= 256 else text


def paint(text: str, *roles: Role) -> str:
    """Return a text as it is to be printed now."""
    return Style.of(sys.stdout).paint(text, *roles)


def _colours(stream: Any, terminal: str, environ: Mapping[str, str]) -> int:
    if environ.get("NO_COLOR"):
        return 0
    forced = environ.get("CLICOLOR_FORCE", "0") not in ("", "0")
    is_terminal = bool(getattr(stream, "isatty", lambda: False)()) and terminal not in ("", "dumb")
    if not (forced or is_terminal):
        return 0
    return 256 if "256color" in terminal or environ.get("COLORTERM") else 16
