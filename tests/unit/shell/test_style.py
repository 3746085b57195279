"""Which terminals get colours, and which characters."""

from __future__ import annotations

import io

import pytest

from bliss_like.live.look import ASCII, CURVES, UNICODE, Role
from bliss_like.shell.style import Style


class Stream(io.TextIOWrapper):
    def __init__(self, is_terminal: bool = True, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


TERMINAL, PIPE = Stream(), Stream(is_terminal=False)


@pytest.mark.parametrize(
    ("stream", "environ", "colours"),
    [
        (TERMINAL, {"TERM": "xterm"}, 16),
        (TERMINAL, {"TERM": "screen", "COLORTERM": "truecolor"}, 256),
        (TERMINAL, {"TERM": "xterm-256color"}, 256),
        (TERMINAL, {"TERM": "xterm-256color", "NO_COLOR": "1"}, 0),
        (TERMINAL, {"TERM": "xterm-256color", "NO_COLOR": ""}, 256),
        (TERMINAL, {"TERM": "dumb"}, 0),
        (TERMINAL, {}, 0),
        (PIPE, {"TERM": "xterm-256color"}, 0),
        (PIPE, {"TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}, 256),
        (PIPE, {"TERM": "xterm-256color", "CLICOLOR_FORCE": "0"}, 0),
        (PIPE, {"TERM": "xterm", "CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, 0),
    ],
)
def test_colours(stream: Stream, environ: dict[str, str], colours: int) -> None:
    assert Style.of(stream, environ).colours == colours


def test_without_colours_there_are_no_escape_codes_at_all() -> None:
    style = Style.of(PIPE, {})
    assert "".join(style.paint("text", role) for role in Role) + style.paint_cell("x", 1, 2) == "text" * len(Role) + "x"


@pytest.mark.parametrize("term", ["xterm", "xterm-256color"])
def test_every_role_has_a_colour(term: str) -> None:
    style = Style.of(TERMINAL, {"TERM": term})
    assert len({style.paint("x", role) for role in CURVES}) == len(CURVES)
    for role in Role:
        painted = style.paint("x", role)
        assert painted.startswith("\x1b[") and painted.endswith("mx\x1b[0m")
    assert style.paint("", Role.ERROR) == ""


def test_roles_add_up() -> None:
    assert Style.of(TERMINAL, {"TERM": "xterm"}).paint("x", Role.HEADING, Role.ERROR) == "\x1b[1;31mx\x1b[0m"


def test_characters_are_those_of_the_stream() -> None:
    assert Style.of(TERMINAL, {"TERM": "xterm"}).glyphs is UNICODE
    assert Style.of(Stream(encoding="ascii"), {"TERM": "xterm"}).glyphs is ASCII
    assert Style.of(TERMINAL, {"TERM": "linux"}).glyphs is ASCII
    assert Style.of(io.StringIO(), {}).glyphs is UNICODE
