"""How the shell shows the value of a command."""

from __future__ import annotations

import inspect
import pprint
import re
import shutil
from typing import Any

from bliss_like.live.look import cells, wrapped
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


def sentences(*parts: str, columns: int | None = None) -> str:
    """Return sentences one after the other; one that would be broken by the end of the line begins a line of its own."""
    columns = columns or shutil.get_terminal_size().columns
    lines: list[str] = []
    for part in parts:
        if lines and cells(lines[-1]) + 1 + cells(part) <= columns:
            lines[-1] += f" {part}"
        else:
            lines += wrapped(part, columns).split("\n")
    return "\n".join(lines)


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
    return "\n\n".join(text for text in (wrapped(how) if how else "", _reflowed(more or "")) if text)


def _reflowed(doc: str, columns: int | None = None) -> str:
    """Return a docstring as wide as the terminal: lines that its author has broken are joined, but those of blocks and lists."""
    columns = columns or shutil.get_terminal_size().columns
    paragraphs = []
    for paragraph in doc.split("\n\n"):
        items = re.split(r"\n(?=[:*|-])", paragraph)
        is_laid_out = "\n " in f"\n{paragraph}" and not paragraph.startswith(":")
        items = [paragraph] if is_laid_out else [" ".join(item.split()) for item in items]
        paragraphs.append("\n".join(wrapped(item, columns, "    " if item[:1] == ":" else "") for item in items))
    return "\n\n".join(paragraphs)
