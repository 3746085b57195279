"""Lines at the bottom of a terminal that change in place; whatever is printed appears above them.

The cursor always rests where the next character that is printed belongs, the panel is drawn below it and erased by "clear all
below": so nothing needs to be known of what was printed, and what others write past this module (libraries in C, other
processes, the `^C` of the terminal) lands above the panel, too. Each frame is one write, which hides the cursor at its beginning
and shows it at its end: whatever ends the process between two frames leaves a terminal in order.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TextIO

from bliss_like.live.look import cells, cut

_log = logging.getLogger(__name__)

PERIOD = 0.1
"""Seconds between two frames, at least."""
TICK = 0.5
"""Seconds between two frames when nothing is new: times go on, and the terminal may have another size."""
SHARE = 0.03
"""Of the processor that drawing may take: what takes long is drawn less often."""
SELDOM = 1.0
"""Seconds between two frames at most, where something is new."""
ROOM = 3
"""Lines of the terminal that are left to what is printed."""

Draw = Callable[[int], Sequence[str]]
"""Returns the lines of a part, for a terminal of so many columns. It neither waits nor prints."""

Later = Callable[[float, Callable[[], object]], object]
"""Makes a call in so many seconds, in the thread that made the panel; it may be asked from any thread."""

_ESCAPE = re.compile(r"\033(?:\[[0-?]*[ -/]*[@-~]|\][^\a\033]*(?:\a|\033\\)|[@-Z\\^_]|[ -/]*[0-~])")
_CONTROLS = {code: " " for code in range(32) if code != 27} | {127: " "}
"""Characters that would move the cursor, in a line that is shown."""
_BEGIN, _END = "\033[?2026h\033[?25l", "\033[?25h\033[?2026l"
_SAVE, _RESTORE, _PLAIN = "\0337", "\0338", "\033[m"
_REST_OF_LINE, _ALL_BELOW, _DOWN, _SCROLL = "\033[K", "\033[J", "\033[B", "\033D"


def can_change(stream: TextIO) -> bool:
    """Whether there is a terminal behind a stream on which lines can change in place."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Part:
    """Some lines of a panel."""

    def __init__(self, panel: Panel, draw: Draw, order: int) -> None:
        self._panel, self.draw, self.order = panel, draw, order

    def show(self, lines: Sequence[str]) -> None:
        """Have these lines from now on."""
        self.draw = lambda _columns: lines
        self._panel.changed()

    def changed(self) -> None:
        """Say that the lines are others now."""
        self._panel.changed()

    def close(self) -> None:
        self._panel.close(self)

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Panel:
    """The bottom of the terminal behind a stream; without a terminal it does nothing, and prints go straight through.

    :param later: makes calls in the thread of the panel; without it, frames that are not due yet wait for the next call.
    """

    def __init__(self, stream: TextIO, later: Later | None = None) -> None:
        self._stream, self._later = stream, later
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what the terminal cannot show is a question mark, and no error
        self.is_live = can_change(stream)
        self.frames = 0
        """How many were drawn."""
        self._parts: list[Part] = []
        self._printed: list[str] = []
        self._lock = threading.Lock()  # held for list operations only
        self._thread = threading.get_ident()
        self._hidden = 0
        self._lines: list[str] = []  # that are on the screen
        self._size = os.terminal_size((80, 24))
        self._last, self._next = -TICK, float("inf")
        self._period = PERIOD
        self._column = 0
        """Where the cursor is, in what was printed since the beginning of the line; -1 when there may be text behind it."""

    # -- what is shown ---------------------------------------------------------------------------------------------------

    def open(self, draw: Draw = lambda _columns: (), order: int = 0) -> Part:
        """Add a part; those of a higher order are further down."""
        part = Part(self, draw, order)
        if self.is_live:
            self._parts = sorted([*self._parts, part], key=lambda one: one.order)
            self.changed()
        return part

    def close(self, part: Part) -> None:
        """Remove a part, at once."""
        if part in self._parts:
            self._parts.remove(part)
            self._draw()

    def end(self) -> None:
        """Be no more: the terminal goes on without a panel."""
        self._parts.clear()
        self._draw()
        self.is_live = False

    @property
    def is_shown(self) -> bool:
        """Whether what is printed has to be handed to `print`."""
        return bool(self._lines) or (bool(self._parts) and not self._hidden)

    @property
    def columns(self) -> int:
        return self._terminal_size().columns

    @property
    def rows(self) -> int:
        return self._terminal_size().lines

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Leave the terminal to somebody else, as long as the context is open."""
        self._hidden += 1
        self._draw()
        try:
            yield
        finally:
            self._hidden -= 1
            self.changed()

    # -- when it is drawn ------------------------------------------------------------------------------------------------

    def print(self, text: str) -> None:
        """Print above the panel; any greenlet and any thread may. Lines come as they are, without an end they stay open."""
        with self._lock:
            self._printed.append(text)
        if text.endswith("\n"):
            self.changed()
        else:
            self._plan(max(PERIOD / 2, self._due()))  # its end comes at once, usually

    def flush(self) -> None:
        """Print what has come, if a frame is due."""
        if self._printed:
            self.changed()

    def changed(self) -> None:
        """Draw a frame, now or when it is due."""
        due = self._due()
        if due == 0 and threading.get_ident() == self._thread:
            self._draw()
        elif self.is_shown or self._printed:
            self._plan(due)

    def _due(self) -> float:
        """Return in how many seconds the next frame may come."""
        return max(0.0, self._last + self._period - time.monotonic())

    def _plan(self, seconds: float) -> None:
        when = time.monotonic() + seconds
        if self._later is not None and when < self._next - 0.001:
            self._next = when
            self._later(seconds, self._on_time)

    def _on_time(self) -> None:
        if time.monotonic() >= self._next - 0.001:  # else it was planned anew, for an earlier time
            self._next = float("inf")
            self._draw()

    # -- how it is drawn -------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        with self._lock:
            text = "".join(self._printed)
            self._printed.clear()
        size, before = self._terminal_size(), self._lines
        is_resized, self._size = size != self._size, size
        began = time.thread_time()
        self._lines = [] if self._hidden else self._drawn(size)
        self._period = min(SELDOM, max(PERIOD, (time.thread_time() - began) / SHARE))
        self._last = time.monotonic()
        if text or is_resized or self._lines != before:
            self._column = self._column if before else 0
            erase = bool(before) and (bool(text) or is_resized or len(self._lines) < len(before))
            frame = (self._erased() if erase else "") + self._joined(text) + self._below()
            self.frames += 1
            self._stream.write(f"{_BEGIN}{frame}{_END}" if self.is_live else text)
            self._stream.flush()
        if self._lines:
            self._plan(max(TICK, self._period))

    def _drawn(self, size: os.terminal_size) -> list[str]:
        lines: list[str] = []
        for part in list(self._parts):
            try:
                lines += part.draw(size.columns)
            except Exception:  # whoever prints is not to have it
                self._parts.remove(part)
                _log.exception("what was to be shown at the bottom of the terminal")
        return [_fitted(line, size.columns) for line in lines[: max(0, size.lines - ROOM)]]

    @property
    def _is_full(self) -> bool:
        """Whether the cursor waits behind the last character of a full line."""
        return self._column > 0 and self._column % self._size.columns == 0

    @property
    def _is_at_the_end(self) -> bool:
        """Whether nothing that was printed is where the cursor is, or behind it."""
        return self._column >= 0 and not self._is_full

    def _erased(self) -> str:
        """Return what erases the panel. Somebody may have sent the cursor into it: then what is left of its line goes, too."""
        if self._is_at_the_end:
            return f"{_SAVE}{_PLAIN}{_ALL_BELOW}{_RESTORE}"
        return f"{_SAVE}{_DOWN}\r{_PLAIN}{_ALL_BELOW}{_RESTORE}"

    def _joined(self, text: str) -> str:
        """Return what to write for a text that goes on where the last one ended."""
        if not text:
            return ""
        visible = _ESCAPE.sub("", text)
        # What was drawn has undone the wrap that the terminal itself had in mind.
        prefix = "\r\n" if self._is_full and visible[:1] not in ("", "\r", "\n") else ""
        _, newline, last = visible.rpartition("\n")
        before = 0 if newline else self._column
        if "\r" in last or "\b" in last or before < 0:
            self._column = -1
        else:
            self._column = before + cells(last.expandtabs())
        return prefix + text

    def _below(self) -> str:
        """Return what draws the lines below the cursor, and brings it back."""
        count = len(self._lines)
        if not count:
            return ""
        room = f"{_SCROLL * count}\033[{count}A{_SAVE}{_PLAIN}"
        rest = _REST_OF_LINE if self._is_at_the_end else ""  # somebody may have sent the cursor into the panel
        lines = "".join(_below_another(line, self._size.columns) for line in self._lines)
        return f"{room}{rest}{lines}{_RESTORE}"

    def _terminal_size(self) -> os.terminal_size:
        if not self.is_live:
            return shutil.get_terminal_size()
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):  # io.UnsupportedOperation is both
            return shutil.get_terminal_size()
        return size if size.columns and size.lines else os.terminal_size((80, 24))


# Most lines of a frame, those of a plot, are those of the frame before.


@lru_cache(maxsize=128)
def _fitted(line: str, columns: int) -> str:
    """Return a line that has room in so many columns, and leaves the cursor where it is."""
    return cut(line.translate(_CONTROLS), columns)


@lru_cache(maxsize=128)
def _below_another(line: str, columns: int) -> str:
    """Return what draws a line that fits, below the one where the cursor is."""
    return f"\r\n{line}{_PLAIN}{_REST_OF_LINE if cells(line) < columns else ''}"
