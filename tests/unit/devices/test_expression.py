"""Formulas of YAML: what they calculate, and all that they refuse."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.devices.expression import ELEMENTWISE, LONGEST, NUMBERS, REDUCING, Expression

A, B = np.array([1.0, 2.0, 3.0]), np.array([4.0, 0.0, 2.0])
IMAGE = np.arange(18, dtype=np.uint8).reshape(3, 2, 3)
VALUES = {"a": A, "b": B, "m": 2.0, "image": IMAGE, "bits": np.array([1, 2, 3], np.uint8)}
VALUES |= {"small": np.array([-128, 1, 100], np.int8), "tall": np.array([[-100, 100]] * 3, np.int8)}
VALUES |= {"large": np.array([1, 2, 2**64 - 1], np.uint64), "holed": np.array([1.0, np.nan, 3.0])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a / b", [0.25, np.inf, 1.5]),
        ("where(b > 0, a / b, nan)", [0.25, np.nan, 1.5]),
        ("a / b if b > 0 else nan", [0.25, np.nan, 1.5]),
        (" m*a + 1 ", [3, 5, 7]),
        ("-a**2 // 2 % 3", [2, 1, 1]),
        ("2 ** 0.5", [2**0.5] * 3),
        ("np.sqrt(a) + numpy.pi", np.sqrt(A) + np.pi),
        ("log(a - 2)", [np.nan, -np.inf, 0]),
        ("1 < a <= 3", [0, 1, 1]),
        ("a > 1 and b < 3 or not a", [0, 1, 1]),
        ("(a > 1) & ~(b < 1)", [0, 0, 1]),
        ("bits & 1 | 4", [5, 4, 5]),
        ("bits - 2", [-1, 0, 1]),
        ("min(a, b) + max(a, b, 2)", [5, 2, 5]),
        ("clip(a, 1.5, m)", [1.5, 2, 2]),
        ("sum(image) / m", IMAGE.sum(axis=(1, 2)) / 2),
        ("max(image[:, 1:])", [5, 11, 17]),
        ("image[0, -1]", [2, 8, 14]),
        ("mean(image, axis=0)", IMAGE.mean(axis=1)),
        ("mean(image, axis=-1)", IMAGE.mean(axis=2)),
        ("image * a", IMAGE * A[:, None, None]),
        ("image - mean(image, axis=0)", IMAGE - IMAGE.mean(axis=1)[:, None, :]),
        ("image - 10", IMAGE.astype(float) - 10),
        ("sum(a)", A),
        ("e", [np.e] * 3),
        ("abs(small)", [128, 1, 100]),
        ("hypot(small, small)", np.hypot([128.0, 1, 100], [128.0, 1, 100])),
        ("ptp(tall)", [200, 200, 200]),
        ("large & 1", [1, 0, 1]),
        ("large & 4294967295", [1, 2, 2**32 - 1]),
        ("holed & 1", [1, np.nan, 1]),
        ("~holed", [-2, np.nan, -4]),
    ],
)
def test_what_they_calculate(text: str, expected: Any) -> None:
    result = Expression(text, VALUES)(VALUES)
    assert result.dtype == float
    np.testing.assert_allclose(result, expected)


@pytest.mark.parametrize("text", ["a" + "+a" * 220, "a" + "+a" * 800, "-" * 240 + "a", "-" * 900 + "a"])
def test_what_is_read_can_be_calculated(text: str) -> None:
    """However deep it is: else the first point of a scan would say so."""
    try:
        formula = Expression(text, VALUES)
    except ValueError as error:
        assert "nested too deeply" in str(error)
        assert len(text) > 500
    else:
        np.testing.assert_allclose(np.abs(formula(VALUES)), A * max(1, text.count("a")))


@pytest.mark.parametrize("text", ["sum(image, axis=-3)", "sum(image, axis=2)", "sum(a, axis=-2)"])
def test_an_axis_is_none_of_the_points(text: str) -> None:
    with pytest.raises(ValueError, match="axis"):
        Expression(text, VALUES)(VALUES)


def test_an_input_may_be_called_like_a_number() -> None:
    assert Expression("e + pi", ["e"])({"e": A}).tolist() == (A + np.pi).tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("io / a", "unknown name 'io'; there are a, b, m, image, bits, .*pi, e, nan, inf, and functions of numpy"),
        ("imag + 1", "unknown name 'imag', did you mean 'image'"),
        ("sqr(a)", "unknown function 'sqr', did you mean 'sqrt'"),
        ("a +", "'a \\+' is no formula: invalid syntax"),
        ("", "is no formula"),
        ("a := 3", "is no formula"),
        ("sqrt(a, b)", "'sqrt\\(a, b\\)': sqrt takes 1 value, came 2"),
        ("where(a)", "where takes 3 values, came 1"),
        ("sqrt(a, out=b)", "sqrt takes no keywords"),
        ("sqrt(*a)", "expected numbers, names"),
        ("sum(a, b)", "sum takes one value, and perhaps axis"),
        ("sum(a, out=b)", "sum takes one value, and perhaps axis"),
        ("sum(a, axis=m)", "'m': expected a whole number here"),
        ("a[b]", "'b': expected a whole number here"),
        ("a @ b", "expected numbers, names, operators and functions of numpy only"),
        ("a in b", "expected a comparison by"),
        ("'a'", "expected numbers, names"),
        ("1j * a", "expected numbers, names"),
        ("a.real", "'a.real': expected numbers, names"),
        ("np.load", "'np.load': expected numbers, names"),
        ("np.load('x')", "unknown function 'load'"),
        ("a" * (LONGEST + 1), f"expected at most {LONGEST} characters, came {LONGEST + 1}"),
        ("-" * 1900 + "a", "nested too deeply|is no formula"),
    ],
)
def test_what_they_refuse(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Expression(text, VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__.__base__.__subclasses__()",
        "a.__class__",
        "a.__array_interface__",
        "(lambda: a)()",
        "[x for x in a]",
        "{1: 2}[1]",
        "f'{a}'",
        "open('x')",
        "eval('1')",
        "np.core.sys.modules",
        "np.sqrt.__self__",
        "sum.__globals__",
        "a[(lambda: 0)()]",
        "a[[].append(1)]",
        "where(a, b, __builtins__)",
        "(yield)",
        "await a",
        "a if (b := 1) else 2",
    ],
)
def test_python_gets_nothing_to_execute(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        Expression(text, VALUES)


def test_large_numbers_end_at_once() -> None:
    assert Expression("9**9**9**9 + " + "9" * 1000)({"a": A}).tolist() == [np.inf] * 3


@given(st.text(alphabet="ab+-*/().,[]:<>=&|~ _0123456789e'\"sqrtumnpawhel\\\n{}@!;", max_size=40))
def test_whatever_is_typed(text: str) -> None:
    """It is refused with a ValueError, or made of names that are known."""
    try:
        expression = Expression(text, VALUES)
    except ValueError:
        return
    names = {node.id for node in ast.walk(ast.parse(text.strip())) if isinstance(node, ast.Name)}
    assert names <= {*VALUES, *NUMBERS, *ELEMENTWISE, *REDUCING, "np", "numpy"}
    assert expression.names <= {*VALUES, *NUMBERS}
