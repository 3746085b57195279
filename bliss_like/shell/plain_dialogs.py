"""Questions of macros on a terminal that can do nothing but lines."""

from __future__ import annotations

from typing import Any

from bliss_like.errors import Cancelled, UsageError
from bliss_like.standard.forms import Form
from bliss_like.standard.questions import Choice, Message, Question, Several

from .lines import read_line
from .terminal import SessionTerminal


def ask_in_lines(terminal: SessionTerminal, question: Question) -> Any:
    """Return what the user answers, line by line; what is not accepted is asked again.

    :raises Cancelled: Ctrl-D.
    """
    try:
        return _ask_form(terminal, question) if isinstance(question, Form) else _ask(terminal, question, fresh=True)
    except EOFError:
        print()
        raise Cancelled(f"{question.question!r} was left without an answer") from None


def _ask(terminal: SessionTerminal, question: Question, fresh: bool = False) -> Any:
    labels = list(question.values) if isinstance(question, Choice | Several) else []
    for number, label in enumerate(labels, 1):
        print(f"  {number}  {label}")
    default = (
        f" [{question.shown(question.preset)}]" if question.has_preset and not isinstance(question, Message) else ""
    )
    expected = f" ({question.expected})" if question.expected and not labels else ""
    asked = f"{question.question}{expected}{default}"
    while True:
        line = read_line(terminal, asked + (" " if asked.endswith("?") else ": "), fresh=fresh).strip()
        try:
            if not line and question.has_preset:
                return question.preset
            return question.accept(_numbers_as_labels(line, labels, isinstance(question, Several)) if labels else line)
        except UsageError as error:
            print(f"  {error}")


def _numbers_as_labels(line: str, labels: list[str], several: bool) -> str:
    """`2` stands for the second choice, unless one is called so; `1, 3` for two of them."""
    words = [word.strip() for word in line.split(",")] if several else [line]
    meant = [
        labels[int(word) - 1] if word.isdigit() and word not in labels and 0 < int(word) <= len(labels) else word
        for word in words
    ]
    return ",".join(meant)


def _ask_form(terminal: SessionTerminal, form: Form) -> Any:
    print(form.question)
    while True:
        answers = {}
        for heading, group in form.groups.items():
            if heading:
                print(heading)
            answers.update({name: _ask(terminal, asked) for name, asked in group.items()})
        try:
            return form.accept(answers)
        except UsageError as error:
            print(f"{error}; once more:")
