"""Scans as they run, on the screen of a terminal."""

from __future__ import annotations

import gc
import io
import itertools
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from bliss_like.data.events import WireEvent
from bliss_like.live.look import Look
from bliss_like.shell import scan_display
from bliss_like.shell.panel import Panel
from bliss_like.shell.scan_display import Choice, ScanDisplay
from bliss_like.shell.style import Style
from tests.unit.live.making import START, Told
from tests.unit.shell.panels import FakeTime, Screen, clock, panel, screen

__all__ = ["clock", "panel", "screen"]

AXIS = {"axis:robx": {"unit": "mm", "decimals": 3, "axis_id": 0, "points": 11}}
Display = Callable[..., ScanDisplay]


def a_scan(number: int = 1, **info: Any) -> Told:
    channels = {**AXIS, "diodes:diode": {}, "diodes:diode2": {}}
    told = {
        "start_timestamp": START,
        "count_time": 0.1,
        "npoints": 11,
        "filename": "/data/visitor/data.h5",
        **info,
    }
    return Told(channels, number=number, **told)


def give(display: ScanDisplay, events: Iterable[WireEvent], clock: FakeTime) -> None:
    for event in events:
        display.accept(event)
    clock.advance(0.2)


def peak(x: Any) -> Any:
    return 1000 * np.exp(-(((np.asarray(x) - 0.5) / 0.1) ** 2))


@pytest.fixture
def display(panel: Panel, screen: Screen, clock: FakeTime) -> Display:
    def make(choice: Choice | None = None, look: Look | None = None, **how: Any) -> ScanDisplay:
        return ScanDisplay(
            panel,
            lambda line: panel.print(f"{line}\n"),
            lambda: look or Look(),
            choice or Choice(),
            bottom=lambda width: "demo_mg  /data",
            **how,
        )

    return make


def points(scan: Told, first: int, end: int) -> list[WireEvent]:
    x = np.linspace(0, 1, 11)[first:end]
    return scan.points(robx=x, diode=peak(x), diode2=x)


@pytest.mark.parametrize("columns", [60, 80, 250])
def test_rows_scroll_up_and_the_rest_changes_in_place(
    display: Display, screen: Screen, clock: FakeTime, columns: int
) -> None:
    screen.resize(columns, 24)
    scan, shown = a_scan(), display()
    give(shown, scan.begin(), clock)
    give(shown, points(scan, 0, 4), clock)
    assert screen.lines[0].startswith("Scan 1  ascan robx 0 1 10 0.1")
    assert screen.lines[1] == "/data/visitor/data.h5"
    assert screen.lines[2].split()[:2] == ["#", "robx[mm]"]
    assert [line.split()[:2] for line in screen.lines[3:7]] == [[str(n), f"{n / 10:.3f}"] for n in range(4)]
    assert "36 %  4/11" in screen.lines[-3]
    assert screen.lines[-2] == "robx 0.300 mm"
    assert screen.lines[-1] == "demo_mg  /data"
    give(shown, points(scan, 4, 11), clock)
    give(shown, scan.end(), clock)
    assert sum("%" in line for line in screen.lines) == 0  # the panel is gone
    assert sum(line.startswith("Scan 1 done: 11 points") for line in screen.lines) == 1
    assert "cen 0.500 mm  fwhm" in "\n".join(screen.lines)
    assert all(len(line) <= columns for line in screen.lines)


def test_a_plot_grows_where_there_is_room_for_it(display: Display, screen: Screen, clock: FakeTime) -> None:
    screen.resize(80, 40)
    scan, choice = a_scan(), Choice(plot="plot")
    shown = display(choice)
    give(shown, scan.begin(), clock)
    give(shown, points(scan, 0, 6), clock)
    plotted = [line for line in screen.lines if "┤" in line or "┬" in line]
    assert len(plotted) > 2
    choice.plot = "spark"
    give(shown, points(scan, 6, 7), clock)
    assert not any("┤" in line for line in screen.lines)
    assert any(line.startswith("diode ") and "█" in line for line in screen.lines)


def test_the_last_line_is_gathered_a_few_times_a_second(panel: Panel, screen: Screen, clock: FakeTime) -> None:
    screen.resize(80, 24)
    asked = itertools.count(1)
    how: dict[str, Any] = {"bottom": lambda width: f"demo_mg {next(asked)}"}
    shown = ScanDisplay(panel, lambda line: panel.print(f"{line}\n"), Look, Choice(), **how)
    scan = a_scan(npoints=100)
    give(shown, scan.begin(), clock)
    before = int(screen.lines[-1].removeprefix("demo_mg "))
    for number in range(20):
        for event in scan.points(robx=[number / 100], diode=[1.0], diode2=[1.0]):
            shown.accept(event)
        clock.advance(scan_display.BOTTOM / 2)
    assert screen.lines[-2] == "robx 0.190 mm"
    assert 8 <= int(screen.lines[-1].removeprefix("demo_mg ")) - before <= 10


