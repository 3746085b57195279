"""How wide texts are, and how they are cut."""

from __future__ import annotations

from dataclasses import fields

import pytest

from bliss_like.live.look import ASCII, UNICODE, Glyphs, cells, cut, glyphs_for, padded

RED, LINK = "\x1b[31m", "\x1b]8;;http://x\x07"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("robx", 4),
        ("µm…", 3),
        ("⣿█", 2),
        ("温度", 4),
        ("e\u0301", 1),
        (f"{RED}robx\x1b[0m", 4),
        (f"{LINK}x", 1),
    ],
)
def test_width(text: str, width: int) -> None:
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("robx", 4, "robx"),
        ("robxyz", 4, "rob…"),
        ("温度计", 5, "温度…"),
        ("温度计", 4, "温…"),
        ("robx", 1, "…"),
        ("robx", 0, ""),
        (f"{RED}robx\x1b[0m", 4, f"{RED}robx\x1b[0m"),
        (f"{RED}robx\x1b[0m", 3, f"{RED}ro…\x1b[0m"),
        (f"{RED}r\x1b[0mobx", 3, f"{RED}r\x1b[0mo…"),
    ],
)
def test_a_text_that_is_too_long_is_cut_and_keeps_its_colours(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected
    assert cells(expected) <= width


def test_cut_for_a_terminal_without_utf8() -> None:
    assert cut("monochromator", 8, ASCII.ellipsis) == "monoc..."
    assert cut("monochromator", 2, ASCII.ellipsis) == "mo"


def test_padding_counts_columns_not_characters() -> None:
    assert padded("温", 4) == "温  "
    assert padded(f"{RED}x\x1b[0m", 3, ">") == f"  {RED}x\x1b[0m"
    assert padded("ab", 5, "^") == " ab  "
    assert padded("abc", 2) == "abc"


@pytest.mark.parametrize(
    ("encoding", "glyphs"),
    [("utf-8", UNICODE), ("UTF8", UNICODE), ("ANSI_X3.4-1968", ASCII), ("latin-1", ASCII), (None, UNICODE)],
)
def test_glyphs_are_those_that_an_encoding_has(encoding: str | None, glyphs: Glyphs) -> None:
    assert glyphs_for(encoding) is glyphs


def test_the_glyphs_of_ascii_are_ascii_and_all_glyphs_are_one_cell_wide() -> None:
    for each in fields(Glyphs):
        ascii, text = getattr(ASCII, each.name), getattr(UNICODE, each.name)
        if isinstance(text, str):
            assert ascii.isascii()
            assert all(cells(character) == 1 for character in text)
