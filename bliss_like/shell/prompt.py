"""The editor of a line: ptpython's, set up for a session."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import (
    Condition,
    completion_is_selected,
    emacs_insert_mode,
    has_completions,
    has_focus,
    has_selection,
    is_done,
    renderer_height_is_known,
    vi_insert_mode,
)
from prompt_toolkit.formatted_text import ANSI, AnyFormattedText, StyleAndTextTuples, to_plain_text
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.layout.containers import ConditionalContainer, Float, FloatContainer, HSplit, Window
from prompt_toolkit.layout.controls import FormattedTextControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.layout import walk
from prompt_toolkit.output import DummyOutput, Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style as ToolkitStyle
from prompt_toolkit.utils import is_dumb_terminal
from prompt_toolkit.validation import ValidationError, Validator
from ptpython import python_input
from ptpython.key_bindings import tab_should_insert_whitespace
from ptpython.layout import CompletionVisualisation
from ptpython.prompt_style import PromptStyle
from ptpython.python_input import PythonInput
from ptpython.style import default_ansi_code_style, default_ui_style
from ptpython.utils import document_is_multiline_python, unindent_code

from .completion import NameCompleter
from .display import asked_about
from .history import SessionHistory
from .inference import Inference, SessionCompleter
from .keyboard import Keyboard
from .keys import ignore_harmless
from .lines import typed_line
from .preferences import Preferences
from .signature import Signature, signature_at
from .style import Style
from .terminal import end
from .toolbar import Modes, Toolbar
from .typing_helper import UNREADABLE, typed_call

_COLOURS = {
    "signature": "#808080",  # as far from black as from white
    "signature.current": "bold",
    "signature.meaning": "#808080 italic",
}


_LEAST_HEIGHT = 9
"""Rows of the line with what is below it: room for a signature, and for a menu worth looking at."""


@contextlib.contextmanager
def _few_colours() -> Iterator[None]:
    """Let ptpython load one style for code, not each of the fifty that pygments has: they are a fifth of the start."""
    loading: Any = python_input
    before = loading.get_all_code_styles
    loading.get_all_code_styles = lambda: {"default-ansi": ToolkitStyle.from_dict(default_ansi_code_style)}
    try:
        yield
    finally:
        loading.get_all_code_styles = before


def _screen() -> Output:
    """Return where lines are drawn."""
    if is_dumb_terminal():
        return DummyOutput()
    screen = create_output(stdout=sys.stdout)
    if isinstance(screen, Vt100_Output) and not (sys.stdin and sys.stdin.isatty()):
        screen.enable_cpr = False  # the terminal would answer to who has its keyboard then
    return screen


class SessionPrompt(PromptStyle):
    """`DEMO_SESSION [1]:` before a command, `Out [1]:` before its value."""

    def __init__(self, python_input: PythonInput, title: str) -> None:
        self._input = python_input
        self._title = title

    @property
    def _number(self) -> int:
        return self._input.current_statement_index

    def in_prompt(self) -> AnyFormattedText:
        return [("class:in", f"{self._title} ["), ("class:in.number", f"{self._number}"), ("class:in", "]: ")]

    def in2_prompt(self, width: int) -> AnyFormattedText:
        return [("class:in", "...: ".rjust(width))]

    def out_prompt(self) -> AnyFormattedText:
        return [("class:out", self.out_text())]

    def out_text(self) -> str:
        number = f" [{self._number}]: "
        return "Out".rjust(len(self._title)) + number


class Validation(Validator):
    """Lets Python and questions pass: `ascan?`."""

    def validate(self, document: Document) -> None:
        if asked_about(document.text):
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they come when it runs
                compile(unindent_code(document.text), "<typed>", "exec", dont_inherit=True)
        except SyntaxError as error:
            place = document.translate_row_col_to_index((error.lineno or 1) - 1, (error.offset or 1) - 1)
            raise ValidationError(place, f"no Python: {error.msg}") from None
        except UnicodeEncodeError:
            raise ValidationError(0, "no Python: not ASCII, and LANG names no UTF-8 (LANG=C.UTF-8)") from None
        except UNREADABLE as error:
            raise ValidationError(0, f"no Python: {error}") from None


class Prompt(PythonInput):
    """ptpython's editor of a line, set up for a session.

    :param preferences: what the user has switched, now and before.
    """

    def __init__(
        self, title: str, namespace: dict[str, Any], history: Path, preferences: Preferences, toolbar: Toolbar
    ) -> None:
        self._names = namespace
        self._preferences = preferences
        self._toolbar = toolbar
        self._reads_plainly = False
        self._line_is_there = asyncio.Event()
        self._is_left = False
        self._signature_of: tuple[str, Signature | None] = ("", None)
        names, self._inference = NameCompleter(namespace), Inference(namespace)
        with _few_colours():
            super().__init__(
                get_globals=lambda: namespace,
                output=_screen(),
                _completer=names,
                _validator=Validation(),
                extra_key_bindings=self._keys(),
                _input_buffer_height=Dimension(min=_LEAST_HEIGHT),
            )
        # ptpython's own thread would have Enter wait until all is found that could have been offered
        self._offers = self.default_buffer.completer = SessionCompleter(names, self._completer, self._inference)
        # What is printed above the line needs no other mode, in which keys would be echoed, and a Ctrl-D lost.
        self.app.input.cooked_mode = contextlib.nullcontext  # type: ignore[method-assign]
        self.history = self.default_buffer.history = SessionHistory(history)
        self.style_of_session = SessionPrompt(self, title)
        self.all_prompt_styles["session"] = self.style_of_session
        self.prompt_style = "session"
        self.install_ui_colorscheme("session", ToolkitStyle.from_dict({**default_ui_style, **_COLOURS}))
        self.use_ui_colorscheme("session")
        self.completion_visualisation = CompletionVisualisation.POP_UP
        self.confirm_exit = False
        self.enable_history_search = True
        self.enable_open_in_editor = False
        self.enable_system_bindings = False  # suspended, the session would look after nothing that moves
        self.show_status_bar = False
        self.show_meta_enter_message = False
        self.vi_mode = preferences.get("vi_mode", False)
        self._arrange()

    async def read_command(self, keyboard: Keyboard) -> str:
        """Return what the user types.

        :raises KeyboardInterrupt: Ctrl-C.
        :raises EOFError: Ctrl-D, or the terminal was closed.
        """
        if is_dumb_terminal():
            with keyboard.lent(), self._reading_plainly():
                return await self._read_plainly()
        return unindent_code(await self.app.run_async(handle_sigint=False))

    @property
    def is_typed_at(self) -> bool:
        """Whether a line is being typed."""
        return self._reads_plainly or (self.app.is_running and not self.app.is_done)

    def close(self) -> None:
        """End what helps with typing."""
        self._inference.close()

    def leave(self) -> None:
        """Have who reads a command get an EOFError; called in the loop."""
        end(self.app, exception=EOFError())
        self._is_left = True
        self._line_is_there.set()

    def clear(self) -> None:
        self.default_buffer.reset()

    def offer(self, text: str) -> None:
        """Begin the next line with a text, so that Enter runs it."""
        document = Document(text)
        self.app.pre_run_callables.append(lambda: self.default_buffer.set_document(document, bypass_readonly=True))

    def redraw(self) -> None:
        """Show the bottom line as it is now."""
        if self.app.is_running and self.shows_toolbar:
            self.app.invalidate()

    # -- switches --------------------------------------------------------------------------------------------------------

    @property
    def helps_typing(self) -> bool:
        """Whether `wa` becomes `wa()`: F7."""
        return self._preferences.get("typing_helper", True)

    @property
    def shows_toolbar(self) -> bool:
        """Whether there is a bottom line: F8."""
        return self._preferences.get("toolbar", True)

    @property
    def modes(self) -> Modes:
        vi_mode = str(self.app.vi_state.input_mode.value).removeprefix("vi-") if self.vi_mode else ""
        return Modes(self.helps_typing, self.paste_mode, vi_mode)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        ignore_harmless(keys)
        typing = (vi_insert_mode | emacs_insert_mode) & ~has_selection

        @keys.add("enter", filter=typing & Condition(self._is_meant))
        def _(event: KeyPressEvent) -> None:
            """Run the call that is meant; it stands in the line, and in the history."""
            meant = typed_call(self.default_buffer.text, self._names).rstrip()
            self.default_buffer.document = Document(meant)
            self.default_buffer.validate_and_handle()

        @keys.add("tab", filter=typing & Condition(self._is_line_edited) & ~tab_should_insert_whitespace)
        def _(event: KeyPressEvent) -> None:
            self._offers.complete(self.default_buffer)

        @keys.add("up", filter=has_completions & ~completion_is_selected & Condition(self._is_line_edited))
        def _(event: KeyPressEvent) -> None:
            """Go to the line before, as if the menu had not come yet; who wants it goes down."""
            self.default_buffer.cancel_completion()
            self.default_buffer.auto_up(count=event.arg)

        @keys.add("f4")
        def _(event: KeyPressEvent) -> None:
            self.vi_mode = not self.vi_mode
            self._preferences.set("vi_mode", self.vi_mode)

        @keys.add("f7")
        def _(event: KeyPressEvent) -> None:
            self._preferences.set("typing_helper", not self.helps_typing)

        @keys.add("f8")
        def _(event: KeyPressEvent) -> None:
            self._preferences.set("toolbar", not self.shows_toolbar)

        return keys

    def _is_meant(self) -> bool:
        """Whether Enter runs something else than what stands in the line."""
        text = self.default_buffer.text
        is_ready = self.helps_typing and self._is_line_edited() and not self.paste_mode
        return is_ready and typed_call(text, self._names) != text

    def _is_line_edited(self) -> bool:
        return has_focus(self.default_buffer)()

    # -- what is shown around the line -----------------------------------------------------------------------------------

    def _on_input_timeout(self, buff: Buffer) -> None:
        """Do not ask jedi for signatures at every key, as ptpython does: it takes 0.2 s to load and looks at live objects."""
        self._offers.forget()

    def _bottom_line(self) -> ConditionalContainer:
        def line() -> AnyFormattedText:
            columns = self.app.output.get_size().columns
            return ANSI(self._toolbar.line(columns, Style.of(sys.stdout), self.modes))

        shown = ~is_done & renderer_height_is_known & Condition(lambda: self.shows_toolbar)
        return ConditionalContainer(Window(FormattedTextControl(line), height=1), filter=shown)

    def _arrange(self) -> None:
        """Give ptpython's layout a line with the signature below the cursor, above the menu, and a bottom line of ours.

        Its own status line would take half of the free room even where it is hidden.
        """
        whole = self.ptpython_layout.root_container
        around = next(each for each in walk(whole) if isinstance(each, FloatContainer))
        below_cursor = cast(HSplit, around.floats[0].content)
        whole.children[-1] = self._bottom_line()
        shown = Condition(lambda: self._signature() is not None) & ~is_done
        line = Window(FormattedTextControl(self._signature_line), height=1)
        below_cursor.children.insert(0, ConditionalContainer(Window(width=1, height=1), filter=shown))
        around.floats.append(Float(ConditionalContainer(line, filter=shown), ycursor=True, left=0, right=0))

    def _signature(self) -> Signature | None:
        document = self.default_buffer.document
        before = document.text_before_cursor
        if before != self._signature_of[0]:
            is_last_line = "\n" not in document.text_after_cursor
            found = signature_at(before, self._names) if is_last_line else None
            self._signature_of = (before, found)
        return self._signature_of[1]

    def _signature_line(self) -> StyleAndTextTuples:
        signature = self._signature()
        if signature is None:
            return []
        columns = self.app.output.get_size().columns
        texts = signature.line(columns - 2, Style.of(sys.stdout).glyphs.ellipsis)
        names = {"": "class:signature", "current": "class:signature.current", "meaning": "class:signature.meaning"}
        return [("", " "), *((names[style], text) for style, text in texts)]

    # -- terminals that can do nothing -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reading_plainly(self) -> Iterator[None]:
        self._reads_plainly = True
        try:
            yield
        finally:
            self._reads_plainly = False

    async def _read_plainly(self) -> str:
        """Read lines as the terminal gives them, which edits them itself, until they are a command."""
        lines: list[str] = []
        prompt = to_plain_text(self.style_of_session.in_prompt())
        while not lines or (lines[-1].strip() and document_is_multiline_python(Document("\n".join(lines)))):
            print(to_plain_text(self.style_of_session.in2_prompt(len(prompt))) if lines else prompt, end="", flush=True)
            lines.append(await self._next_line())
        text = unindent_code("\n".join(lines).rstrip())
        meant = typed_call(text, self._names) if self.helps_typing else text
        if meant != text:
            print(meant)
        if meant.strip():
            self.history.append_string(meant)
        return meant

    async def _next_line(self) -> str:
        loop, keyboard = asyncio.get_running_loop(), self.app.input.fileno()
        self._line_is_there.clear()
        loop.add_reader(keyboard, self._line_is_there.set)
        try:
            await self._line_is_there.wait()
        finally:
            loop.remove_reader(keyboard)
        if self._is_left:
            raise EOFError
        return typed_line(keyboard)
