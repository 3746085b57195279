"""prdef: the source of what was written in Python, wherever that was."""

from __future__ import annotations

import functools
import linecache
from typing import Any

import pytest

from bliss_like.errors import UsageError
from bliss_like.live.look import Look
from bliss_like.scans import ascan
from bliss_like.standard import prdef, wa
from bliss_like.standard.look import offer_look
from tests.unit.standard.conftest import Known


class Thing:
    """Something with methods."""

    @property
    def speed(self) -> float:
        return 1.0

    def move(self) -> None:
        """Move it."""


def plain() -> int:
    return 1


def shown(capsys: pytest.CaptureFixture[str], obj: Any) -> tuple[str, list[str]]:
    prdef(obj)
    place, *lines = capsys.readouterr().out.splitlines()
    return place, lines


@pytest.mark.parametrize(
    ("obj", "file", "first"),
    [
        (plain, "standard/test_source.py", "def plain() -> int:"),
        (functools.partial(plain), "standard/test_source.py", "def plain() -> int:"),
        (Thing().move, "standard/test_source.py", "def move(self) -> None:"),
        (Thing.speed, "standard/test_source.py", "@property"),
        (Thing, "standard/test_source.py", "class Thing:"),
        (Thing(), "standard/test_source.py", "class Thing:"),
        (wa, "standard/positions.py", "@verb("),
        (ascan, "scans/step.py", "@scan_command"),
    ],
)
def test_sources(capsys: pytest.CaptureFixture[str], obj: Any, file: str, first: str) -> None:
    place, lines = shown(capsys, obj)
    path, _, number = place.rpartition(":")
    assert path.endswith(file) and lines[0].startswith(first)
    assert linecache.getline(path, int(number)).strip() == lines[0].strip()


def test_what_was_typed_at_the_prompt(capsys: pytest.CaptureFixture[str], known: Known) -> None:
    text = "x = 1\n\ndef macro():\n    return x\n\n@str\nclass _No: pass\n\nclass Mine:\n    def go(self): ...\n"
    linecache.cache["<command 3>"] = (len(text), None, text.splitlines(keepends=True), "<command 3>")
    exec(compile(text, "<command 3>", "exec"), known)
    assert shown(capsys, "macro") == ("typed at the prompt, command 3", ["def macro():", "    return x"])
    assert shown(capsys, known["Mine"]) == (
        "typed at the prompt, command 3",
        ["class Mine:", "    def go(self): ..."],
    )


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (print, "got <built-in function print>: it is not written in Python"),
        (5, "got 5: it is not written in Python"),
        ("plian", "the session has no 'plian', did you mean 'plain'?"),
    ],
)
def test_what_has_no_source(known: Known, obj: Any, said: str) -> None:
    known["plain"] = plain
    with pytest.raises(UsageError) as refused:
        prdef(obj)
    assert said in str(refused.value)


def test_in_colours(capsys: pytest.CaptureFixture[str]) -> None:
    offer_look(lambda stream: Look(colours=16))
    try:
        _, lines = shown(capsys, plain)
    finally:
        offer_look(None)
    assert "\x1b[" in lines[0] and "plain" in lines[0]
