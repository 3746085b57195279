"""countdown and clear."""

from __future__ import annotations

import io
import sys
import time

import pytest

from bliss_like.errors import UsageError
from bliss_like.standard import clear, countdown


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_countdown_waits_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    countdown(0.02, "pumping", end_message="pumped")
    assert time.monotonic() - began >= 0.02
    assert capsys.readouterr().out == "pumping 0.02 s\npumped\n"
    with pytest.raises(UsageError, match="seconds: expected a time to wait, got -1"):
        countdown(-1)


def test_on_a_terminal_it_counts_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", out := Tty())
    countdown(0.02)
    assert out.getvalue().startswith("Waiting... 1 s") and "\x1b[1A" in out.getvalue()
    assert out.getvalue().endswith("Waiting... 0.02 s are over\x1b[K\n")


def test_only_a_terminal_is_emptied(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clear()
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdout", out := Tty())
    monkeypatch.setenv("TERM", "xterm")
    clear()
    assert out.getvalue() == "\x1b[H\x1b[2J\x1b[3J"
