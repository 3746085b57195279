"""`clear countdown`: an empty screen, and time that passes."""

from __future__ import annotations

import math
import os
import sys
import time

import gevent

from bliss_like.errors import UsageError

from .arguments import number_of, verb
from .live import LiveLines, is_live

PERIOD = 0.2
"""Seconds between two looks at the clock."""


@verb("")
def clear() -> None:
    """Empty the terminal."""
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        print("\033[H\033[2J\033[3J", end="", flush=True)


@verb('seconds, message="Waiting...", end_message=None')
def countdown(duration_s: float, message: str = "Waiting...", end_message: str | None = None) -> None:
    """Wait, and show how long it still takes.

    :param duration_s: seconds.
    :param end_message: what is printed in the end.
    """
    duration = number_of("seconds", duration_s)
    if duration < 0:
        raise UsageError(f"seconds: expected a time to wait, got {duration_s!r}")
    lines = LiveLines()
    end = time.monotonic() + duration
    if not is_live():
        print(f"{message} {duration:g} s", flush=True)
    while (left := end - time.monotonic()) > 0:
        if is_live():
            lines.show(f"{message} {_readable(math.ceil(left))}")
        gevent.sleep(min(PERIOD, left))
    if lines.text:
        lines.show(f"{message} {duration:g} s are over")
    if end_message is not None:
        print(end_message)


def _readable(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"
