"""How the shell shows what went wrong: in a line, with the traceback for those who ask."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType


class ErrorReport:
    """Shows errors and keeps the last one for `last_error()`."""

    def __init__(self) -> None:
        self.last: BaseException | None = None

    def show(self, error: BaseException) -> None:
        """Print `error` in a line (or as many as its message has)."""
        self.last = error
        print(_red(one_line(error)), "(last_error() shows where)", file=sys.stderr, flush=True)

    def last_error(self) -> None:
        """Print the last error with its traceback."""
        if self.last is None:
            print("No error so far.")
        else:
            print("".join(traceback.format_exception(type(self.last), self.last, _from_user(self.last))), end="")


def one_line(error: BaseException) -> str:
    """Return the kind of error, its message and notes; an error without message names its kind and place."""
    message = str(error).strip()
    if not message:
        frames = traceback.extract_tb(error.__traceback__)
        message = f"in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    notes = getattr(error, "__notes__", ())
    return " ".join([f"{type(error).__name__}: {message}".rstrip(": "), *notes])


def _from_user(error: BaseException) -> TracebackType | None:
    """Return the traceback without the frames of the shell itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__", "").startswith("bliss_like.shell."):
        trace = trace.tb_next
    return trace or error.__traceback__


def _red(text: str) -> str:
    return f"\033[31m{text}\033[0m" if sys.stderr.isatty() else text
