"""What the shell prints of values and errors."""

from __future__ import annotations

import io
import sys

import pytest
from prompt_toolkit.document import Document
from prompt_toolkit.validation import ValidationError

from bliss_like.errors import AxisLimitError
from bliss_like.scans import loopscan
from bliss_like.session.failures import ErrorLog
from bliss_like.shell.display import asked_about, explained, output, sentences
from bliss_like.shell.errors import ErrorReport, one_line
from bliss_like.shell.prompt import Validation
from bliss_like.shell.words import fitted
from bliss_like.standard import umv
from tests.unit.devices.making import make_axis


class WithInfo:
    def __info__(self) -> str:
        return "ready"


class Proxy:
    """Has any attribute that one asks for."""

    def __getattr__(self, name: str) -> str:
        return "anything"

    def __repr__(self) -> str:
        return "a proxy"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "Out [1]: 3"),
        ("text", "Out [1]: 'text'"),
        (WithInfo(), "Out [1]: ready"),
        (WithInfo, f"Out [1]: {WithInfo!r}"),
        (Proxy(), "Out [1]: a proxy"),
    ],
)
def test_values(value: object, text: str) -> None:
    assert output("Out [1]: ", value) == text


def test_a_text_of_several_lines_starts_below_the_prompt() -> None:
    class Table:
        def __info__(self) -> str:
            return "a  1\nb  2"

    assert output("Out [1]: ", Table()) == "Out [1]: \na  1\nb  2"


def test_long_lines_are_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Long:
        def __info__(self) -> str:
            return "state READY\n  one two three four five"

        def __repr__(self) -> str:
            return "one two three four five six"

    monkeypatch.setenv("COLUMNS", "20")
    assert output("Out [1]: ", Long()) == "Out [1]: \nstate READY\n  one two three four\nfive"
    assert output("Out [1]: ", {"title": "ascan", "npoints": 11}) == "Out [1]: \n{'title': 'ascan',\n 'npoints': 11}"
    assert output("Out [1]: ", [Long()]) == "Out [1]: \n[one two three four five six]"  # to be copied
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said: list[str] = []
    monkeypatch.setattr(sys.stderr, "write", said.append)
    ErrorReport(ErrorLog()).show(ValueError("no beam today"))
    assert "".join(said) == ("\033[31mValueError: no beam\ntoday\033[0m\n\033[2m(last_error() shows where)\033[0m\n")


def test_what_commands_print_is_broken_between_words_in_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    text = "bliss-like: no session 'eh2', did you mean 'eh1'?"
    stream = io.StringIO()
    assert fitted(text, stream) == text
    monkeypatch.setattr(stream, "isatty", lambda: True)
    assert fitted(text, stream, "  ") == "bliss-like: no session 'eh2',\n  did you mean 'eh1'?"


def test_an_error_without_message_says_where() -> None:
    try:
        raise ValueError
    except ValueError as error:
        assert one_line(error).startswith("ValueError: in test_an_error_without_message_says_where, ")


def test_what_was_noted_with_an_error_is_shown() -> None:
    error = OSError("no answer")
    error.add_note("(scan 3 dscan, in axis)")
    assert one_line(error) == "OSError: no answer (scan 3 dscan, in axis)"


def test_a_sentence_of_a_key_error_has_no_quotes() -> None:
    assert one_line(KeyError("no channel 'diod'; there are none")) == "KeyError: no channel 'diod'; there are none"
    assert one_line(KeyError("diode")) == "KeyError: 'diode'"


def test_a_misspelt_attribute_says_what_was_meant() -> None:
    axis = make_axis("robx")
    with pytest.raises(AttributeError) as raised:
        _ = axis.velocty  # type: ignore[attr-defined]
    assert (
        one_line(raised.value) == "AttributeError: 'Axis' object has no attribute 'velocty', did you mean 'velocity'?"
    )
    with pytest.raises(AttributeError) as raised:
        _ = axis.encoder.read
    assert one_line(raised.value) == "AttributeError: 'NoneType' object has no attribute 'read'"


def test_an_error_that_cannot_say_what_it_is() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert one_line(Mute()) == "Mute: (its __str__ raised RuntimeError)"


