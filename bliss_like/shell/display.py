"""How the shell shows the value of a command."""

from __future__ import annotations

import inspect
import pprint
import re
import shutil
import textwrap
from typing import Any

from bliss_like.scans.command import usage

_QUESTION = re.compile(r"\s*(?:\?\s*(?P<before>[\w.]+)|(?P<after>[\w.]+)\s*\?)\s*")
MOST_ITEMS = 1000
"""Longer lists are not laid out: it takes long."""


def shown(value: Any) -> str:
    """Return the text for a value: that of its `__info__()` if it has one, else its repr, of a long list in several lines."""
    info = getattr(type(value), "__info__", None)  # asked of the class: a proxy may have any attribute
    if callable(info):
        return wrapped(str(info(value)))
    columns = shutil.get_terminal_size().columns
    if isinstance(value, dict | list | tuple | set) and len(value) <= MOST_ITEMS and len(repr(value)) > columns:
        return pprint.pformat(value, width=columns, sort_dicts=False)
    return repr(value)


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


def asked_about(text: str) -> str:
    """Return what `ascan?` or `?ascan` ask about; empty when the text is no such question."""
    question = _QUESTION.fullmatch(text)
    return question["before"] or question["after"] if question else ""


def explained(name: str, value: Any) -> str:
    """Return how something is called and what it does; of a device, how it is, too."""
    if callable(value):
        try:
            how = getattr(value, "usage", None) or usage(name, inspect.signature(value))
        except (TypeError, ValueError):  # some builtins have none
            how = name
    else:
        how = shown(value)
    more = "" if type(value).__module__ == "builtins" and not callable(value) else inspect.getdoc(value)
    return "\n\n".join(wrapped(text) for text in (how, more) if text)
