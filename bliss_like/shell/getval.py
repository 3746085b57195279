"""`bliss.shell.getval`: questions by the names of BLISS. New macros ask by `ask_number` and its relatives.

`ki_default` is what is returned when the question is left with Escape. Ctrl-C ends the command.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from bliss_like.errors import Cancelled, UsageError
from bliss_like.live.look import Role
from bliss_like.standard.dialogs import ask_choice, ask_number, ask_text, ask_yes_no
from bliss_like.standard.look import look
from bliss_like.standard.waiting import clear

__all__ = [
    "bold",
    "clear",
    "getval_char_list",
    "getval_float",
    "getval_float_range",
    "getval_idx_list",
    "getval_int",
    "getval_int_range",
    "getval_name",
    "getval_text",
    "getval_yes_no",
    "subtitle",
    "title",
]

T = TypeVar("T")
_NONE: Any = object()


def _getval(function: Callable[..., T]) -> Callable[..., T]:
    """Give a question the keywords that all of them have."""

    @functools.wraps(function)
    def asked(*args: Any, ki_default: Any = _NONE, clear_screen: bool = False, **kwargs: Any) -> T:
        if clear_screen:
            clear()
        try:
            return function(*args, **kwargs)
        except Cancelled:
            if ki_default is _NONE:
                raise
            given: T = ki_default
            return given

    return asked


@_getval
def getval_yes_no(message: str, default: bool | str | None = None) -> bool:
    """Return True for yes."""
    if isinstance(default, str):
        default = default.lower().startswith("y")
    return ask_yes_no(message, default)


@_getval
def getval_text(message: str, default: str | None = None) -> str:
    """Return a line of text."""
    return ask_text(message, default or "")


@_getval
def getval_name(message: str, default: str | None = None) -> str:
    """Return a name: letters, digits and `_`, no digit first."""

    def check(name: str) -> str:
        return "" if name.isidentifier() else "expected a name: letters, digits and _, no digit first"

    return ask_text(message, default or "", check)


@_getval
def getval_int(message: str, default: int | None = None) -> int:
    return int(ask_number(message, default=default, integer=True))


@_getval
def getval_int_range(
    message: str, minimum: float | None = None, maximum: float | None = None, default: int | None = None
) -> int:
    return int(ask_number(message, minimum, maximum, default, integer=True))


@_getval
def getval_float(
    message: str, minimum: float | None = None, maximum: float | None = None, default: float | None = None
) -> float:
    return ask_number(message, minimum, maximum, default)


getval_float_range = getval_float


@_getval
def getval_idx_list(
    choices_list: Iterable[Any], message: str | None = None, default: int | None = None
) -> tuple[int, Any]:
    """Return the number of a choice, from 1, and the choice."""
    numbered = dict(enumerate(choices_list, 1))
    chosen = _choose(message or "Enter number of item", numbered, default)
    return chosen, numbered[chosen]


@_getval
def getval_char_list(
    char_choice_list_or_dict: Mapping[str, Any] | Iterable[tuple[str, Any]],
    message: str | None = None,
    default: str | None = None,
) -> tuple[str, Any]:
    """Return the character of a choice, and the choice; they are pairs of both."""
    choices = dict(char_choice_list_or_dict)
    chosen = _choose(message or "Enter letter of choice", choices, default)
    return chosen, choices[chosen]


def _choose(message: str, choices: Mapping[Any, Any], default: Any) -> Any:
    if default is not None and default not in choices:
        raise UsageError(f"default: expected one of {', '.join(map(str, choices))}, got {default!r}")
    return ask_choice(message, {f"{key} - {text}": key for key, text in choices.items()}, default)


def title(message: str) -> None:
    """Print a title."""
    print(f"\n{bold(message)}\n{'=' * len(message)}")


def subtitle(message: str) -> None:
    print(f"\n{bold(message)}")


def bold(text: str) -> str:
    """Return a text that a terminal shows in bold."""
    return look().paint(text, Role.HEADING)