def test_errors_in_a_line_and_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    report = ErrorReport(ErrorLog())
    report.last_error()
    assert capsys.readouterr().out == "No error so far.\n"
    try:
        try:
            raise OSError("no answer")
        except OSError as cause:
            raise AxisLimitError("robx: target 12 mm is above 10 mm") from cause
    except AxisLimitError as error:
        report.show(error)
    shown = capsys.readouterr().err
    assert shown == "AxisLimitError: robx: target 12 mm is above 10 mm (last_error() shows where)\n"
    report.last_error()
    trace = capsys.readouterr().out
    assert "OSError: no answer" in trace
    assert trace.endswith("bliss_like.errors.AxisLimitError: robx: target 12 mm is above 10 mm\n")


def test_errors_keep_their_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    report = ErrorReport(ErrorLog(size=2))
    assert report.__info__() == "No error so far."
    for number in range(3):
        report.show(ValueError(f"number {number}"))
    capsys.readouterr()
    assert report.__info__().splitlines() == [
        "  [1] ValueError: number 1",
        "  [2] ValueError: number 2",
        "last_error(<number>) shows where.",
    ]
    report.last_error(1)
    assert capsys.readouterr().out == "ValueError: number 1\n"
    report.last_error(-2)
    assert capsys.readouterr().out == "ValueError: number 1\n"
    for gone in (0, 3, -3):
        report.last_error(gone)
        assert capsys.readouterr().out == f"No error {gone}; there are 1 to 2.\n"


def test_experts_see_every_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    report = ErrorReport(ErrorLog())
    report.expert_mode = True
    try:
        int("x")
    except ValueError as error:
        report.show(error)
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback") and shown.endswith("ValueError: invalid literal for int() with base 10: 'x'\n")


def test_questions() -> None:
    assert [asked_about(text) for text in ("ascan?", "?ascan ", "robx.move ?", "ascan", "a + b?", "?", "'a?'")] == [
        "ascan",
        "ascan",
        "robx.move",
        "",
        "",
        "",
        "",
    ]
    lines = explained("loopscan", loopscan).splitlines()
    assert lines[0].startswith("loopscan(npoints, count_time, *counters, ") and all(len(line) <= 80 for line in lines)
    assert ":param count_time: seconds of one point." in lines
    assert explained("umv", umv).startswith("umv(axis, position, axis, position, ...)\n\nMove as ")
    assert explained("w", WithInfo()) == "ready" and explained("n", 2.5) == "2.5"
    assert explained("min", min).startswith("min\n\nmin(iterable")


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("timescan 1", ["Paused: timescan 1. Ctrl-Z goes on, Ctrl-C ends it."]),
        ("ascan robx 0 1 10 0.1", ["Paused: ascan robx 0 1 10 0.1.", "Ctrl-Z goes on, Ctrl-C ends it."]),
        ("温度" * 8, [f"Paused: {'温度' * 8}.", "Ctrl-Z goes on, Ctrl-C ends it."]),
        ("a " * 24, ["Paused: " + ("a " * 22).rstrip(), "a a . Ctrl-Z goes on, Ctrl-C ends it."]),
    ],
)
def test_sentences_are_not_broken_where_they_find_room(title: str, lines: list[str]) -> None:
    assert sentences(f"Paused: {title}.", "Ctrl-Z goes on, Ctrl-C ends it.", columns=52).split("\n") == lines


def test_what_a_device_sends_is_no_order_to_the_terminal() -> None:
    told = one_line(ValueError("line: got b\x1b[2J\x9b2J\r\x07\nand more"))
    assert told == "ValueError: line: got b\ufffd[2J\ufffd2J\ufffd\ufffd\nand more"


def test_a_terminal_that_is_not_said_to_be_utf_8() -> None:
    with pytest.raises(ValidationError, match=r"LANG=C\.UTF-8"):
        Validation().validate(Document("title = 'tr\udcc3\udca8s'"))


def test_docstrings_are_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def tune(gain: float, offset: float) -> None:
        """Bring a thing into tune, which takes some time, as
        it is slow.

        :param gain: so much more
            of it, and some more for a line that is long.
        :param offset: mm

        ::

            tune(1,
                 2)
        """

    monkeypatch.setenv("COLUMNS", "40")
    assert explained("tune", tune).splitlines()[2:] == [
        "Bring a thing into tune, which takes",
        "some time, as it is slow.",
        "",
        ":param gain: so much more of it, and",
        "    some more for a line that is long.",
        ":param offset: mm",
        "",
        "::",
        "",
        "    tune(1,",
        "         2)",
    ]
