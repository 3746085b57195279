"""Questions of macros in a terminal: what is shown, what keys do, what stays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.errors import Cancelled, UsageError, UserAbort
from bliss_like.shell.dialogs import ask_in_terminal
from bliss_like.standard.dialogs import (
    ask_choice,
    ask_choices,
    ask_form,
    ask_number,
    ask_text,
    ask_yes_no,
    offer_dialogs,
    show_message,
)
from bliss_like.standard.questions import Number, Several, Text
from tests.unit.shell.screens import Person, sitting

ENTER, ESCAPE, CTRL_C, TAB, BACK_TAB, ERASE = "\r", "\x1b", "\x03", "\t", "\x1b[Z", "\x7f"
UP, DOWN, RIGHT, LEFT, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[6~"

At = Callable[..., contextlib.AbstractContextManager[Person]]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """A function that puts a person at a terminal of some size."""

    @contextlib.contextmanager
    def at(columns: int = 80, rows: int = 24) -> Iterator[Person]:
        with sitting(monkeypatch, columns, rows) as person:
            offer_dialogs(lambda question: ask_in_terminal(person.terminal, question))
            try:
                yield person
            finally:
                offer_dialogs(None)

    return at


@pytest.fixture
def person(at: At) -> Iterator[Person]:
    with at() as person:
        yield person


# -- yes or no ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "keys", "answer"),
    [
        (None, "y", True),
        (None, "N", False),
        (True, ENTER, True),
        (True, RIGHT + ENTER, False),
        (False, LEFT + ENTER, True),
        (True, "xnq", False),
    ],
)
def test_yes_or_no(person: Person, default: bool | None, keys: str, answer: bool) -> None:
    person.ask(ask_yes_no, "Close the shutter?", default)
    person.sees("Esc: leave")
    person.type(keys)
    assert person.gets() is answer
    assert person.screen.lines == [f"Close the shutter?  {'yes' if answer else 'no'}"]


def test_enter_alone_is_no_answer(person: Person) -> None:
    person.ask(ask_yes_no, "Close the shutter?")
    person.sees("( ) yes  ( ) no")
    person.type(ENTER)
    person.sees("( ) yes  ( ) no  expected yes or no, got nothing")
    person.type("y")
    assert person.gets() is True


def test_escape_and_ctrl_c_are_no_answer(person: Person) -> None:
    person.ask(ask_yes_no, "Close the shutter?", True)
    person.sees("Esc: leave")
    person.type(ESCAPE)
    with pytest.raises(Cancelled, match="'Close the shutter\\?' was left without an answer"):
        person.gets()
    person.ask(ask_yes_no, "Really?", True)
    person.sees("Really?")
    person.type(CTRL_C)
    with pytest.raises(UserAbort) as aborted:
        person.gets()
    assert not isinstance(aborted.value, Cancelled)
    assert person.screen.lines == ["Close the shutter?  -- left with Escape", "Really?  -- Ctrl-C"]


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(DOWN + ENTER, "basler"), (DOWN + DOWN + ENTER, "eiger"), ("3" + ENTER, "pilatus"), ("il" + ENTER, "pilatus")],
)
def test_a_choice(person: Person, keys: str, answer: str) -> None:
    person.ask(ask_choice, "Which detector?", ["basler", "eiger", "pilatus"])
    person.sees("  2 eiger")
    person.type(keys)
    assert person.gets() == answer
    assert person.screen.lines == [f"Which detector?  {answer}"]


def test_a_default_is_marked_and_without_one_nothing_is_chosen(person: Person) -> None:
    person.ask(ask_choice, "Which?", {"one": 1, "two": 2})
    person.sees("  2 two")
    person.type(ENTER)
    person.sees("expected one of one, two, got nothing")
    person.type(DOWN)
    person.sees_no("expected")
    person.type(ESCAPE)
    with pytest.raises(Cancelled):
        person.gets()
    person.ask(ask_choice, "Which?", {"one": 1, "two": 2}, default=2)
    person.sees("> 2 two")
    person.type(ENTER)
    assert person.gets() == 2


def test_a_long_list_scrolls_and_is_narrowed_by_letters(person: Person) -> None:
    labels = [f"counter{number:02}" for number in range(40)]
    person.ask(ask_choice, "Which counter?", labels)
    person.sees("letters: find in 40")
    assert "counter11" in person.screen.text and "counter12" not in person.screen.text
    person.type(PAGE_DOWN, PAGE_DOWN)
    person.sees("> counter11")
    person.type("r3")
    person.sees("'r3' is in 10 of 40")
    assert "> counter30" in person.screen.text
    person.type("x")
    person.sees("none has 'r3x' in it")
    person.type(ENTER)
    person.sees("expected one of counter00, ")
    person.type(ERASE)
    person.sees("> counter30")
    person.type(DOWN, ENTER)
    assert person.gets() == "counter31"


def test_check_boxes(person: Person) -> None:
    person.ask(ask_choices, "Counters", ["diode", "diode2", "mca"], ["diode2"])
    person.sees("> 1 [ ] diode\n  2 [x] diode2\n  3 [ ] mca")
    person.type(" ", "3", UP, " ")
    person.sees("> 2 [ ] diode2\n  3 [x] mca")
    person.type(ENTER)
    assert person.gets() == ["diode", "mca"]
    assert person.screen.lines == ["Counters  diode, mca"]


def test_choices_that_begin_with_digits_are_found_by_them(person: Person) -> None:
    person.ask(ask_choice, "Energy?", {"8 keV": 8.0, "12 keV": 12.0, "20 keV": 20.0})
    person.sees("  12 keV")
    person.type("20", ENTER)
    assert person.gets() == 20.0


# -- lines -------------------------------------------------------------------------------------------------------------


def test_a_number_within_limits(person: Person) -> None:
    person.ask(ask_number, "Exposure time?", 0.001, 10, 0.1, "s")
    person.sees("> 0.1 s  (a number, 0.001 to 10 s)")
    person.type("20", ENTER)
    person.sees("> 20  20 is above the high limit 10 s")
    person.type(ERASE)
    person.sees("> 2 s  (a number")
    person.type("x", ENTER)
    person.sees("expected a number, 0.001 to 10 s, got '2x'")
    person.type(ERASE, ".5", ENTER)
    assert person.gets() == 2.5
    assert person.screen.lines == ["Exposure time?  2.5 s"]


def test_the_default_may_be_edited_or_typed_over(person: Person) -> None:
    person.ask(ask_number, "Points?", low=1, default=12, integer=True)
    person.sees("> 12")
    person.type(RIGHT, "5", ENTER)
    assert person.gets() == 125
    person.ask(ask_text, "Name?", "lysozyme")
    person.sees("> lysozyme")
    person.type("t", "ryp", ENTER)
    assert person.gets() == "tryp"


def test_a_text_is_checked(person: Person) -> None:
    def free(name: str) -> str:
        gevent.sleep(0.01)  # a check may ask somebody
        return f"there is a sample {name!r} already" if name == "lyso" else ""

    person.ask(ask_text, "Sample?", check=free)
    person.sees("Esc: leave")
    person.type("lyso", ENTER)
    person.sees("> lyso  there is a sample 'lyso' already")
    person.type("2", ENTER)
    assert person.gets() == "lyso2"


def test_a_pasted_text_is_one_line(person: Person) -> None:
    person.ask(ask_text, "Comment?", "none")
    person.sees("> none")
    person.type("\x1b[200~two\nlines\n\x1b[201~", "\x1a\x13\x11\x1c", ENTER)  # Ctrl-Z, S, Q, \\
    assert person.gets() == "two lines"


def test_a_message_waits_for_enter(person: Person) -> None:
    person.ask(show_message, "Put the sample in place.\nThen close the hutch.")
    person.sees("Then close the hutch.\nEnter: OK   Esc: leave")
    person.type(ENTER)
    assert person.gets() is None
    assert person.screen.lines == ["Put the sample in place.", "Then close the hutch."]


# -- forms -------------------------------------------------------------------------------------------------------------


FIELDS: dict[str, Any] = {
    "name": Text("sample", "lyso"),
    "Detector": {
        "exposure": Number("exposure time", 0.001, 10, 0.1, "s"),
        "detector": ["basler", "eiger"],
        "dark": True,
        "rois": Several("regions", ["a", "b", "c"], ["b"]),
    },
}

SHOWN = """\
Sample
  sample         lyso
