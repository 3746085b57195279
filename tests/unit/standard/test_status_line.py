"""status_line: what a macro is at."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence

import pytest

from bliss_like.errors import UsageError
from bliss_like.scanning.environment import environment
from bliss_like.standard import status_line
from bliss_like.standard.live import offer_panel


class Tty(io.StringIO):
    has_prompt = False

    def isatty(self) -> bool:
        return True


class Bottom:
    """The last lines of a terminal."""

    def __init__(self) -> None:
        self.lines: Sequence[str] | None = None

    def open(self) -> Bottom:
        return self

    def show(self, lines: Sequence[str]) -> None:
        self.lines = lines

    def close(self) -> None:
        self.lines = None


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Tty:
    monkeypatch.setattr(sys, "stdout", out := Tty())
    return out


@pytest.fixture
def bottom() -> Iterator[Bottom]:
    bottom = Bottom()
    offer_panel(bottom.open)
    yield bottom
    offer_panel(None)


def test_a_line_changes_in_place_and_what_came_last_stays(monkeypatch: pytest.MonkeyPatch, bottom: Bottom) -> None:
    terminal = terminal_of(monkeypatch)
    with status_line("heating") as line:
        assert bottom.lines == ["heating"]
        line.show("31 K", 0.25)
        assert bottom.lines == ["━━━━━───────────────   25 %  heating: 31 K"]
        line.show("80\nK")
        assert bottom.lines == ["heating: 80 K"] and terminal.getvalue() == ""
    assert bottom.lines is None and terminal.getvalue().startswith("heating: 80 K, 0.0")


def test_a_macro_that_fails_leaves_what_it_was_at(monkeypatch: pytest.MonkeyPatch, bottom: Bottom) -> None:
    terminal = terminal_of(monkeypatch)
    with pytest.raises(RuntimeError), status_line("heating") as line:
        line.show("31 K")
        raise RuntimeError("no power")
    assert bottom.lines is None and terminal.getvalue().startswith("heating: 31 K, ")


def test_who_types_sees_it_in_the_bottom_line(monkeypatch: pytest.MonkeyPatch, bottom: Bottom) -> None:
    terminal = terminal_of(monkeypatch)
    terminal.has_prompt = True
    with status_line("heating") as line:
        line.show("31 K", 0.25)
        assert list(environment.status_messages.values()) == ["heating: 31 K 25 %"]
        assert terminal.getvalue() == "" and bottom.lines is None
    assert not environment.status_messages
    assert terminal.getvalue().startswith("heating: 31 K, ")


def test_without_a_terminal_lines_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    with status_line("heating") as line:
        for step in range(100):
            line.show(f"{step} K", step / 100)
    first, last = capsys.readouterr().out.splitlines()
    assert first == "heating" and last.startswith("heating: 99 K, ")


def test_a_fraction_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    with status_line("heating") as line, pytest.raises(UsageError, match="fraction: "):
        line.show("31 K", "half")  # type: ignore[arg-type]
