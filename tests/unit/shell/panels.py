"""A terminal in memory, and time that goes on when a test says so, for what is drawn at the bottom of terminals."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pyte
import pytest

from bliss_like.shell.panel import Panel


class FakeTime:
    """Time that goes on when a test says so, and what is planned for then."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.worked = 0.0
        """Seconds of the processor."""
        self._planned: list[tuple[float, Callable[[], object]]] = []

    def monotonic(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        self._planned.append((self.now + seconds, call))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [one for one in self._planned if one[0] <= end]:
            first = min(due, key=lambda one: one[0])
            self._planned.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = end


class Screen(io.StringIO):
    """A terminal in memory."""

    def __init__(self, columns: int = 40, rows: int = 12) -> None:
        super().__init__()
        self.size = os.terminal_size((columns, rows))
        self.written: list[str] = []
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self._stream = pyte.Stream(self.screen)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 77

    def write(self, text: str) -> int:
        self.written.append(text)
        self._stream.feed(text.replace("\n", "\r\n"))  # as the terminal's driver does
        return len(text)

    def resize(self, columns: int, rows: int) -> None:
        self.size = os.terminal_size((columns, rows))
        self.screen.resize(rows, columns)

    @property
    def lines(self) -> list[str]:
        columns = self.screen.columns
        above = ["".join(line[column].data for column in range(columns)) for line in self.screen.history.top]
        lines = [line.rstrip() for line in [*above, *self.screen.display]]
        while lines and not lines[-1]:
            lines.pop()
        return lines


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    monkeypatch.setattr("bliss_like.shell.panel.time.monotonic", clock.monotonic)
    monkeypatch.setattr("bliss_like.shell.panel.time.thread_time", lambda: clock.worked)
    monkeypatch.setenv("TERM", "xterm-256color")
    return clock


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr("bliss_like.shell.panel.os.get_terminal_size", lambda fd: screen.size)
    return screen


@pytest.fixture
def panel(screen: Screen, clock: FakeTime) -> Panel:
    return Panel(screen, clock.later)
