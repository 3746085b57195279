"""Questions of macros in the terminal: below what was printed, in place of the prompt. A line stays: question and answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import (
    AnyContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    ScrollablePane,
    VSplit,
    Window,
)
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth, is_dumb_terminal

from bliss_like.errors import Cancelled, UsageError, UserAbort
from bliss_like.live.look import wrapped
from bliss_like.standard.forms import Form
from bliss_like.standard.questions import Message, Question

from .dialog_fields import Field, field_for
from .keys import ignore_harmless, on, pause_with
from .plain_dialogs import ask_in_lines
from .terminal import SessionTerminal, end

STYLE = Style.from_dict(
    {"question": "bold", "hint": "dim", "problem": "ansired bold", "chosen": "reverse", "heading": "underline"}
)
PATIENCE = 3.0
"""Seconds that the check of an answer may take."""
ESCAPE = 0.1
"""Seconds after which an escape character is the key, not the beginning of another."""


def ask_in_terminal(terminal: SessionTerminal, question: Question) -> Any:
    """Return what the user answers; called in any greenlet.

    :raises Cancelled: Escape. :raises UserAbort: Ctrl-C.
    """
    if is_dumb_terminal():
        return ask_in_lines(terminal, question)
    told = " ".join(question.question.split())
    try:
        answer = _Dialog(terminal, question).show()
    except Cancelled:
        print(f"{told}  -- left with Escape")
        raise
    except UserAbort:
        print(f"{told}  -- Ctrl-C")
        raise
    print(question.question if isinstance(question, Message) else wrapped(f"{told}  {question.shown(answer)}"))
    return answer


class _Dialog:
    """A question that is shown, its fields and its keys."""

    def __init__(self, terminal: SessionTerminal, question: Question) -> None:
        self._terminal = terminal
        self._question = question
        self._problem = ""
        self._fields: dict[str, Field] = {}
        self._buttons: list[Window] = []
        body = self._form(question) if isinstance(question, Form) else self._single(question)
        hint = FormattedTextControl(self._hint)
        self._layout = Layout(HSplit([body, Window(hint, wrap_lines=True, dont_extend_height=True)]))
        self._app: Application[tuple[Any] | None] = Application(
            self._layout,
            key_bindings=self._keys(),
            style=STYLE,
            erase_when_done=True,
            input=terminal.keyboard,
            output=terminal.screen,
        )
        self._app.ttimeoutlen = ESCAPE
        self._focus(self._places[0])

    def show(self) -> Any:
        """Return the answer. :raises Cancelled: there is none."""
        result = self._terminal.run(self._app, purpose=self._question.question, fresh=True)
        if result is None:
            raise Cancelled(f"{self._question.question!r} was left without an answer")
        return result[0]

    # -- what is shown -------------------------------------------------------------------------------------------------

    def _single(self, question: Question) -> AnyContainer:
        field = self._fields[""] = field_for(question, take=self._accept)
        if isinstance(question, Message):
            return field.window
        return HSplit([_text("class:question", question.question), field.window])

    def _form(self, form: Form) -> AnyContainer:
        width = (
            max(get_cwidth(asked.question) for asked in form.questions.values() if not isinstance(asked, Message)) + 4
        )
        rows: list[AnyContainer] = []
        for heading, group in form.groups.items():
            if heading:
                rows.append(_text("class:heading", heading))
            for name, asked in group.items():
                if isinstance(asked, Message):
                    rows.append(_text("", asked.question))
                    continue
                field = self._fields[name] = field_for(asked, in_form=True)
                label = FormattedTextControl(f"  {asked.question}")
                rows.append(VSplit([Window(label, width=width, dont_extend_height=True), field.window]))
        self._buttons = [self._button("OK"), self._button("Cancel")]
        title = _text("class:question", form.question)
        pane = _Pane(HSplit([*rows, VSplit([Window(width=2), *self._buttons, Window()])]), show_scrollbar=False)
        return HSplit([title, pane])

    def _button(self, label: str) -> Window:
        def text() -> StyleAndTextTuples:
            return [("class:chosen" if self._layout.has_focus(window) else "", f"[ {label} ]")]

        control = FormattedTextControl(text, focusable=True, show_cursor=False)
        window = Window(control, width=len(label) + 6, height=1)
        return window

    def _hint(self) -> StyleAndTextTuples:
        if self._problem:
            return [("class:problem", self._problem)]
        field = self._focused_field()
        keys = field.keys if field else []
        if self._buttons:
            keys = [*keys, "Tab: next", "Enter: next, OK at the end"]
        else:
            keys = [*keys, "Enter: OK"]
        return [("class:hint", _lines([*keys, "Esc: leave"], self._app.output.get_size().columns))]

    # -- focus ---------------------------------------------------------------------------------------------------------

    @property
    def _places(self) -> list[Window]:
        return [*(field.window for field in self._fields.values()), *self._buttons]

    def _focused_field(self) -> Field | None:
        return next((field for field in self._fields.values() if self._layout.has_focus(field.window)), None)

    def _focus(self, window: Window) -> None:
        if window is not self._layout.current_window or not self._app.is_running:
            self._layout.focus(window)
            field = self._focused_field()
            if field:
                field.begin()

    def _move(self, by: int) -> None:
        self._problem = ""
        places = self._places
        at = next(number for number, window in enumerate(places) if self._layout.has_focus(window))
        self._focus(places[(at + by) % len(places)])

    # -- keys ----------------------------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        ignore_harmless(keys)
        pause_with(keys)
        on(keys, "escape", lambda: end(self._app))
        on(keys, "c-c", lambda: end(self._app, exception=UserAbort("Ctrl-C")))
        on(keys, "c-d", lambda: end(self._app))
        on(keys, "enter", self._enter)
        if self._buttons:
            for forth, back in (("tab", "s-tab"), ("down", "up")):
                on(keys, forth, lambda: self._leave(+1))
                on(keys, back, lambda: self._leave(-1))
        return keys

    def _enter(self) -> None:
        if not self._buttons or self._layout.has_focus(self._buttons[0]):
            self._accept()
        elif self._layout.has_focus(self._buttons[1]):
            end(self._app)
        else:
            self._leave(+1, only_if_right=True)

    # -- answers -------------------------------------------------------------------------------------------------------

    def _leave(self, by: int, only_if_right: bool = False) -> None:
        field = self._focused_field()
        if field is None or self._check(field) or not only_if_right:
            self._move(by)

    def _check(self, field: Field) -> bool:
        field.problem = _problem(lambda: field.question.accept(field.given))
        return not field.problem

    def _accept(self) -> None:
        wrong = [field for field in self._fields.values() if not self._check(field)]
        if wrong:
            self._focus(wrong[0].window)
            return
        given = {name: field.given for name, field in self._fields.items()}
        self._problem = _problem(
            lambda: end(self._app, (self._question.accept(given if self._buttons else given[""]),))
        )


def _problem(accept: Callable[[], object]) -> str:
    """Return what is wrong with an answer. Checks of users may wait: for that long, keys are not answered."""
    try:
        with gevent.Timeout(PATIENCE, UsageError(f"it cannot be checked within {PATIENCE:g} s")):
            accept()
    except UsageError as error:
        return str(error)
    return ""


class _Pane(ScrollablePane):
    """Rows that scroll where the screen is too small, and are no higher than they need."""

    def preferred_height(self, width: int, max_available_height: int) -> Dimension:
        wanted = super().preferred_height(width, max_available_height).preferred
        return Dimension(min=1, preferred=wanted, max=wanted)


def _lines(pieces: list[str], columns: int) -> str:
    """Return pieces of text beside each other, in as many lines as it takes."""
    lines = [""]
    for piece in pieces:
        longer = f"{lines[-1]}   {piece}".lstrip()
        lines[-1:] = [longer] if get_cwidth(longer) < columns else [lines[-1], piece]
    return "\n".join(line for line in lines if line)


def _text(style: str, text: str) -> Window:
    return Window(FormattedTextControl([(style, text)]), wrap_lines=True, dont_extend_height=True)
