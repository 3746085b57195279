"""The prompt of a session: ptpython on gevent's hub, each command in a greenlet of its own.

The prompt is an asyncio program; its loop waits with gevent's selector, so that everything else in the thread goes on.
A command runs in a greenlet that Ctrl-C can end; the loop waits for it without blocking.
"""

from __future__ import annotations

import asyncio
import contextlib
import linecache
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import gevent
from gevent.hub import get_hub
from gevent.selectors import GeventSelector
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import AnyFormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.output import create_output
from ptpython.prompt_style import PromptStyle
from ptpython.python_input import PythonInput
from ptpython.utils import unindent_code
from ptpython.validator import PythonValidator

from bliss_like.config.table import Text
from bliss_like.errors import UserAbort
from bliss_like.session import Session
from bliss_like.session.protection import Names
from bliss_like.standard.tweaking import Tweak, offer_tweaking

from .completion import NameCompleter
from .console import Console
from .display import asked_about, explained, output
from .errors import ErrorReport
from .interrupts import Interrupts


class GeventLoop(asyncio.SelectorEventLoop):
    """An asyncio loop that lets greenlets run while it waits. Its executors are threads, real ones."""

    def __init__(self) -> None:
        super().__init__(GeventSelector())


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


class Validation(PythonValidator):
    """Lets Python and questions pass: `ascan?`."""

    def validate(self, document: Document) -> None:
        if not asked_about(document.text):
            super().validate(document)


class Prompt(PythonInput):
    """ptpython's editor of a line, set up for a session."""

    def __init__(self, title: str, namespace: dict[str, Any], history: Path) -> None:
        history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(
            get_globals=lambda: namespace, output=create_output(stdout=sys.stdout), _validator=Validation()
        )
        self.history = self.default_buffer.history = FileHistory(str(history))
        self.completer = NameCompleter(namespace, otherwise=self.completer)
        self.style_of_session = SessionPrompt(self, title)
        self.all_prompt_styles["session"] = self.style_of_session
        self.prompt_style = "session"
        self.confirm_exit = False
        self.enable_history_search = True
        self.enable_open_in_editor = False
        self.show_status_bar = False
        self.show_meta_enter_message = False

    def _on_input_timeout(self, buff: Buffer) -> None:
        """Do not ask jedi for signatures at every key: it takes 0.2 s to load and looks at live objects."""

    def clear(self) -> None:
        self.default_buffer.reset()

    def offer(self, text: str) -> None:
        """Begin the next line with a text, so that Enter runs it."""
        document = Document(text)
        self.app.pre_run_callables.append(lambda: self.default_buffer.set_document(document, bypass_readonly=True))


class Repl:
    """Reads commands, runs them among the names of a session, shows their values and errors, until the user leaves."""

    def __init__(self, session: Session, history: Path, interrupts: Interrupts) -> None:
        self._session = session
        self._interrupts = interrupts
        self._prompt = Prompt(session.name.upper(), session.env_dict, history)
        self._errors = ErrorReport(session.error_log)
        self._leaving = False
        last_error = self._errors.last_error
        session.names.give({"exit": Leave(), "quit": Leave(), "last_error": last_error, "ERROR_REPORT": self._errors})

    def run(self) -> None:
        """Return when the user leaves with Ctrl-D, `exit` or `quit`."""
        get_hub().SYSTEM_ERROR = ()  # else a sys.exit() in a greenlet in the background would end the shell
        with asyncio.Runner(loop_factory=GeventLoop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._interrupts.leave = lambda: loop.call_soon_threadsafe(self._leave)
        with self._consoles(loop), self._tweaking(loop):
            while not self._leaving:
                try:
                    text = unindent_code(await self._prompt.app.run_async(handle_sigint=False))
                except KeyboardInterrupt:
                    self._prompt.clear()
                    continue
                except EOFError:
                    return
                if text.strip():
                    await self._execute(text)

    def _leave(self) -> None:
        self._leaving = True
        if self._prompt.app.is_running:
            self._prompt.app.exit(exception=EOFError)

    @contextlib.contextmanager
    def _consoles(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout = Console(stdout, self._prompt.app, loop)
        sys.stderr = Console(stderr, self._prompt.app, loop)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = stdout, stderr

    @contextlib.contextmanager
    def _tweaking(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        def show(asked: Tweak) -> None:
            from .tweak import Tweaking  # takes its time to load

            Tweaking(loop, self._prompt.app.input, self._prompt.app.output).show(asked)

        offer_tweaking(show)
        try:
            yield
        finally:
            offer_tweaking(None)

    async def _execute(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        command = gevent.spawn(self._evaluate, text)
        command.rawlink(lambda _: loop.call_soon_threadsafe(over.set))
        with self._interrupts.aimed_at(command, give_up=lambda: loop.call_soon_threadsafe(over.set)):
            await over.wait()
        sys.stdout.flush()
        self._prompt.current_statement_index += 1

    def _evaluate(self, text: str) -> None:
        """Run a command in its greenlet; nothing that it raises goes further."""
        try:
            value = evaluate(text, self._session.names, f"<command {self._prompt.current_statement_index}>")
            if isinstance(value, Leave):
                self._leaving = True
            elif value is not None:
                self._session.names["_"] = value
                print(output(self._prompt.style_of_session.out_text(), value))
        except SystemExit:
            self._leaving = True
        except UserAbort:
            print("Interrupted.", file=sys.stderr)
        except BaseException as error:  # the prompt outlives every command
            self._errors.show(error)
            way_out = getattr(error, "offer", None)
            if isinstance(way_out, str) and way_out:
                self._prompt.offer(way_out)


class Leave:
    """`exit` and `quit`: leave the shell, with or without brackets."""

    def __call__(self) -> None:
        raise SystemExit

    def __repr__(self) -> str:
        return "Leave the shell: exit, quit or Ctrl-D"


def evaluate(text: str, names: Names, file: str) -> Any:
    """Run a command; return its value if it is an expression, the answer if it is a question, else None.

    :raises ProtectedName: it would have changed a name that the session protects.
    """
    asked = asked_about(text)
    if asked:
        return Text(explained(asked, names.run(compile(asked, file, "eval"))))
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # for tracebacks
    return names.run(_compiled_expression(text, file) or compile(text, file, "exec"))


def _compiled_expression(text: str, name: str) -> CodeType | None:
    """Return the code of an expression, or None: what its statements raise is to have no SyntaxError as its context."""
    try:
        return compile(text, name, "eval")
    except SyntaxError:
        return None
