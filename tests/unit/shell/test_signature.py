"""The line that tells what a call takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from bliss_like.scans import amesh, ascan, ct
from bliss_like.shell.completion import NameCompleter
from bliss_like.shell.signature import signature_at
from bliss_like.standard import move, mv, wm
from tests.unit.shell.test_typing_helper import NAMES as HELPED
from tests.unit.shell.test_typing_helper import TEXTS


class Axis:
    def move(self, position: float, wait: bool = True) -> None:
        """Go there.

        :param position: in the unit
            of the axis.
        """

    def __repr__(self) -> str:
        raise AssertionError("it was asked for its text")

    @property
    def position(self) -> float:
        raise AssertionError("the position was read")


class Sample:
    """An object that can be called, and must not be asked for anything."""

    def __call__(self, text: str) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


robx = Axis()


def macro(axis: Axis, *points: float, detector: Axis = robx, mode: str = "fine", **more: Any) -> None:
    """Do it.

    :param points: where to go.
    """


NAMES = {
    **{function.__name__: function for function in (amesh, ascan, ct, macro, move, mv, wm)},
    "robx": robx,
    "number": 3,
    "sample": Sample(),
}


def line(typed: str, width: int = 200) -> str:
    """Return the line with the current argument in angle brackets."""
    found = signature_at(typed, NAMES)
    texts = found.line(width) if found else []
    assert sum(len(text) for _, text in texts) <= width
    return "".join(f"<{text}>" if style == "current" else text for style, text in texts)


@pytest.mark.parametrize(
    ("typed", "begins"),
    [
        ("ascan(", "ascan(<motor>, start, stop, intervals, count_time, *counters, title=None,"),
        ("ascan(robx, 0, ", "ascan(motor, start, <stop>,"),
        ("x = ascan(robx, [1, 2], {1: 3,", "ascan(motor, start, <stop>,"),
        ("ascan(robx, f(1, 2), 3", "ascan(motor, start, <stop>,"),
        ("ascan(robx, f(1, 2", "ascan(motor, <start>,"),  # nothing is known of f
        ("ascan robx 0 ", "ascan(motor, start, <stop>,"),
        ("ascan robx 0", "ascan(motor, <start>,"),
        ("s = ascan robx 0", "ascan(motor, <start>,"),
        ("ct 1; ascan robx ", "ascan(motor, <start>,"),
        ("ascan(robx, 0, 1, 10, .1, a, b", "ascan(motor, start, stop, intervals, count_time, <*counters>,"),
        (
            "ascan(robx, 0, 1, 10, title='a, b",
            "ascan(motor, start, stop, intervals, count_time, *counters, <title=None>,",
        ),
        ("mv ", "mv(<axis>, position, axis, position, ...)"),
        ("mv robx 1 ", "mv(axis, position, <axis>, position, ...)"),
        ("mv(robx, 1, robx, 2, robx, ", "mv(axis, position, axis, <position>, ...)"),
        ("wm robx robx", "wm(<axis>, ...,"),
        ("robx.move(", "robx.move(<position>, wait=True)  in the unit of the axis"),
        ("robx.move 3 ", "robx.move(position, <wait=True>)"),
        ("macro(robx, 1, 2", "macro(axis, <*points>, detector=…, mode='fine', **more)  where to go"),
        ("macro(robx, colour=", "macro(axis, *points, detector=…, mode='fine', <**more>)"),
        ("print(", "print(<*args>,"),
        ("sample(", "sample(<text>)"),
        ("sample 3", "sample(<text>)"),
        ("", ""),
        ("ascan", ""),
        ("number(", ""),
        ("number 3", ""),
        ("robx.position(", ""),
        ("nowhere(", ""),
        ("for ", ""),
        ("ascan(robx)", ""),
        ("ascan == ", ""),
        ("# ascan(", ""),
        ("ascan robx 0 # ", ""),
        ("(", ""),
        ("f(((((", ""),
    ],
)
def test_lines(typed: str, begins: str) -> None:
    assert line(typed).startswith(begins) if begins else not line(typed)


def test_an_argument_without_words_of_its_own_is_told_by_its_kind() -> None:
    assert line("ascan(robx, 0, ").endswith("  a number, in the unit of the axis")
    assert line("ascan(robx, 0, 1, 10, ").endswith("  seconds of one point")


@pytest.mark.parametrize("width", [*range(8, 80)])
@pytest.mark.parametrize("typed", ["ascan(", "amesh robx 0 1 10 robx ", "move(robx, 1, wait=", "macro(robx, colour="])
def test_it_fits(typed: str, width: int) -> None:
    shown = line(typed, width)
    found = signature_at(typed, NAMES)
    assert found is not None and found.argument is not None
    if width >= 40:
        assert f"<{found.argument.written}>" in shown  # whatever is left out, it is not that


def test_in_60_columns() -> None:
    assert line("ascan robx 0 1 10 ", 60) == "ascan(…, intervals, <count_time>, …)  seconds of one point"


@given(TEXTS)
def test_whatever_is_typed_nothing_is_raised_or_asked(text: str) -> None:
    found = signature_at(text, HELPED)
    if found is not None:
        assert sum(len(part) for _, part in found.line(30)) <= 30
    list(NameCompleter(HELPED).get_completions(Document(text), CompleteEvent()))
