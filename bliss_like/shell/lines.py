"""A line that is asked for in the middle of a command: what `input()` is at the prompt, also on a terminal that can do nothing."""

from __future__ import annotations

import os
import sys

from gevent.hub import get_hub
from prompt_toolkit.application import Application
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import DummyHistory
from prompt_toolkit.input.vt100 import cooked_mode
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.utils import is_dumb_terminal

from bliss_like.errors import UserAbort

from .console import Console
from .keys import ignore_harmless, pause_with
from .terminal import SessionTerminal

_READ = 1


def read_line(terminal: SessionTerminal, question: str = "", hidden: bool = False, fresh: bool = False) -> str:
    """Return a line that the user types, without its end; called in any greenlet. The line stays on the screen.

    :param question: stands before the line; it may have several lines, and colours as escape codes.
    :param hidden: what is typed is not shown.
    :param fresh: keys that were pressed before it is asked do not count.
    :raises EOFError: Ctrl-D on an empty line.
    :raises UserAbort: Ctrl-C.
    """
    sys.stdout.flush()
    is_plain = is_dumb_terminal()
    line = ""
    try:
        if is_plain:
            line = _plain_line(terminal, question, fresh)
        else:
            line = terminal.run(_editor(terminal, question, hidden), purpose=question.strip(), fresh=fresh)
        return line
    finally:
        Console.note(f"{'' if is_plain else question}{'' if hidden else line}\n")


def _editor(terminal: SessionTerminal, question: str, hidden: bool) -> Application[str]:
    keys = KeyBindings()
    ignore_harmless(keys)
    pause_with(keys)
    editor: PromptSession[str] = PromptSession(
        ANSI(question),
        input=terminal.keyboard,
        output=terminal.screen,
        history=DummyHistory(),
        key_bindings=keys,
        is_password=hidden,
        interrupt_exception=UserAbort,
    )
    return editor.app


def _plain_line(terminal: SessionTerminal, question: str, fresh: bool) -> str:
    """Leave the editing to the terminal itself, which knows a line at a time."""
    keyboard = terminal.keyboard.fileno()
    with terminal.taken(question.strip()), cooked_mode(keyboard):
        if fresh:
            terminal.forget_keys()
        print(question, end="", flush=True)
        get_hub().wait(get_hub().loop.io(keyboard, _READ))
        return typed_line(keyboard)


def typed_line(keyboard: int) -> str:
    """Return the line that a terminal has ready, which has edited it itself.

    :raises EOFError: Ctrl-D, or the terminal was closed.
    """
    typed = os.read(keyboard, 65536).decode(errors="replace")
    if not typed:
        raise EOFError("the terminal was closed, or Ctrl-D pressed")
    return typed.rstrip("\r\n")
