"""`prdef`: how something is written, wherever that was: a file, a setup file, the prompt."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import textwrap
import types
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.numbers import brief
from bliss_like.errors import UsageError
from bliss_like.live.look import Role
from bliss_like.scanning.environment import environment

from .arguments import verb
from .look import look


@verb("function")
def prdef(obj: Any) -> None:
    """Show the source of a function, a method, a class or the class of an object, and where it is.

    :raises UsageError: it is not written in Python, or its file is gone.
    """
    if isinstance(obj, str):
        obj = _named(obj)
    written = _written(obj)
    file, line, text = _source(obj, written)
    place = f"{file}:{line}" if not file.startswith("<") else f"typed at the prompt, {file.strip('<>')}"
    print(look().paint(place, Role.DIM))
    print(_coloured(textwrap.dedent(text).rstrip()))


def _named(name: str) -> Any:
    names = environment.names()
    if name not in names:
        raise UsageError(f"expected a function or its name, the session has no {name!r}{did_you_mean(name, names)}")
    return names[name]


def _written(obj: Any) -> Any:
    """Return the function or class that is meant: what a decorator has wrapped, the function of a method or a property."""
    if isinstance(obj, functools.partial):
        obj = obj.func
    if isinstance(obj, property):
        obj = obj.fget
    obj = inspect.unwrap(obj) if callable(obj) else obj
    obj = getattr(obj, "__func__", obj) if isinstance(obj, types.MethodType) else obj
    obj = inspect.unwrap(obj) if callable(obj) else obj
    return obj if isinstance(obj, type | types.FunctionType) else type(obj)


def _source(obj: Any, written: Any) -> tuple[str, int, str]:
    """Return the file, the number of the first line, and the text.

    :raises UsageError: there is none.
    """
    try:
        lines, first = inspect.getsourcelines(written)
        return str(inspect.getsourcefile(written) or ""), max(first, 1), "".join(lines)
    except (OSError, TypeError):
        found = _class_by_its_methods(written) if isinstance(written, type) else None
    if found is None:
        why = "it is not written in Python" if _is_builtin(obj, written) else "its source is not there any more"
        raise UsageError(f"expected something with a source, got {brief(obj)}: {why}")
    return found


def _class_by_its_methods(cls: type[Any]) -> tuple[str, int, str] | None:
    """Find a class that was typed or loaded without a module, in the text that its methods come from."""
    files = [value.__code__.co_filename for value in vars(cls).values() if isinstance(value, types.FunctionType)]
    text = "".join(linecache.getlines(files[0])) if files else ""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return files[0], first, "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return None


def _is_builtin(obj: Any, written: Any) -> bool:
    return isinstance(obj, types.BuiltinFunctionType) or getattr(written, "__module__", "") == "builtins"


def _coloured(text: str) -> str:
    if not look().colours:
        return text
    from pygments import highlight  # type: ignore[import-untyped]  # takes its time to load
    from pygments.formatters import TerminalFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    return str(highlight(text, PythonLexer(), TerminalFormatter())).rstrip("\n")
