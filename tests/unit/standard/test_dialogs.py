"""What macros ask, answered by scripts, or by nobody."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.errors import SessionError, UsageError
from bliss_like.standard import (
    answers,
    ask_choice,
    ask_choices,
    ask_form,
    ask_number,
    ask_text,
    ask_yes_no,
    edit_mg,
    menu,
    show_message,
)
from tests.unit.standard.conftest import Known


def test_nobody_can_be_asked() -> None:
    with pytest.raises(
        SessionError, match=r"nobody can be asked 'Close\?': there is no terminal\. .*answers\(\.\.\.\)"
    ):
        ask_yes_no("Close?", default=True)


def test_answers_in_turn() -> None:
    with answers(True, 0.5, "eiger", ["b"], "lyso", {"n": 3}) as given:
        show_message("Look out!")
        assert ask_yes_no("Close?") is True
        assert ask_number("Time?", 0, 1, unit="s") == 0.5
        assert ask_choice("Which?", ["basler", "eiger"]) == "eiger"
        assert ask_choices("Which of them?", ["a", "b"]) == ["b"]
        assert ask_text("Name?") == "lyso"
        assert ask_form("Setup", {"n": 1, "m": 2}) == {"n": 3, "m": 2}
    assert given.asked == [
        "Look out!",
        "Close? yes",
        "Time? 0.5 s",
        "Which? eiger",
        "Which of them? b",
        "Name? lyso",
        "Setup n: 3, m: 2",
    ]


def test_answers_are_held_to_the_question() -> None:
    with pytest.raises(UsageError, match=r"answer to 'Time\?': 2 is above the high limit 1 s"), answers(2):
        ask_number("Time?", 0, 1, unit="s")


def test_answers_that_are_missing_or_left() -> None:
    with (
        pytest.raises(SessionError, match=r"no answer is left for 'Close\?': give answers\(\.\.\.\) one more"),
        answers(),
    ):
        ask_yes_no("Close?")
    with pytest.raises(UsageError, match=r"answers that nobody asked for: 3, 'x'; asked was: Close\? yes"):
        with answers(True, 3, "x"):
            ask_yes_no("Close?")


def test_an_error_inside_is_not_hidden_by_answers_that_are_left() -> None:
    with pytest.raises(ZeroDivisionError), answers(True):
        _ = 1 / 0


def test_answers_by_question_and_defaults() -> None:
    with answers(known={"Close*": True}, defaults=True):
        assert [ask_yes_no("Close the shutter?"), ask_yes_no("Close the hutch?")] == [True, True]
        assert ask_number("Time?", default=0.1) == 0.1
        assert ask_form("Setup", {"n": 1}) == {"n": 1}
        with pytest.raises(SessionError, match=r"no answer is left for 'Points\?', and it has no default"):
            ask_number("Points?")


def test_inner_answers_go_first() -> None:
    with answers(1):
        with answers(2):
            assert ask_number("?") == 2
        assert ask_number("?") == 1


def test_answers_are_for_what_is_called_only() -> None:
    def elsewhere() -> Any:
        try:
            return ask_yes_no("Close?")
        except SessionError as error:
            return str(error)

    def script() -> None:
        with answers(True, True):
            inside.set()
            assert gevent.spawn(lambda: gevent.spawn(elsewhere).get()).get() is True  # a greenlet of a greenlet
            over.wait()
            assert elsewhere() is True

    inside, over = Event(), Event()
    running = gevent.spawn(script)
    inside.wait(30)
    assert elsewhere().startswith("nobody can be asked")
    over.set()
    running.get(timeout=30)


def test_wrong_calls_say_how_it_is_called() -> None:
    with pytest.raises(
        UsageError, match=r"ask_number: 'Time\?': low must not .*\nusage: ask_number\(question, low=None"
    ):
        ask_number("Time?", 2, 1)
    with pytest.raises(UsageError, match="ask_text: expected a question, as a text, got 3"):
        ask_text(3)  # type: ignore[arg-type]


# -- what objects offer ------------------------------------------------------------------------------------------------


class Group:
    """What is asked of a measurement group."""

    name = "mg"
    available = ("a:x", "a:y", "b:z")

    def __init__(self) -> None:
        self.enabled = ["a:x", "a:y"]

    def enable(self, *names: str) -> None:
        self.enabled += names

    def disable(self, *names: str) -> None:
        self.enabled = [name for name in self.enabled if name not in names]


def test_check_boxes_of_a_measurement_group(known: Known) -> None:
    group = Group()
    with answers(["a:y", "b:z"]):
        edit_mg(group)
    assert group.enabled == ["a:y", "b:z"]
    known["ACTIVE_MG"] = group
    with answers([]):
        edit_mg()
    assert group.enabled == []
    with answers(["a:x"]):
        menu(group)
    assert group.enabled == ["a:x"]


def test_objects_may_offer_a_menu(known: Known) -> None:
    class Shutter:
        name = "shutter"
        is_open = False

        def show_menu(self) -> None:
            self.is_open = ask_yes_no("Open?")

    shutter = Shutter()
    with answers(True):
        menu(shutter)
    assert shutter.is_open
    with pytest.raises(UsageError, match=r"menu: 5 has no menu: give its class a method show_menu\(\)"):
        menu(5)
    with pytest.raises(UsageError, match="edit_mg: expected a measurement group, got none, and none is active"):
        edit_mg()
