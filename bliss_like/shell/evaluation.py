"""What a typed command is: an expression with a value, statements, or a question."""

from __future__ import annotations

import linecache
from types import CodeType
from typing import Any

from bliss_like.config.table import Text
from bliss_like.session.protection import Names

from .display import asked_about, explained


class Leave:
    """`exit` and `quit`: leave the shell, with or without brackets."""

    def __call__(self) -> None:
        raise SystemExit

    def __repr__(self) -> str:
        return "Leave the shell: exit, quit or Ctrl-D"


def evaluate(text: str, names: Names, file: str) -> Any:
    """Run a command; return its value if it is an expression, the answer if it is a question, else None.

    :raises ProtectedName: it would have changed a name that the session protects.
    """
    asked = asked_about(text)
    if asked:
        return Text(explained(asked, names.run(compile(asked, file, "eval"))))
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # for tracebacks
    return names.run(_compiled_expression(text, file) or compile(text, file, "exec"))


def _compiled_expression(text: str, name: str) -> CodeType | None:
    """Return the code of an expression, or None: what its statements raise is to have no SyntaxError as its context."""
    try:
        return compile(text, name, "eval")
    except SyntaxError:
        return None