Detector
  exposure time  0.1 s  (a number, 0.001 to 10 s)
  detector       (*) basler  ( ) eiger
  dark           (*) yes  ( ) no
  regions        [ ] a  [x] b  [ ] c
  [ OK ]  [ Cancel ]
Tab: next   Enter: next, OK at the end   Esc: leave"""


def no_dark_of_eiger(answers: dict[str, Any]) -> str:
    return "an eiger takes no dark images" if answers["dark"] and answers["detector"] == "eiger" else ""


@pytest.mark.parametrize("columns", [60, 80])
def test_a_form(at: At, columns: int) -> None:
    with at(columns) as person:
        person.ask(ask_form, "Sample", FIELDS, no_dark_of_eiger)
        person.sees(SHOWN)
        person.type("trypsin", ENTER, "20", ENTER)
        person.sees("  exposure time  20  20 is above the high limit 10 s")
        person.type(ERASE, ERASE, "2", TAB, RIGHT, TAB, TAB, " ", TAB, ENTER)
        person.sees("an eiger takes no dark images")
        assert len(person.screen.lines) == len(SHOWN.splitlines())
        person.type(UP, UP, "n", DOWN, DOWN, ENTER)
        assert person.gets() == {
            "name": "trypsin",
            "exposure": 2.0,
            "detector": "eiger",
            "dark": False,
            "rois": ["a", "b"],
        }
        told = " ".join(person.screen.text.split())
        assert told == "Sample name: trypsin, exposure: 2 s, detector: eiger, dark: no, rois: a, b"


def test_a_form_that_is_wrong_cannot_be_accepted(person: Person) -> None:
    person.ask(ask_form, "Sample", {"points": Number("points", 1, 9, integer=True), "name": "x"})
    person.sees("[ OK ]")
    person.type(BACK_TAB, BACK_TAB, ENTER)
    person.sees("points    expected a whole number, 1 to 9, got nothing")
    person.type("3", BACK_TAB, ENTER)
    with pytest.raises(Cancelled):
        person.gets()


def test_a_form_that_is_longer_than_the_screen_scrolls(at: At) -> None:
    with at(60, 12) as person:
        person.ask(ask_form, "Many", {f"field{number:02}": number for number in range(30)})
        person.sees("field03")
        for number in range(30):
            person.type(ENTER)
        person.sees("[ OK ]")
        person.type(ENTER)
        assert person.gets() == {f"field{number:02}": number for number in range(30)}


# -- beside everything else --------------------------------------------------------------------------------------------


def test_what_others_print_stands_above(person: Person) -> None:
    person.ask(ask_yes_no, "Close the shutter?")
    person.sees("Esc: leave")
    print("beam is back")
    person.sees("beam is back\nClose the shutter?")
    assert person.screen.text.count("Close the shutter?") == 1
    person.type("y")
    assert person.gets() is True
    assert person.screen.lines == ["beam is back", "Close the shutter?  yes"]


def test_two_who_ask_wait_for_each_other(person: Person) -> None:
    person.ask(ask_yes_no, "First?")
    person.sees("First?")
    second = gevent.spawn(ask_number, "Second?")
    person.type("y")
    assert person.gets() is True
    person.sees("Second?")
    person.type("7", ENTER)
    assert second.get(timeout=5) == 7
    assert person.screen.lines == ["First?  yes", "Second?  7"]


def test_who_is_killed_takes_the_question_away(person: Person) -> None:
    person.ask(ask_yes_no, "Close the shutter?")
    person.sees("Esc: leave")
    person.asked.kill(UserAbort("stopped from elsewhere"))
    person.waits_until(lambda: "Esc: leave" not in person.screen.text)
    person.ask(ask_yes_no, "And now?")
    person.sees("And now?")
    person.type("n")
    assert person.gets() is False


def test_keys_that_were_pressed_before_do_not_answer(person: Person) -> None:
    person.ask(ask_text, "Name?")
    person.sees("Esc: leave")
    person.type("x" + ENTER + "y")  # the y comes after the end
    assert person.gets() == "x"
    person.ask(ask_yes_no, "Open the shutter?")
    person.sees("Esc: leave")
    person.type("n")
    assert person.gets() is False


def test_a_thread_cannot_ask(person: Person) -> None:
    asking = gevent.get_hub().threadpool.spawn(ask_yes_no, "Close the shutter?")
    with pytest.raises(
        UsageError, match=r"Close the shutter\?: expected to be asked in a greenlet .*, came from a thread"
    ):
        asking.get(timeout=5)


def test_time_may_run_out(person: Person) -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.05):
        ask_yes_no("Close the shutter?")
    person.sees_no("Close the shutter?")


def test_a_check_that_does_not_come_back_can_be_left(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.shell.dialogs.PATIENCE", 0.02)
    person.ask(ask_text, "Sample?", "a", check=lambda _: Event().wait())
    person.sees("> a")
    person.type(ENTER)
    person.sees("it cannot be checked within 0.02 s")
    person.type(ESCAPE)
    with pytest.raises(Cancelled):
        person.gets()


def test_without_colours_the_choice_is_still_seen(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    person.ask(ask_choice, "Which?", ["one", "two"], "two")
    person.sees("  1 one\n> 2 two")
    person.type(ENTER)
    assert person.gets() == "two"


# -- a terminal that can do nothing ------------------------------------------------------------------------------------


def test_lines_instead_of_dialogs(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    person.ask(ask_number, "Exposure time?", 0.001, 10, 0.1, "s")
    person.sees("Exposure time? (a number, 0.001 to 10 s) [0.1 s]:")
    person.type("20\n")
    person.sees("  20 is above the high limit 1")  # the terminal would have shown what was typed
    person.type("2\n")
    assert person.gets() == 2
    person.ask(ask_choices, "Counters", ["diode", "mca", "timer"], ["mca"])
    person.sees("  1  diode\n  2  mca\n  3  timer\nCounters [mca]:")
    person.type("1, timer\n")
    assert person.gets() == ["diode", "timer"]
    assert "\x1b" not in person.screen.text


def test_a_form_in_lines(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    person.ask(ask_form, "Sample", FIELDS, no_dark_of_eiger)
    for seen, typed in [
        ("sample [lyso]:", "x"),
        ("[0.1 s]:", ""),
        ("detector [basler]:", "2"),
        ("dark", ""),
        ("[b]:", ""),
    ]:
        person.sees(seen)
        person.type(f"{typed}\n")
    person.sees("an eiger takes no dark images; once more:")
    person.waits_until(lambda: person.screen.text.count("sample [lyso]:") == 2)
    person.asked.kill(UserAbort("Ctrl-C"))
    assert "\x1b" not in person.screen.text
