"""`ask_yes_no ask_choice ask_number ask_text ask_form`: what macros ask the person at the prompt.

Who does not want to answer ends the command: Escape raises `Cancelled`, which a macro may catch, Ctrl-C `UserAbort`. So
nothing that follows a question is ever done without an answer. Scripts answer by `with answers(...):`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from gevent import Greenlet, getcurrent

from bliss_like.errors import SessionError, UsageError

from .arguments import verb
from .forms import Form
from .questions import Check, Choice, Choices, Message, Number, Question, Several, Text, YesNo

_ask: Callable[[Question], Any] | None = None


def offer_dialogs(ask: Callable[[Question], Any] | None) -> None:
    """Let questions be asked by this, which returns an accepted answer; None: nobody can be asked. Done by who has a terminal."""
    global _ask
    _ask = ask


def ask(question: Question) -> Any:
    """Return the answer to any question.

    :raises Cancelled: it was left with Escape.
    :raises SessionError: nobody can be asked.
    """
    script = _script()
    if script is not None:
        return script.answer(question)
    if _ask is None:
        raise SessionError(
            f"nobody can be asked {question.question!r}: there is no terminal. In a script, answer before: "
            "`with answers(...):` around the call (from bliss_like.standard import answers); answers(defaults=True) takes "
            "the defaults"
        )
    return _ask(question)


# -- what macros call --------------------------------------------------------------------------------------------------


@verb("question, default=None")
def ask_yes_no(question: str, default: bool | None = None) -> bool:
    """Ask, and return True for yes.

    :param default: what Enter answers; None: it has to be y or n.
    """
    return bool(ask(YesNo(_text(question), default)))


@verb("question, choices, default=None")
def ask_choice(question: str, choices: Choices, default: Any = None) -> Any:
    """Let one of some values be chosen, and return it.

    :param choices: a list, objects are shown by their names; or {label: value}.
    """
    return ask(Choice(_text(question), choices, default))


@verb("question, choices, default=()")
def ask_choices(question: str, choices: Choices, default: Any = ()) -> list[Any]:
    """Let any number of some values be chosen, and return them in their order.

    :param default: those that are marked to begin with.
    """
    answer: list[Any] = ask(Several(_text(question), choices, default))
    return answer


@verb('question, low=None, high=None, default=None, unit="", integer=False')
def ask_number(
    question: str,
    low: float | None = None,
    high: float | None = None,
    default: float | None = None,
    unit: str = "",
    integer: bool = False,
) -> float:
    """Ask for a number within limits, and return it.

    :param integer: a whole number, returned as an int.
    """
    answer: float = ask(Number(_text(question), low, high, default, unit, integer))
    return answer


@verb('question, default="", check=None')
def ask_text(question: str, default: str = "", check: Check | None = None) -> str:
    """Ask for a line of text, and return it.

    :param check: called with the text; it returns what is wrong, as a text or False, or raises ValueError.
    """
    return str(ask(Text(_text(question), default, check)))


@verb("title, {name: field, ...}, check=None")
def ask_form(title: str, fields: Mapping[str, Any], check: Check | None = None) -> dict[str, Any]:
    """Ask several questions at once, and return {name: answer}.

    :param fields: {name: question}; a question is a `YesNo`, `Choice`, `Several`, `Number`, `Text`, `Message`, or an example of the
        answer: 0.1, "a text", True, or a list of which one is chosen. {heading: {name: question}} is a group.
    :param check: called with the answers; it returns what is wrong with them together, as a text, or raises ValueError.
    """
    answer: dict[str, Any] = ask(Form(_text(title), fields, check))
    return answer


@verb("text")
def show_message(text: str) -> None:
    """Show a text until Enter is pressed."""
    ask(Message(_text(text)))


def _text(question: Any) -> str:
    if not isinstance(question, str) or not question.strip():
        raise UsageError(f"expected a question, as a text, got {question!r}")
    return question.strip()


# -- answers of scripts ------------------------------------------------------------------------------------------------


class Answers:
    """What a script answers; made by `answers`."""

    def __init__(self, in_turn: tuple[Any, ...], known: Mapping[str, Any], defaults: bool) -> None:
        self._in_turn = list(in_turn)
        self._known = known
        self._defaults = defaults
        self.asked: list[str] = []
        """The questions that were asked, and what was answered."""

    def answer(self, question: Question) -> Any:
        """:raises SessionError: there is no answer. :raises UsageError: it is not accepted."""
        given = self._given(question)
        try:
            answer = question.accept(given)
        except UsageError as error:
            raise UsageError(f"answer to {question.question!r}: {error}") from None
        self.asked.append(f"{question.question} {question.shown(answer)}".rstrip())
        return answer

    def check_all_given(self) -> None:
        """:raises UsageError: more answers were given than questions asked."""
        if self._in_turn:
            asked = "; ".join(self.asked) or "nothing"
            raise UsageError(
                f"answers that nobody asked for: {', '.join(map(repr, self._in_turn))}; asked was: {asked}"
            )

    def _given(self, question: Question) -> Any:
        for pattern, given in self._known.items():
            if pattern == question.question or fnmatchcase(question.question, pattern):
                return given
        if isinstance(question, Message):
            return None
        if self._in_turn:
            return self._in_turn.pop(0)
        if self._defaults and question.has_preset:
            return question.preset
        no_default = ", and it has no default" if self._defaults else ""
        raise SessionError(f"no answer is left for {question.question!r}{no_default}: give answers(...) one more")


@contextmanager
def answers(*in_turn: Any, known: Mapping[str, Any] | None = None, defaults: bool = False) -> Iterator[Answers]:
    """Answer the questions of what is called inside, also in greenlets that it spawns; nobody else is answered for.

    :param in_turn: one for each question, in their order; for a form {name: answer}, where what is left out takes its default.
    :param known: answers by question; wildcards are allowed: {"Close*": True}. They are given as often as they are asked for.
    :param defaults: other questions take their defaults, if they have one. Messages need no answer.
    :raises UsageError: at the end, when there are answers left.
    """
    me = getcurrent()
    script = Answers(in_turn, known or {}, defaults)
    outer = _scripts.get(me)
    _scripts[me] = script
    try:
        yield script
    finally:
        if outer is None:
            del _scripts[me]
        else:
            _scripts[me] = outer
    script.check_all_given()


_scripts: dict[Any, Answers] = {}
"""By the greenlet that entered the context."""


def _script() -> Answers | None:
    """Return what answers for the running greenlet: its own, or that of the nearest one that has spawned it."""
    asking: Any = getcurrent()
    while asking is not None and _scripts:
        if asking in _scripts:
            return _scripts[asking]
        spawned_by = getattr(asking, "spawning_greenlet", None) if isinstance(asking, Greenlet) else None
        asking = spawned_by() if spawned_by is not None else None
    return None
