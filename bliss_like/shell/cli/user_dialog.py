"""`bliss.shell.cli.user_dialog`: what dialogs are made of. New macros ask by `ask_form` and its relatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bliss_like.errors import UsageError
from bliss_like.standard.questions import Choice, Message, Number, Question, Several, Text, YesNo

__all__ = [
    "Container",
    "UserCheckBox",
    "UserCheckBoxList",
    "UserChoice",
    "UserFileInput",
    "UserFloatInput",
    "UserInput",
    "UserIntInput",
    "UserMsg",
    "UserYesNo",
    "Validator",
]


class Validator:
    """Calls `func(text, *args)`, which raises what is wrong."""

    def __init__(self, func: Callable[..., object], *args: Any) -> None:
        self.func, self.args = func, args

    def __call__(self, text: str) -> None:
        try:
            self.func(text, *self.args)
        except Exception as error:  # any is an objection
            raise UsageError(str(error) or type(error).__name__) from None


@dataclass(kw_only=True, eq=False)
class _UserDialog(ABC):
    """One element. How texts are aligned is the terminal's affair.

    :param name: under which the answer is found, beside the element itself.
    """

    label: str | None = ""
    name: str | None = None
    text_align: Any = None
    text_expand: bool = False

    @abstractmethod
    def question(self, label: str) -> Question:
        """Return what is asked."""


@dataclass(eq=False)
class UserMsg(_UserDialog):
    label: str | None = ""

    def question(self, label: str) -> Question:
        return Message(label)


@dataclass(eq=False)
class UserYesNo(_UserDialog):
    label: str | None = ""
    defval: bool | None = None

    def question(self, label: str) -> Question:
        return YesNo(label, None if self.defval is None else bool(self.defval))


@dataclass(eq=False)
class UserCheckBox(_UserDialog):
    label: str | None = ""
    defval: bool = False

    def question(self, label: str) -> Question:
        return YesNo(label, bool(self.defval))


@dataclass(eq=False)
class UserInput(_UserDialog):
    label: str | None = ""
    defval: Any = ""
    validator: Callable[[str], object] | None = None
    completer: Sequence[str] | None = None

    def question(self, label: str) -> Question:
        return Text(label, "" if self.defval is None else str(self.defval), self.validator)


class UserFileInput(UserInput):
    """The path of a file."""


@dataclass(eq=False)
class UserFloatInput(_UserDialog):
    label: str | None = ""
    defval: float | None = 0.0
    minimum: float | None = None
    maximum: float | None = None

    def question(self, label: str) -> Question:
        return Number(label, self.minimum, self.maximum, self.defval)


@dataclass(eq=False)
class UserIntInput(UserFloatInput):
    defval: float | None = 0

    def question(self, label: str) -> Question:
        return Number(label, self.minimum, self.maximum, self.defval, integer=True)


@dataclass(eq=False)
class UserChoice(_UserDialog):
    """:param values: (value, label) of each.
    :param defval: the number of one, from 0; or a value."""

    values: Sequence[tuple[Any, Any]] = ()
    defval: Any = 0
    label: str | None = ""

    def question(self, label: str) -> Question:
        values = [value for value, _ in self.values]
        is_number = isinstance(self.defval, int) and 0 <= self.defval < len(values)
        return Choice(label, _by_label(self.values), values[self.defval] if is_number else self.defval)


@dataclass(eq=False)
class UserCheckBoxList(_UserDialog):
    """:param values: (value, label) of each.
    :param defval: the values that are checked to begin with."""

    label: str | None = ""
    values: Sequence[tuple[Any, Any]] = ()
    defval: Sequence[Any] | None = None

    def question(self, label: str) -> Question:
        return Several(label, _by_label(self.values), list(self.defval or ()))


@dataclass(eq=False)
class Container:
    """Elements that belong together, below a title. How they stand is the terminal's affair."""

    dlgs_list: Sequence[_UserDialog]
    title: str | None = None
    border: int = 0
    padding: int = 0
    splitting: str = "h"


def _by_label(values: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    return {str(label): value for value, label in values}
