"""The typing helper: `ascan roby 0 1 10 .1 diode` becomes a call, and so does `wa`.

Only what does nothing by itself is changed: text that is no Python, the bare name of a function that needs no argument, and
an operator between a function and something else, which can only fail (`wm *axes`). What comes out is always Python.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from .display import asked_about
from .names import Called, called
from .typed import DOTTED, pieces, split_assignment, split_head, statements

UNREADABLE = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)
"""What compiling a text may raise."""
_HAS_EFFECT = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)


def typed_call(text: str, namespace: Mapping[str, Any]) -> str:
    """Return what a typed line means: with the brackets and commas of calls, or as it is. Nothing is raised or evaluated."""
    if "\n" in text.strip() or asked_about(text):
        return text
    parts, comment = statements(text)
    bound = set(_bound(parts))
    made = [_with_space(part, _meant(part.strip(), namespace, bound)) for part in parts]
    result = ";".join(made) + comment
    return result if made != parts and parsed(result.strip()) is not None else text


def parsed(text: str) -> ast.Module | None:
    """Return the syntax tree of a text; None when it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come when it runs
        try:
            return ast.parse(text) if compile(text, "<typed>", "exec", dont_inherit=True) else None
        except UNREADABLE:
            return None


def _with_space(part: str, meant: str) -> str:
    before, after = len(part) - len(part.lstrip()), len(part.rstrip())
    return f"{part[:before]}{meant}{part[after:]}" if meant else part


def _meant(statement: str, namespace: Mapping[str, Any], bound: set[str]) -> str:
    tree = parsed(statement)
    if tree is None:
        return _with_brackets(statement, namespace, bound)
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return statement
    expression = tree.body[0].value
    if re.fullmatch(DOTTED, statement):
        function = _function(statement, namespace, bound)
        return f"{statement}()" if function and function.needs_nothing else statement
    return _with_brackets(statement, namespace, bound) if _must_fail(expression, statement, namespace) else statement


def _with_brackets(statement: str, namespace: Mapping[str, Any], bound: set[str]) -> str:
    assigned, rest = split_assignment(statement)
    name, typed = split_head(rest)
    first = name.partition(".")[0]
    if not name or keyword.iskeyword(first) or first in bound or called(name, namespace) is None:
        return statement
    arguments = pieces(typed)
    if not arguments[-1]:
        del arguments[-1]
    call = f"{name}({', '.join(arguments)})"
    return f"{assigned}{call}" if all(arguments) and _is_call(call, len(arguments)) else statement


def _is_call(text: str, count: int) -> bool:
    """Whether it is one call with so many arguments: brackets that were typed might have closed it, and opened others."""
    tree = parsed(text)
    expression = tree.body[0] if tree and len(tree.body) == 1 else None
    call = expression.value if isinstance(expression, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name | ast.Attribute)
        and len(call.args) + len(call.keywords) == count
    )


def _function(name: str, namespace: Mapping[str, Any], bound: set[str]) -> Called | None:
    """Return the function of the session, or the method, that a name stands for."""
    if name.partition(".")[0] in bound or name.rpartition(".")[2].startswith("_"):
        return None
    found = called(name, namespace, with_builtins=False)
    return found if found is not None and found.is_function else None


def _must_fail(expression: ast.expr, statement: str, namespace: Mapping[str, Any]) -> bool:
    """Whether it computes with a function: `wm *axes`, `home -1`; and does nothing else."""
    name, typed = split_head(statement)
    if not name or typed[0] not in "+-*[" or typed[1:2].isspace():
        return False
    first = expression
    while isinstance(first, ast.BinOp | ast.Subscript):
        first = first.left if isinstance(first, ast.BinOp) else first.value
    if first is expression or ast.unparse(first) != name or _function(name, namespace, set()) is None:
        return False
    return not any(isinstance(node, _HAS_EFFECT) for node in ast.walk(expression))


def _bound(parts: list[str]) -> Iterator[str]:
    """Yield the names that the statements of a line give to something else before others of them use these."""
    for part in parts:
        assigned, _ = split_assignment(part)
        yield assigned.partition("=")[0].strip()
        tree = parsed(part.strip())
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                yield node.id
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.alias):
                yield (node.asname or node.name).partition(".")[0]
