"""Formulas in the syntax of numpy, for one point each: `where(mon > 100, det / mon, nan)`, `sum(image[10:20])`.

A formula is read by Python's parser and then by our own rules, which know numbers, names and the functions below. Nothing of
it is ever executed by Python, so a YAML file can calculate and do nothing else. (numexpr, the obvious alternative, hands its
text to Python's `eval` behind a filter that has been got round: CVE-2023-39631, numexpr's pull request 564.)

A name stands for a block of points, shape (npoints, *shape of one). What is written is meant for one point: `mean(spectrum)` is
one number a point, and a number times an image is an image.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from bliss_like.config.suggestion import did_you_mean

Array = np.ndarray[Any, Any]
Values = Mapping[str, Any]
Step = Callable[[Values], Any]

LONGEST = 2000
"""Characters of a formula."""
DEEPEST = 250
"""Levels of its nesting; each takes some of Python's stack when it is calculated."""

ELEMENTWISE = {
    name: getattr(np, name)
    for name in (
        "abs absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil clip cos cosh deg2rad degrees exp "
        "expm1 fabs floor fmax fmin fmod hypot isfinite isinf isnan log log10 log1p log2 logical_and logical_not logical_or "
        "maximum minimum mod nan_to_num power rad2deg radians rint sign sin sinh sqrt tan tanh trunc where"
    ).split()
}
"""Functions of numpy that make one value of each value."""

REDUCING = {
    name: getattr(np, name)
    for name in (
        "argmax argmin max mean median min nanmax nanmean nanmedian nanmin nanstd nansum prod ptp std sum var"
    ).split()
}
"""Functions of numpy that make one value of a spectrum or an image; with `axis=` of one row or column of it."""

NUMBERS = {"pi": np.pi, "e": np.e, "nan": np.nan, "inf": np.inf}

_NARGS = {"where": 3, "clip": 3, "nan_to_num": 1}
"""Of the functions that do not tell."""
_NUMPY = ("np", "numpy")
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
    ast.BitAnd: np.bitwise_and,
    ast.BitOr: np.bitwise_or,
    ast.BitXor: np.bitwise_xor,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
    ast.Invert: np.invert,
    ast.Not: np.logical_not,
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_BITS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Invert)
_NUMERIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.UAdd, ast.USub)


class Expression:
    """One formula, ready to calculate blocks of points.

    :param names: what it may speak of.
    :raises ValueError: it is no formula, or speaks of something else; the message says what is wrong, and where.
    """

    def __init__(self, text: str, names: Iterable[str] | None = None) -> None:
        self.text = str(text)
        self.names: set[str] = set()
        """Those that it speaks of, without pi and the like."""
        if len(self.text) > LONGEST:
            raise ValueError(f"expected at most {LONGEST} characters, came {len(self.text)}")
        try:
            tree = ast.parse(self.text.strip(), mode="eval")
            if _depth(tree) > DEEPEST:
                raise RecursionError
            self._calculate = self._step(tree.body)
        except SyntaxError as error:
            raise ValueError(f"{self.text!r} is no formula: {error.msg}, at character {error.offset}") from None
        except (RecursionError, MemoryError):
            raise ValueError(f"{self.text!r:.60} is nested too deeply") from None
        if names is not None:
            self.check(names)

    def check(self, names: Iterable[str]) -> None:
        """:raises ValueError: it speaks of something that is not among `names`."""
        known = list(names)
        for name in sorted(self.names):
            if name not in known and name not in NUMBERS:
                meant = did_you_mean(name, [*known, *NUMBERS])
                raise ValueError(
                    f"unknown name {name!r}{meant}; there are {', '.join([*known, *NUMBERS])}, and functions of numpy"
                )

    def __call__(self, values: Values) -> Array:
        """Return a block of points, shape (npoints, *shape of one), as float64.

        :param values: by name: blocks of points, and constants; at least one block.
        """
        with np.errstate(all="ignore"):  # what cannot be divided is inf or nan, as everywhere in data
            result = np.asarray(self._calculate({**NUMBERS, **values}), float)
        if result.ndim:
            return result
        npoints = max(len(value) for value in values.values() if np.ndim(value))
        return np.full(npoints, result)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    # -- reading -----------------------------------------------------------------------------------------------------

    def _step(self, node: ast.expr) -> Step:
        """Return what calculates one part of the formula."""
        match node:
            case ast.Constant(value=bool() | int() | float() as value):
                return _constant(value)
            case ast.Name(id=name):
                self.names.add(name)
                return lambda values: values[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return _applied(_operator(op), self._step(left), self._step(right))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                return _applied(_operator(op), self._step(operand))
            case ast.BoolOp(op=op, values=parts):
                return _chained(_operator(op), [self._step(part) for part in parts])
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return _applied(np.where, self._step(test), self._step(body), self._step(orelse))
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=value, slice=index):
                return _part(self._step(value), _indices(index))
            case ast.Attribute(value=ast.Name(id=module), attr=attribute) if module in _NUMPY and attribute in NUMBERS:
                return lambda values: NUMBERS[attribute]
        raise ValueError(f"{ast.unparse(node)!r}: expected numbers, names, operators and functions of numpy only")

    def _comparison(self, node: ast.Compare) -> Step:
        parts = [self._step(part) for part in (node.left, *node.comparators)]
        if not all(type(op) in _OPERATORS for op in node.ops):
            raise ValueError(f"{ast.unparse(node)!r}: expected a comparison by < <= > >= == !=")
        pairs = zip(node.ops, parts, parts[1:], strict=False)
        return _chained(np.logical_and, [_applied(_operator(op), left, right) for op, left, right in pairs])

    def _call(self, node: ast.Call) -> Step:
        match node.func:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name):
                pass
            case _:
                raise ValueError(f"{ast.unparse(node.func)!r}: expected the name of a function, such as sqrt")
        if name not in ELEMENTWISE and name not in REDUCING:
            known = [*ELEMENTWISE, *REDUCING]
            raise ValueError(
                f"unknown function {name!r}{did_you_mean(name, known)}; there are {', '.join(sorted(known))}"
            )
        steps = [self._step(argument) for argument in node.args]
        if name in ("min", "max") and len(steps) > 1 and not node.keywords:
            return _chained(np.minimum if name == "min" else np.maximum, steps)
        if name in REDUCING:
            return _reduced(name, node, steps)
        if node.keywords:
            raise ValueError(f"{ast.unparse(node)!r}: {name} takes no keywords")
        function = ELEMENTWISE[name]
        expected = getattr(function, "nin", 0) or _NARGS[name]
        if len(steps) != expected:
            raise ValueError(
                f"{ast.unparse(node)!r}: {name} takes {expected} value{'s' * (expected > 1)}, came {len(steps)}"
            )
        return _applied(_of_floats(function), *steps)


