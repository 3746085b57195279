"""Dialogs by the names of BLISS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bliss_like.errors import Cancelled, UsageError
from bliss_like.shell.cli.pt_widgets import BlissDialog, display, show_dialog
from bliss_like.shell.cli.user_dialog import (
    Container,
    UserCheckBox,
    UserCheckBoxList,
    UserChoice,
    UserFileInput,
    UserFloatInput,
    UserInput,
    UserIntInput,
    UserMsg,
    UserYesNo,
    Validator,
)
from bliss_like.shell.getval import (
    bold,
    getval_char_list,
    getval_float,
    getval_idx_list,
    getval_int_range,
    getval_name,
    getval_yes_no,
    title,
)
from bliss_like.standard import answers
from bliss_like.standard.dialogs import offer_dialogs
from bliss_like.standard.questions import Question


@pytest.fixture
def left() -> Iterator[None]:
    """Every question is left with Escape."""

    def leave(question: Question) -> None:
        raise Cancelled(question.question)

    offer_dialogs(leave)
    yield
    offer_dialogs(None)


def in_range(text: str, low: float, high: float) -> None:
    if not low <= float(text) <= high:
        raise ValueError(f"{text} is not in [{low}, {high}]")


def test_a_form_of_elements_in_containers() -> None:
    mode = UserChoice(label="Mode", values=[(1, "one file"), (2, "one per image")], defval=1)
    frames = UserIntInput(label="Frames", defval=100, minimum=1)
    gain = UserFloatInput("Gain", 0.5)
    path = UserFileInput("Path", "/data", name="where")
    rois = UserCheckBoxList(label="ROIs", values=[("r1", "first"), ("r2", "second")], defval=["r2"])
    text = UserInput(label="Delay", defval="0.1", validator=Validator(in_range, 0, 1))
    box = UserCheckBox(label="Save", defval=True)
    dialog = BlissDialog(
        [[UserMsg("How images are saved"), Container([mode, frames], title="Files")], [gain, path], [rois, text, box]],
        title="Saving",
    )
    with answers({"Frames": 5, "ROIs": ["r1"]}):
        answer = dialog.show()
    assert isinstance(answer, dict)
    assert [answer[each] for each in (mode, frames, gain, path, rois, text, box)] == [
        2, 5, 0.5, "/data", ["r1"], "0.1", True,
    ]  # fmt: skip
    assert answer["where"] == "/data"
    with pytest.raises(UsageError, match=r"Delay: 3 is not in \[0, 1\]"), answers({"Delay": "3"}):
        dialog.show()


def test_elements_of_the_same_label() -> None:
    first, second = UserInput(label="Name"), UserInput(label="Name")
    with answers({"Name": "a", "Name (2)": "b"}):
        answer = show_dialog([first, second], title="Two")
    assert (answer[first], answer[second]) == ("a", "b")


def test_single_elements() -> None:
    with answers(True, 7, "x"):
        assert display(UserYesNo(label="Go on?"), title="Sure") is True
        assert display(UserMsg(label="Done")) is True
        assert show_dialog(UserIntInput(label="Points")) == 7
        assert show_dialog(UserInput(), title="Name") == "x"
    with answers(False):
        assert BlissDialog([[UserYesNo(label="Go on?")]]).show() is False
    with pytest.raises(UsageError, match="expected elements of user_dialog, such as .*, got 5"):
        show_dialog([[5]])


def test_who_leaves_gets_false(left: None) -> None:
    assert BlissDialog([[UserInput(label="Name"), UserYesNo(label="Save")]]).show() is False
    assert display(UserChoice(values=[(1, "a")])) is False


def test_getval() -> None:
    with answers("y", "roi_1", 3, 0.5, "2 - blue", "b - blue"):
        assert getval_yes_no("Go on?", default="no") is True
        assert getval_name("Name of the ROI") == "roi_1"
        assert getval_int_range("Points", 1, 10, default=5) == 3
        assert getval_float("Gap", minimum=0) == 0.5
        assert getval_idx_list(["red", "blue"], "Colour") == (2, "blue")
        assert getval_char_list([("r", "red"), ("b", "blue")]) == ("b", "blue")
    with pytest.raises(UsageError, match="expected a name: letters, digits and _, no digit first"), answers("1 roi"):
        getval_name("Name")
    with answers(defaults=True):
        assert getval_idx_list(["red", "blue"], default=1) == (1, "red")


def test_getval_left_with_escape(left: None) -> None:
    assert getval_float("Gap", ki_default=1.5) == 1.5
    with pytest.raises(Cancelled):
        getval_float("Gap")


def test_titles(capsys: pytest.CaptureFixture[str]) -> None:
    title("Alignment")
    assert capsys.readouterr().out == "\nAlignment\n=========\n"
    assert bold("x") == "x"  # no terminal