def test_a_sequence_is_a_tree(display: Display, screen: Screen, clock: FakeTime) -> None:
    screen.resize(80, 24)
    sequence = Told(
        {
            "GroupingMaster:scans": {"kind": "node_ref_channel", "dtype": "U"},
            "GroupingMaster:scan_numbers": {"dtype": int},
        },
        number=1,
        is_scan_sequence=True,
        title="align",
        sequence_info={"scan_count": 3},
    )
    shown = display()
    give(shown, sequence.begin(), clock)
    scan = a_scan(2, group=sequence.path)
    give(shown, scan.begin(), clock)
    give(shown, sequence.points(scans=[scan.path], scan_numbers=[2]), clock)
    give(shown, points(scan, 0, 5), clock)
    tree = [line for line in screen.lines if line.startswith(("sequence 1  align", "  scan 2"))]
    assert len(tree) == 2 and "0/3" in tree[0] and "5/11" in tree[1]
    give(shown, [*points(scan, 5, 11), *scan.end(), *sequence.end()], clock)
    assert "Sequence 1 done" in "\n".join(screen.lines)
    assert not shown.is_busy


def test_who_types_sees_beginning_and_end_only(display: Display, screen: Screen, clock: FakeTime) -> None:
    screen.resize(80, 24)
    scan, shown = a_scan(), display(is_typing=lambda: True)
    give(shown, [*scan.begin(), *points(scan, 0, 11), *scan.end()], clock)
    assert [line.split("  ")[0] for line in screen.lines] == ["Scan 1", "Scan 1 done: 11 points in 1.0 s"]
    assert not shown.shown


def test_a_scan_in_the_background_leaves_the_rows_of_another_alone(
    display: Display, screen: Screen, clock: FakeTime
) -> None:
    screen.resize(80, 24)
    mine, behind = a_scan(1), a_scan(2)
    shown = display(is_disturbing=lambda path: path == behind.path)
    give(shown, [*behind.begin(), *mine.begin()], clock)
    for number in range(3):
        give(shown, [*points(behind, number, number + 1), *points(mine, number, number + 1)], clock)
    rows = [line.split()[0] for line in screen.lines if line]
    assert rows[:7] == ["Scan", "Scan", "/data/visitor/data.h5", "#", "0", "1", "2"]
    assert sum("%" in line for line in screen.lines) == 2  # how far they are, both of them
    give(shown, [*behind.end(), *points(mine, 3, 4)], clock)
    assert "continued" not in "\n".join(screen.lines)


def test_nothing_is_shown_where_nobody_wants_it(display: Display, screen: Screen, clock: FakeTime) -> None:
    scan, shown = a_scan(), display(Choice(auto=False))
    give(shown, [*scan.begin(), *points(scan, 0, 11), *scan.end()], clock)
    assert screen.lines == []


def test_a_failed_scan_says_why(display: Display, screen: Screen, clock: FakeTime) -> None:
    screen.resize(80, 24)
    scan, shown = a_scan(), display()
    give(shown, [*scan.begin(), *points(scan, 0, 4)], clock)
    error = {"type": "DeviceError", "message": "the amplifier does not answer", "traceback": ""}
    give(shown, scan.end("KILLED", error=error), clock)
    text = "\n".join(screen.lines)
    assert "Scan 1 failed: 4 of 11 points" in text and "DeviceError: the amplifier does not answer" in text


def test_colours_and_plain_characters(display: Display, screen: Screen, clock: FakeTime) -> None:
    class Plain:
        encoding = "latin-1"

        def isatty(self) -> bool:
            return True

    screen.resize(80, 24)
    for terminal, has_colours in [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)]:
        screen.written.clear()
        scan, shown = a_scan(), display(Choice(plot="plot"), Style.of(Plain(), terminal))
        give(shown, [*scan.begin(), *points(scan, 0, 6)], clock)
        text = "".join(screen.written)
        assert text.isascii()
        assert ("\033[36m" in text) is has_colours
        give(shown, scan.end(), clock)


@pytest.mark.parametrize("raises", [True, False])
def test_an_error_that_who_waits_gets_is_not_told_twice(
    raises: bool, display: Display, screen: Screen, clock: FakeTime
) -> None:
    told = a_scan()
    shown = display(raises=raises)
    give(shown, told.begin(), clock)
    give(shown, told.end("KILLED", error={"type": "DeviceError", "message": "no gas"}), clock)
    assert "Scan 1 failed: 0 of 11 points in 1.0 s" in screen.lines
    assert ("DeviceError: no gas" in screen.lines) is not raises


