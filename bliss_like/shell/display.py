"""How the shell shows the value of a command."""

from __future__ import annotations

from typing import Any


def shown(value: Any) -> str:
    """Return the text for a value: that of its `__info__()` if it has one, else its repr."""
    info = getattr(type(value), "__info__", None)  # asked of the class: a proxy may have any attribute
    return str(info(value)) if callable(info) else repr(value)


def output(prompt: str, value: Any) -> str:
    """Return the lines to print for the value of a command, aligned with the prompt if there is only one."""
    text = shown(value)
    return f"{prompt}\n{text}" if "\n" in text else f"{prompt}{text}"
