"""Forms: several questions that are answered at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.numbers import brief
from bliss_like.errors import UsageError

from .questions import Check, Choice, Number, Question, Text, YesNo, checked_by


@dataclass(frozen=True)
class Form(Question):
    """Fields by their names, in groups; the answer is {name: answer}.

    A field is a question, or an example of its answer: 0.1 (a number), True (yes or no), "lysozyme" (a text), ["a", "b"] (one of
    these); a mapping is a group of fields, its name the heading.

    :param check: gets the answers, and says what is wrong with them together, see `Check`.
    """

    fields: Mapping[str, Any]
    check: Check | None = None

    groups: Mapping[str, Mapping[str, Question]] = field(init=False, compare=False, repr=False)
    """The questions by heading and name; those of no group have an empty heading."""

    def __post_init__(self) -> None:
        if not isinstance(self.fields, Mapping) or not self.fields:
            raise UsageError(f"{self.question!r}: fields: expected {{name: question}}, got {brief(self.fields)}")
        groups: dict[str, dict[str, Question]] = {}
        for name, given in self.fields.items():
            group = given if isinstance(given, Mapping) else {name: given}
            found = groups.setdefault(str(name) if isinstance(given, Mapping) else "", {})
            for each, asked in group.items():
                if any(each in others for others in groups.values()):
                    raise UsageError(f"{self.question!r}: there are two fields {each!r}; each needs a name of its own")
                found[each] = _question(self.question, each, asked)
        object.__setattr__(self, "groups", groups)

    @property
    def expected(self) -> str:
        return f"answers to {', '.join(self.questions)}"

    @property
    def questions(self) -> dict[str, Question]:
        """All fields."""
        return dict(self._all())

    @property
    def preset(self) -> dict[str, Any]:
        return self.accept({})

    def accept(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise UsageError(f"expected {{name: answer}}, {self.expected}, got {brief(given)}")
        questions = self.questions
        for name in given:
            if name not in questions:
                known = ", ".join(questions)
                raise UsageError(f"there is no field {name!r}{did_you_mean(str(name), questions)}; there are: {known}")
        answers = {}
        for name, asked in questions.items():
            try:
                answers[name] = asked.accept(given[name]) if name in given else asked.preset
            except UsageError as error:
                raise UsageError(f"{name}: {error}") from None
        checked_by(self.check, answers)
        return answers

    def shown(self, answer: Any) -> str:
        return ", ".join(
            f"{name}: {asked.shown(answer[name])}" for name, asked in self._all() if asked.shown(answer[name])
        )

    def _all(self) -> Iterator[tuple[str, Question]]:
        for group in self.groups.values():
            yield from group.items()


def _question(form: str, name: str, given: Any) -> Question:
    if isinstance(given, Form):
        raise UsageError(f"{form!r}: field {name!r}: a form in a form; a group of fields is {{heading: {{name: ...}}}}")
    if isinstance(given, Question):
        return given
    label = name.replace("_", " ")
    if isinstance(given, bool):
        return YesNo(label, given)
    if isinstance(given, int | float):
        return Number(label, default=given, integer=isinstance(given, int))
    if isinstance(given, str):
        return Text(label, given)
    if isinstance(given, list | tuple):
        return Choice(label, given, given[0] if given else None)
    raise UsageError(
        f"{form!r}: field {name!r}: expected a question, a number, a text, a bool or a list, got {brief(given)}"
    )
