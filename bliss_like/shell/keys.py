"""Keys of what is shown in place of the prompt."""

from __future__ import annotations

import signal
from collections.abc import Callable

from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

HARMLESS = ("c-z", "c-s", "c-q", "c-\\")
"""Keys that suspend, hold or end other programs: here they do nothing, also those that were pressed too late for a command."""


def on(keys: KeyBindings, key: str, call: Callable[[], object], *, eager: bool = True) -> None:
    """Let a key make a call.

    :param eager: at once, and whatever else it means.
    """

    @keys.add(key, eager=eager)
    def _pressed(event: KeyPressEvent) -> None:
        call()


def ignore_harmless(keys: KeyBindings) -> None:
    for key in HARMLESS:
        on(keys, key, lambda: None, eager=False)


def pause_with(keys: KeyBindings, key: str = "c-z") -> None:
    """Let a key pause and resume scans, as it does while a command runs and nothing is shown: there the terminal makes a signal of it."""

    def send() -> None:
        if callable(signal.getsignal(signal.SIGTSTP)):  # else it would suspend the process
            signal.raise_signal(signal.SIGTSTP)

    on(keys, key, send)
