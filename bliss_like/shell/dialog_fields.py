"""What an answer is given with: a line to edit, or a list to choose from. A field shows what is wrong with its answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.data_structures import Point
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, Dimension, FormattedTextControl, Window
from prompt_toolkit.layout.processors import AfterInput, BeforeInput
from prompt_toolkit.selection import SelectionState

from bliss_like.standard.questions import Choice, Message, Number, Question, Several, Text, YesNo

NUMBERED = 9
"""As many choices have numbers to press."""
LONGEST_LIST = 12
"""Rows of a list; a longer one scrolls."""


class Field(ABC):
    """Where one question is answered.

    :param in_form: one row among others, which Enter leaves and the up and down arrows, too.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.problem = ""

    @property
    @abstractmethod
    def window(self) -> Window:
        """What is focused."""

    @property
    @abstractmethod
    def given(self) -> Any:
        """What the question is to accept."""

    @property
    def keys(self) -> list[str]:
        """What can be pressed, in a few words each."""
        return []

    def begin(self) -> None:  # noqa: B027 - most have nothing to do
        """Take keys from now on."""


class Line(Field):
    """A number or a text. The default is selected: typing takes its place."""

    def __init__(self, question: Number | Text, in_form: bool = False) -> None:
        super().__init__(question)
        default = "" if question.default is None else question.default
        text = default if isinstance(default, str) else f"{default:.10g}"
        self._buffer = Buffer(document=Document(text), multiline=False, on_text_changed=lambda _: self._edited())
        unit = f" {question.unit}" if isinstance(question, Number) and question.unit else ""
        limits = f"{unit}  ({question.expected})" if question.expected else ""

        def after() -> StyleAndTextTuples:
            return [("class:problem", f"  {self.problem}")] if self.problem else [("class:hint", limits)]

        before = [] if in_form else [BeforeInput("> ")]
        keys = KeyBindings()
        keys.add(Keys.BracketedPaste)(self._paste)
        control = BufferControl(self._buffer, input_processors=[*before, AfterInput(after)], key_bindings=keys)
        self._window = Window(control, wrap_lines=True, dont_extend_height=True)

    @property
    def window(self) -> Window:
        return self._window

    @property
    def given(self) -> str:
        return self._buffer.text

    def begin(self) -> None:
        buffer = self._buffer
        buffer.cursor_position = len(buffer.text)
        if buffer.text:
            buffer.selection_state = SelectionState(original_cursor_position=0)
            buffer.selection_state.enter_shift_mode()

    def _edited(self) -> None:
        self.problem = ""

    def _paste(self, event: KeyPressEvent) -> None:
        if self._buffer.selection_state:
            self._buffer.cut_selection()
        self._buffer.insert_text(" ".join(event.data.split("\n")).strip())


class Reading(Field):
    """A text to read."""

    def __init__(self, question: Message) -> None:
        super().__init__(question)
        self._window = Window(
            FormattedTextControl(question.question, focusable=True, show_cursor=False), wrap_lines=True
        )

    @property
    def window(self) -> Window:
        return self._window

    @property
    def given(self) -> None:
        return None


