"""What users' files raise, in a sentence that says where; the rest is in the exception itself."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from bliss_like.config.references import relative
from bliss_like.errors import BlissLikeError, ScriptError

if TYPE_CHECKING:
    from .session import Session

_logger = logging.getLogger(__name__)


class ErrorLog:
    """The last errors of a session; each keeps the number that it got."""

    def __init__(self, size: int = 100) -> None:
        self._last: deque[BaseException] = deque(maxlen=size)
        self._count = 0

    def add(self, error: BaseException) -> int:
        """Keep an error; return its number."""
        self._last.append(error)
        self._count += 1
        return self._count - 1

    def get(self, number: int = -1) -> BaseException | None:
        """Return the error of that number, -1 for the last one; None when there is none, or no more."""
        wanted = number if number >= 0 else self._count + number
        return dict(self).get(wanted)

    def __iter__(self) -> Iterator[tuple[int, BaseException]]:
        return iter(list(enumerate(self._last, self._first)))

    @property
    def _first(self) -> int:
        return self._count - len(self._last)


class SetupErrors(dict[int, BaseException]):
    """What went wrong in the setup of a session, by the numbers that it has in its log of errors."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.are_shown = False
        """Whether the user is shown them in the end; otherwise they are logged."""

    def keep(self, error: BaseException) -> None:
        self[self._session.error_log.add(error)] = error

    def report(self, error: BaseException) -> None:
        """Keep an error and tell of it; not again, when all items of a box that could not be made say so."""
        if str(error) in map(str, self.values()):
            return
        self.keep(error)
        if not self.are_shown and str(error) not in map(str, self._session.config.errors):  # those have been logged
            _logger.error("session %s: %s", self._session.name, with_traceback(error))


@contextmanager
def told_elsewhere(told: bool) -> Iterator[None]:
    """Keep errors of the configuration out of the log if somebody tells of them anyway."""
    logger = logging.getLogger("bliss_like.config")
    level = logger.level
    try:
        if told:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        logger.setLevel(level)


def script_error(file: str, error: BaseException) -> ScriptError:
    """Return the error that says in a line what went wrong in `file`, and where; its cause is `error`."""
    if isinstance(error, SyntaxError) and error.filename == file:
        failure = ScriptError(f"{relative(file)}:{error.lineno}: {type(error).__name__}: {error.msg}")
    else:
        line = next((frame.lineno for frame in reversed(_frames(error)) if frame.filename == file), None)
        place = f"{relative(file)}:{line}" if line else relative(file)
        failure = ScriptError(f"{place}: {named(error)}")
    failure.__cause__ = error.with_traceback(_from_file(error, file))
    return failure


def place_of(error: BaseException) -> str:
    """Return `file:line: ` of where the error was raised; empty if that is not known."""
    frames = _frames(error)
    return f"{relative(frames[-1].filename)}:{frames[-1].lineno}: " if frames else ""


def place_of_caller() -> str:
    """Return `file:line: ` of the user's file that has called; empty at a prompt."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("bliss_like."):
        frame = frame.f_back
    if frame is None or not os.path.isfile(frame.f_code.co_filename):
        return ""
    return f"{relative(frame.f_code.co_filename)}:{frame.f_lineno}: "


def told(error: BaseException) -> str:
    """Return an error as a sentence; ours are sentences already."""
    return message_of(error) if isinstance(error, BlissLikeError) else named(error)


def named(error: BaseException) -> str:
    """Return an error's class and message."""
    return f"{type(error).__name__}: {message_of(error)}".rstrip(": ")


def message_of(error: BaseException) -> str:
    """Return an error's message; there is one even when its class, which may be anybody's, fails to give it."""
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - one error is not to hide another
        return f"(its __str__ raised {type(broken).__name__})"


def with_traceback(error: BaseException) -> str:
    """Return an error in full: with its traceback, unless it says all there is to say."""
    if isinstance(error, BlissLikeError) and error.__cause__ is None and not isinstance(error, ScriptError):
        return str(error)
    return "".join(traceback.format_exception(error)).rstrip()


def _from_file(error: BaseException, file: str) -> TracebackType | None:
    """Return the traceback without what comes before the file: who runs it is of no interest."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return trace or error.__traceback__


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))
