"""The page on dialogs: what it asks is answered as it says, what it shows is what is seen."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like import standard
from bliss_like.errors import Cancelled
from bliss_like.shell.dialogs import ask_in_terminal
from bliss_like.standard.dialogs import offer_dialogs
from tests.docs.blocks import PROJECT, blocks_of
from tests.unit.shell.screens import sitting

PAGE = "docs/how-to/dialogs.md"


class Counter:
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.fixture
def names() -> dict[str, Any]:
    verbs = {name: getattr(standard, name) for name in standard.__all__}
    return {**verbs, "diode": Counter("diode"), "diode2": Counter("diode2")}


def test_the_code(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    blocks = blocks_of(PAGE, "python")
    for block in blocks:
        exec(block, names)
    said = [
        line.partition("  # ")[2]
        for block in blocks
        for line in block.splitlines()
        if line.lstrip().startswith("print(")
    ]
    assert capsys.readouterr().out.splitlines() == said

    def leave(question: object) -> None:
        raise Cancelled("Escape")

    offer_dialogs(leave)
    assert names["name_of_sample"]() == "unknown"
    offer_dialogs(None)


def test_the_screens(names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    side_by_side, form = blocks_of(PAGE, "text")
    for block in blocks_of(PAGE, "python"):
        exec(block, names)
    with sitting(monkeypatch) as person:
        offer_dialogs(lambda question: ask_in_terminal(person.terminal, question))
        person.ask(names["set_up"])
        person.sees(form.rstrip())
        person.type("\x1b")
        person.waits_until(lambda: person.asked.dead)
        person.ask(names["take_images"])
        person.sees("(*) yes")
        person.type("y")
        person.sees("pilatus")
        person.type("2")
        person.sees("> 2 eiger")
        for line in side_by_side.splitlines():
            assert line[:49].rstrip() in person.screen.text
        person.type("\r")
        person.sees("> 0.1 s")
        person.type("20\r")
        for line in side_by_side.splitlines()[:3]:
            person.sees(line[49:].strip())
        person.type("\x1b")
        person.waits_until(lambda: person.asked.dead)
        offer_dialogs(None)


def test_every_verb_is_in_the_table() -> None:
    page = (PROJECT / PAGE).read_text()
    verbs = [name for name in standard.__all__ if name.startswith("ask_")]
    assert len(verbs) == 6
    for name in [*verbs, "show_message", "edit_mg", "menu"]:
        assert f"| `{name}(" in page