class SlowDrawing:
    """Time as for what is drawn, and a processor that takes a quarter of a second for each plot."""

    def __init__(self, clock: FakeTime) -> None:
        self.monotonic, self._worked = clock.monotonic, 0.0

    def thread_time(self) -> float:
        self._worked += 0.25
        return self._worked


def test_a_plot_that_takes_long_is_drawn_less_often_than_the_rest(
    display: Display, screen: Screen, clock: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.resize(80, 40)
    monkeypatch.setattr(scan_display, "time", SlowDrawing(clock))
    scan, shown = a_scan(), display(Choice(plot="plot"))

    def dots() -> list[str]:
        return [line for line in screen.lines[-17:] if "┤" in line]

    give(shown, scan.begin(), clock)
    clock.advance(0.25 / scan_display.SHARE)
    give(shown, points(scan, 0, 4), clock)
    before = dots()
    give(shown, points(scan, 4, 6), clock)
    assert "6/11" in screen.lines[-3]
    assert dots() == before != []
    clock.advance(0.25 / scan_display.SHARE)
    assert dots() != before


def test_a_plot_whose_first_drawing_alone_takes_long_follows_at_once(
    display: Display, screen: Screen, clock: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowOnce(SlowDrawing):
        def thread_time(self) -> float:
            return next(worked)

    worked = itertools.repeat(0.0)
    screen.resize(80, 40)
    monkeypatch.setattr(scan_display, "time", SlowOnce(clock))
    scan, shown = a_scan(), display(Choice(plot="plot"))
    give(shown, scan.begin(), clock)
    worked = itertools.chain([0.0], itertools.repeat(0.25))  # what it needs is loaded when there are points
    give(shown, points(scan, 0, 4), clock)
    before = [line for line in screen.lines[-17:] if "┤" in line]
    give(shown, points(scan, 4, 6), clock)
    assert [line for line in screen.lines[-17:] if "┤" in line] != before != []


def many_counters(
    plot: str, columns: tuple[int, int], is_told_all: bool, clock: FakeTime
) -> tuple[list[str], set[str]]:
    """The screen of a scan of thirty counters of two devices, and the channels of which points were told.

    :param columns: those of the terminal, at its first and at its last points.
    """
    screen = Screen(columns[0], 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bliss_like.shell.panel.os.get_terminal_size", lambda fd: screen.size)
        panel = Panel(screen, clock.later)
        shown = ScanDisplay(panel, lambda line: panel.print(f"{line}\n"), Look, Choice(plot=plot))
        names = ["timer:elapsed_time", *(f"{box}:{box}_{n}" for box in ("left", "right") for n in range(15))]
        scan = Told(dict.fromkeys(names, {}), npoints=12, display_extra={"plotselect": ["right_9"], "table": ["*"]})
        told = set()
        give(shown, scan.begin(), clock)
        for index in range(12):
            screen.resize(columns[index // 6], 40)
            values = {name.rpartition(":")[2]: number + float(index) for number, name in enumerate(names)}
            for event in scan.points(**values):
                if is_told_all or shown.looks_at(event.path):
                    told.add(event.path.rpartition(":")[2])
                    shown.accept(event)
            clock.advance(3.0)
        give(shown, scan.end(), clock)
    return screen.lines, told


@pytest.mark.parametrize("plot", ["off", "spark", "plot"])
@pytest.mark.parametrize("columns", [(80, 80), (60, 150)])
def test_the_same_is_shown_when_points_that_nobody_looks_at_are_not_told(
    clock: FakeTime, plot: str, columns: tuple[int, int]
) -> None:
    lines, told = many_counters(plot, columns, False, clock)
    assert {"elapsed_time", "right_9", "left_0", "right_0"} <= told and len(told) < 20
    clock.now = 1000.0
    assert lines == many_counters(plot, columns, True, clock)[0]
    assert any(line.startswith("Scan 1 done: 12 points") for line in lines)


def test_many_scans_leave_nothing_behind() -> None:
    said: list[str] = []
    panel = Panel(io.StringIO())
    shown = ScanDisplay(panel, said.append, Look, Choice(), is_disturbing=lambda path: path.endswith("7_ascan"))

    def run(first: int, end: int) -> int:
        for number in range(first, end):
            scan = a_scan(number)
            for event in [*scan.begin(), *points(scan, 0, 11), *scan.end()]:
                shown.accept(event)
            said.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = run(0, 30)  # some of the last ones are kept
        assert (
            run(30, 80) - before < 50 * 800
        )  # the interpreter keeps some of its own; a scan would be several thousands
    finally:
        tracemalloc.stop()
    assert not shown.is_busy and len(shown.shown) <= 21
