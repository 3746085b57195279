"""What a shell can do for the verbs that people type, because it has a terminal: each is offered as long as the shell is open."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from bliss_like.session import Session
from bliss_like.standard.dialogs import offer_dialogs
from bliss_like.standard.live import offer_panel
from bliss_like.standard.look import offer_look
from bliss_like.standard.questions import Question
from bliss_like.standard.tweaking import Tweak, offer_tweaking

from .style import Style
from .terminal import SessionTerminal


@contextlib.contextmanager
def offered(terminal: SessionTerminal, session: Session) -> Iterator[None]:
    """Offer all there is."""
    with _tweaking(terminal), _dialogs(terminal), _colours(), _panel(terminal):
        yield


@contextlib.contextmanager
def _panel(terminal: SessionTerminal) -> Iterator[None]:
    if terminal.panel.is_live:
        offer_panel(terminal.panel.open)
    try:
        yield
    finally:
        offer_panel(None)


@contextlib.contextmanager
def _colours() -> Iterator[None]:
    offer_look(Style.of)
    try:
        yield
    finally:
        offer_look(None)


@contextlib.contextmanager
def _dialogs(terminal: SessionTerminal) -> Iterator[None]:
    def ask(question: Question) -> Any:
        from .dialogs import ask_in_terminal  # takes its time to load

        return ask_in_terminal(terminal, question)

    offer_dialogs(ask)
    try:
        yield
    finally:
        offer_dialogs(None)


@contextlib.contextmanager
def _tweaking(terminal: SessionTerminal) -> Iterator[None]:
    def show(asked: Tweak) -> None:
        from .tweak import Tweaking  # takes its time to load

        Tweaking(terminal).show(asked)

    offer_tweaking(show)
    try:
        yield
    finally:
        offer_tweaking(None)
