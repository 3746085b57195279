"""How the shell shows the value of a command."""

from __future__ import annotations

import shutil
import textwrap
from typing import Any


def shown(value: Any) -> str:
    """Return the text for a value: that of its `__info__()` if it has one, else its repr."""
    info = getattr(type(value), "__info__", None)  # asked of the class: a proxy may have any attribute
    return wrapped(str(info(value))) if callable(info) else repr(value)


def wrapped(text: str, columns: int | None = None) -> str:
    """Return a text with its lines broken between words where they are longer than the terminal is wide."""
    columns = columns or shutil.get_terminal_size().columns
    return "\n".join(_broken(line, columns) for line in text.split("\n"))


def _broken(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    return textwrap.fill(
        line, columns, replace_whitespace=False, expand_tabs=False, break_long_words=False, break_on_hyphens=False
    )


def output(prompt: str, value: Any) -> str:
    """Return the lines to print for the value of a command, aligned with the prompt if there is only one."""
    text = shown(value)
    has_room = len(prompt) + len(text) <= shutil.get_terminal_size().columns
    return f"{prompt}{text}" if has_room and "\n" not in text else f"{prompt}\n{text}"
