"""`status_line`: what a macro is at, in a line of its own that changes in place."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bliss_like.live.digits import duration
from bliss_like.live.look import cut
from bliss_like.live.progress import bar
from bliss_like.scanning.status_messages import remove_user_status_message, set_user_status_message

from .arguments import number_of, verb
from .live import LiveLines, is_live
from .look import look

PERIOD = 10.0
"""Seconds between two lines, where they cannot change in place."""
BAR = 20
"""Characters of a bar."""
COLUMNS = 200
"""Longer lines are cut, whatever the terminal is like."""


class StatusLine:
    """A line at the bottom of the terminal while its command runs; in the background, in the bottom line of the prompt."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._text = ""
        self._began = time.monotonic()
        self._printed = float("-inf")
        self._lines = LiveLines()
        self._key = f"status line {id(self)}"

    def show(self, text: object = "", fraction: float | None = None) -> None:
        """Have this text from now on, behind the title.

        :param fraction: from 0 to 1: with a bar.
        """
        part = None if fraction is None else max(0.0, min(1.0, number_of("fraction", fraction)))
        self._text = _joined(self._title, " ".join(str(text).split()))
        line = self._text if part is None else f"{bar(part, BAR, look().glyphs)}  {100 * part:3.0f} %  {self._text}"
        if is_live():
            remove_user_status_message(self._key)
            self._lines.show(cut(line, COLUMNS))
        elif getattr(sys.stdout, "has_prompt", False):
            set_user_status_message(self._key, self._text if part is None else f"{self._text} {100 * part:.0f} %")
        elif time.monotonic() - self._printed >= PERIOD:
            self._printed = time.monotonic()
            print(cut(line, COLUMNS), flush=True)

    def end(self) -> None:
        """Leave a line that says what came last, and how long it has taken."""
        remove_user_status_message(self._key)
        text = cut(f"{self._text}, {duration(time.monotonic() - self._began)}", COLUMNS)
        if self._lines.text:
            self._lines.show(text)
            self._lines.finish()
        else:
            print(text, flush=True)


@verb("title")
@contextmanager
def status_line(title: str) -> Iterator[StatusLine]:
    """Tell what a macro is at, in a line that changes in place, as long as the context is open.

    ::

        with status_line("heating") as line:
            while furnace.temperature < 80:
                line.show(f"{furnace.temperature:.1f} K", furnace.temperature / 80)
                sleep(1)

    Without a terminal there is a line every ten seconds.
    """
    line = StatusLine(str(title))
    line.show()
    try:
        yield line
    finally:
        line.end()


def _joined(title: str, text: str) -> str:
    return f"{title}: {text}" if title and text else title or text
