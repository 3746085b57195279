"""Which answers questions take, and what they say of others."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like.errors import UsageError
from bliss_like.standard.forms import Form
from bliss_like.standard.questions import Check, Choice, Message, Number, Question, Several, Text, YesNo


class Detector:
    def __init__(self, name: str) -> None:
        self.name = name


BASLER, EIGER = Detector("basler"), Detector("eiger")


@pytest.mark.parametrize(
    ("question", "given", "answer"),
    [
        (YesNo("?"), "Yes", True),
        (YesNo("?"), " n ", False),
        (YesNo("?"), True, True),
        (Number("?"), "1e-3", 0.001),
        (Number("?", 0, 10, unit="mm"), " 5 mm", 5.0),
        (Number("?", 0, 10), 10, 10.0),
        (Number("?", integer=True), "3.0", 3),
        (Choice("?", [BASLER, EIGER]), "eiger", EIGER),
        (Choice("?", [BASLER, EIGER]), EIGER, EIGER),
        (Choice("?", {"fast": 0.1, "slow": 1}), "slow", 1),
        (Choice("?", {"fast": 0.1, "slow": 1}), 0.1, 0.1),
        (Choice("?", ["1", 2]), "2", 2),
        (Choice("?", ["a", None]), None, None),
        (Several("?", ["a", "b", "c"]), ["c", "a"], ["a", "c"]),
        (Several("?", ["a", "b", "c"]), "b, a", ["a", "b"]),
        (Several("?", ["a", "b", "c"]), "", []),
        (Text("?"), "", ""),
        (Message("!"), "anything", None),
    ],
)
def test_answers(question: Question, given: Any, answer: Any) -> None:
    accepted = question.accept(given)
    assert accepted == answer and type(accepted) is type(answer)


@pytest.mark.parametrize(
    ("question", "given", "said"),
    [
        (YesNo("?"), "perhaps", "expected yes or no, got 'perhaps'"),
        (YesNo("?"), 1, "expected yes or no, got 1"),
        (Number("?"), "", "expected a number, got nothing"),
        (Number("?", 0, 10, unit="mm"), "5 m", "expected a number, 0 to 10 mm, got '5 m'"),
        (Number("?", 0, 10, unit="mm"), "10.1", "10.1 is above the high limit 10 mm"),
        (Number("?", 0, 10), -1, "-1 is below the low limit 0"),
        (Number("?", low=1, integer=True), 1.5, "expected a whole number, at least 1, got 1.5"),
        (Number("?", high=1), True, "expected a number, at most 1, got True"),
        (Number("?"), "nan", "expected a number, got 'nan'"),
        (
            Choice("?", ["basler", "eiger"]),
            "eigre",
            "expected one of basler, eiger, got 'eigre', did you mean 'eiger'?",
        ),
        (Choice("?", range(20)), "x", "expected one of 0, 1, 2, 3, 4, 5, 6, 7... (20 in all), got 'x'"),
        (Several("?", ["a", "b"]), ["a", "c"], "expected any of a, b, got 'c'"),
        (Several("?", ["a", "b"]), 3, "expected a list, any of a, b, got 3"),
        (Text("?"), 3, "expected a text, got 3"),
    ],
)
def test_what_is_no_answer(question: Question, given: Any, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        question.accept(given)
    assert str(refused.value) == said


def fails(text: str) -> None:
    raise RuntimeError("no answer from the box")


def has_a_point(text: str) -> None:
    if "." in text:
        raise ValueError("no dots, please")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda text: f"{text} is there already", "a.b is there already"),
        (lambda text: False, "'a.b' is not accepted"),
        (has_a_point, "no dots, please"),
        (fails, "the check failed: RuntimeError: no answer from the box"),
    ],
)
def test_checks_say_what_is_wrong(check: Check, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        Text("?", check=check).accept("a.b")
    assert str(refused.value) == said


@pytest.mark.parametrize("check", [lambda text: None, lambda text: "", lambda text: True, lambda text: 5])
def test_checks_that_have_nothing_against_it(check: Check) -> None:
    assert Text("?", check=check).accept("a") == "a"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Number("Time?", 1, 0), "'Time?': low must not be above high, got 1 and 0"),
        (lambda: Number("Time?", "a"), "'Time?': low: expected a number, or None for no limit, got 'a'"),  # type: ignore[arg-type]
        (lambda: Number("Time?", 1, 2, 3), "'Time?': default: 3 is above the high limit 2"),
        (lambda: YesNo("Go?", "maybe"), "'Go?': default: expected yes or no, got 'maybe'"),  # type: ignore[arg-type]
        (lambda: Choice("Which?", []), "'Which?': choices: expected at least one, got none"),
        (lambda: Choice("Which?", "abc"), "'Which?': choices: expected a list or {label: value}, got 'abc'"),
        (lambda: Choice("Which?", [1, "1"]), "'Which?': choices: two of them look the same: give {label: value}"),
        (lambda: Choice("Which?", ["a", "b"], "c"), "'Which?': default: expected one of a, b, got 'c'"),
        (lambda: Several("Which?", ["a", "b"], ["c"]), "'Which?': default: expected any of a, b, got 'c'"),
        (lambda: Text("Name?", 3), "'Name?': default: expected a text, got 3"),  # type: ignore[arg-type]
        (lambda: Form("Setup", {}), "'Setup': fields: expected {name: question}, got {}"),
        (
            lambda: Form("Setup", {"a": 1, "G": {"a": 2}}),
            "'Setup': there are two fields 'a'; each needs a name of its own",
        ),
        (
            lambda: Form("Setup", {"a": None}),
            "'Setup': field 'a': expected a question, a number, a text, a bool or a list, got None",
        ),
        (
            lambda: Form("Setup", {"a": Form("Inner", {"b": 1})}),
            "'Setup': field 'a': a form in a form; a group of fields is {heading: {name: ...}}",
        ),
    ],
)
def test_questions_that_cannot_be_asked(make: Any, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        make()
    assert str(refused.value) == said


def test_answers_are_shown_in_words() -> None:
    assert YesNo("?").shown(False) == "no"
    assert Number("?", unit="mm").shown(0.1) == "0.1 mm"
    assert Choice("?", {"fast": 0.1}).shown(0.1) == "fast"
    assert Several("?", [BASLER, EIGER]).shown([BASLER, EIGER]) == "basler, eiger"
    assert Several("?", ["a"]).shown([]) == "none"


# -- forms -------------------------------------------------------------------------------------------------------------


FORM = Form(
    "Sample",
    {
        "name": "lyso",
        "Detector": {"exposure": Number("Exposure", 0.001, 10, 0.1, "s"), "points": 5, "mode": ["a", "b"]},
    },
    check=lambda answers: "too long" if answers["exposure"] * answers["points"] > 20 else None,
)


def test_fields_by_example_and_in_groups() -> None:
    assert FORM.preset == {"name": "lyso", "exposure": 0.1, "points": 5, "mode": "a"}
    assert list(FORM.groups) == ["", "Detector"]
    assert FORM.accept({"points": "7", "mode": "b"}) == {"name": "lyso", "exposure": 0.1, "points": 7, "mode": "b"}
    assert FORM.shown(FORM.preset) == "name: lyso, exposure: 0.1 s, points: 5, mode: a"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"exposure": 20}, "exposure: 20 is above the high limit 10 s"),
        ({"exposure": 5}, "too long"),
        (
            {"exposur": 5},
            "there is no field 'exposur', did you mean 'exposure'?; there are: name, exposure, points, mode",
        ),
        (3, "expected {name: answer}, answers to name, exposure, points, mode, got 3"),
    ],
)
def test_what_is_wrong_with_a_form(given: Any, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        FORM.accept(given)
    assert str(refused.value) == said


def test_a_field_without_default_has_to_be_answered() -> None:
    form = Form("Setup", {"points": Number("Points", 1)})
    with pytest.raises(UsageError, match="points: 'Points' has no default"):
        form.accept({})
    assert form.accept({"points": 3}) == {"points": 3}
