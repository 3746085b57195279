"""What a line means that was typed without brackets, and what is left as it is."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.scans import ascan, ct
from bliss_like.session.namespace import EVERYDAY
from bliss_like.shell.typing_helper import parsed, typed_call
from bliss_like.standard import mv, umvr, wa, wm


class Stage:
    """Must not be asked anything."""

    def move(self, position: float) -> None: ...

    def stop(self, timeout: float = 3) -> None: ...

    @staticmethod
    def count() -> None: ...

    @classmethod
    def known(cls) -> None: ...

    @property
    def position(self) -> float:
        raise AssertionError("the position was read")

    @cached_property
    def friend(self) -> Stage:
        raise AssertionError("the friend was made")

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __call__(self, text: str) -> None:
        raise AssertionError("it was called")


def home() -> None:
    raise AssertionError("it was called")


NAMES = {
    **{name: Stage() for name in ("robx", "roby", "diode", "SAMPLE")},
    **{function.__name__: function for function in (ascan, ct, mv, umvr, wa, wm, home)},
    **EVERYDAY,
    "a": 3,
    "axes": [1],
    "Stage": Stage,
    "_kept": home,
}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wa", "wa()"),
        ("home", "home()"),
        ("mv", "mv()"),  # which says how it is used
        ("ascan roby 0 1 10 .1 diode", "ascan(roby, 0, 1, 10, .1, diode)"),
        ("date", "date()"),
        ("sqrt 2", "sqrt(2)"),
        ("info robx", "info(robx)"),
        ("umvr robx -1 roby +.5", "umvr(robx, -1, roby, +.5)"),
        ("mv robx 1; wa", "mv(robx, 1); wa()"),
        ("wa;wa", "wa();wa()"),
        ("a = 2; wa", "a = 2; wa()"),
        (
            'ascan roby 0 1 10 .1 diode save=False title="a b"',
            'ascan(roby, 0, 1, 10, .1, diode, save=False, title="a b")',
        ),
        ("ascan roby 0 1 10 .1 save = False", "ascan(roby, 0, 1, 10, .1, save = False)"),
        ("robx.move 3", "robx.move(3)"),
        ("robx.stop", "robx.stop()"),
        ("robx.count", "robx.count()"),
        ("robx.known", "robx.known()"),
        ("robx.friend.stop", "robx.friend.stop()"),
        ("robx.friend.move -1", "robx.friend.move(-1)"),
        ("mv robx (1+2)*3", "mv(robx, (1+2)*3)"),
        ("mv robx 1 + 2", "mv(robx, 1 + 2)"),
        ("mv robx [1, 2][0]", "mv(robx, [1, 2][0])"),
        ("mv {robx: 1, roby: 2}", "mv({robx: 1, roby: 2})"),
        ("mv robx, 1,roby ,2", "mv(robx, 1, roby, 2)"),
        ("mv robx roby.position + 1", "mv(robx, roby.position + 1)"),
        ("mv 'robx' 1", "mv('robx', 1)"),
        ("mv robx f(1, 2)", "mv(robx, f(1, 2))"),
        ("wm *axes", "wm(*axes)"),
        ("wm *axes robx", "wm(*axes, robx)"),
        ("wm [robx, roby]", "wm([robx, roby])"),
        ("ct -1", "ct(-1)"),
        ("ct .1", "ct(.1)"),
        ("ct .1 # count", "ct(.1) # count"),
        ("wa # where", "wa() # where"),
        ("s = ascan roby 0 1 10 .1", "s = ascan(roby, 0, 1, 10, .1)"),
        ("  wa ", "  wa() "),
        ("print robx.position", "print(robx.position)"),
        ("print 'a;b' \"c # d\"", "print('a;b', \"c # d\")"),
        ('SAMPLE "ruby"', 'SAMPLE("ruby")'),
        ("ct 1 diod", "ct(1, diod)"),  # a better error than that of the syntax
    ],
)
def test_what_becomes_a_call(typed: str, meant: str) -> None:
    assert typed_call(typed, NAMES) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "a -1",
        "a",
        "axes [0]",
        "axes *2",
        "print",
        "Stage",
        "robx",
        "ascan",  # needs arguments
        "sin",
        "log",
        "pi",
        "info",
        "with bench(): wa()",
        "robx.move",
        "robx.position",
        "robx.position 3",
        "robx.nowhere 3",
        "robx.friend",
        "_kept",
        "wa?",
        "?wa",
        "wa ?",
        "wa()",
        "x = wa",
        "wa, wa",
        "wa - 1",
        "ct -home()",  # it would have been called
        "wa -1 if home() else 2",
        "wa = 3; wa",
        "from there import wa; wa",
        "def wa(): pass",
        "if True: wa",
        "wa if a else 3",
        "mv robx (1",
        "mv robx 'a",
        "mv robx ,, 1",
        "mv robx)(1",
        "mv lambda x: x",
        "mv robx for robx in axes",
        "for axis in axes: mv axis 1",
        "mv x=1 2",
        "nowhere 1 2",
        "a 1 2",
        "import wa wa",
        "not wa",
        "return wa",
        "wa\nwa",
        "for x in axes:\n    mv x 1\n",
        "'wa'",
        "# wa",
        "mv == wa",
        "((((" * 100,
        "mv \0",
        "mv robx 1é 3",
    ],
)
def test_what_stays(typed: str) -> None:
    assert typed_call(typed, NAMES) == typed


def test_a_name_within_a_line_break_at_its_end() -> None:
    assert typed_call("wa\n", NAMES) == "wa()\n"


WORDS = st.sampled_from(
    [*NAMES, "robx.move", "robx.position", "1", "-1", ".5", "+", "-", "*", "=", "==", ",", ";", " ", "  ", "(", ")", "[", "]"]
    + ["{", "}", "'a b'", '"', "'", "#", "x", "if", "else", "for", "in", "lambda", ":", "\n", "\t", "?", "\\", "**", "not", "@"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.lists(WORDS, max_size=12).map("".join), st.text())


@given(TEXTS)
def test_python_that_does_something_is_never_touched(text: str) -> None:
    meant = typed_call(text, NAMES)
    if meant == text:
        return
    assert parsed(meant.strip()) is not None
    tree = parsed(text.strip())
    for statement in tree.body if tree else ():
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Name | ast.Attribute):
            continue
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.BinOp | ast.Subscript):
            with pytest.raises(TypeError):
                eval(ast.unparse(statement), dict(NAMES) | {"x": 1})  # noqa: S307 - computes with a function
            continue
        assert ast.unparse(statement) in ast.unparse(parsed(meant.strip()) or ast.Module([], []))


@given(TEXTS)
def test_what_is_meant_means_itself(text: str) -> None:
    meant = typed_call(text, NAMES)
    assert typed_call(meant, NAMES) == meant
