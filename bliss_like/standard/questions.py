"""Questions to a person, and which answers they take. A question knows no terminal: who answers may be a script."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.numbers import as_float, brief
from bliss_like.errors import UsageError

__all__ = ["Check", "Choice", "Choices", "Message", "Number", "Question", "Several", "Text", "YesNo"]

Check = Callable[[Any], object]
"""Gets an answer and says what is wrong with it: by a text that it returns, by False, or by an exception."""


@dataclass(frozen=True)
class Question(ABC):
    """What is asked.

    :param question: as it is read; of a field in a form: what stands before it.
    """

    question: str

    @abstractmethod
    def accept(self, given: Any) -> Any:
        """Return the answer that is meant, by a text that was typed, or by a value.

        :raises UsageError: it is none; the message says what is expected.
        """

    @property
    @abstractmethod
    def expected(self) -> str:
        """What may be answered, in a few words; empty: anything."""

    def shown(self, answer: Any) -> str:
        """Return an answer as it is read."""
        return str(answer)

    @property
    def preset(self) -> Any:
        """What is answered unless something else is.

        :raises UsageError: nothing is.
        """
        default = getattr(self, "default", None)
        if default is None:
            raise UsageError(f"{self.question!r} has no default")
        return default

    @property
    def has_preset(self) -> bool:
        try:
            self.preset  # noqa: B018 - whether it can be had
        except UsageError:
            return False
        return True

    def _check_default(self) -> None:
        if getattr(self, "default", None) is None:
            return
        try:
            object.__setattr__(self, "default", self.accept(self.default))  # type: ignore[attr-defined]
        except UsageError as error:
            raise UsageError(f"{self.question!r}: default: {error}") from None


@dataclass(frozen=True)
class Message(Question):
    """Something that is to be read before it goes on."""

    @property
    def expected(self) -> str:
        return ""

    @property
    def preset(self) -> None:
        return None

    def accept(self, given: Any) -> None:
        return None

    def shown(self, answer: Any) -> str:
        return ""


@dataclass(frozen=True)
class YesNo(Question):
    """True or False."""

    default: bool | None = None

    def __post_init__(self) -> None:
        self._check_default()

    @property
    def expected(self) -> str:
        return "yes or no"

    def accept(self, given: Any) -> bool:
        if isinstance(given, str) and given.strip().lower() in _WORDS:
            return _WORDS[given.strip().lower()]
        if given is True or given is False:
            return bool(given)
        raise UsageError(f"expected yes or no, got {_came(given)}")

    def shown(self, answer: Any) -> str:
        return "yes" if answer else "no"


_WORDS = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


@dataclass(frozen=True)
class Number(Question):
    """A number within limits.

    :param integer: a whole one.
    """

    low: float | None = None
    high: float | None = None
    default: float | None = None
    unit: str = ""
    integer: bool = False

    def __post_init__(self) -> None:
        for place in ("low", "high"):
            limit = getattr(self, place)
            if limit is not None and not _is_finite(limit):
                raise UsageError(
                    f"{self.question!r}: {place}: expected a number, or None for no limit, got {brief(limit)}"
                )
        if self.low is not None and self.high is not None and self.low > self.high:
            raise UsageError(f"{self.question!r}: low must not be above high, got {self.low:g} and {self.high:g}")
        self._check_default()

    @property
    def expected(self) -> str:
        kind = "a whole number" if self.integer else "a number"
        if self.low is not None and self.high is not None:
            return f"{kind}, {self.low:.10g} to {self._with_unit(self.high)}"
        if self.low is not None:
            return f"{kind}, at least {self._with_unit(self.low)}"
        if self.high is not None:
            return f"{kind}, at most {self._with_unit(self.high)}"
        return f"{kind} in {self.unit}" if self.unit else kind

    def accept(self, given: Any) -> float:
        value = self._value(given)
        if self.low is not None and value < self.low:
            raise UsageError(f"{value:.10g} is below the low limit {self._with_unit(self.low)}")
        if self.high is not None and value > self.high:
            raise UsageError(f"{value:.10g} is above the high limit {self._with_unit(self.high)}")
        return value

    def shown(self, answer: Any) -> str:
        return self._with_unit(answer)

    def _value(self, given: Any) -> float:
        try:
            value = float(given.strip().removesuffix(self.unit)) if isinstance(given, str) else as_float(given)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if not math.isfinite(value) or (self.integer and value != int(value)):
            raise UsageError(f"expected {self.expected}, got {_came(given)}")
        return int(value) if self.integer else value

    def _with_unit(self, value: float) -> str:
        return f"{value:.10g} {self.unit}".rstrip()


def _came(given: Any) -> str:
    return brief(given) if given != "" else "nothing"


def _is_finite(limit: Any) -> bool:
    try:
        return math.isfinite(as_float(limit))
    except (TypeError, ValueError, OverflowError):
        return False


@dataclass(frozen=True)
class Text(Question):
    """A line of text.

    :param check: says what is wrong with it, see `Check`. It should be quick.
    """

    default: str = ""
    check: Check | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.default, str):
            raise UsageError(f"{self.question!r}: default: expected a text, got {brief(self.default)}")

    @property
    def expected(self) -> str:
        return ""

    @property
    def preset(self) -> str:
        return str(self.accept(self.default))

    def accept(self, given: Any) -> str:
        if not isinstance(given, str):
            raise UsageError(f"expected a text, got {brief(given)}")
        checked_by(self.check, given)
        return given


def checked_by(check: Check | None, answer: Any) -> None:
    """:raises UsageError: the check has something against the answer."""
    if check is None:
        return
    try:
        said = check(answer)
    except ValueError as error:  # also UsageError: it is said in the user's words
        raise UsageError(str(error)) from None
    except Exception as error:  # of the user's function: to be read where the answer is typed
        raise UsageError(f"the check failed: {type(error).__name__}: {error}") from error
    if said is False:
        raise UsageError(f"{brief(answer)} is not accepted")
    if isinstance(said, str) and said:
        raise UsageError(said)


Choices = Sequence[Any] | Mapping[str, Any]
"""A list, or {label: value}."""


@dataclass(frozen=True)
class _OfChoices(Question):
    choices: Choices

    values: Mapping[str, Any] = field(init=False, compare=False, repr=False)
    """By their labels."""

    def __post_init__(self) -> None:
        choices = self.choices
        if isinstance(choices, str) or not isinstance(choices, Iterable):
            raise UsageError(f"{self.question!r}: choices: expected a list or {{label: value}}, got {brief(choices)}")
        pairs = choices.items() if isinstance(choices, Mapping) else ((label_of(each), each) for each in choices)
        values = {str(label): value for label, value in pairs}
        if not values:
            raise UsageError(f"{self.question!r}: choices: expected at least one, got none")
        if len(values) < len(choices):
            raise UsageError(f"{self.question!r}: choices: two of them look the same: give {{label: value}}")
        object.__setattr__(self, "values", values)
        self._check_default()

    @property
    def expected(self) -> str:
        return f"one of {_listed(self.values)}"

    def _one(self, given: Any) -> Any:
        for value in self.values.values():
            if value is given or (type(value) is type(given) and bool(value == given)):
                return value
        label = str(given).strip()
        if label in self.values:
            return self.values[label]
        raise UsageError(f"expected {self.expected}, got {_came(given)}{did_you_mean(label, self.values)}")

    def label(self, answer: Any) -> str:
        """Return how an answer is called."""
        found = (label for label, value in self.values.items() if value is answer)
        return next(found, None) or label_of(answer)


def label_of(value: Any) -> str:
    """Return how a choice is called that has no label: objects by their names."""
    name = getattr(value, "name", None)
    return name if isinstance(name, str) and name else str(value)


def _listed(labels: Iterable[str], most: int = 8) -> str:
    labels = list(labels)
    return ", ".join(labels[:most]) + (f"... ({len(labels)} in all)" if len(labels) > most else "")


@dataclass(frozen=True)
class Choice(_OfChoices):
    """One of some values.

    :param default: a value, or its label.
    """

    default: Any = None

    def accept(self, given: Any) -> Any:
        return self._one(given)

    def shown(self, answer: Any) -> str:
        return self.label(answer)


@dataclass(frozen=True)
class Several(_OfChoices):
    """Any number of some values, in their order.

    :param default: those that are marked to begin with.
    """

    default: Iterable[Any] | None = ()

    @property
    def expected(self) -> str:
        return f"any of {_listed(self.values)}"

    def accept(self, given: Any) -> list[Any]:
        if isinstance(given, str):
            given = [label for label in (each.strip() for each in given.split(",")) if label]
        if isinstance(given, Mapping) or not isinstance(given, Iterable):
            raise UsageError(f"expected a list, {self.expected}, got {brief(given)}")
        chosen = [self._one(each) for each in given]
        return [value for value in self.values.values() if any(value is each for each in chosen)]

    @property
    def preset(self) -> list[Any]:
        return list(self.default or ())

    def shown(self, answer: Any) -> str:
        return ", ".join(map(self.label, answer)) or "none"
