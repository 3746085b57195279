"""Lines at the bottom of a terminal: a screen shows what a person would see."""

from __future__ import annotations

import io
import threading

import pytest

from bliss_like.shell.panel import Panel
from tests.unit.shell.panels import FakeTime, Screen, clock, panel, screen

__all__ = ["clock", "panel", "screen"]


def test_what_is_printed_appears_above(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    part = panel.open()
    part.show(["bar", "time left"])
    for number in range(30):
        panel.print(f"row {number}\n")
        clock.advance(0.03)
    clock.advance(0.2)
    assert screen.lines == [*(f"row {number}" for number in range(30)), "", "bar", "time left"]
    part.close()
    assert screen.lines == [f"row {number}" for number in range(30)]


def test_lines_change_in_place(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    part = panel.open()
    for number in range(100):
        part.show([f"{number} %", "x" * (number % 7)][: 1 + number % 2])
        clock.advance(0.01)
    clock.advance(0.1)
    assert screen.lines == ["", "99 %", "x"]
    assert panel.frames <= 12


def test_many_open_lines_are_not_many_frames(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])
    for _ in range(100):
        panel.print(".")
        clock.advance(0.06)
    assert panel.frames <= 62


def test_what_takes_long_is_drawn_less_often(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    def draw(columns: int) -> list[str]:
        clock.worked += 0.015
        return [f"at {clock.now:.1f}"]

    part = panel.open(draw)
    for number in range(100):
        part.changed()
        panel.print(f"row {number}\n")
        clock.advance(0.1)
    assert 18 <= panel.frames <= 22
    clock.advance(1)
    assert screen.lines[-3] == "row 99"


def test_an_open_line_stays_open(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])
    for character in "waiting.....":
        panel.print(character)
        clock.advance(0.2)
    assert screen.lines == ["waiting.....", "bar"]
    panel.print(" done\n")
    clock.advance(0.2)
    assert screen.lines == ["waiting..... done", "", "bar"]


@pytest.mark.parametrize("width", [1, 2])
def test_an_open_line_longer_than_the_terminal(screen: Screen, panel: Panel, clock: FakeTime, width: int) -> None:
    panel.open().show(["bar"])
    text = ("." if width == 1 else "界") * (90 // width)
    for character in text:
        panel.print(f"\033[32m{character}\033[m")
        clock.advance(0.2)
    shown = [line.replace(" ", "") for line in screen.lines]
    assert "".join(shown[:-1]) == text and shown[-1] == "bar"
    panel.print("\nnext\n")
    clock.advance(0.2)
    assert screen.lines[-3:] == ["next", "", "bar"]


def test_a_full_line_does_not_leave_an_empty_one(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])
    panel.print("x" * 40)
    clock.advance(0.2)
    panel.print("\ny\n")
    clock.advance(0.2)
    assert screen.lines == ["x" * 40, "y", "", "bar"]


def test_a_line_that_is_written_over_itself(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])
    for percent in range(0, 101, 20):
        panel.print(f"\rcopying {percent} %  ")
        clock.advance(0.2)
    assert screen.lines == ["copying 100 %", "bar"]
    panel.print("\rmoved")
    clock.advance(0.2)
    panel.print("\n")
    clock.advance(0.2)
    assert screen.lines == ["movedng 100 %", "", "bar"]


def test_colours_do_not_run_out(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["\033[42mbar that is much longer than the terminal is wide", "plain"])
    panel.print("\033[31mred")
    clock.advance(0.2)
    panel.print(" too\033[m\n")
    clock.advance(0.2)
    red = [screen.screen.buffer[0][column].fg for column in range(7)]
    assert red == ["red"] * 7
    assert screen.screen.buffer[2][39].bg == "green"
    assert {screen.screen.buffer[3][column].bg for column in range(40)} == {"default"}


