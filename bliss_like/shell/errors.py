"""How the shell shows what went wrong: in a line, with the traceback for those who ask."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator
from types import TracebackType

from bliss_like.config.suggestion import did_you_mean
from bliss_like.live.look import Role, wrapped
from bliss_like.session.failures import ErrorLog, message_of

from .style import Style

HINT = "(last_error()\xa0shows\xa0where)"
"""Its spaces are no places to break a line."""


class ErrorReport:
    """ERROR_REPORT: shows errors, and keeps them for `last_error()`.

    :param log: where they are kept; those of the session's setup are there already.
    """

    def __init__(self, log: ErrorLog) -> None:
        self._log = log
        self.expert_mode = False
        """Whether every error is shown with its traceback."""

    def show(self, error: BaseException) -> None:
        """Print `error` in a line (or as many as its message has)."""
        self._log.add(error)
        if self.expert_mode:
            print(_in_full(error), file=sys.stderr, end="", flush=True)
        else:
            print(_shown(error), file=sys.stderr, flush=True)

    def last_error(self, number: int = -1) -> None:
        """Print an error with its traceback: the last one, or that of a number."""
        error = self._log.get(number)
        if error is not None:
            print(_in_full(error), end="")
        elif number == -1:
            print("No error so far.")
        else:
            known = [str(known) for known, _ in self._log]
            print(f"No error {number}; there are {f'{known[0]} to {known[-1]}' if known else 'none'}.")

    def __info__(self) -> str:
        lines = [f"{f'[{number}]':>5} {one_line(error)}" for number, error in self._log]
        return "\n".join([*lines, "last_error(<number>) shows where."] if lines else ["No error so far."])


_ORDERS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
"""What a terminal would obey, in the answer of a device that an error repeats."""

_OURS = ("bliss_like.shell.", "bliss_like.session.protection")
"""What stands between the prompt and the user's own code."""


def one_line(error: BaseException) -> str:
    """Return the kind of error, its message and notes; an error without message names its kind and place."""
    message = message_of(error).strip()
    if isinstance(error, KeyError) and len(error.args) == 1 and " " in str(error.args[0]):
        message = str(error.args[0])  # a sentence: str() would put it into quotes
    if not message:
        frames = traceback.extract_tb(error.__traceback__)
        message = f"in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    if isinstance(error, AttributeError):
        message += _meant(error)
    notes = getattr(error, "__notes__", ())
    return " ".join(_sentences([f"{type(error).__name__}: {message}".rstrip(": "), *notes])).translate(_ORDERS)


def _sentences(parts: Iterable[str]) -> Iterator[str]:
    """Yield parts of a text, with a full stop where a sentence follows on one that has none."""
    before = ""
    for part in parts:
        if before:
            yield f"{before}." if part[:1].isupper() and before[-1:].isalnum() else before
        before = part
    yield before


def _meant(error: AttributeError) -> str:
    """Return which attribute somebody probably meant."""
    if not error.name or error.obj is None or "did you mean" in str(error):
        return ""
    try:
        there = [name for name in dir(error.obj) if not name.startswith("_")]
    except Exception:  # noqa: BLE001 - an object of somebody's class
        return ""
    return did_you_mean(error.name, there)


def _in_full(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, _from_user(error)))


def _from_user(error: BaseException) -> TracebackType | None:
    """Return the traceback without the frames of the shell itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith(_OURS):
        trace = trace.tb_next
    return trace or error.__traceback__


def _shown(error: BaseException) -> str:
    """Return what is printed of an error: its first line stands out, the usage and the like below it do not."""
    text = f"{one_line(error)} {HINT}"
    text = (wrapped(text) if sys.stderr.isatty() else text).removesuffix(HINT)
    message, gap = text[:-1], text[-1]  # the hint may have a line of its own
    end = len(_first_line(message))
    style = Style.of(sys.stderr)
    hint = style.paint(HINT.replace("\xa0", " "), Role.DIM)
    return style.paint(message[:end], Role.ERROR) + message[end:] + gap + hint


def _first_line(message: str) -> str:
    """Return a message up to what explains it, below."""
    return message.partition("\nusage: ")[0]