def _depth(tree: ast.AST) -> int:
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _constant(value: float) -> Step:
    try:
        number = value if isinstance(value, bool) else float(value)
    except OverflowError:
        number = np.inf
    return lambda values: number


def _operator(op: ast.AST) -> Callable[..., Any]:
    function = _OPERATORS[type(op)]
    if isinstance(op, _BITS):
        return _of_bits(function)
    return _of_floats(function) if isinstance(op, _NUMERIC) else function


def _of_floats(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *parts: function(*map(_as_floats, parts))


def _of_bits(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what combines bits; NaN has none, and stays what it is."""

    def combined(*parts: Any) -> Any:
        bits = [_as_bits(part) for part in parts]
        if any(each.dtype == np.uint64 for each in bits):  # which has no common type with what has a sign
            bits = [each.astype(np.uint64) for each in bits]
        unknown = [np.isnan(part) for part in parts if np.asarray(part).dtype.kind == "f"]
        result = function(*bits)
        return np.where(np.logical_or.reduce(np.broadcast_arrays(*unknown)), np.nan, result) if unknown else result

    return combined


def _as_floats(value: Any) -> Any:
    """Return something to calculate with: whole numbers of a detector run over, have no sign, and make floats of 16 bits."""
    return value.astype(float) if isinstance(value, np.ndarray) and value.dtype.kind in "biu" else value


def _as_bits(value: Any) -> Array:
    """Return something whose bits can be combined: whole numbers that are kept as floats are such a thing."""
    values = np.asarray(value)
    return values if values.dtype.kind in "biu" else values.astype(np.int64)


def _aligned(parts: list[Any]) -> list[Any]:
    """Give blocks as many dimensions as the largest has, behind the axis of the points: a number fits an image."""
    ndim = max(map(np.ndim, parts))
    return [
        part.reshape(part.shape[0], *(1,) * (ndim - part.ndim), *part.shape[1:]) if 0 < np.ndim(part) < ndim else part
        for part in parts
    ]


def _applied(function: Callable[..., Any], *steps: Step) -> Step:
    if len(steps) == 1:
        return lambda values: function(steps[0](values))
    return lambda values: function(*_aligned([step(values) for step in steps]))


def _chained(function: Callable[..., Any], steps: list[Step]) -> Step:
    chained = steps[0]
    for step in steps[1:]:
        chained = _applied(function, chained, step)
    return chained


def _reduced(name: str, node: ast.Call, steps: list[Step]) -> Step:
    if len(steps) != 1 or any(keyword.arg != "axis" for keyword in node.keywords):
        raise ValueError(f"{ast.unparse(node)!r}: {name} takes one value, and perhaps axis=0 or axis=1")
    axis = _whole(node.keywords[0].value) if node.keywords else None
    function, step = REDUCING[name], steps[0]

    def reduce(values: Values) -> Any:
        block = np.asarray(step(values))
        if block.ndim < 2:
            block = block.reshape(*block.shape, 1) if block.ndim else block.reshape(1, 1)
        if name == "ptp":
            block = _as_floats(block)
        if axis is None:
            return function(block.reshape(len(block), -1), axis=1)
        if not 1 - block.ndim <= axis < block.ndim - 1:
            raise ValueError(f"{name}: axis={axis} of a point with {block.ndim - 1} dimensions")
        return function(block, axis=axis + 1 if axis >= 0 else axis)

    return reduce


def _indices(node: ast.expr) -> tuple[int | slice, ...]:
    """Return what `[10:20, 5]` chooses of one point."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(
        slice(*(None if part is None else _whole(part) for part in (each.lower, each.upper, each.step)))
        if isinstance(each, ast.Slice)
        else _whole(each)
        for each in parts
    )


def _whole(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
    raise ValueError(f"{ast.unparse(node)!r}: expected a whole number here")


def _part(step: Step, index: tuple[int | slice, ...]) -> Step:
    return lambda values: np.asarray(step(values))[(slice(None), *index)]
