"""What came out of a setup, for people: short when all went well, every failure in a sentence when not."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bliss_like.data.counting import counted
from bliss_like.errors import NotConnectedError

from .failures import told
from .making import Made

SLOW = 0.5
"""Seconds from which it is said what took them."""

SHOWN_LINES = 6
SHOWN_ERRORS = 12


@dataclass(frozen=True)
class Summary:
    """The outcome of `session.setup()` or `session.resetup()`; true when all went well.

    :param objects: what was asked for, in the order of the configuration.
    :param errors: by their numbers, those of `last_error(<number>)`.
    :param seconds: how long all took.
    :param changes: what a resetup has changed.
    """

    session: str
    objects: Sequence[Made]
    errors: Mapping[int, BaseException]
    seconds: float
    changes: str = ""

    def __bool__(self) -> bool:
        return not self.errors

    @property
    def made(self) -> list[str]:
        return [made.name for made in self.objects if made.error is None]

    def __str__(self) -> str:
        return self.text()

    def __info__(self) -> str:
        return self.text()

    def text(self, width: int | None = None) -> str:
        """Return the summary in lines of `width` columns, by default those of the terminal; long words stick out."""
        width = width or shutil.get_terminal_size().columns
        lines = [self._headline()]
        for line in self.changes.splitlines():
            lines += _wrapped(line, width, "  ")
        if self.made and not self.changes:
            names = _wrapped("  " + " ".join(self.made), width, "  ")
            lines += names[:SHOWN_LINES]
            if len(names) > SHOWN_LINES:
                lines.append("  ... all of them: current_session.object_names")
        if self.errors:
            lines.append(f"Not all went well, errors: {len(self.errors)}. last_error(<number>) shows where.")
        for number, sentence in enumerate(self._sentences()):
            if number == SHOWN_ERRORS:
                lines.append("  ... and more: ERROR_REPORT")
                break
            lines += _wrapped(sentence, width, "      ")
        return "\n".join(lines)

    def _headline(self) -> str:
        made, wanted = len(self.made), len(self.objects)
        slowest = max(self.objects, key=lambda made: made.seconds, default=None)
        slow = ""
        if slowest is not None and slowest.seconds >= SLOW:
            slow = f", the slowest: {slowest.name} {slowest.seconds:.1f} s"
        return f"Session {self.session}: {counted(made, 'object', wanted)} in {self.seconds:.1f} s{slow}"

    def _sentences(self) -> Iterator[str]:
        """Tell each error; what does not answer is told at once, as it mostly has one reason."""
        silent = [error for error in self.errors.values() if isinstance(error, NotConnectedError)]
        for number, error in self.errors.items():
            if len(silent) < 3 or error not in silent:
                yield f"{_mark(number)} {told(error)}"
            elif error is silent[0]:
                others = " ".join(str(other).partition(":")[0] for other in silent[1:])
                yield f"{_mark(number)} {told(error)}"
                yield f"      The same with: {others}"


def _mark(number: int) -> str:
    return f"{f'[{number}]':>5}"


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Return lines; a message that has several keeps them."""
    lines: list[str] = []
    for number, line in enumerate(text.splitlines()):
        first = "" if number == 0 else indent
        lines += textwrap.wrap(
            line,
            width,
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
    return lines