def test_what_others_write_past_it_stays(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    part = panel.open()
    part.show(["bar 1", "more"])
    panel.print("row 1\n")
    clock.advance(0.2)
    screen.write("^C\r\n")
    part.show(["bar 2", "more"])
    clock.advance(0.2)
    screen.write("a library in C\n")
    panel.print("row 2\n")
    clock.advance(0.2)
    assert screen.lines == ["row 1", "^C", "a library in C", "row 2", "", "bar 2", "more"]


def test_nothing_of_the_panel_stays_where_others_have_written(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar ==========", "more ========"])
    panel.print("row 1\n")
    clock.advance(0.2)
    screen.write("a library in C\n")
    panel.print("row 2")
    clock.advance(0.2)
    panel.print(" of 2\n")
    clock.advance(0.2)
    assert screen.lines == ["row 1", "a library in C", "row 2 of 2", "", "bar ==========", "more ========"]


def test_another_size(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    part = panel.open(lambda columns: ["=" * columns, f"{columns} columns"])
    panel.print("row\n")
    clock.advance(0.2)
    for columns, rows in ((25, 12), (80, 24), (60, 6), (40, 12)):
        screen.resize(columns, rows)
        clock.advance(0.6)  # nothing else happens
        assert screen.lines[-2:] == ["=" * columns, f"{columns} columns"]
        assert sum("columns" in line for line in screen.lines) == 1
    panel.print("another\n")
    part.close()
    assert screen.lines[-1] == "another"


def test_a_panel_higher_than_the_terminal(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    part = panel.open()
    part.show([f"line {number}" for number in range(50)])
    panel.print("row\n")
    clock.advance(0.2)
    assert screen.lines[:3] == ["row", "", "line 0"] and len(screen.lines) == 11
    part.close()
    assert screen.lines == ["row"]


def test_parts_have_their_order(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    last, first = panel.open(order=9), panel.open(order=1)
    last.show(["toolbar"])
    first.show(["bar"])
    clock.advance(0.2)
    assert screen.lines == ["", "bar", "toolbar"]
    with panel.open(order=5) as between:
        between.show(["robx 1.0"])
        clock.advance(0.2)
        assert screen.lines == ["", "bar", "robx 1.0", "toolbar"]
    assert screen.lines == ["", "bar", "toolbar"]


def test_the_terminal_is_lent(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])
    panel.print("row\n")
    with panel.hidden():
        assert screen.lines == ["row"] and not panel.is_shown
        screen.write("question? yes\n")
        clock.advance(2)
    clock.advance(0.2)
    assert screen.lines == ["row", "question? yes", "", "bar"]


def test_every_frame_leaves_the_cursor_visible(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    part = panel.open()
    for number in range(5):
        part.show([str(number)])
        panel.print("row\n")
        clock.advance(0.2)
        assert not screen.screen.cursor.hidden
    assert all(frame.count("\033[?25l") == frame.count("\033[?25h") == 1 for frame in screen.written)


def test_an_error_in_drawing_hurts_nobody(
    screen: Screen, panel: Panel, clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    panel.open(lambda columns: [str(1 / 0)])
    panel.open().show(["bar"])
    panel.print("row\n")
    clock.advance(2)
    assert screen.lines == ["row", "", "bar"]
    assert len(caplog.records) == 1


def test_threads_print_whole_lines(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])

    def work(name: str) -> None:
        for number in range(50):
            panel.print(f"{name} {number}\n")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.advance(1)
    assert screen.lines[-1] == "bar"
    assert sorted(screen.lines[:-2]) == sorted(f"{name} {number}" for name in "abc" for number in range(50))


@pytest.mark.parametrize("term", ["dumb", None])
def test_without_a_terminal_nothing_is_drawn(
    screen: Screen, clock: FakeTime, monkeypatch: pytest.MonkeyPatch, term: str | None
) -> None:
    if term:
        monkeypatch.setenv("TERM", term)
    else:
        monkeypatch.setattr(Screen, "isatty", lambda self: False)
    panel = Panel(screen, clock.later)
    with panel.open() as part:
        part.show(["bar"])
        assert not panel.is_shown
        panel.print("row\n")
        clock.advance(1)
    panel.end()
    assert "".join(screen.written) == "row\n"


def test_nothing_is_left_in_the_end(screen: Screen, panel: Panel, clock: FakeTime) -> None:
    panel.open().show(["bar"])
    panel.print("half a li")
    panel.end()
    assert screen.lines == ["half a li"]
    clock.advance(2)
    assert screen.lines == ["half a li"]


def test_what_the_terminal_cannot_show_is_a_question_mark() -> None:
    written = io.BytesIO()
    panel = Panel(io.TextIOWrapper(written, encoding="ascii"))
    panel.print("5 µm\n")
    assert written.getvalue() == b"5 ?m\n"
