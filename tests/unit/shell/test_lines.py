"""Lines that a command asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bliss_like.errors import UserAbort
from bliss_like.shell.lines import read_line
from tests.unit.shell.screens import Person, sitting


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    with sitting(monkeypatch) as person:
        yield person


def test_a_line_is_typed_and_stays(person: Person) -> None:
    person.ask(read_line, person.terminal, "Which sample? ")
    person.sees("Which sample?")
    person.type("lyso\x1a", "\x7f", "ozyme", "\r")
    assert person.gets() == "lysozyme"
    assert person.screen.lines == ["Which sample? lysozyme"]


def test_ctrl_c_and_ctrl_d(person: Person) -> None:
    person.ask(read_line, person.terminal, "? ")
    person.sees("?")
    person.type("\x03")
    with pytest.raises(UserAbort):
        person.gets()
    person.ask(read_line, person.terminal, "once more? ")
    person.sees("once more?")
    person.type("\x04")
    with pytest.raises(EOFError):
        person.gets()


def test_a_password_is_not_shown(person: Person) -> None:
    person.ask(read_line, person.terminal, "Password: ", hidden=True)
    person.sees("Password:")
    person.type("secret", "\r")
    assert person.gets() == "secret"
    assert "secret" not in person.screen.text