class Choosing(Field):
    """One or several of a list. It is shown in rows, or in a form one after the other.

    :param take: called when a key answers at once.
    """

    def __init__(
        self, question: YesNo | Choice | Several, in_row: bool, take: Callable[[], object] | None = None
    ) -> None:
        super().__init__(question)
        values = {"yes": True, "no": False} if isinstance(question, YesNo) else dict(question.values)
        self._labels = list(values)
        self._values = list(values.values())
        self._several = isinstance(question, Several)
        self._in_row = in_row
        self._take = take if isinstance(question, YesNo) else None
        self._filter = ""
        chosen = [question.default] if not isinstance(question, Several) else list(question.default or ())
        marked = [number for number, value in enumerate(self._values) if any(value is each for each in chosen)]
        self._marked = set(marked)
        self._at: int | None = 0 if self._several else next(iter(marked), None)
        control = FormattedTextControl(
            self._text,
            focusable=True,
            show_cursor=False,
            key_bindings=self._bindings(),
            get_cursor_position=lambda: Point(0, self._line),
        )
        self._line = 0
        height = None if in_row else Dimension(min=1, max=LONGEST_LIST)
        self._window = Window(control, wrap_lines=in_row, dont_extend_height=True, height=height)

    @property
    def window(self) -> Window:
        return self._window

    @property
    def given(self) -> Any:
        if self._several:
            return [self._values[number] for number in sorted(self._marked)]
        return "" if self._at is None else self._values[self._at]

    @property
    def keys(self) -> list[str]:
        if isinstance(self.question, YesNo):
            return ["y, n"]
        mark = ["space: mark"] if self._several else []
        if self._in_row:
            return ["left, right", *mark]
        return ["arrows, numbers" if self._numbered else "arrows", self._letters(), *mark]

    def _letters(self) -> str:
        if self._filter:
            return f"{self._filter!r} is in {len(self._shown)} of {len(self._labels)}"
        return f"letters: find in {len(self._labels)}" if len(self._labels) > LONGEST_LIST else "letters: find"

    @property
    def _numbered(self) -> bool:
        return (
            not self._in_row and len(self._labels) <= NUMBERED and not any(label[0].isdigit() for label in self._labels)
        )

    @property
    def _shown(self) -> list[int]:
        """The numbers of the choices that the typed letters are in."""
        return [number for number, label in enumerate(self._labels) if self._filter in label.lower()]

    # -- what is shown ---------------------------------------------------------------------------------------------------

    def _text(self) -> StyleAndTextTuples:
        pieces: StyleAndTextTuples = []
        self._line = 0
        for place, number in enumerate(self._shown):
            at = number == self._at
            if at:
                self._line = 0 if self._in_row else place
            pieces += self._one(number, at)
            pieces.append(("", "  " if self._in_row else "\n"))
        if pieces:
            pieces.pop()
        else:
            pieces.append(("class:problem", f"  none has {self._filter!r} in it"))
        if self.problem:
            pieces.append(("class:problem", f"{'  ' if self._in_row else chr(10)}{self.problem}"))
        return pieces

    def _one(self, number: int, at: bool) -> StyleAndTextTuples:
        label = self._labels[number]
        style = "class:chosen" if at else ""
        if self._several:
            box = "[x]" if number in self._marked else "[ ]"
            text = f"{box} {label}"
        elif self._in_row:
            text = f"({'*' if at else ' '}) {label}"
        else:
            text = label
        if self._in_row:
            return [(style, text)]
        key = f"{number + 1} " if self._numbered else ""
        return [("", f"{'>' if at else ' '} {key}"), (style, text)]

    # -- keys ------------------------------------------------------------------------------------------------------------

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()

        def on(key: str, call: Callable[[], object]) -> None:
            @keys.add(key)
            def _pressed(event: KeyPressEvent) -> None:
                self.problem = ""
                call()

        back, on_ = ("left", "right") if self._in_row else ("up", "down")
        on(back, lambda: self._go(-1))
        on(on_, lambda: self._go(+1))
        on("home", lambda: self._go(-len(self._labels)))
        on("end", lambda: self._go(+len(self._labels)))
        if not self._in_row:
            on("pageup", lambda: self._go(1 - LONGEST_LIST))
            on("pagedown", lambda: self._go(LONGEST_LIST - 1))
            on("backspace", lambda: self._narrow(self._filter[:-1]))
        if self._several:
            on("space", self._mark)

        @keys.add(Keys.Any)
        def _typed(event: KeyPressEvent) -> None:
            self.problem = ""
            if event.data.isprintable():
                self._type(event.data.lower())

        return keys

    def _type(self, character: str) -> None:
        if isinstance(self.question, YesNo):
            if character in "yn":
                self._at = "yn".index(character)
                if self._take:
                    self._take()
        elif self._numbered and not self._filter and character.isdigit():
            if 1 <= int(character) <= len(self._labels):
                self._at = int(character) - 1
                if self._several:
                    self._mark()
        elif self._in_row:
            following = [*self._labels[(self._at or 0) + 1 :], *self._labels]
            found = [label for label in following if label.lower().startswith(character)]
            if found:
                self._at = self._labels.index(found[0])
        else:
            self._narrow(self._filter + character)

    def _narrow(self, letters: str) -> None:
        """Show what has the letters in it only, and choose the first."""
        self._filter = letters
        shown = self._shown
        if self._at not in shown:
            self._at = shown[0] if shown else None

    def _go(self, by: int) -> None:
        shown = self._shown
        if not shown:
            return
        if self._at not in shown:
            self._at = shown[0] if by > 0 else shown[-1]
        else:
            self._at = shown[min(max(shown.index(self._at) + by, 0), len(shown) - 1)]

    def _mark(self) -> None:
        if self._at is not None:
            self._marked ^= {self._at}


def field_for(question: Question, in_form: bool = False, take: Callable[[], object] | None = None) -> Field:
    """Return a new field.

    :param in_form: it is one of several: a row, which the up and down arrows leave.
    """
    if isinstance(question, Number | Text):
        return Line(question, in_form)
    if isinstance(question, Message):
        return Reading(question)
    if isinstance(question, YesNo | Choice | Several):
        return Choosing(question, in_form or isinstance(question, YesNo), None if in_form else take)
    raise TypeError(f"no field for a {type(question).__name__}")
