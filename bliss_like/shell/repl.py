"""The prompt of a session: ptpython on gevent's hub, each command in a greenlet of its own.

The prompt is an asyncio program; its loop waits with gevent's selector, so that everything else in the thread goes on.
A command runs in a greenlet that Ctrl-C can end; the loop waits for it without blocking.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from gevent.hub import get_hub
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.keys import Keys
from prompt_toolkit.utils import is_dumb_terminal

from bliss_like.data.events import NewNode
from bliss_like.errors import BlissLikeError, UserAbort
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.session import Session
from bliss_like.standard.showing import SCAN_DISPLAY
from bliss_like.standard.transcript import log_stdout

from .asking import Asking
from .console import Console
from .display import output
from .errors import ErrorReport
from .evaluation import Leave, evaluate
from .help import Help
from .interrupts import Interrupts
from .keyboard import Keyboard
from .offers import offered
from .panel import PERIOD, Panel
from .preferences import Preferences
from .prompt import Prompt
from .status import StatusWatch
from .style import Style
from .terminal import GeventLoop, SessionTerminal
from .toolbar import Toolbar
from .waits import Waits
from .witness import Witness, tree_of

if TYPE_CHECKING:
    from .scan_display import ScanDisplay


class Repl:
    """Reads commands, runs them among the names of a session, shows their values and errors, until the user leaves."""

    def __init__(self, session: Session, history: Path, interrupts: Interrupts, keyboard: Keyboard) -> None:
        self._session = session
        self._interrupts = interrupts
        self._toolbar = Toolbar(StatusWatch(session))
        preferences = Preferences(history.parent.parent / "prompt.json")
        self._prompt = Prompt(session.name.upper(), session.env_dict, history, preferences, self._toolbar)
        self._errors = ErrorReport(session.error_log)
        self._leaving = False
        self._keyboard = keyboard
        self._terminal: SessionTerminal | None = None
        self._display: ScanDisplay | None = None
        self._command: gevent.Greenlet[..., None] | None = None
        last_error = self._errors.last_error
        session.names.give({"exit": Leave(), "quit": Leave(), "help": Help(session.env_dict)})
        session.names.give({"last_error": last_error, "ERROR_REPORT": self._errors})

    def run(self) -> None:
        """Return when the user leaves with Ctrl-D, `exit` or `quit`."""
        get_hub().SYSTEM_ERROR = ()  # else a sys.exit() in a greenlet in the background would end the shell
        with asyncio.Runner(loop_factory=GeventLoop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._interrupts.is_at_prompt = lambda: self._prompt.is_typed_at
        self._interrupts.leave = lambda: loop.call_soon_threadsafe(self._leave)
        self._leaving = self._interrupts.is_over  # it came before
        keyboard, screen = self._prompt.app.input, self._prompt.app.output
        panel = Panel(sys.stdout, later=lambda s, call: loop.call_soon_threadsafe(lambda: loop.call_later(s, call)))
        terminal = SessionTerminal(loop, keyboard, screen, panel, lambda: signal.raise_signal(signal.SIGINT))
        self._terminal = terminal
        is_told = lambda: self._display is not None and self._display.is_busy  # noqa: E731
        self._waits = Waits(panel, _look, is_told, self._toolbar.silence)
        self._interrupts.waits = self._waits.told
        asking = Asking(terminal, self._keyboard)
        shown = self._toolbar.kept_up_to_date(self._prompt.redraw)
        with contextlib.ExitStack() as stack:
            for context in (contextlib.closing(terminal), self._consoles(loop, panel), asking.offered(), shown):
                stack.enter_context(context)
            stack.callback(self._prompt.close)
            stack.callback(setattr, self._interrupts, "leave", lambda: None)
            stack.enter_context(offered(terminal, self._session))
            stack.enter_context(self._displaying(panel))
            stack.enter_context(Console.listened_to(self._session.logbook.transcript.shown))
            self._resume_transcript()
            while not self._leaving:
                try:
                    async with terminal.prompting():
                        if self._leaving:
                            return
                        self._interrupts.await_command()
                        text = await self._prompt.read_command(self._keyboard)
                except KeyboardInterrupt:
                    self._prompt.clear()
                    continue
                except EOFError:
                    return
                self._heed_early_press()
                if text.strip():
                    try:
                        await self._execute(text)
                    except Exception as error:  # noqa: BLE001  what cannot be told of a command is no end of the shell
                        self._errors.show(error)

    def _resume_transcript(self) -> None:
        try:
            if self._session.logbook.transcript.resume():
                log_stdout()
        except BlissLikeError as error:  # no reason to be without a prompt
            print(f"log_stdout: nothing is written: {error}", file=sys.stderr)

    def _heed_early_press(self) -> None:
        """Have a Ctrl-C count that came right after the Enter, when it was still a key; nor are the keys before it for the next line."""
        if is_dumb_terminal():  # where lines are read, no keys
            return
        keyboard = self._prompt.app.input
        keys = [*get_typeahead(keyboard), *keyboard.read_keys()]
        presses = [number for number, key in enumerate(keys) if key.key == Keys.ControlC]
        if presses:
            self._interrupts.early()
            keys = keys[presses[-1] + 1 :]
        store_typeahead(keyboard, keys)

    def _leave(self) -> None:
        self._leaving = True
        if self._terminal is not None:
            self._terminal.close()
        self._prompt.leave()

    @contextlib.contextmanager
    def _consoles(self, loop: asyncio.AbstractEventLoop, panel: Panel) -> Iterator[None]:
        stdout, stderr = sys.stdout, sys.stderr
        sys.stdout = self._stdout = Console(stdout, self._prompt.app, loop, panel)
        sys.stderr = self._stderr = Console(stderr, self._prompt.app, loop, panel)
        try:
            yield
        finally:
            panel.end()
            self._stdout.flush()
            self._stderr.flush()
            sys.stdout, sys.stderr = stdout, stderr

    def _flush(self) -> None:
        """Show all that was printed; where a command has left nothing that can be printed to, put back what was there."""
        for name, ours in (("stdout", self._stdout), ("stderr", self._stderr)):
            try:
                stream = getattr(sys, name)
                stream.write("")
                stream.flush()
            except Exception:  # noqa: BLE001  it may be anything
                setattr(sys, name, ours)
                print(f"sys.{name}: put back, nothing could be printed to what was in its place", file=ours)
            ours.flush()

    @contextlib.contextmanager
    def _displaying(self, panel: Panel) -> Iterator[None]:
        def live_display(_: NewNode) -> ScanDisplay:
            self._display = self._display or self._made_display(panel)
            return self._display

        subscription = self._session.subscribe(live_display, factory=True, period=PERIOD)
        try:
            yield
        finally:
            self._session.unsubscribe(subscription)
            if self._display is not None:
                self._display.close()

    def _made_display(self, panel: Panel) -> ScanDisplay:
        from .scan_display import ScanDisplay  # takes its time to load

        return ScanDisplay(
            panel,
            _print_line,
            _look,
            SCAN_DISPLAY,
            is_disturbing=self._is_in_background,
            is_typing=lambda: self._prompt.app.is_running,
            bottom=lambda width: self._toolbar.line(width, _look()),
            raises=True,
        )

    def _is_in_background(self, path: str) -> bool:
        """Whether a scan belongs to no command that is waited for."""
        scan = next((one for one in reversed(environment.scans) if one.path == path), None)
        if scan is None or self._prompt.app.is_running:
            return True
        return tree_of(environment.pausing.runs_in(scan)) is not tree_of(self._command)

    async def _execute(self, text: str) -> None:
        loop = asyncio.get_running_loop()
        over = asyncio.Event()
        witness = Witness()
        self._keyboard.hush()
        self._command = command = gevent.spawn(self._evaluate, text, witness)
        Console.has_open_line = False
        command.rawlink(lambda _: loop.call_soon_threadsafe(over.set))
        self._interrupts.on_first = lambda: self._interrupted(witness)
        with (
            self._waits.of(witness.silence, witness.needs_server, lambda: witness.was_interrupted),
            self._interrupts.aimed_at(command, give_up=lambda: loop.call_soon_threadsafe(over.set)),
        ):
            await over.wait()
        self._prompt.current_statement_index += 1
        self._flush()
        if witness.was_interrupted:
            shown = self._display.shown if self._display is not None else ()
            print(witness.account(shown), file=sys.stderr)

    def _interrupted(self, witness: Witness) -> None:
        witness.interrupted()
        if self._terminal is not None:
            self._terminal.forget_keys()

    def _evaluate(self, text: str, witness: Witness) -> None:
        """Run a command in its greenlet; nothing that it raises goes further."""
        with witness.watching():
            try:
                self._attempt(text)
            except UserAbort as error:
                witness.interrupted(str(error))
            if witness.was_interrupted:
                witness.end_all()

    def _attempt(self, text: str) -> None:
        """Run a command, show its value or its error.

        :raises UserAbort: it was interrupted.
        """
        before = self._shown_scans()
        try:
            number = self._prompt.current_statement_index
            with self._session.logbook.command(number, text) as printed, Console.listened_to(printed.add):
                with _one_shell():
                    value = evaluate(text, self._session.names, f"<command {number}>")
                if isinstance(value, Leave):
                    self._leaving = True
                elif value is not None:
                    self._session.names["_"] = value
                    if not (isinstance(value, Scan) and value.path in self._shown_scans() - before):  # it stands above
                        print(output(self._prompt.style_of_session.out_text(), value))
        except SystemExit:
            self._leaving = True
        except UserAbort:
            raise
        except BaseException as error:  # the prompt outlives every command
            self._errors.show(error)
            way_out = getattr(error, "offer", None)
            if isinstance(way_out, str) and way_out:
                if self._terminal is not None:
                    self._terminal.forget_keys()  # an Enter that was pressed before is not meant for it
                self._prompt.offer(way_out)

    def _shown_scans(self) -> set[str]:
        """Return the db_names of scans that were shown while they ran."""
        return set(self._display.shown) if self._display is not None else set()


def _look() -> Style:
    return Style.of(sys.stdout)


@contextlib.contextmanager
def _one_shell() -> Iterator[None]:
    """End a process that a command has forked where the command ends: it is no second shell, and has no session to close."""
    shell, code = os.getpid(), 0
    try:
        yield
    except BaseException as error:
        if os.getpid() == shell:
            raise
        code = 1
        if isinstance(error, SystemExit):
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        else:
            traceback.print_exc()
    if os.getpid() != shell:
        sys.stdout.flush()
        os._exit(code)


def _print_line(line: str) -> None:
    """Print a line of its own, below what somebody has not ended yet."""
    sys.stdout.write(f"\n{line}\n" if Console.has_open_line else f"{line}\n")
